"""What the user asks to remember, and asks for again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rapidfuzz import fuzz

from device.clock import Clock
from device.skills.api import Change, Outcome, Question, Request, Services
from device.skills.common import failure, says, to_you, unknown_intent
from device.store.notes import Note, Notes

MOST_READ: Final = 5
"""Notes read out at once, newest first."""

_RELATED: Final = 70.0
_FILLERS: Final = frozenset({"the", "a", "an", "my", "our", "your", "of", "i", "is", "are", "to"})


class NoteSkill:
    """See the pack `note`."""

    name = "note"

    def __init__(self, notes: Notes, clock: Clock) -> None:
        self._notes = notes
        self._clock = clock

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        match request.intent:
            case "remember":
                return self._remember(request)
            case "recall":
                return self._recall(request)
        raise unknown_intent(self.name, request)

    def _remember(self, request: Request) -> Outcome:
        text = to_you(request.words("message"))
        if not text:
            return Outcome(question=Question("message", "ask_message"))
        note = self._notes.add(text, self._clock.now())

        async def undo() -> None:
            self._notes.remove(note)

        change = Change(self.name, "remember", "note", {"text": text})
        return Outcome("done", {"message": text}, (change,), undo=undo)

    def _recall(self, request: Request) -> Outcome:
        notes = self._notes.all()
        if not notes:
            return Outcome("none")
        query = to_you(request.words("query"))
        found = _about(notes, query) if query else notes
        if not found:
            return failure("not_found", {"query": query})
        if says(request, "last", "latest"):
            found = found[:1]
        texts = tuple(note.text for note in found[:MOST_READ])
        return Outcome("one" if len(found) == 1 else "several", {"count": len(found), "notes": texts})


def _about(notes: Sequence[Note], query: str) -> list[Note]:
    """Notes with most of the words that matter; `token_set_ratio` forgives inflection and mishearing."""
    wanted = " ".join(word for word in query.split() if word not in _FILLERS) or query
    scored = [(fuzz.token_set_ratio(wanted, note.text), note) for note in notes]
    return [note for score, note in scored if score >= _RELATED]


def build(services: Services) -> NoteSkill:
    """The skill with the stored notes."""
    return NoteSkill(Notes(services.database), services.clock)
