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
        last_reply: For "say that again".
        turns: Number of turns, which picks the variant of a reply.
    """

    pending: Pending | None = None
    queue: tuple[Interpretation, ...] = ()
    done: Done | None = None
    mentioned: Mapping[str, Slot] = field(default_factory=dict)
    mentioned_at: datetime | None = None
    last_reply: str = ""
    turns: int = 0

    def recent(self, now: datetime) -> Mapping[str, Slot]:
        """What can be referred to at `now`."""
        if self.mentioned_at is None or now - self.mentioned_at > MEMORY:
            return {}
        return self.mentioned

    def context(self) -> str:
        """The words that an answer would be answering: the model's first segment."""
        return self.pending.question if self.pending else ""
