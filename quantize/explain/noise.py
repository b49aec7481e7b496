"""Labels that are probably wrong: failures that should not be "repaired".

A failed sentence whose embedding lies among training sentences of the predicted intent proves nothing: the same
embedding made the model predict it. So the witnesses are training sentences that share the *words*, whatever the
model thinks of them, together with a model that is sure (as in confident learning, Northcutt et al. 2021,
arXiv 1911.00068).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from device.nlu.types import OOS
from quantize.evaluate.outcomes import Outcome
from quantize.explain.failures import DECISIONS, Failure
from quantize.explain.neighbours import Near, Neighbours

WITNESSES: Final = 5
ALIKE: Final = 0.3
"""TF-IDF similarity from which a training sentence is a witness. Of 150 labels that were changed at random 65 % are
found (42 % at 0.5, 66 % at 0.2). Chosen on the same held-out sentences; no figure of a model depends on it."""

SURE: Final = 0.9
"""Calibrated probability of the model's own answer from which it counts."""


class Suspect(msgspec.Struct, frozen=True):
    """A sentence whose label is probably wrong.

    Attributes:
        number: Of the sentence.
        text: The sentence.
        label: Its label.
        rather: What the model and the training sentences say.
        witness: The training sentence that is most alike.
        similarity: Of its words, 0 to 1.
    """

    number: int
    text: str
    label: str
    rather: str
    witness: str
    similarity: float


def suspects(failures: Sequence[Failure], outcomes: Sequence[Outcome], neighbours: Neighbours) -> list[Suspect]:
    """Failures whose label is contradicted by training sentences with nearly the same words, the surest first.

    Args:
        failures: From `find_failures`; only wrong decisions are judged.
        outcomes: All sentences.
        neighbours: Training sentences.
    """
    judged = [f for f in failures if f.kind in DECISIONS and _sure(outcomes[f.number])]
    if not judged:
        return []
    near = neighbours.by_words([outcomes[failure.number].words for failure in judged], WITNESSES)
    found = []
    for failure, others in zip(judged, near, strict=True):
        witnesses = [one for one in others if one.similarity >= ALIKE]
        if witnesses and _contradict(failure, witnesses):
            first = witnesses[0]
            text, label = outcomes[failure.number].text, failure.expected
            witness = " ".join(first.example.words)
            found.append(Suspect(failure.number, text, label, failure.predicted, witness, first.similarity))
    return sorted(found, key=lambda one: -one.similarity)


def _contradict(failure: Failure, witnesses: Sequence[Near]) -> bool:
    """Most of them have the predicted intent, the nearest among them, and none has the label."""
    labels = [one.example.intent for one in witnesses]
    return (
        labels[0] == failure.predicted
        and failure.expected not in labels
        and 2 * labels.count(failure.predicted) > len(labels)
    )


def _sure(outcome: Outcome) -> bool:
    return outcome.confidence >= SURE if outcome.answer != OOS else outcome.scope <= 1 - SURE
