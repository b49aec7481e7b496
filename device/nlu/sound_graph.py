"""An intent's automaton with the automata of its types copied into it, as the search by sound walks it.

Every path has a *sign*: the sum of random-looking 64-bit numbers of what it means. Two paths have the same sign
exactly when they fill the same slots with the same values (chance of a collision: 2^-64 a pair), whatever other
words they use and in whatever order the slots come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from device.nlu.grammar import Automaton, CallArc, Canonical, Grammar

EPSILON: Final = 0
WILDCARD: Final = 1
FIRST_WORD: Final = 2
"""Symbols of arcs: nothing, any words, and from here on the words of the vocabulary."""


@dataclass(frozen=True, slots=True)
class Arc:
    """An arc into a node.

    Attributes:
        source: Node that it comes from; smaller than its target.
        symbol: `EPSILON`, `WILDCARD`, or `FIRST_WORD` plus the index of a word.
        sign: What it adds to the path's sign.
        slot: `(slot, type)` where a slot begins.
        ends: A slot ends; `value` is its canonical value.
        value: See `ends`.
    """

    source: int
    symbol: int
    sign: int = 0
    slot: tuple[str, str] | None = None
    ends: bool = False
    value: Canonical = None


@dataclass(frozen=True, slots=True)
class Node:
    """A node by the arcs that lead to it.

    Attributes:
        arcs: All of them: those with a word first, then the silent ones, then wildcards.
        silent: Without a word.
        wild: With any words.
        sources: Of the arcs with a word, as are `words` (index in the vocabulary) and `signs`.
    """

    arcs: tuple[Arc, ...]
    silent: tuple[Arc, ...]
    wild: tuple[Arc, ...]
    sources: npt.NDArray[np.intp]
    words: npt.NDArray[np.intp]
    signs: npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class SoundGraph:
    """One intent. Node 0 is the start, the last one the end, and arcs lead from earlier nodes to later ones.

    There are no nodes where the intent can't be said (a household type without names stands in every phrase).
    """

    intent: str
    nodes: tuple[Node, ...]


def sound_graph(grammar: Grammar, intent: str, vocabulary: dict[str, int]) -> SoundGraph:
    """Flatten one intent; new words get the next numbers in `vocabulary`."""
    builder = _Builder(grammar, vocabulary)
    start, end = builder.node(), builder.node()
    builder.copy(grammar.intents[intent], start, end, None)
    return SoundGraph(intent, tuple(builder.ordered(start, end)))


@dataclass(frozen=True, slots=True)
class _Place:
    """Inside a slot: the calls that led here, and whether the slot's words are its meaning (it has no values)."""

    path: tuple[object, ...]
    by_words: bool


@dataclass(slots=True)
class _Builder:
    grammar: Grammar
    vocabulary: dict[str, int]
    incoming: list[list[Arc]] = field(default_factory=list)

    def node(self) -> int:
        self.incoming.append([])
        return len(self.incoming) - 1

    def copy(self, states: Automaton, start: int, end: int, place: _Place | None) -> None:
        nodes = [start, *(self.node() for _ in states[1:])]
        for number, state in enumerate(states):
            for word, target in state.words.items():
                symbol = FIRST_WORD + self.vocabulary.setdefault(word, len(self.vocabulary))
                sign = _sign((*place.path, number, word)) if place and place.by_words else 0
                self.incoming[nodes[target]].append(Arc(nodes[number], symbol, sign))
            for call in state.calls:
                inner = _Place((*place.path, number), place.by_words) if place else None
                self.call(call, nodes[number], nodes[call.target], inner)
            if state.final:
                outermost = place is not None and len(place.path) == 1
                sign = _sign((*place.path, "=", state.value)) if place and outermost and not place.by_words else 0
                self.incoming[end].append(Arc(nodes[number], EPSILON, sign, ends=outermost, value=state.value))

    def call(self, call: CallArc, source: int, target: int, place: _Place | None) -> None:
        type_ = self.grammar.types[call.type]
        begin = self.node()
        slot = (call.slot, type_.name) if place is None else None
        self.incoming[begin].append(Arc(source, EPSILON, slot=slot))
        if place is None:
            place = _Place((call.slot,), any(state.final and state.value is None for state in type_.states))
        if type_.wildcard:
            self.incoming[target].append(Arc(begin, WILDCARD, _sign(place.path), ends=slot is not None))
        else:
            self.copy(type_.states, begin, target, place)

    def ordered(self, start: int, end: int) -> Iterator[Node]:
        """Nodes in topological order, without those that lead nowhere or are never reached."""
        order: list[int] = []
        seen = {end}
        stack: list[tuple[int, Iterator[int]]] = [(end, (arc.source for arc in self.incoming[end]))]
        while stack:  # backwards from the end, depth first: a node is listed when all before it are
            node, sources = stack[-1]
            source = next(sources, None)
            if source is None:
                order.append(node)
                stack.pop()
            elif source not in seen:
                seen.add(source)
                stack.append((source, (arc.source for arc in self.incoming[source])))
        reached = {start}
        for node in order:
            if any(arc.source in reached for arc in self.incoming[node]):
                reached.add(node)
        if end not in reached:
            return
        kept = [start, *(node for node in order if node in reached and node != start)]
        number = {node: i for i, node in enumerate(kept)}
        for node in kept:
            yield _node([_renumber(arc, number) for arc in self.incoming[node] if arc.source in number])


def _node(arcs: list[Arc]) -> Node:
    spoken = [arc for arc in arcs if arc.symbol >= FIRST_WORD]
    silent = [arc for arc in arcs if arc.symbol == EPSILON]
    wild = [arc for arc in arcs if arc.symbol == WILDCARD]
    return Node(
        (*spoken, *silent, *wild),
        tuple(silent),
        tuple(wild),
        np.array([arc.source for arc in spoken], np.intp),
        np.array([arc.symbol - FIRST_WORD for arc in spoken], np.intp),
        np.array([arc.sign for arc in spoken], np.uint64),
    )


def _renumber(arc: Arc, number: dict[int, int]) -> Arc:
    return Arc(number[arc.source], arc.symbol, arc.sign, arc.slot, arc.ends, arc.value)


def _sign(meaning: tuple[object, ...]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(meaning).encode(), digest_size=8).digest(), "little")
