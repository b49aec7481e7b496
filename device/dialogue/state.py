"""What the conversation remembers between two utterances. Frozen; the policy makes a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from device.nlu.types import Interpretation, Slot

MEMORY: Final = timedelta(minutes=5)
"""For how long "it", "there" and a correction can refer back; a guess at a person's own span of attention."""

MAX_TRIES: Final = 2
"""How often one question is asked before the device gives up: no prompt is inescapable."""


_SUBJECTS: Final[Mapping[str, tuple[str, str]]] = {
    "timer": ("timer", "name"),
    "alarm": ("alarm", "name"),
    "reminder": ("reminder", ""),
    "list": ("list", "list"),
    "tv": ("tv", ""),
    "media": ("music", ""),
    "climate": ("heating", ""),
    "vacuum": ("vacuum", ""),
    "volume": ("volume", ""),
}
"""What a skill is about, in a word, and the slot that names one."""

_ALSO: Final[Mapping[str, str]] = {"media": "the volume"}
"""What else it is about: "set it to fifty" over music is how loud it is."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A question that the device has asked and that is not yet answered.

    Attributes:
        command: The command so far.
        question: The words that were spoken.
        slot: Slot that is asked for; empty when a yes or no is expected.
        options: Names among which the answer must choose, if any.
        tries: How often it was asked.
    """

    command: Interpretation
    question: str
    slot: str = ""
    options: tuple[str, ...] = ()
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Done:
    """The last command that was carried out, for corrections and carry-over."""

    command: Interpretation
    at: datetime


@dataclass(frozen=True, slots=True)
class DialogueState:
    """Everything that the next utterance may refer to.

    Attributes:
        pending: The open question.
        queue: Commands of the same breath that wait until the question is answered.
        done: The last command carried out.
        mentioned: Slot name to slot: what "it", "them" and "there" mean.
        mentioned_at: When that was.
        mentioned_by: Skill that did: a lamp is nothing that a door lock can open.
        together: Names of all things that the last breath which named any was about: "them" are these.
        together_in: Which turn that was.
        undoable: The last command can be taken back.
        last_reply: For "say that again".
        turns: Number of turns, which picks the variant of a reply.
    """

    pending: Pending | None = None
    queue: tuple[Interpretation, ...] = ()
    done: Done | None = None
    mentioned: Mapping[str, Slot] = field(default_factory=dict)
    mentioned_at: datetime | None = None
    mentioned_by: str = ""
    together: tuple[str, ...] = ()
    together_in: int = 0
    undoable: bool = False
    last_reply: str = ""
    turns: int = 0

    def recent(self, now: datetime) -> Mapping[str, Slot]:
        """What can be referred to at `now`."""
        if self.mentioned_at is None or now - self.mentioned_at > MEMORY:
            return {}
        return self.mentioned

    def group(self, now: datetime) -> tuple[str, ...]:
        """All that "them" can be at `now`, where that is more than one thing."""
        return self.together if self.recent(now) and len(self.together) > 1 else ()

    def referents(self, now: datetime) -> tuple[str, ...]:
        """Names for "it", likeliest first: what the last command was about, then the thing mentioned last."""
        recent = self.recent(now)
        command = self.pending.command if self.pending else self.done.command if self.done else None
        names = []
        if command and (self.pending or (self.done and now - self.done.at <= MEMORY)):
            skill = command.intent.partition(".")[0]
            if skill in _SUBJECTS:
                kind, slot = _SUBJECTS[skill]
                mentioned = recent if self.mentioned_by == skill else {}
                called = (command.slots if self.pending else mentioned).get(slot)
                names.append(f"the {called.text} {kind}" if called else f"the {kind}")
                names += [_ALSO[skill]] if skill in _ALSO else []
        if "device" in recent:
            names.append(f"the {recent['device'].text}")
        return tuple(names)

    def context(self) -> str:
        """The words that an answer would be answering: the model's first segment."""
        return self.pending.question if self.pending else ""
