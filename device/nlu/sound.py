"""The nearest sentence by sound: what the grammar can say that sounds most like a transcript.

A speech recognizer without a grammar writes "ice smoker" for "iced mocha": other words, nearly the same sounds. The
transcript's phonemes are aligned with every sentence of the automaton at once by dynamic programming: first every
word of the vocabulary with every stretch of the transcript (one weighted edit distance each, all in numpy), then
the automaton node by node. Each node keeps the two best paths of different meaning to each position, so that the
result comes with its strongest rival and the caller can tell a clear case from a guess.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from device.nlu.grammar import Grammar
from device.nlu.match import Match, SlotSpan
from device.nlu.phonemes import Phonemizer
from device.nlu.phonetics import INDEX, costs
from device.nlu.sound_graph import FIRST_WORD, WILDCARD, Arc, Node, SoundGraph, sound_graph

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.intp]
Signs = npt.NDArray[np.uint64]
Trail: TypeAlias = list[tuple[Arc, int, int]]
"""Arcs from the start to the end, each with the first and last (exclusive) word of the transcript that it took."""

LIMIT: Final = 0.15
"""Cost per phoneme above which nothing of the grammar was meant."""

MARGIN: Final = 0.05
"""By how much in all (not per phoneme) the best must beat the best of another meaning; 1 is a wrong phoneme."""

MAX_PHONEMES: Final = 120
"""Longer transcripts (about twelve seconds of speech) are no single command and are not searched."""

_WILDCARD_COST: Final = 0.1
"""Per phoneme that a wildcard takes, for the choice between sentences: dearer than the right words, cheaper than
wrong ones. It says nothing about whether the rest was heard well, so `SoundMatch.cost` leaves it out."""

_INFINITE: Final = np.float32(1e6)


@dataclass(frozen=True, slots=True)
class SoundMatch:
    """A sentence of the grammar that sounds like the transcript.

    Attributes:
        match: Intent and slots; spans count the words of `sentence`.
        sentence: The words of the grammar.
        distance: Weighted edit distance to the transcript in all; 1 is about one wrong phoneme.
        cost: Distance per phoneme of the transcript, both without what wildcards took; 0 for the same sounds.
        confidence: 1 at cost 0, 0.5 at the limit of acceptance.
    """

    match: Match
    sentence: str
    distance: float
    cost: float
    confidence: float


class SoundSearch:
    """Searches the sentences of some intents; not thread-safe.

    Args:
        grammar: Compiled packs.
        phonemizer: Pronounces words.
        intents: Full names of the intents to search; None for all. Time grows with their size: about 10 ms for a
            pack with 60 words, so leave out what the model understands.

    Raises:
        EngineMissing: espeak-ng is not installed.
        EngineFailed: It broke or hung.
    """

    def __init__(self, grammar: Grammar, phonemizer: Phonemizer, intents: Collection[str] | None = None) -> None:
        wanted = [name for name in grammar.intents if intents is None or name in intents]
        vocabulary: dict[str, int] = {}
        self._graphs = [sound_graph(grammar, name, vocabulary) for name in wanted]
        self._words = list(vocabulary)
        self._phonemizer = phonemizer
        sounds = phonemizer.vocabulary(self._words)
        self._sounds = [np.array([INDEX[sound] for sound in sounds[word]], np.intp) for word in self._words]

    def best(self, words: Sequence[str], *, limit: float = LIMIT, margin: float = MARGIN) -> SoundMatch | None:
        """The nearest sentence, if it is near enough and clearly nearer than any of another meaning.

        Args:
            words: Transcript in spoken form.
            limit: Highest cost per phoneme.
            margin: By how much in all the next meaning must be farther.
        """
        found = self._search(words, limit, margin)
        if not found or found[0].cost > limit or (len(found) > 1 and found[1].distance - found[0].distance < margin):
            return None
        return found[0]

    def nearest(self, words: Sequence[str], *, limit: float = 1.0) -> list[SoundMatch]:
        """The nearest sentence of each of the two nearest meanings of each intent, nearest first.

        Args:
            words: Transcript in spoken form.
            limit: Cost per phoneme above which sentences need not be found.
        """
        return self._search(words, limit, 0.0)

    def _search(self, words: Sequence[str], limit: float, slack: float) -> list[SoundMatch]:
        """Sentences within the limit and, so that a rival is not missed, somewhat farther."""
        heard = self._phonemizer.heard(words)
        sounds = np.array([INDEX[sound] for word in heard for sound in word], np.intp)
        if not 0 < len(sounds) <= MAX_PHONEMES or not self._words:
            return []
        starts = np.concatenate([[0], np.cumsum([len(word) for word in heard])])
        aligned = word_costs(self._sounds, sounds)
        found: list[SoundMatch] = []
        for graph in self._graphs:
            if graph.nodes:
                run = _Run(graph, aligned, starts, max(limit, _WILDCARD_COST) * len(sounds) + slack)
                found.extend(self._result(graph, path, distance, starts, words) for distance, path in run.paths())
        return sorted(found, key=lambda item: item.distance)

    def _result(
        self, graph: SoundGraph, path: Trail, distance: float, starts: Ints, heard: Sequence[str]
    ) -> SoundMatch:
        """Read words and slots off a path."""
        said: list[str] = []
        spans: list[SlotSpan] = []
        name = type_ = ""
        begin = wildcards = literals = taken = 0
        for arc, first, last in path:
            if arc.slot:
                (name, type_), begin = arc.slot, len(said)
            if arc.symbol >= FIRST_WORD:
                said.append(self._words[arc.symbol - FIRST_WORD])
                literals += not name
            elif last > first:
                said.extend(heard[first:last])
                wildcards += last - first
                taken += int(starts[last] - starts[first])
            if arc.ends:
                spans.append(SlotSpan(name, type_, begin, len(said), " ".join(said[begin:]), arc.value))
                name = ""
        match = Match(graph.intent, tuple(spans), wildcards, literals)
        cost = (distance - _WILDCARD_COST * taken) / max(1, int(starts[-1]) - taken)
        return SoundMatch(match, " ".join(said), distance, cost, max(0.0, 1.0 - cost / (2 * LIMIT)))


def word_costs(words: Sequence[Ints], sounds: Ints) -> Floats:
    """Weighted edit distance of every word to every stretch of the transcript.

    Args:
        words: Phoneme indices of each of W words.
        sounds: Phoneme indices of the transcript, length n.

    Returns:
        Shape (W, n+1, n+1): `[w, i, j]` is the distance of word w to the transcript's phonemes i to j; very large
        for j < i.
    """
    substitution, indel = costs()
    count = len(sounds)
    added = np.concatenate([[0.0], np.cumsum(indel[sounds], dtype=np.float64)]).astype(np.float32)
    nothing = np.where(np.tri(count + 1, k=-1, dtype=bool), _INFINITE, added[None, :] - added[:, None])
    by_length = sorted(range(len(words)), key=lambda w: -len(words[w]))
    table = np.broadcast_to(nothing, (len(words), *nothing.shape)).astype(np.float32)
    longest = len(words[by_length[0]])
    for position in range(longest):
        active = [w for w in by_length if len(words[w]) > position]  # a prefix of by_length
        at = np.array([words[w][position] for w in active], np.intp)
        rows = table[: len(active)]
        replaced = rows[:, :, :-1] + substitution[at[:, None], sounds[None, :]][:, None, :]
        rows += indel[at][:, None, None]
        np.minimum(rows[:, :, 1:], replaced, out=rows[:, :, 1:])
        rows -= added  # phonemes of the transcript that the word lacks: a running minimum over the columns
        np.minimum.accumulate(rows, axis=2, out=rows)
        rows += added
    result = np.empty_like(table)
    result[by_length] = table
    return result


class _Run:
    """One transcript through one graph.

    For each node and position in the transcript (0 to n) the cost and sign of the two best paths of different
    meaning, and where they came from: arrays of shape (nodes, 2, n+1).
    """

    def __init__(self, graph: SoundGraph, aligned: Floats, starts: Ints, bound: float) -> None:
        shape = (len(graph.nodes), 2, aligned.shape[1])
        self._graph = graph
        self._aligned = aligned
        self._starts = starts
        self._bound = bound
        self._cost = np.full(shape, _INFINITE)
        self._sign = np.zeros(shape, np.uint64)
        self._arc, self._rank, self._origin = np.zeros((3, *shape), np.intp)
        self._cost[0, 0, 0] = 0.0
        self._columns = np.arange(shape[2])
        self._ranks = np.repeat([[0], [1]], shape[2], axis=1)

    def paths(self) -> list[tuple[float, Trail]]:
        """Cost and arcs of the best path and of the best one of another meaning, within the bound."""
        alive = bytearray(len(self._graph.nodes))  # most of a large grammar is never reached: pass over it quickly
        alive[0] = True
        for number, node in enumerate(self._graph.nodes):
            for arc in node.arcs:
                if alive[arc.source]:
                    alive[number] = self._visit(number, node)
                    break
        ends = [(float(self._cost[-1, rank, -1]), rank) for rank in range(2)]
        return [(cost, self._trace(rank)) for cost, rank in ends if cost <= self._bound]

    def _visit(self, number: int, node: Node) -> bool:
        """Extend all paths into one node, whose rows are candidates; False if none is within the bound."""
        groups = [rows for rows in (self._spoken(node), self._silent(node), self._wild(node)) if rows is not None]
        if not groups:
            return False
        best = groups[0] if len(groups) == 1 else _Rows.join(groups).two_best()
        best.cost[best.cost > self._bound] = _INFINITE
        self._cost[number], self._sign[number] = best.cost, best.sign
        self._arc[number], self._rank[number], self._origin[number] = best.arc, best.rank, best.origin
        return bool(best.cost.min() < _INFINITE)

    def _spoken(self, node: Node) -> _Rows | None:
        """Arcs with a word: from every position where a path stands, the word may take any stretch."""
        if not len(node.sources):
            return None
        cost = self._cost[node.sources]
        arc, rank, origin = (cost < _INFINITE).nonzero()
        if not len(arc):
            return None
        sign = self._sign[node.sources[arc], rank, origin] + node.signs[arc]
        total = cost[arc, rank, origin][:, None] + self._aligned[node.words[arc], origin]
        # As _Rows.two_best, but what does not depend on the column is not spread over them.
        first = total.argmin(axis=0)
        total_first = total[first, self._columns]
        total[sign[:, None] == sign[first]] = _INFINITE
        second = total.argmin(axis=0)
        chosen = np.array([first, second])
        both = np.array([total_first, total[second, self._columns]])
        return _Rows(both, sign[chosen], arc[chosen], rank[chosen], origin[chosen])

    def _silent(self, node: Node) -> _Rows | None:
        """Arcs without a word keep the position."""
        groups = []
        for number, arc in enumerate(node.silent, len(node.words)):
            cost = self._cost[arc.source]
            if cost.min() < _INFINITE:
                sign = self._sign[arc.source] + np.uint64(arc.sign)
                same = np.zeros_like(self._ranks)
                groups.append(_Rows(cost.copy(), sign, same + number, self._ranks, same + self._columns))
        return _Rows.join(groups).two_best() if len(groups) > 1 else groups[0] if groups else None

    def _wild(self, node: Node) -> _Rows | None:
        """Wildcards take one or more whole words of the transcript, which then are the meaning."""
        groups = []
        for number, arc in enumerate(node.wild, len(node.words) + len(node.silent)):
            rank, origin = (self._cost[arc.source] < _INFINITE).nonzero()
            whole = np.isin(origin, self._starts)
            rank, origin = rank[whole], origin[whole]
            if not len(origin):
                continue
            taken = self._columns - origin[:, None]
            cost = self._cost[arc.source][rank, origin][:, None] + np.float32(_WILDCARD_COST) * taken
            cost = np.where((taken > 0) & np.isin(self._columns, self._starts), cost, _INFINITE).astype(np.float32)
            # Begin and end of the words become part of the meaning; odd factors keep them apart from other meanings.
            place = (origin[:, None] * 0x9E3779B1 + self._columns * 0x85EBCA77).astype(np.uint64)
            sign = self._sign[arc.source][rank, origin][:, None] + place * np.uint64(arc.sign | 1)
            same = np.zeros(cost.shape, np.intp)
            groups.append(_Rows(cost, sign, same + number, same + rank[:, None], same + origin[:, None]))
        return _Rows.join(groups).two_best() if groups else None

    def _trace(self, rank: int) -> Trail:
        """Arcs from the start to the end, each with the transcript's words that a wildcard took."""
        path: Trail = []
        number, position = len(self._graph.nodes) - 1, self._aligned.shape[1] - 1
        while number:
            node = self._graph.nodes[number]
            at = (number, rank, position)
            arc = node.arcs[self._arc[at]]
            rank, before = int(self._rank[at]), int(self._origin[at])
            words = (0, 0)
            if arc.symbol == WILDCARD:
                first, last = np.searchsorted(self._starts, [before, position])
                words = (int(first), int(last))
            path.append((arc, *words))
            number, position = arc.source, before
        return path[::-1]


class _Rows(NamedTuple):
    """Candidate paths into a node, arrays of shape (candidates, n+1): cost, sign, and where they come from."""

    cost: Floats
    sign: Signs
    arc: Ints
    rank: Ints
    origin: Ints

    @staticmethod
    def join(groups: Sequence[_Rows]) -> _Rows:
        """All candidates of several groups."""
        return _Rows(
            np.concatenate([rows.cost for rows in groups]),
            np.concatenate([rows.sign for rows in groups]),
            np.concatenate([rows.arc for rows in groups]),
            np.concatenate([rows.rank for rows in groups]),
            np.concatenate([rows.origin for rows in groups]),
        )

    def two_best(self) -> _Rows:
        """For each column the cheapest candidate and the cheapest of another sign, shape (2, n+1)."""
        columns = np.arange(self.cost.shape[1])
        first = self.cost.argmin(axis=0)
        others = np.where(self.sign == self.sign[first, columns], _INFINITE, self.cost)
        second = others.argmin(axis=0)
        chosen = np.array([first, second])
        cost = np.array([self.cost[first, columns], others[second, columns]])
        return _Rows(cost, *(part[chosen, columns] for part in (self.sign, self.arc, self.rank, self.origin)))
