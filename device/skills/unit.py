"""Conversion of units, by pint."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from device.dialogue.spoken import say
from device.skills.api import Outcome, Question, Request, Services
from device.skills.common import failure, unknown_intent

if TYPE_CHECKING:
    import pint

SIGNIFICANT: Final = 4
"""Digits that are read out; more help nobody who listens."""

_MASS_OR_VOLUME: Final = {"ounce": "fluid_ounce", "fluid_ounce": "ounce"}
"""People say "ounces" for both; which one is meant shows in the other unit."""


class UnitSkill:
    """See the pack `unit`. Unit values are pint's names."""

    name = "unit"

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        if request.intent != "convert":
            raise unknown_intent(self.name, request)
        amount = request.value("amount")
        origin, target = request.value("from"), request.value("to")
        for slot, value in (("from", origin), ("to", target)):
            if not isinstance(value, str):
                return Outcome(question=Question(slot, f"ask_{slot}"))
        number = float(amount) if isinstance(amount, int | float) else 1.0
        values: dict[str, object] = {"amount": number, "from": request.words("from"), "to": request.words("to")}
        result = convert(number, str(origin), str(target))
        if result is None:
            return failure("incompatible", values)
        rounded = float(f"{result:.{SIGNIFICANT}g}")
        exact = abs(rounded - result) <= 1e-9 * max(abs(result), 1.0)
        return Outcome("done" if exact else "about", {**values, "result": say(rounded)})


def convert(number: float, origin: str, target: str) -> float | None:
    """A number of one unit in another; None if they measure different things or one is unknown.

    Args:
        number: How many.
        origin: A unit by pint's name, e.g. "mile" or "degC".
        target: The unit wanted.
    """
    import pint

    registry = _registry()
    for unit in dict.fromkeys((origin, _MASS_OR_VOLUME.get(origin, origin))):
        for wanted in dict.fromkeys((target, _MASS_OR_VOLUME.get(target, target))):
            try:
                result = registry.Quantity(number, unit).to(wanted)
            except (pint.DimensionalityError, pint.UndefinedUnitError, pint.OffsetUnitCalculusError):
                continue
            return float(result.magnitude)
    return None


@cache
def _registry() -> pint.UnitRegistry[Any]:
    """Made when the first conversion is asked for: pint reads all its definitions then."""
    import pint

    return pint.UnitRegistry()


def build(_services: Services) -> UnitSkill:
    """The skill; it needs nothing."""
    return UnitSkill()
