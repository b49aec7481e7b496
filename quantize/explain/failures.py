"""What went wrong with a sentence: the decision, or one of its slots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias

import msgspec

from device.nlu.types import OOS
from quantize.data.example import Span
from quantize.evaluate.outcomes import Outcome

Kind: TypeAlias = Literal["rejected", "accepted", "intent", "missed", "spurious", "type", "boundary"]
"""Wrongly rejected, wrongly accepted, wrong intent; slot missed, spurious, of the wrong type, cut wrongly."""

DECISIONS: Final[frozenset[str]] = frozenset({"rejected", "accepted", "intent"})
"""Kinds that concern the whole sentence; the others concern a slot."""

WORDS: Final[Mapping[str, str]] = {
    "rejected": "wrongly rejected",
    "accepted": "wrongly accepted",
    "intent": "wrong intent",
    "missed": "slot missed",
    "spurious": "slot that is none",
    "type": "slot of the wrong type",
    "boundary": "slot cut wrongly",
}
"""Each kind as people read it."""


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that went wrong.

    Attributes:
        number: Of the sentence among all.
        kind: What went wrong.
        intent: The right intent (`oos` where it should have been rejected).
        expected: The right intent, or the right slot type; empty for a slot that is none.
        predicted: What the model said instead; empty for a slot that it did not find.
        span: Words of the slot, as they should be (of a slot that is none: as the model has them).
    """

    number: int
    kind: Kind
    intent: str
    expected: str
    predicted: str
    span: Span | None = None

    @property
    def group(self) -> tuple[str, str, str, str]:
        """Failures of one group look alike: one confusion pair, or one slot type of an intent."""
        where = "" if self.kind in DECISIONS else self.intent
        return self.kind, where, self.expected, self.predicted


def find_failures(outcomes: Sequence[Outcome]) -> list[Failure]:
    """All failures, in the order of the sentences; slots are looked at where the intent is right.

    Args:
        outcomes: Sentences with labels and answers; those without an intent of their own are left out.
    """
    return [failure for number, outcome in enumerate(outcomes) for failure in _failures(number, outcome)]


def _failures(number: int, outcome: Outcome) -> Iterator[Failure]:
    if outcome.expected is None:
        return
    if not outcome.answered:
        kind: Kind = "accepted" if outcome.expected == OOS else "rejected" if outcome.answer == OOS else "intent"
        yield Failure(number, kind, outcome.expected, outcome.expected, outcome.answer)
    elif outcome.marked:
        yield from _slot_failures(number, outcome.expected, outcome.spans, outcome.found)


def _slot_failures(number: int, intent: str, true: Sequence[Span], found: Sequence[Span]) -> Iterator[Failure]:
    missing = [span for span in true if span not in found]
    extra = [span for span in found if span not in true]
    explained: set[Span] = set()
    for span in missing:
        over = [other for other in extra if _overlap(span, other)]
        explained.update(over)
        same = [other for other in over if other.type == span.type]
        if same:
            yield Failure(number, "boundary", intent, span.type, span.type, span)
        elif over:
            yield Failure(number, "type", intent, span.type, over[0].type, span)
        else:
            yield Failure(number, "missed", intent, span.type, "", span)
    for span in extra:
        if span not in explained:
            yield Failure(number, "spurious", intent, "", span.type, span)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
