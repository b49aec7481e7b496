"""Plugs and whatever hangs on them."""

from __future__ import annotations

from device.skills.api import Outcome, Request, Services
from device.skills.appliances import change, find
from device.skills.common import unknown_intent
from device.skills.ports import House


class SwitchSkill:
    """See the pack `switch`."""

    name = "switch"

    def __init__(self, house: House) -> None:
        self._house = house

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`; a lamp that was called a device is switched too."""
        if request.intent not in ("on", "off"):
            raise unknown_intent(self.name, request)
        found = find(self._house, request, "switch", others=("light",))
        if found.problem:
            return found.problem
        on = request.intent == "on"
        already = Outcome("already")
        return await change(self._house, request, self.name, found, lambda _: {"on": on}, Outcome(), already)


def build(services: Services) -> SwitchSkill:
    """The skill with its house."""
    return SwitchSkill(services.house)
