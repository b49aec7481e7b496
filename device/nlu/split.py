"""Several commands in one breath: cut at "and" and "then" only where both sides stand by themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from device.nlu.types import OOS, Interpretation

SURE: Final = 0.8
"""Both sides must be at least this sure; "add milk and eggs" then stays one command."""

_CONNECTORS: Final = (("and", "then"), ("and", "also"), ("after", "that"), ("then",), ("and",), ("also",), ("plus",))
_MIN_WORDS: Final = 2
_NAMED: Final = frozenset({"device", "room", "scene", "channel"})
"""Slots that may begin a command: "kitchen light off"."""

Read = Callable[[Sequence[str]], Interpretation]


def split(words: Sequence[str], read: Read, whole: Interpretation) -> tuple[Interpretation, ...]:
    """The commands in `words`, in order.

    Args:
        words: Spoken form.
        read: Gives the best reading of some words.
        whole: Reading of all the words, kept where cutting gains nothing.

    Returns:
        One or more interpretations; `(whole,)` unless every part is a confident command. A whole that matches
        the grammar without leaving a connector inside a slot is never cut.
    """
    if whole.source == "grammar" and not any(_connected(slot.text) for slot in whole.slots.values()):
        return (whole,)
    for start, end in _cuts(words):
        left, right = read(words[:start]), read(words[end:])
        if _stands(left) and _stands(right) and not _begins_with_free_words(right):
            return (left, *split(words[end:], read, right))
    return (whole,)


def _cuts(words: Sequence[str]) -> list[tuple[int, int]]:
    """Start and end of each connector that has enough words on both sides, first first."""
    cuts = []
    for i in range(_MIN_WORDS, len(words) - 1):
        for connector in _CONNECTORS:
            if tuple(words[i : i + len(connector)]) == connector:
                if len(words) - i - len(connector) >= _MIN_WORDS:
                    cuts.append((i, i + len(connector)))
                break
    return cuts


def _stands(reading: Interpretation) -> bool:
    return reading.intent != OOS and reading.confidence >= SURE and reading.source in ("grammar", "model")


def _begins_with_free_words(reading: Interpretation) -> bool:
    """True for the rest of an enumeration ("eggs to the shopping list"), which is no command by itself."""
    return any(
        reading.text.startswith(f"{slot.text} ") and slot.value == slot.text and name not in _NAMED
        for name, slot in reading.slots.items()
    )


def _connected(text: str) -> bool:
    return " and " in f" {text} " or " then " in f" {text} "
