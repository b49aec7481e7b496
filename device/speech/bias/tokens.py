"""What can be said, token by token of a recognizer's vocabulary.

A vocabulary's trie is walked against the spellings of what may follow, so that any way to cut a word into tokens, any
case and any punctuation is accepted. Each place remembers what follows it, so that a sentence costs its search only
once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from device.nlu.text import words as spoken_words
from device.speech.bias.sentences import Sentences
from device.speech.bias.spelling import Spelled, spell

Ids = npt.NDArray[np.intp]

FREE_COST: Final = 0.5
"""Log-probability that every token of free speech costs, so that words of the grammar are preferred to their like."""

MAX_PLACES: Final = 50_000
"""Places that are remembered; a dictation in free words makes new ones with every word."""

_SPACES: Final = frozenset(" -")
_STOPS: Final = frozenset(",.?!;:")


class Place(NamedTuple):
    """Where a hypothesis stands.

    Attributes:
        state: State of the sentences before the word that is being written.
        spelled: What may be written of it; None in free speech, and where only
            a separator or the end may follow (after a comma).
        free: Letters so far of a word of free speech, None outside of one.
    """

    state: int
    spelled: Spelled | None
    free: str | None


@dataclass(frozen=True, slots=True)
class Arcs:
    """What may follow a place.

    Attributes:
        tokens: Token numbers, shape [n].
        targets: Number of the place behind each, shape [n].
        said: Words that each completes, or () for most.
        costs: What each costs, shape [n].
        free: Tokens of free speech, shape [m]; `Lattice.take` tells what is behind each. They are up to half of the
            vocabulary, and shared by many places.
        accepts: Whether a sentence may end here.
        ending: Words that the end completes.
        ending_cost: What they cost.
    """

    tokens: Ids
    targets: Ids
    said: Sequence[tuple[str, ...]]
    costs: npt.NDArray[np.float32]
    free: Ids
    accepts: bool
    ending: tuple[str, ...]
    ending_cost: float


class Step(NamedTuple):
    """One token on.

    Attributes:
        token: Its number.
        place: Number of the place behind it.
        said: Words that it completes.
        cost: What it costs.
        free: It is of free speech.
    """

    token: int
    place: int
    said: tuple[str, ...]
    cost: float
    free: bool


class _Trie:
    """A node of the trie over texts in order: the range of those that begin alike. Its children are made when needed.

    Args:
        texts: All texts, in order.
        numbers: Their token numbers, shape [n].
        first: The first text of the range.
        last: One behind the last.
        depth: Characters that those of the range have in common.
    """

    __slots__ = ("_depth", "_first", "_last", "_next", "_numbers", "_texts", "tokens")

    def __init__(self, texts: Sequence[str], numbers: Ids, first: int, last: int, depth: int) -> None:
        self._texts, self._numbers, self._first, self._last, self._depth = texts, numbers, first, last, depth
        self._next: dict[str, _Trie] | None = None
        begins = first < last and len(texts[first]) == depth
        ended = bisect_right(texts, texts[first], first, last) if begins else first
        self.tokens: list[int] = numbers[first:ended].tolist()

    @property
    def next(self) -> Mapping[str, _Trie]:
        """The nodes one character on."""
        if self._next is None:
            found: dict[str, _Trie] = {}
            at = self._first + len(self.tokens)
            while at < self._last:
                begin = self._texts[at][: self._depth + 1]
                end = bisect_right(self._texts, begin, at, self._last, key=lambda text: text[: self._depth + 1])
                found[begin[-1]] = _Trie(self._texts, self._numbers, at, end, self._depth + 1)
                at = end
            self._next = found  # whole at once: ears and recognizer walk the same trie in threads of their own
        return self._next

    def below(self) -> Ids:
        """All tokens that end here or further down."""
        return self._numbers[self._first : self._last]


class Vocabulary:
    """A recognizer's tokens by their letters.

    Args:
        texts: Text of each token, "▁" or a space where a word begins; None for those that are no text.
    """

    def __init__(self, texts: Sequence[str | None]) -> None:
        self._below: dict[tuple[_Trie, ...], Ids] = {}
        self.texts = [None if text is None else text.replace("▁", " ").replace("’", "'").lower() for text in texts]
        readable = [
            (text, number)
            for number, text in enumerate(self.texts)
            if text and (text.isascii() or text.replace("°", "").isascii())
        ]
        readable.sort()
        numbers = np.array([number for _, number in readable], np.intp)
        self.root = _Trie([text for text, _ in readable], numbers, 0, len(readable), 0)

    def below(self, tries: tuple[_Trie, ...]) -> Ids:
        """All tokens that end below some of the trie's nodes; the same array for the same nodes."""
        found = self._below.get(tries)
        if found is None:
            found = self._below[tries] = np.concatenate([np.zeros(0, np.intp), *(trie.below() for trie in tries)])
        return found


@dataclass(slots=True)
class _Building:
    tokens: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    said: list[tuple[str, ...]] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    free: list[_Trie] = field(default_factory=list)


class Lattice:
    """Sentences as a recognizer writes them. Place 0 is the start. Not thread-safe.

    Args:
        sentences: What can be said.
        vocabulary: The recognizer's tokens.
    """

    def __init__(self, sentences: Sentences, vocabulary: Vocabulary) -> None:
        self._sentences = sentences
        self._vocabulary = vocabulary
        self._spelled: dict[int, Spelled] = {}
        self._forget()

    def arcs(self, number: int) -> Arcs:
        """What may follow a place."""
        found = self._arcs.get(number)
        if found is None:
            found = self._arcs[number] = self._make(self._places[number])
        return found

    def take(self, number: int, arc: int) -> Step | None:
        """One of the arcs of a place, first those of `Arcs.tokens`, then those of `Arcs.free`.

        Returns:
            None for a token of free speech that can't stand there.
        """
        arcs = self.arcs(number)
        free = arc - len(arcs.tokens)
        if free < 0:
            return Step(
                int(arcs.tokens[arc]), int(arcs.targets[arc]), arcs.said[arc], float(arcs.costs[arc]), free=False
            )
        token = int(arcs.free[free])
        place = self._places[number]
        said: tuple[str, ...] = ()
        for character in self._vocabulary.texts[token] or "":
            moved = self._move(place, character)
            if moved is None:
                return None
            place, words = moved
            said += words
        return Step(token, self._number(place), said, FREE_COST, free=True)

    def trim(self) -> None:
        """Forget places, if there are too many; between two utterances."""
        if len(self._places) > MAX_PLACES:
            self._forget()

    def _forget(self) -> None:
        self._places: list[Place] = []
        self._numbers: dict[Place, int] = {}
        self._arcs: dict[int, Arcs] = {}
        self._number(self._at(0))

    def _make(self, place: Place) -> Arcs:
        accepts, ending = self._end(place)
        out = _Building()
        self._extend(self._vocabulary.root, place, (), 0.0, out)
        return Arcs(
            np.array(out.tokens, np.intp),
            np.array(out.targets, np.intp),
            out.said,
            np.array(out.costs, np.float32),
            self._vocabulary.below(tuple(out.free)),
            accepts,
            ending,
            self._cost(place, ending),
        )

    def _extend(self, trie: _Trie, place: Place, said: tuple[str, ...], cost: float, out: _Building) -> None:
        if place.free is not None:
            out.free.append(trie)
            return
        for token in trie.tokens:
            out.tokens.append(token)
            out.targets.append(self._number(place))
            out.said.append(said)
            out.costs.append(cost)
        for character, moved, words in self._moves(place, trie):
            self._extend(trie.next[character], moved, said + words, cost + self._cost(place, words), out)

    def _cost(self, place: Place, words: tuple[str, ...]) -> float:
        return self._sentences.step(place.state).cost(words[0]) if words else 0.0

    def _moves(self, place: Place, trie: _Trie) -> Iterator[tuple[str, Place, tuple[str, ...]]]:
        """Characters that both the place and the vocabulary have next."""
        expected = place.spelled.next if place.spelled else {}
        characters = [c for c in trie.next if c in expected or c in _SPACES or c in _STOPS]
        for character in characters:
            moved = self._move(place, character)
            if moved is not None:
                yield character, *moved

    def _move(self, place: Place, character: str) -> tuple[Place, tuple[str, ...]] | None:
        """One character on: the place behind it, and the words that it completes."""
        if place.free is not None:
            return self._move_freely(place, character)
        if place.spelled is None:  # after a comma or a full stop
            return (self._at(place.state), ()) if character == " " else None
        deeper = place.spelled.next.get(character)
        if deeper is not None:
            return Place(place.state, deeper, None), ()
        begun = place.spelled is not self._spellings(place.state)
        if not begun:
            return (place, ()) if character == " " else None
        if place.spelled.state is None:
            return None
        if character in _SPACES:
            return self._at(place.spelled.state), place.spelled.words
        if character in _STOPS:
            return Place(place.spelled.state, None, None), place.spelled.words
        return None

    def _move_freely(self, place: Place, character: str) -> tuple[Place, tuple[str, ...]] | None:
        assert place.free is not None
        if character not in _SPACES and character not in _STOPS:
            return Place(place.state, None, place.free + character), ()
        if not place.free:
            return place, ()
        state, words = self._free_word(place.state, place.free)
        return (self._at(state), words) if state is not None else None

    def _free_word(self, state: int | None, letters: str) -> tuple[int | None, tuple[str, ...]]:
        words = spoken_words(letters)
        for word in words:
            if state is None:
                break
            step = self._sentences.step(state)
            state = step.words.get(word, step.other)
        return state, words

    def _end(self, place: Place) -> tuple[bool, tuple[str, ...]]:
        """Whether a sentence may end at a place, and the words that this completes."""
        if place.free is not None:
            state, words = self._free_word(place.state, place.free) if place.free else (place.state, ())
            return state is not None and bool(words or not place.free) and self._sentences.step(state).final, words
        if place.spelled is None:
            return self._sentences.step(place.state).final, ()
        state = place.spelled.state
        return state is not None and self._sentences.step(state).final, place.spelled.words

    def _at(self, state: int) -> Place:
        """The place before the next word."""
        if self._sentences.step(state).other is not None:
            return Place(state, None, "")
        return Place(state, self._spellings(state), None)

    def _spellings(self, state: int) -> Spelled:
        found = self._spelled.get(state)
        if found is None:
            found = self._spelled[state] = spell(self._sentences, state)
        return found

    def _number(self, place: Place) -> int:
        number = self._numbers.get(place)
        if number is None:
            number = self._numbers[place] = len(self._places)
            self._places.append(place)
        return number
