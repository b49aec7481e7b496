"""Blinds, curtains, garage doors: open, close, or to a position."""

from __future__ import annotations

from device.nlu.types import Percent
from device.skills.api import Outcome, Request, Services
from device.skills.appliances import change, find
from device.skills.common import unknown_intent
from device.skills.ports import House


class CoverSkill:
    """See the pack `cover`."""

    name = "cover"

    def __init__(self, house: House) -> None:
        self._house = house

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`; a percentage is the position to open to."""
        if request.intent not in ("open", "close"):
            raise unknown_intent(self.name, request)
        found = find(self._house, request, "cover")
        if found.problem:
            return found.problem
        said = request.value("percent")
        position, done = (100 if request.intent == "open" else 0), Outcome("done")
        if isinstance(said, Percent):
            position = round(min(max(said.percent, 0.0), 100.0))
            done = Outcome("position", {"percent": Percent(position)})
        return await change(
            self._house, request, self.name, found, lambda _: {"position": position}, done, Outcome("already")
        )


def build(services: Services) -> CoverSkill:
    """The skill with its house."""
    return CoverSkill(services.house)
