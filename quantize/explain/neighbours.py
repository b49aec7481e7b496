"""The training sentences around a sentence, by what the model makes of them and by their words.

The first says what the model has learned the sentence from. The second knows nothing of the model: where it
disagrees with a label, the model's own mistake can't be the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import numpy as np

from device.nlu.onnx_model import Floats, JointModel
from device.nlu.reject import features
from device.nlu.types import OOS
from quantize.data.example import Example

_CHUNK: Final = 512


_T = TypeVar("_T")


class Progress(Protocol):
    """Goes through sentences and shows how far it is."""

    def __call__(self, items: Sequence[_T], /) -> Iterable[_T]:
        """The same items."""


class Near(NamedTuple):
    """A training sentence and its cosine similarity."""

    example: Example
    similarity: float


class Neighbours:
    """Training sentences that can be searched.

    Args:
        examples: Sentences with an intent.
        embeddings: [N, hidden], unit length, of one model.
        typical: [features], mean of `device.nlu.reject.features` over those in scope.
    """

    def __init__(self, examples: Sequence[Example], embeddings: Floats, typical: Floats) -> None:
        self.examples = examples
        self.embeddings = embeddings
        self.typical = typical
        self.intents = np.array([str(example.intent) for example in examples])

    def nearest(self, embedding: Floats, count: int) -> list[Near]:
        """The nearest sentences by meaning, nearest first.

        Args:
            embedding: [hidden], unit length, of the same model.
            count: How many.
        """
        similarity = self.embeddings @ embedding
        order = np.argsort(-similarity, kind="stable")[:count]
        return [Near(self.examples[i], float(similarity[i])) for i in order]

    def table(self, embeddings: Floats, count: int) -> tuple[np.ndarray[Any, np.dtype[np.int64]], Floats]:
        """The nearest sentences of many at once.

        Args:
            embeddings: [M, hidden].
            count: At most so many of each.

        Returns:
            Numbers of the sentences and similarities, [M, count] each, nearest first.
        """
        count = min(count, len(self.examples))
        numbers, similarities = [np.zeros((0, count), np.int64)], [np.zeros((0, count), np.float32)]
        for start in range(0, len(embeddings), _CHUNK):
            similarity = embeddings[start : start + _CHUNK] @ self.embeddings.T
            best = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
            order = np.argsort(-np.take_along_axis(similarity, best, 1), axis=1, kind="stable")
            best = np.take_along_axis(best, order, 1)
            numbers.append(best)
            similarities.append(np.take_along_axis(similarity, best, 1))
        return np.concatenate(numbers), np.concatenate(similarities)

    def by_words(self, sentences: Sequence[Sequence[str]], count: int) -> list[list[Near]]:
        """The nearest sentences by their words and pairs of words (TF-IDF), nearest first."""
        vectorizer, known = self._words
        similarity = (vectorizer.transform(sentences) @ known.T).tocsr()
        found = []
        for row in range(similarity.shape[0]):
            begin, end = similarity.indptr[row : row + 2]
            numbers, values = similarity.indices[begin:end], similarity.data[begin:end]
            best = np.argsort(-values, kind="stable")[:count]
            found.append([Near(self.examples[numbers[i]], float(values[i])) for i in best])
        return found

    @cached_property
    def _words(self) -> tuple[Any, Any]:
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(analyzer=_terms, sublinear_tf=True, dtype=np.float32)
        return vectorizer, vectorizer.fit_transform([example.words for example in self.examples])


def read_neighbours(
    model: JointModel, examples: Sequence[Example], progress: Progress, cache: Path | None = None
) -> Neighbours:
    """Let the model read the training sentences: half a millisecond each, so the result is kept in a file.

    Args:
        model: Of the bundle that is explained.
        examples: Training sentences; answers in a dialogue and sentences without an intent are left out.
        progress: Shows how far it is.
        cache: File of the result; it is made anew if the sentences or the model have changed, and not missed if it
            can't be written.
    """
    alone = [example for example in examples if example.intent is not None and not example.context]
    key = _key(model, alone)
    kept = _read(cache, key) if cache else None
    if kept is None:
        oos = model.labels.intents.index(OOS)
        outputs = [model.logits(example.words) for example in progress(alone)]
        embeddings = np.array([output.embedding for output in outputs], np.float32).reshape(len(alone), -1)
        inside = [o.intent for o, example in zip(outputs, alone, strict=True) if example.intent != OOS]
        typical = features(np.stack(inside), oos).mean(0) if inside else np.zeros(0, np.float32)
        kept = embeddings, typical
        if cache:
            _write(cache, key, kept)
    return Neighbours(alone, *kept)


def cache_of(train: Path) -> Path:
    """Where the neighbours of a file of training sentences are kept."""
    return train.with_suffix(".neighbours.npz")


def _key(model: JointModel, examples: Sequence[Example]) -> str:
    digest = hashlib.sha256(model.manifest.files["model.onnx"].encode())
    for example in examples:
        digest.update(f"{' '.join(example.words)}\t{example.intent}\n".encode())
    return digest.hexdigest()


def _read(path: Path, key: str) -> tuple[Floats, Floats] | None:
    try:
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["key"]) != key:
                return None
            return kept["embeddings"].astype(np.float32), kept["typical"]
    except (OSError, ValueError, KeyError):
        return None


def _write(path: Path, key: str, kept: tuple[Floats, Floats]) -> None:
    unfinished = path.with_suffix(".part.npz")
    try:
        np.savez(unfinished, key=key, embeddings=kept[0].astype(np.float16), typical=kept[1])
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)


def _terms(words: Sequence[str]) -> list[str]:
    return [*words, *(f"{a} {b}" for a, b in pairwise(words))]
