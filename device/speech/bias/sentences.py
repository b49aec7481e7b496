"""What a person may say now, word by word: the grammar's intents as one deterministic automaton, made as it is walked.

The grammar is a recursive transition network without recursion; a state here is a set of places in it (subset
construction), so that it has no ambiguity however many intents share their words. Only the states that somebody's
speech leads to are ever made, and they are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import cached_property
from threading import Lock
from typing import Final, NamedTuple, TypeAlias

from device.nlu.grammar import Automaton, Grammar, State

JOINERS: Final = ("and", "then")
"""Words between two commands of one breath."""

POLITE: Final = ("please",)
"""Words that may stand behind a command and mean nothing."""

GLUE_COST: Final = 6.0
"""Log-probability that each further command and each polite word costs: a recognizer that is unsure says things twice,
or politely."""


class _Return(NamedTuple):
    """Where a type's words lead to when they end."""

    automaton: int
    state: int
    then: _Return | None


class _Place(NamedTuple):
    """A place in the network: a state of an automaton (or, for a wildcard, inside of it), and the way back."""

    automaton: int
    state: int
    then: _Return | None


_Places: TypeAlias = frozenset[_Place]

_WILD: Final = -1
_SENTENCE: Final = 0
_BEGIN, _MIDDLE, _END, _TAIL = range(4)
_FURTHER: Final = _Place(_SENTENCE, _MIDDLE, None)


class Step(NamedTuple):
    """Where a state leads to.

    Attributes:
        words: Next word to next state.
        other: State after any other word, where free words may stand; None where they may not.
        final: A sentence may end here.
        glue: Words that belong to no command here: they join two of them, or are polite.
        further: Words that can only begin a further command here.
    """

    words: Mapping[str, int]
    other: int | None
    final: bool
    glue: frozenset[str]
    further: frozenset[str]

    def cost(self, word: str) -> float:
        """What saying this word costs: "and" may join two kinds of milk, so that it costs what follows it."""
        return GLUE_COST if word in self.further or (word in self.glue and word not in JOINERS) else 0.0


class Sentences:
    """All sentences of a grammar, several commands in one breath included. State 0 is the start. Thread-safe.

    Args:
        grammar: Compiled packs.
        answer: Key of a type whose words alone are a sentence, too: what a question asks for.
        phrases: Further fixed sentences, in spoken form: a yes or a no.
        free: False for what can be said without free words.
    """

    def __init__(self, grammar: Grammar, answer: str = "", phrases: Sequence[str] = (), *, free: bool = True) -> None:
        self._given = grammar, answer, phrases
        self._free = free
        self._automata: list[Automaton] = [(), *grammar.intents.values()]
        self._types: dict[str, int] = {}
        self._wild: set[int] = set()
        self._begins = [number for number in range(1, len(self._automata)) if self._automata[number]]
        for key, type_ in grammar.types.items():
            self._types[key] = len(self._automata)
            if type_.wildcard:
                self._wild.add(len(self._automata))
            self._automata.append(type_.states)
        if answer in self._types and self._types[answer] not in self._wild:
            self._begins.append(self._types[answer])
        for phrase in phrases:
            said = phrase.split()
            self._begins.append(len(self._automata))
            states = [State({word: number}) for number, word in enumerate(said, 1)]
            self._automata.append((*states, State({}, final=True)))
        self._sets: list[_Places] = []
        self._numbers: dict[_Places, int] = {}
        self._steps: dict[int, Step] = {}
        self._making = Lock()  # recognizer and reader walk the same sentences
        self._start = frozenset([_Place(_SENTENCE, _BEGIN, None)])
        self._number(self._start)

    def step(self, state: int) -> Step:
        """Where a state leads to."""
        found = self._steps.get(state)
        if found is None:
            with self._making:
                found = self._steps[state] = self._make(self._sets[state])
        return found

    @property
    def breadth(self) -> int:
        """Words that may begin a sentence: some five hundred for a whole assistant, twenty for a coffee machine."""
        return len(self.step(0).words)

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """All words of the grammar, for recognizers that can be told no more."""
        return tuple(sorted({word for states in self._automata for state in states for word in state.words}))

    def accepts(self, words: Sequence[str]) -> bool:
        """Whether these words are a sentence."""
        behind = self._behind(words)
        return behind is not None and behind.final

    def goes_on(self, words: Sequence[str]) -> bool | None:
        """Whether more than glue may follow these words; None where no sentence begins with them."""
        behind = self._behind(words)
        return None if behind is None else self._leads_on(behind)

    def _leads_on(self, step: Step) -> bool:
        """Polite words are glue here although a pack has them too, unless more follows them."""
        following = (to for word, to in step.words.items() if word in POLITE)
        others = step.words.keys() - step.glue - frozenset(POLITE)
        return step.other is not None or bool(others) or any(self._leads_on(self.step(to)) for to in following)

    def begins(self, words: Sequence[str]) -> bool:
        """Whether these words, none of them free, are the beginning of a sentence and none themselves."""
        return bool(words) and not self.accepts(words) and self._closed._behind(words) is not None

    @cached_property
    def _closed(self) -> Sentences:
        return Sentences(*self._given, free=False)

    def _behind(self, words: Sequence[str]) -> Step | None:
        """The state behind these words."""
        step = self.step(0)
        for word in words:
            following = step.words.get(word, step.other)
            if following is None:
                return None
            step = self.step(following)
        return step

    def _make(self, places: _Places) -> Step:
        reached, final = self._closure(places)
        targets: dict[str, set[_Place]] = {}
        glue: set[str] = set()
        inside: set[str] = set()
        anywhere: set[_Place] = set()
        for place in reached:
            automaton, state, then = place
            if automaton == _SENTENCE:
                for word, following in _SENTENCES[state]:
                    targets.setdefault(word, set()).add(_Place(_SENTENCE, following, None))
                    glue.add(word)
            elif state == _WILD:
                anywhere.add(place)
                assert then is not None
                anywhere.add(_Place(*then))
            else:
                for word, following in self._automata[automaton][state].words.items():
                    inside.add(word)
                    targets.setdefault(word, set()).add(_Place(automaton, following, then))
        words = {word: self._number(frozenset(found | anywhere)) for word, found in targets.items()}
        other = self._number(frozenset(anywhere)) if anywhere else None
        return Step(words, other, final, frozenset(glue - inside), frozenset(inside - self._going_on(places)))

    def _going_on(self, places: _Places) -> set[str]:
        """Words of commands that are under way, or of the first one."""
        reached, _ = self._closure(places - {_FURTHER})
        inside = (place for place in reached if place.automaton != _SENTENCE and place.state != _WILD)
        return {word for number, state, _ in inside for word in self._automata[number][state].words}

    def _closure(self, places: Set[_Place]) -> tuple[set[_Place], bool]:
        """All places that are reached without a word, and whether the end is among them."""
        reached: set[_Place] = set()
        stack = list(places)
        final = False
        while stack:
            place = stack.pop()
            if place in reached:
                continue
            reached.add(place)
            number, state, then = place
            if number == _SENTENCE:
                final |= state in (_END, _TAIL)
                if state in (_BEGIN, _MIDDLE):
                    stack += (_Place(each, 0, None) for each in self._begins)
                continue
            if state == _WILD:
                continue
            at = self._automata[number][state]
            if at.final:
                stack.append(_Place(*then) if then else _Place(_SENTENCE, _END, None))
            for call in at.calls:
                type_ = self._types[call.type]
                wild = type_ in self._wild
                if wild and not self._free:
                    continue
                if wild and number in self._begins and state == 0:
                    continue  # free words that come first would take in everything that is said
                if wild or self._automata[type_]:
                    stack.append(_Place(type_, _WILD if wild else 0, _Return(number, call.target, then)))
        return reached, final

    def _number(self, places: _Places) -> int:
        number = self._numbers.get(places)
        if number is None:
            number = self._numbers[places] = len(self._sets)
            self._sets.append(places)
        return number


_SENTENCES: Final[Mapping[int, tuple[tuple[str, int], ...]]] = {
    _BEGIN: (),
    _MIDDLE: tuple((word, _MIDDLE) for word in JOINERS),
    _END: (*((word, _MIDDLE) for word in JOINERS), *((word, _TAIL) for word in POLITE)),
    _TAIL: tuple((word, _MIDDLE) for word in JOINERS),
}
