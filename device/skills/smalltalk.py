"""Courtesies."""

from __future__ import annotations

from device.skills.api import Outcome, Request, Services
from device.skills.common import says


class SmalltalkSkill:
    """See the pack `smalltalk`; its sentences are all there is to it."""

    name = "smalltalk"

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        night = request.intent == "goodbye" and says(request, "night", "sleep", "dreams")
        return Outcome("night" if night else "done")


def build(_services: Services) -> SmalltalkSkill:
    """The skill; it needs nothing."""
    return SmalltalkSkill()
