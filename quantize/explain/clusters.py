"""Failures that look alike: first by confusion pair, then by meaning, named by the words that tell them apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from device.nlu.onnx_model import Floats
from quantize.explain.failures import Failure

SPLIT: Final = 8
"""Failures of one pair from which they are divided by meaning."""

APART: Final = 0.9
"""Mean cosine distance between two clusters that are not joined any more; 1 is the distance of unrelated ones."""

NAMED_BY: Final = 3
_TINY: Final = 1e-6


class Cluster(msgspec.Struct, frozen=True):
    """Failures of one kind that are about the same.

    Attributes:
        kind: Of `quantize.explain.failures.Kind`.
        expected: The right intent or slot type.
        predicted: What the model said instead.
        intent: The right intent of the sentences.
        words: Words that tell it from other sentences, the most telling first.
        failures: What it is made of, the most central first.
    """

    kind: str
    expected: str
    predicted: str
    intent: str
    words: tuple[str, ...]
    failures: tuple[Failure, ...]


def cluster(failures: Sequence[Failure], sentences: Sequence[Sequence[str]], embeddings: Floats) -> list[Cluster]:
    """Divide failures into clusters, the largest first.

    All sentences of a confusion pair lie close together, because the model took them for the same; so it is their
    differences from the pair's mean that are compared. Average linkage, because it leaves no failure out, and most
    pairs are too small for a density (HDBSCAN put 93 failures of one pair into clusters of 65, 25 and 3).

    Args:
        failures: From `find_failures`.
        sentences: Words of all sentences.
        embeddings: [S, hidden], of all sentences, unit length.
    """
    groups: dict[tuple[str, str, str, str], list[Failure]] = defaultdict(list)
    for failure in failures:
        groups[failure.group].append(failure)
    parts = [part for group in groups.values() for part in _divide(group, embeddings)]
    rarity = _rarity(sentences)
    found = [
        Cluster(
            part[0].kind,
            part[0].expected,
            part[0].predicted,
            part[0].intent,
            telling([sentences[failure.number] for failure in part], rarity),
            tuple(_central_first(part, embeddings)),
        )
        for part in parts
    ]
    return sorted(found, key=lambda one: (-len(one.failures), one.kind, one.expected, one.predicted, one.words))


def telling(sentences: Sequence[Sequence[str]], rarity: dict[str, float], count: int = NAMED_BY) -> tuple[str, ...]:
    """The words with the highest TF-IDF, the sentences taken as one text.

    Args:
        sentences: Of a cluster.
        rarity: Word to inverse document frequency.
        count: How many at most; a word of a single sentence names only a cluster of one.
    """
    counts = Counter(word for said in sentences for word in set(said))
    least = min(2, len(sentences))
    shared = [word for word, times in counts.items() if times >= least] or list(counts)
    return tuple(sorted(shared, key=lambda word: (-counts[word] * rarity.get(word, 0.0), word))[:count])


def _divide(group: list[Failure], embeddings: Floats) -> list[list[Failure]]:
    if len(group) < SPLIT:
        return [group]
    from sklearn.cluster import AgglomerativeClustering

    vectors = embeddings[[failure.number for failure in group]]
    vectors = vectors - vectors.mean(0)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _TINY)
    linkage = AgglomerativeClustering(
        n_clusters=None, metric="cosine", linkage="average", distance_threshold=APART
    ).fit_predict(vectors)
    return [[f for f, at in zip(group, linkage, strict=True) if at == label] for label in sorted(set(linkage))]


def _central_first(part: Sequence[Failure], embeddings: Floats) -> list[Failure]:
    vectors = embeddings[[failure.number for failure in part]]
    order = np.argsort(-(vectors @ vectors.mean(0)), kind="stable")
    return [part[i] for i in order]


def _rarity(sentences: Sequence[Sequence[str]]) -> dict[str, float]:
    """Inverse document frequency of each word, squared, so that words of every sentence never name a cluster."""
    counts = Counter(word for said in sentences for word in set(said))
    return {word: float(np.log(len(sentences) / times)) ** 2 for word, times in counts.items()}
