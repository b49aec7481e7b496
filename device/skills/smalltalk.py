"""Courtesies; "good night" also sets the house's scene of that name."""

from __future__ import annotations

from typing import Final

from device.errors import SkillError
from device.nlu.text import spoken
from device.skills.api import Change, Outcome, Request, Services
from device.skills.common import says
from device.skills.ports import Appliance, House

NIGHT: Final = "good night"


class SmalltalkSkill:
    """See the pack `smalltalk`."""

    name = "smalltalk"

    def __init__(self, house: House) -> None:
        self._house = house

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        if request.intent != "goodbye" or not says(request, "night", "sleep", "dreams"):
            return Outcome("done")
        scene = self._scene()
        # "Have a good night" is said to somebody who leaves; the house is still in use.
        if scene is None or NIGHT not in request.text or says(request, "have", "enjoy"):
            return Outcome("night")
        try:
            await self._house.apply(scene.id, {"active": True})
        except SkillError:
            return Outcome("night")  # a wish is answered in any case
        return Outcome("night", changes=(Change("scene", "activate", scene.id, {"active": True}),))

    def _scene(self) -> Appliance | None:
        scenes = [a for a in self._house.appliances() if a.kind == "scene"]
        return next((a for a in scenes if NIGHT in (spoken(name) for name in (a.name, *a.aliases))), None)


def build(services: Services) -> SmalltalkSkill:
    """The skill with the house."""
    return SmalltalkSkill(services.house)
