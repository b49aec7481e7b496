"""Sentences that stand on both sides of a split, word for word or nearly.

Compared is what a person would have said (`device.nlu.text`), so that "at 7:00" and "at seven" are one sentence. Near
duplicates have the same intent, and at least `NEAR` percent of their characters agree, in order (normalised Indel
similarity, rapidfuzz's `fuzz.ratio`). Where the intent differs, the small difference is what counts ("turn on the
lights", "turn off the lights"): nothing of the answer is known from training.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from rapidfuzz import fuzz, process

from device.nlu.text import spoken
from quantize.data.example import Example

NEAR: Final = 94.0
"""Similarity in percent from which two sentences are one.

Chosen by reading the nearest training sentence of every test sentence of HWU64 (fold 1), CLINC150 and SNIPS. From 94
on the pairs differ in an article, a plural, a clitic, a spelling or a number ("check emails" and "check mails", "help
me rollover my 401k" and "help me roll over my 401k"). Below it they begin to differ in a word that was chosen: "show
me my alarms" and "show my alarms" are 90 percent alike, but so are "can you change the light colors in the house" and
"can you shuffle the light colors in the house".
"""
_ROWS: Final = 256
"""Test sentences compared at a time: bounds the memory to this times the training sentences, in bytes."""


class Pair(NamedTuple):
    """A sentence on both sides; `similarity` is 100 where the words are the same."""

    train: Example
    test: Example
    similarity: float


class Overlap(NamedTuple):
    """How many test sentences are known from training.

    Attributes:
        test: Test sentences.
        exact: Of these, with the words of a training sentence.
        near: Of the others, nearly with the words of one.
        contradicting: Of the exact ones, those that have another intent in training.
        pairs: Each such test sentence with its nearest training sentence, the least similar first.
    """

    test: int
    exact: int
    near: int
    contradicting: int
    pairs: list[Pair]


def overlap(train: Iterable[Example], test: Sequence[Example], near: float = NEAR) -> Overlap:
    """Find the test sentences that stand in the training set.

    Args:
        train: What is learned from.
        test: What is measured on.
        near: Least similarity of a near duplicate, in percent; above 100, only exact ones are looked for.
    """
    known = {_key(example): example for example in train}
    keys = [_key(example) for example in test]
    nearest: dict[_Key, tuple[float, bool, _Key]] = {}
    for tested, learned, similarity in _alike(list(known), list(dict.fromkeys(keys)), near):
        found = similarity, tested.intent == learned.intent, learned
        nearest[tested] = max(nearest.get(tested, found), found, key=lambda each: each[:2])
    pairs = [
        Pair(known[nearest[key][2]], example, nearest[key][0])
        for key, example in zip(keys, test, strict=True)
        if key in nearest
    ]
    return Overlap(
        len(test),
        sum(pair.similarity == 100 for pair in pairs),
        sum(pair.similarity < 100 for pair in pairs),
        sum(pair.train.intent != pair.test.intent for pair in pairs),
        sorted(pairs, key=lambda pair: pair.similarity),
    )


def drop_leaks(
    train: Iterable[Example], test: Iterable[Example], near: float = NEAR
) -> tuple[list[Example], list[Example]]:
    """Take the test sentences, and what is nearly the same, out of the training set.

    A bare "yes" has no intent to be scored: such a test sentence may be trained on as an answer to a question (an
    example with a context), not as a sentence of its own.

    Args:
        train: What would be learned from.
        test: What will be measured on.
        near: As for `overlap`.

    Returns:
        The training examples that stay, and those that do not, each in their order.
    """
    train = list(train)
    keys = [_key(example) for example in train]
    tested = {_key(example) for example in test}
    pairs = list(_alike(list(dict.fromkeys(keys)), sorted(tested, key=str), near))
    leaked = {learned for tested, learned, _ in pairs if tested.intent is not None}
    leaked_alone = {learned for _, learned, _ in pairs}
    kept: list[Example] = []
    dropped: list[Example] = []
    for key, example in zip(keys, train, strict=True):
        (dropped if key in (leaked if example.context else leaked_alone) else kept).append(example)
    return kept, dropped


class _Key(NamedTuple):
    text: str
    intent: str | None


def _key(example: Example) -> _Key:
    return _Key(spoken(" ".join(example.words)), example.intent)


def _alike(train: Sequence[_Key], test: Sequence[_Key], near: float) -> Iterator[tuple[_Key, _Key, float]]:
    """All pairs (test, train, similarity) that have the same words, or nearly so and the same intent."""
    known: dict[str, list[_Key]] = {}
    for key in train:
        known.setdefault(key.text, []).append(key)
    for key in test:
        for same in known.get(key.text, ()):
            yield key, same, 100.0
    if near > 100 or not train:
        return
    texts = [key.text for key in train]
    for start in range(0, len(test), _ROWS):
        rows = test[start : start + _ROWS]
        scores = process.cdist(
            [key.text for key in rows], texts, scorer=fuzz.ratio, score_cutoff=near, dtype=np.float32, workers=1
        )
        for row, column in np.argwhere(scores):
            tested, learned = rows[row], train[column]
            if tested.text != learned.text and tested.intent == learned.intent:
                yield tested, learned, float(scores[row, column])
