"""Who uses the device."""

from __future__ import annotations

from device.skills.api import Change, Outcome, Question, Request, Services
from device.skills.common import closest, says, text_of, unknown_intent
from device.store.profiles import Profiles


class ProfileSkill:
    """See the pack `profile`."""

    name = "profile"

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`. A name that nobody has yet makes a new profile."""
        if request.intent != "switch":
            raise unknown_intent(self.name, request)
        person, current = text_of(request, "person"), self._profiles.current()
        if not person:
            if says(request, "who", "whose", "which", "current"):
                return Outcome("current", {"person": current.title()}) if current else Outcome("none")
            return Outcome(question=Question("person", "ask"))
        names = self._profiles.names()
        position = closest(person, names)
        name = person if position is None else names[position]
        self._profiles.switch(name)

        async def undo() -> None:
            self._profiles.switch(current)

        change = Change(self.name, "switch", name, {"current": True})
        key = "new" if position is None else "done"
        return Outcome(key, {"person": name.title()}, (change,), undo=undo if current else None)


def build(services: Services) -> ProfileSkill:
    """The skill with the stored profiles."""
    return ProfileSkill(Profiles(services.database))
