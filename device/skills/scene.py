"""Scenes of the house."""

from __future__ import annotations

from device.errors import SkillError
from device.skills.api import Change, Outcome, Request, Services
from device.skills.common import closest, failure, named, text_of, unknown_intent
from device.skills.ports import House


class SceneSkill:
    """See the pack `scene`."""

    name = "scene"

    def __init__(self, house: House) -> None:
        self._house = house

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        if request.intent != "activate":
            raise unknown_intent(self.name, request)
        scenes = [a for a in self._house.appliances() if a.kind == "scene"]
        names = [(name, a) for a in scenes for name in (a.name, *a.aliases)]
        said = text_of(request, "scene")
        position = closest(said, [name for name, _ in names])
        if position is None:
            values = {"said": said, "options": tuple(a.name for a in scenes)}
            return failure("unknown", values) if scenes else failure("none")
        scene = names[position][1]
        try:
            await self._house.apply(scene.id, {"active": True})
        except SkillError:
            return failure("offline")
        done = Change(self.name, "activate", scene.id, {"active": True})
        return Outcome("done", {"scene": scene.name}, (done,), mentioned={"scene": named(scene.name)})


def build(services: Services) -> SceneSkill:
    """The skill with its house."""
    return SceneSkill(services.house)
