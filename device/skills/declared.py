"""A skill that is nothing but its pack: it says `done` and reports what was asked for."""

from __future__ import annotations

from device.nlu.pack import Pack
from device.nlu.resolve.json import to_json
from device.skills.api import Change, Outcome, Request
from device.skills.common import unknown_intent


class PackSkill:
    """Serves every pack that comes without a Python module.

    The reply `done` may use the words of every slot, and `{summary}`: all of them, in the order in which the pack
    declares the slots. The change tells programs what to do: `set` holds the resolved values.
    """

    def __init__(self, pack: Pack) -> None:
        self.name = pack.skill
        self._pack = pack

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        intent = self._pack.intents.get(request.intent)
        if intent is None:
            raise unknown_intent(self.name, request)
        filled = {name: request.slots[name] for name in intent.slots if name in request.slots}
        values: dict[str, object] = {name: slot.text for name, slot in filled.items()}
        values["summary"] = ", ".join(slot.text for slot in filled.values())
        change = Change(self.name, request.intent, set={name: to_json(slot.value) for name, slot in filled.items()})
        return Outcome("done", values, (change,), mentioned=filled)
