"""Exact match: which intents say precisely these words, and which words fill their slots.

Every intent's automaton is run over the words with memory (a state and a position are solved once), so the time
is polynomial however ambiguous the wildcards are. Intents are found by their first word before any automaton
runs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from device.nlu.grammar import Automaton, Canonical, Grammar, State


@dataclass(frozen=True, slots=True)
class SlotSpan:
    """The words of one slot.

    Attributes:
        name: Slot name.
        type: Type name.
        start: Index of the first word.
        end: Index behind the last word.
        text: The words, separated by spaces.
        value: Canonical value of a closed list's entry; None where the text is still to be resolved.
    """

    name: str
    type: str
    start: int
    end: int
    text: str
    value: Canonical = None


@dataclass(frozen=True, slots=True)
class Match:
    """One intent that accepts the words exactly.

    Attributes:
        intent: Full name, `timer.start`.
        slots: Spans from left to right.
        wildcards: Words that a wildcard took.
        literal_words: Words that stand in the phrase itself, outside of slots.
    """

    intent: str
    slots: tuple[SlotSpan, ...]
    wildcards: int
    literal_words: int


_Span: TypeAlias = tuple[int, Canonical, int]
"""Where a type's words may end, its value, and how many of the words a wildcard took."""
_Parse: TypeAlias = tuple[tuple[int, int, tuple[int, ...]], tuple[tuple[str, str, int, int, Canonical], ...]]
"""Rank (lower is better: wildcards, minus literals, minus the slots' lengths) and slots of the rest."""


def match(grammar: Grammar, words: Sequence[str]) -> list[Match]:
    """Intents that accept exactly these words (in spoken form), the best reading of each.

    Best first: fewest words in wildcards, then most words of the phrase itself, then the longer first slots; equally
    good intents stay in the order of the packs.
    """
    if not words:
        return []
    run = _Run(grammar, words)
    candidates = set(grammar.intents_by_word.get(words[0], ()))
    for key, intents in grammar.intents_by_type.items():
        if run.spans(key, 0):
            candidates.update(intents)
    ranked = []
    for number in candidates:
        intent = grammar.intent_names[number]
        parse = run.parse(grammar.intents[intent])
        if parse is not None:
            (wildcards, literals, _), slots = parse
            spans = tuple(
                SlotSpan(name, grammar.types[key].name, start, end, " ".join(words[start:end]), value)
                for name, key, start, end, value in slots
            )
            ranked.append((parse[0], number, Match(intent, spans, wildcards, -literals)))
    ranked.sort(key=lambda item: item[:2])
    return [found for _, _, found in ranked]


def slot_words(grammar: Grammar, words: Sequence[str], joiners: Collection[str]) -> frozenset[int]:
    """Positions of the words that fill slots, of one command or of several.

    Args:
        grammar: Compiled packs.
        words: In spoken form.
        joiners: Words that may stand between two commands.

    Returns:
        All positions where the words are no command: then they answer a question, and are a value as a whole.
    """
    found = _slot_words(grammar, words, joiners)
    return frozenset(range(len(words))) if found is None else found


def _slot_words(grammar: Grammar, words: Sequence[str], joiners: Collection[str]) -> frozenset[int] | None:
    for end in range(len(words), 0, -1):  # of the whole first: "and" may belong to one command
        if end < len(words) and words[end] not in joiners:
            continue
        first = match(grammar, words[:end])
        rest = _slot_words(grammar, words[end + 1 :], joiners) if first and end < len(words) else frozenset()
        if first and rest is not None:
            own = (range(span.start, span.end) for span in first[0].slots)
            return frozenset(chain(*own)) | {end + 1 + place for place in rest}
    return None


class _Run:
    """One word sequence: what each type and each state can do with it from each position."""

    def __init__(self, grammar: Grammar, words: Sequence[str]) -> None:
        self._types = grammar.types
        self._words = words
        self._spans: dict[tuple[str, int], tuple[_Span, ...]] = {}

    def spans(self, key: str, start: int) -> tuple[_Span, ...]:
        """Ends of all words of a type from a position."""
        found = self._spans.get((key, start))
        if found is None:
            automaton = self._types[key]
            if automaton.wildcard:
                found = tuple((end, None, end - start) for end in range(start + 1, len(self._words) + 1))
            else:
                ends: dict[int, _Span] = {}
                self._walk(automaton.states, 0, start, 0, ends)
                found = tuple(ends.values())
            self._spans[key, start] = found
        return found

    def _walk(self, states: Automaton, number: int, position: int, wildcards: int, ends: dict[int, _Span]) -> None:
        state = states[number]
        if state.final:
            known = ends.get(position)
            if known is None or wildcards < known[2]:
                ends[position] = (position, state.value, wildcards)
        if position < len(self._words):
            target = state.words.get(self._words[position])
            if target is not None:
                self._walk(states, target, position + 1, wildcards, ends)
            for call in state.calls:
                for end, _, taken in self.spans(call.type, position):
                    self._walk(states, call.target, end, wildcards + taken, ends)

    def parse(self, states: Automaton) -> _Parse | None:
        """Best reading of all the words by an intent's automaton."""
        return self._parse(states, 0, 0, {})

    def _parse(
        self, states: Automaton, number: int, position: int, known: dict[tuple[int, int], _Parse | None]
    ) -> _Parse | None:
        state: State = states[number]
        if position == len(self._words):
            return ((0, 0, ()), ()) if state.final else None
        key = (number, position)
        if key in known:
            return known[key]
        best: _Parse | None = None
        target = state.words.get(self._words[position])
        if target is not None:
            rest = self._parse(states, target, position + 1, known)
            if rest is not None:
                (wildcards, literals, lengths), slots = rest
                best = ((wildcards, literals - 1, lengths), slots)
        for call in state.calls:
            for end, value, taken in self.spans(call.type, position):
                rest = self._parse(states, call.target, end, known)
                if rest is not None:
                    (wildcards, literals, lengths), slots = rest
                    rank = (wildcards + taken, literals, (position - end, *lengths))
                    if best is None or rank < best[0]:
                        best = (rank, ((call.slot, call.type, position, end, value), *slots))
        known[key] = best
        return best
