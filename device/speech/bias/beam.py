"""Beam search for what was said among what can be said, with free decoding beside it.

Hypotheses that have written the same words are one (the better one stays), and the result is ranked by the mean
log-probability of its tokens: by the sum, a wider beam finds ever shorter sentences (Murray and Chiang 2018,
"Correcting length bias in neural machine translation").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from device.speech.bias.sentences import GLUE_COST, JOINERS
from device.speech.bias.tokens import FREE_COST, Lattice

Scores: TypeAlias = npt.NDArray[np.float32]
Scorer: TypeAlias = Callable[[list[int], list[int]], Scores]
"""Takes for each row the row of its last call that it continues and the next token there; gives the log-probabilities
of the tokens that may follow, shape [rows, vocabulary]. Its first call begins an utterance."""

PRUNE: Final = 10.0
"""Log-probability by which a hypothesis may fall behind the best before it is given up."""


@dataclass(frozen=True, slots=True)
class Found:
    """One sentence.

    Attributes:
        words: Spoken form.
        score: Mean natural log-probability of its tokens, the end included, less what free words and glue cost; at
            most 0.
        likelihood: The same without these costs.
        worst: Natural log-probability of its least likely token.
        free: It holds free words.
        tokens: How many there are.
        by_word: Natural log-probabilities of the tokens of each word; none of one that was written with that before it.
        joined: Number of words before the last command, 0 for a single one.
    """

    words: tuple[str, ...]
    score: float
    likelihood: float
    worst: float
    free: bool
    tokens: int
    by_word: tuple[tuple[float, ...], ...] = ()
    joined: int = 0

    @property
    def total(self) -> float:
        """Log-probability of the whole."""
        return self.score * self.tokens


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a search gives.

    Attributes:
        found: Sentences that can be said, best first; different words.
        free: Tokens of the free decoding, without the end.
        free_score: Its mean log-probability, as `Found.score`.
    """

    found: tuple[Found, ...]
    free: tuple[int, ...]
    free_score: float


def search(
    scorer: Scorer, lattice: Lattice | None, *, bos: int, eos: int, width: int, longest: int, letters: int
) -> Decoded:
    """Find what was said.

    Args:
        scorer: The recognizer's decoder.
        lattice: What can be said; None for free decoding alone.
        bos: Token that begins.
        eos: Token that ends.
        width: Hypotheses that are followed at once.
        longest: Most tokens.
        letters: Most letters of a sentence of the lattice, spaces included: nobody speaks faster.
    """
    beam = _Beam(lattice, eos, width, letters) if lattice else None
    free = _Free(eos)
    scores = scorer([0], [bos])
    for length in range(1, longest + 1):
        if free.open:
            free.take(scores[-1])
        if beam:
            beam.advance(scores, length)
        rows = [path.row for path in beam.paths] if beam else []
        tokens = [path.token for path in beam.paths] if beam else []
        if free.open:
            rows.append(len(scores) - 1)
            tokens.append(free.tokens[-1])
        if not rows:
            break
        scores = scorer(rows, tokens)
    return Decoded(beam.ranked() if beam else (), tuple(free.tokens), free.score)


@dataclass(slots=True)
class _Free:
    """Greedy decoding, in the last row of the scores."""

    eos: int
    tokens: list[int] = field(default_factory=list)
    total: float = 0.0
    open: bool = True

    def take(self, scores: Scores) -> None:
        token = int(scores.argmax())
        self.total += float(scores[token])
        self.open = token != self.eos
        if self.open:
            self.tokens.append(token)

    @property
    def score(self) -> float:
        return self.total / max(1, len(self.tokens) + (not self.open))


@dataclass(frozen=True, slots=True)
class _Path:
    """A sentence under way: `before` and one token, which was taken from the scores' `row`; `total` has the `cost`."""

    total: float
    cost: float
    worst: float
    free: bool
    place: int
    words: tuple[str, ...]
    row: int
    token: int
    joined: int
    before: _Path | None = None

    def by_word(self) -> tuple[tuple[float, ...], ...]:
        """`Found.by_word`, for the words that it completes or began."""
        words: list[list[float]] = [[] for _ in range(len(self.words) + 1)]
        path = self
        while path.before:
            words[len(path.words)].append(path.total + path.cost - path.before.total - path.before.cost)
            path = path.before
        return tuple(tuple(reversed(word)) for word in words)


class _Beam:
    """The best paths of one length, in the first rows of the scores; and the sentences that ended."""

    def __init__(self, lattice: Lattice, eos: int, width: int, letters: int) -> None:
        self._lattice = lattice
        self._eos = eos
        self._width = width
        self._letters = letters
        self._done: dict[tuple[str, ...], Found] = {}
        self._ends: dict[tuple[str, ...], _Path] = {}
        self.paths = [_Path(0.0, 0.0, 0.0, False, 0, (), 0, 0, 0)]

    def advance(self, scores: Scores, length: int) -> None:
        """All paths one token on; `length` is their number of tokens with it."""
        for number, path in enumerate(self.paths):
            self._finish(path, float(scores[number, self._eos]), length)
        floor = max((found.score for found in self._done.values()), default=-np.inf) * length - PRUNE
        kept: dict[tuple[int, tuple[str, ...]], _Path] = {}
        best = -np.inf
        for total, number, arc in self._candidates(scores):
            if len(kept) == self._width or total < max(floor, best - PRUNE):
                break
            moved = self._move(number, arc, total)
            if moved is not None:
                best = max(best, total)
                kept.setdefault((moved.place, moved.words), moved)
        self.paths = list(kept.values())

    def ranked(self) -> tuple[Found, ...]:
        """What ended, best first, without commands added to what is likelier without them."""
        found = (each for each in self._done.values() if not _said_again(each, self._done))
        best = sorted(found, key=lambda each: -each.score)
        return tuple(replace(each, by_word=self._ends[each.words].by_word()) for each in best)

    def _candidates(self, scores: Scores) -> list[tuple[float, int, int]]:
        """The likeliest steps: total, path, and which of its arcs; best first."""
        if not self.paths:
            return []
        most = 3 * self._width  # some are the same words in other letters
        totals, owners, arcs = [], [], []
        for number, path in enumerate(self.paths):
            following = self._lattice.arcs(path.place)
            total = np.concatenate(
                [scores[number, following.tokens] - following.costs, scores[number, following.free] - FREE_COST]
            )
            total += np.float32(path.total)
            best = np.argpartition(total, -most)[-most:] if len(total) > most else np.arange(len(total))
            totals.append(total[best])
            owners.append(np.full(len(best), number))
            arcs.append(best)
        total, owner, arc = np.concatenate(totals), np.concatenate(owners), np.concatenate(arcs)
        order = np.argsort(-total, kind="stable")
        return list(zip(total[order].tolist(), owner[order].tolist(), arc[order].tolist(), strict=True))

    def _move(self, number: int, arc: int, total: float) -> _Path | None:
        path = self.paths[number]
        step = self._lattice.take(path.place, arc)
        if step is None:
            return None
        words = path.words + step.said
        if step.said and self._too_fast(words):
            return None
        return _Path(
            total,
            path.cost + step.cost,
            min(path.worst, total - path.total + step.cost),
            path.free or step.free,
            step.place,
            words,
            number,
            step.token,
            _joined(path, step.cost),
            path,
        )

    def _finish(self, path: _Path, end: float, length: int) -> None:
        """Note a path as a sentence, where it may end."""
        arcs = self._lattice.arcs(path.place)
        words = path.words + arcs.ending
        if not arcs.accepts or self._too_fast(words):
            return
        score = (path.total + end - arcs.ending_cost) / length
        if words not in self._done or score > self._done[words].score:
            likelihood = score + (path.cost + arcs.ending_cost) / length
            worst = min(path.worst, end)
            joined = _joined(path, arcs.ending_cost)
            self._done[words] = Found(words, score, likelihood, worst, path.free, length, joined=joined)
            self._ends[words] = path

    def _too_fast(self, words: tuple[str, ...]) -> bool:
        return sum(map(len, words)) + len(words) > self._letters


def _joined(path: _Path, cost: float) -> int:
    """`Found.joined` with a next word that costs this."""
    if cost < GLUE_COST or not path.words or path.words[-1] not in JOINERS:
        return path.joined
    count = len(path.words)
    while count and path.words[count - 1] in JOINERS:
        count -= 1
    return count


def _said_again(found: Found, done: Mapping[tuple[str, ...], Found]) -> bool:
    """Whether a further command makes a sentence less likely: each of its tokens may be likely all the same."""
    half = len(found.words) // 2
    if half > 1 and found.words[:half] == found.words[-half:] and len(found.words) == 2 * half:
        return True  # a decoder that is unsure says free words twice
    shorter = done.get(found.words[: found.joined]) if found.joined else None
    return shorter is not None and shorter.total >= found.total
