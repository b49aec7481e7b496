"""The robot vacuum."""

from __future__ import annotations

from dataclasses import replace

from device.skills.api import Outcome, Request, Services
from device.skills.appliances import change, find
from device.skills.common import text_of, unknown_intent
from device.skills.ports import House


class VacuumSkill:
    """See the pack `vacuum`."""

    name = "vacuum"

    def __init__(self, house: House) -> None:
        self._house = house

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`. The room is where to clean, not where the vacuum is: it cleans the whole floor."""
        if request.intent not in ("start", "stop"):
            raise unknown_intent(self.name, request)
        anywhere = {name: slot for name, slot in request.slots.items() if name != "room"}
        found = find(self._house, replace(request, slots=anywhere, room=""), "vacuum")
        if found.problem:
            return found.problem
        cleaning = request.intent == "start"
        room = text_of(request, "room")
        done = Outcome("room_too", {"room": room}) if room and cleaning else Outcome("done")
        return await change(
            self._house, request, self.name, found, lambda _: {"cleaning": cleaning}, done, Outcome("already")
        )


def build(services: Services) -> VacuumSkill:
    """The skill with its house."""
    return VacuumSkill(services.house)
