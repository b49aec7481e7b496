"""A command but for one word that this device does not know: "a large mocha", where no mocha is made.

Ears that know what can be said hear the nearest drink instead, and are not believed; but all the other words agree,
so that it can be told what was not understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rapidfuzz import fuzz

from device.nlu.grammar import Grammar
from device.nlu.match import match

ALIKE: Final = 85.0
"""rapidfuzz ratio (0 to 100) of the words around, as heard and as they would be in the command."""

LONGEST: Final = 4
"""Most words that are told to be unknown."""


def unknown_words(grammar: Grammar, heard: Sequence[str], command: Sequence[str]) -> str | None:
    """What was heard in place of the value of one slot.

    Args:
        grammar: Compiled packs.
        heard: Words of free decoding, in spoken form.
        command: Words of the nearest command.

    Returns:
        The words, or None where the two differ otherwise.
    """
    if tuple(heard) == tuple(command):
        return None
    best, unknown = ALIKE, None
    closed = [found for found in match(grammar, command) if not found.wildcards]
    for span in closed[0].slots if closed else ():
        around = (*command[: span.start], *command[span.end :])
        for begin in range(max(0, span.start - 1), span.start + 2):
            for end in range(begin + 1, begin + 1 + LONGEST):
                alike = _alike((*heard[:begin], *heard[end:]), around)
                said = " ".join(heard[begin:end])
                if alike > best and end <= len(heard) and said != span.text:
                    best, unknown = alike, said
    return unknown


def _alike(heard: Sequence[str], meant: Sequence[str]) -> float:
    return fuzz.ratio(" ".join(heard), " ".join(meant)) if len(meant) > 1 else 0.0
