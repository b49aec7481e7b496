"""Several commands in one breath: cut at "and" and "then" only where both sides stand by themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from device.nlu.types import OOS, Interpretation, Slot

SURE: Final = 0.8
"""Both sides must be at least this sure; "add milk and eggs" then stays one command."""

LONGEST: Final = 40
"""Words beyond which nothing is cut: that is a speech, and each cut costs two readings."""

_CONNECTORS: Final = (("and", "then"), ("and", "also"), ("after", "that"), ("then",), ("and",), ("also",), ("plus",))
_MIN_WORDS: Final = 2
_COUNTS: Final = frozenset({"hundred", "thousand", "million", "billion"})
_FRACTIONS: Final = frozenset({("a", "half"), ("a", "quarter"), ("three", "quarters")})
"""Behind or before these an "and" goes on counting."""

_NAMED: Final = frozenset({"device", "room", "scene", "channel"})
"""Slots that may begin a command: "kitchen light off"."""

Read = Callable[[Sequence[str]], Interpretation]


def split(
    words: Sequence[str], read: Read, whole: Interpretation, indivisible: Collection[str] = ()
) -> tuple[Interpretation, ...]:
    """The commands in `words`, in order.

    Args:
        words: Spoken form.
        read: Gives the best reading of some words.
        whole: Reading of all the words, kept where cutting gains nothing.
        indivisible: Intents that take all that follows.

    Returns:
        One or more interpretations; `(whole,)` unless every part is a confident command. A whole that matches
        the grammar without leaving a connector inside a slot is never cut.
    """
    if len(words) > LONGEST:
        return (whole,)
    # What follows a cut is always an end of `words`: each end is split once.
    known: dict[int, tuple[Interpretation, ...]] = {}

    def ending(start: int) -> tuple[Interpretation, ...]:
        if start not in known:
            rest = words[start:]
            known[start] = parts(start, rest, read(rest))
        return known[start]

    def parts(start: int, words: Sequence[str], whole: Interpretation) -> tuple[Interpretation, ...]:
        if whole.source == "grammar" and not any(_connected(slot.text) for slot in whole.slots.values()):
            return (whole,)
        for cut, end in _cuts(words):
            left = read(words[:cut])
            if left.intent in indivisible:
                break
            if not _stands(left):
                continue
            right = ending(start + end)
            if all(map(_stands, right)) and not _begins_with_free_words(right[0]):
                return (left, *right)
        return (whole,)

    return parts(0, words, whole)


def distribute(command: Interpretation, known: Mapping[str, Callable[[str], bool]]) -> tuple[Interpretation, ...]:
    """One command for each name, where a slot enumerates known names ("the kitchen and the bedroom").

    Args:
        command: Whose slots.
        known: For each slot that may hold several names, whether words are one.
    """
    for name, is_known in known.items():
        parts = [part.strip() for part in f" {command.slots[name].text} ".split(" and ")]
        if len(parts) > 1 and all(part and is_known(part) for part in parts):
            slots = [{**command.slots, name: Slot(part, part)} for part in parts]
            return tuple(replace(command, slots=each) for each in slots)
    return (command,)


def _cuts(words: Sequence[str]) -> list[tuple[int, int]]:
    """Start and end of each connector that has enough words on both sides, first first."""
    cuts = []
    for i in range(_MIN_WORDS, len(words) - 1):
        for connector in _CONNECTORS:
            if tuple(words[i : i + len(connector)]) == connector:
                counting = words[i - 1] in _COUNTS or tuple(words[i + 1 : i + 3]) in _FRACTIONS
                between_numbers = counting and connector == ("and",)
                if len(words) - i - len(connector) >= _MIN_WORDS and not between_numbers:
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
