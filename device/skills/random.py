"""Coins, dice, numbers and choices."""

from __future__ import annotations

from random import Random
from typing import Final

from device.skills.api import Outcome, Request, Services
from device.skills.common import failure, says, unknown_intent

MOST_DICE: Final = 20
_UP_TO: Final = 100


class RandomSkill:
    """See the pack `random`."""

    name = "random"

    def __init__(self, random: Random) -> None:
        self._random = random

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`; the words tell a coin from a die."""
        if request.intent != "pick":
            raise unknown_intent(self.name, request)
        first, second = request.words("first"), request.words("second")
        if first and second:
            return Outcome("choice", {"result": self._random.choice((first, second))})
        if says(request, "coin", "heads", "tails"):
            return Outcome("coin", {"result": self._random.choice(("heads", "tails"))})
        if says(request, "yes"):
            return Outcome("choice", {"result": self._random.choice(("yes", "no"))})
        if says(request, "die", "dice"):
            return self._dice(request)
        low, high = _whole(request, "from", 1), _whole(request, "to", _UP_TO)
        if high <= low:
            return failure("range")
        return Outcome("number", {"result": self._random.randint(low, high)})

    def _dice(self, request: Request) -> Outcome:
        """Of "three dice with eight sides" `from` is the three and `to` the eight."""
        pair = says(request, "two", "pair") or "the dice" in request.text
        count, sides = _whole(request, "from", 2 if pair else 1), _whole(request, "to", 6)
        if not (1 <= count <= MOST_DICE and sides >= 2):
            return failure("impossible")
        results = [self._random.randint(1, sides) for _ in range(count)]
        if count == 1:
            return Outcome("die", {"result": results[0]})
        return Outcome("dice", {"results": results, "total": sum(results)})


def _whole(request: Request, slot: str, default: int) -> int:
    value = request.value(slot)
    return int(value) if isinstance(value, int | float) else default


def build(services: Services) -> RandomSkill:
    """The skill with the services' random numbers."""
    return RandomSkill(services.random)
