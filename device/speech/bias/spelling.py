"""How words may be written: "twenty one" also as "21", "seven pm" as "7 p.m.", with hyphens, commas and capitals.

Recognizers write some words as digits and signs. Were only one way allowed, the sentence that was said would look
unlikely to them, and another would win.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

_NUMBERS: Final = frozenset(word for n in (*range(20), *range(20, 101, 10)) for word in number_words(str(n)).split())
_ORDINALS: Final = frozenset(number_words(str(n), ordinal=True).split()[-1] for n in range(1, 32))


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
    if not _NUMBERS.isdisjoint(step.words) or not _ORDINALS.isdisjoint(step.words):
        for written, words in _written_numbers():
            if words[0] not in step.words:
                continue
            end = _walk(sentences, state, words)
            if end is None:
                continue
            _add(root, written, words, end)
            for sign_word, target in sentences.step(end).words.items():
                for sign in _SIGNS.get(sign_word, ()):
                    _add(root, written + sign, (*words, sign_word), target)
    return root


def _add(root: Spelled, written: str, words: tuple[str, ...], state: int) -> None:
    node = root
    for character in written:
        node = node.next.setdefault(character, Spelled())
    if node.state is None:
        node.words, node.state = words, state


def _walk(sentences: Sentences, state: int, words: tuple[str, ...]) -> int | None:
    """State behind these words, none of them free."""
    for word in words:
        target = sentences.step(state).words.get(word)
        if target is None:
            return None
        state = target
    return state


@lru_cache(maxsize=1)
def _written_numbers() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Digits, and the words that are said for them."""
    return tuple((written, tuple(words.split())) for written, words in _numbers())


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
