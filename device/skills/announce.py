"""Announcements: this device is alone, so it says them itself and admits it."""

from __future__ import annotations

from device.skills.api import Change, Outcome, Question, Request, Services
from device.skills.common import unknown_intent


class AnnounceSkill:
    """See the pack `announce`."""

    name = "announce"

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        if request.intent != "broadcast":
            raise unknown_intent(self.name, request)
        message = request.words("message")
        if not message:
            return Outcome(question=Question("message", "ask_message"))
        change = Change(self.name, "broadcast", "speaker", {"message": message})
        return Outcome("alone", {"message": message}, (change,))


def build(_services: Services) -> AnnounceSkill:
    """The skill; it needs nothing."""
    return AnnounceSkill()
