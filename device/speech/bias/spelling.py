"""How words may be written: "twenty one" also as "21", "seven pm" as "7 p.m.", with hyphens, commas and capitals.

Recognizers write some words as digits and signs. Were only one way allowed, the sentence that was said would look
unlikely to them, and another would win.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from device.nlu.text import number_words
from device.speech.bias.sentences import Sentences

SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "am": ("a.m.", "a.m"), "pm": ("p.m.", "p.m"), "okay": ("ok",), "color": ("colour",), "gray": ("grey",),
    "favorite": ("favourite",), "tv": ("t.v.",), "program": ("programme",), "theater": ("theatre",),
    "what's": ("whats",), "don't": ("dont",), "where's": ("wheres",), "how's": ("hows",), "i'd": ("id",),
    "mr": ("mr.",), "mrs": ("mrs.",), "dr": ("dr.",), "st": ("st.",), "alright": ("all-right",),
}  # fmt: skip
"""Other ways to write a word; `device.nlu.text` reads them as the same one."""

_SIGNS: Final[Mapping[str, tuple[str, ...]]] = {
    "percent": ("%",), "degrees": ("°",), "degree": ("°",), "o'clock": (":00",),
    "am": ("am", "a.m."), "pm": ("pm", "p.m."),
}  # fmt: skip
"""What is written right behind digits."""


class Spelled:
    """What may be written at a place, letter by letter.

    Attributes:
        next: Next character to what follows.
        words: Words that are complete here, and the state of the sentences behind them; None inside a word.
    """

    __slots__ = ("next", "state", "words")

    def __init__(self) -> None:
        self.next: dict[str, Spelled] = {}
        self.words: tuple[str, ...] = ()
        self.state: int | None = None


def spell(sentences: Sentences, state: int) -> Spelled:
    """All ways to write one word, or one number of several words, from a state of the sentences."""
    root = Spelled()
    step = sentences.step(state)
    for word, target in step.words.items():
        for written in (word, *SPELLINGS.get(word, ())):
            _add(root, written, (word,), target)
    _add_numbers(root, sentences, state, _written_numbers(), ())
    return root


def _add_numbers(root: Spelled, sentences: Sentences, state: int, numbers: _Numbers, said: tuple[str, ...]) -> None:
    """All numbers whose words may follow, with the sign of a word behind them."""
    words = sentences.step(state).words
    for written in numbers.written:
        _add(root, written, said, state)
        for word in _SIGNS.keys() & words.keys():
            for sign in _SIGNS[word]:
                _add(root, written + sign, (*said, word), words[word])
    for word in numbers.next.keys() & words.keys():
        _add_numbers(root, sentences, words[word], numbers.next[word], (*said, word))


def _add(root: Spelled, written: str, words: tuple[str, ...], state: int) -> None:
    node = root
    for character in written:
        node = node.next.setdefault(character, Spelled())
    if node.state is None:
        node.words, node.state = words, state


@dataclass(slots=True)
class _Numbers:
    """Numbers by the words that are said for them, and how those that end here are written."""

    next: dict[str, _Numbers] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)


@lru_cache(maxsize=1)
def _written_numbers() -> _Numbers:
    root = _Numbers()
    for written, words in _numbers():
        node = root
        for word in words.split():
            node = node.next.setdefault(word, _Numbers())
        node.written.append(written)
    return root


def _numbers() -> Iterator[tuple[str, str]]:
    for n in (*range(1000), *range(1000, 10001, 100)):
        yield str(n), number_words(str(n))
    for n in range(1900, 2100):
        yield str(n), number_words(str(n))
    for n in range(1, 32):
        suffix = "th" if n in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
        yield f"{n}{suffix}", number_words(str(n), ordinal=True)
    for hour in range(24):
        for minute in range(1, 60):
            yield f"{hour}:{minute:02}", f"{number_words(str(hour))} {number_words(f'{minute:02}')}"
    for whole in range(21):
        for tenth in range(10):
            yield f"{whole}.{tenth}", f"{number_words(str(whole))} point {number_words(str(tenth))}"
