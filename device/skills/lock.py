"""Door locks. Unlocking is confirmed by the dialogue before it gets here, and a single door must be meant."""

from __future__ import annotations

from dataclasses import replace

from device.skills.api import Outcome, Question, Request, Services
from device.skills.appliances import change, find, the
from device.skills.common import one_of, unknown_intent
from device.skills.ports import House


class LockSkill:
    """See the pack `lock`."""

    name = "lock"

    def __init__(self, house: House) -> None:
        self._house = house

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        if request.intent not in ("lock", "unlock"):
            raise unknown_intent(self.name, request)
        found = find(self._house, request, "lock")
        if found.problem:
            return found.problem
        locking = request.intent == "lock"
        if not locking and len(found.appliances) > 1:
            names = tuple(a.name for a in found.appliances)
            options = one_of([the(name) for name in names])
            return Outcome(question=Question("device", "which", {"options": options}, names))
        done = Outcome("all" if found.all else "done")
        outcome = await change(
            self._house, request, self.name, found, lambda _: {"locked": locking}, done, Outcome("already")
        )
        # A correction must never open a door that was just locked, nor count as the yes that opening one needs.
        return replace(outcome, undo=None)


def build(services: Services) -> LockSkill:
    """The skill with its house."""
    return LockSkill(services.house)
