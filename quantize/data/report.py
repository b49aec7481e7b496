"""What a body of sentences is made of: counts, labels, lengths, imbalance, and what its parts have in common."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import msgspec

from quantize.data.example import Example
from quantize.data.leaks import NEAR, overlap


class Imbalance(msgspec.Struct, frozen=True):
    """How unevenly sentences are spread over classes.

    Attributes:
        ratio: Largest class divided by the smallest one.
        entropy: Shannon entropy of the class shares divided by its maximum, the logarithm of the number of classes:
            1 is perfectly even, 0 is one class.
        effective: Number of equally large classes with the same entropy (Hill number of order 1, Hill 1973).
        gini: Gini coefficient of the class sizes: 0 is perfectly even.
    """

    ratio: float
    entropy: float
    effective: float
    gini: float


class Figures(msgspec.Struct, frozen=True):
    """One part.

    Attributes:
        sentences: All of them.
        distinct: Different ones (words and context).
        two_labels: Different sentences that stand there with more than one intent.
        words: Mean number of words.
        longest: Largest number of words.
        vocabulary: Different words.
        unknown_words: Percent of this part's words that the first part does not have; None for the first part.
        lengths: Number of words to sentences.
        intents: Intent to sentences, the largest first.
        acts: Dialogue act to sentences.
        slots: Slot type to occurrences, the largest first.
        sources: Corpus or generator to sentences.
        imbalance: Of the intents.
    """

    sentences: int
    distinct: int
    two_labels: int
    words: float
    longest: int
    vocabulary: int
    unknown_words: float | None
    lengths: dict[int, int]
    intents: dict[str, int]
    acts: dict[str, int]
    slots: dict[str, int]
    sources: dict[str, int]
    imbalance: Imbalance


class Shared(msgspec.Struct, frozen=True):
    """Sentences of part `test` that stand in part `train`, word for word or nearly (`quantize.data.leaks`)."""

    train: str
    test: str
    sentences: int
    exact: int
    near: int

    @property
    def percent(self) -> float:
        """Share of the sentences of `test`."""
        return 100 * (self.exact + self.near) / self.sentences


class Report(msgspec.Struct, frozen=True):
    """All parts of a data set, and what later parts share with earlier ones."""

    name: str
    parts: dict[str, Figures]
    shared: list[Shared]


def describe(name: str, parts: Mapping[str, Sequence[Example]], near: float = NEAR) -> Report:
    """Count.

    Args:
        name: Of the data set.
        parts: Name to sentences, the training part first; empty parts are left out.
        near: As for `quantize.data.leaks.overlap`.
    """
    filled = {part: examples for part, examples in parts.items() if examples}
    first = next(iter(filled.values()), [])
    known = {word for example in first for word in example.words}
    shared: list[Shared] = []
    for one, other in combinations(filled, 2):
        found = overlap(filled[one], filled[other], near)
        shared.append(Shared(one, other, found.test, found.exact, found.near))
    return Report(name, {part: _figures(e, None if e is first else known) for part, e in filled.items()}, shared)


def imbalance(counts: Iterable[int]) -> Imbalance:
    """Of classes with the given numbers of sentences; classes without any don't count.

    Raises:
        ValueError: No class has a sentence.
    """
    sizes = sorted(count for count in counts if count)
    if not sizes:
        raise ValueError("no class has a sentence")
    total = sum(sizes)
    entropy = -sum(size / total * math.log(size / total) for size in sizes)
    ranked = sum(rank * size for rank, size in enumerate(sizes, start=1))
    return Imbalance(
        sizes[-1] / sizes[0],
        entropy / math.log(len(sizes)) if len(sizes) > 1 else 1.0,
        math.exp(entropy),
        2 * ranked / (len(sizes) * total) - (len(sizes) + 1) / len(sizes),
    )


def _figures(examples: Sequence[Example], known: set[str] | None) -> Figures:
    lengths = Counter(len(example.words) for example in examples)
    intents = Counter(example.intent for example in examples if example.intent is not None)
    said = Counter(word for example in examples for word in example.words)
    labels: dict[object, set[str | None]] = {}
    for example in examples:
        labels.setdefault(example.key, set()).add(example.intent)
    return Figures(
        len(examples),
        len(labels),
        sum(len(intents) > 1 for intents in labels.values()),
        said.total() / len(examples),
        max(lengths),
        len(said),
        None if known is None else 100 * sum(n for word, n in said.items() if word not in known) / said.total(),
        dict(sorted(lengths.items())),
        dict(intents.most_common()),
        dict(Counter(example.act.value for example in examples).most_common()),
        dict(Counter(span.type for example in examples for span in example.spans).most_common()),
        dict(Counter(example.source or "?" for example in examples).most_common()),
        imbalance(intents.values() or [1]),
    )
