"""Number words against digits, for those who train on text of their own.

The device's spoken form has no digits, and the corpora are brought to it; text from elsewhere writes "set a timer
for 20 minutes" or "for twenty minutes". Slots stay exact in both directions.
"""

from __future__ import annotations

from typing import Final

from device.nlu.resolve.numbers import ORDINALS, SMALL, integer
from device.nlu.text import words
from quantize.data.augment import edited
from quantize.data.example import Example

_UNITS: Final = {name for name, value in SMALL.items() if 0 < value < 10}
_TENS: Final = {name for name, value in SMALL.items() if value >= 20}


def with_digits(example: Example) -> Example:
    """Cardinals and ordinals as digits: "twenty five" as "25", "twenty first" as "21st".

    "One" outside of slots stays (it is mostly a pronoun: "this one"), and so does "second" (mostly a unit of time).
    """
    at = 0
    while at < len(example.words):
        end, numeral = _numeral(example, at)
        if numeral:
            example = edited(example, at, end, [numeral])
        at += 1
    return example


def with_number_words(example: Example) -> Example:
    """Digits as they are spoken: "25" as "twenty five", "7:30" as "seven thirty", "21st" as "twenty first"."""
    for at in reversed(range(len(example.words))):
        if any(character.isdigit() for character in example.words[at]):
            spoken = words(example.words[at])
            if spoken:
                example = edited(example, at, at + 1, spoken)
    return example


def _numeral(example: Example, at: int) -> tuple[int, str]:
    """The longest number that begins here, with its end; it does not go across a slot's border. "" if there is none."""
    borders = [border for span in example.spans for border in (span.start, span.end) if border > at]
    run = example.words[at : min(borders, default=len(example.words))]
    if run[0] in _TENS and run[1:2] and run[1] in ORDINALS and ORDINALS[run[1]] in _UNITS and run[1] != "second":
        return at + 2, _ordinal(SMALL[run[0]] + SMALL[ORDINALS[run[1]]])
    if run[0] in ORDINALS and ORDINALS[run[0]] in SMALL and run[0] != "second":
        return at + 1, _ordinal(SMALL[ORDINALS[run[0]]])
    in_slot = any(span.start <= at < span.end for span in example.spans)
    found = integer(run, 0)
    if found is None or (run[: found[1]] == ("one",) and not in_slot):
        return at, ""
    return at + found[1], str(found[0])


def _ordinal(value: int) -> str:
    last = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{last}"
