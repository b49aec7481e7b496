"""Numbers as people say them: cardinals, decimals, fractions, dozens, digit strings, ordinals.

Whole cardinals are text2num's; what it leaves out (halves, "one oh five", "twenty twenty seven", "a couple of")
is a small grammar around it. Values are exact fractions until the end.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from text_to_num import text2num

from device.nlu.resolve.grammar import Found, Words, skip, skip_any, trim, word

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
SMALL: Final[dict[str, int]] = {
    **{name: value for value, name in enumerate(f"{_ONES} eighteen nineteen".split())},
    **{name: 10 * value for value, name in enumerate(_TENS.split(), 2)},
}
"""Number words below one hundred that are one word."""

SCALES: Final[dict[str, int]] = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_CARDINALS: Final = frozenset(SMALL) | frozenset(SCALES)
_ZEROS: Final = frozenset({"oh", "o", "zero", "nought"})
_IRREGULAR: Final = {
    "first": "one",
    "second": "two",
    "third": "three",
    "fifth": "five",
    "eighth": "eight",
    "ninth": "nine",
    "twelfth": "twelve",
}
ORDINALS: Final[dict[str, str]] = {
    (f"{name[:-1]}ieth" if name.endswith("y") else f"{name}th"): name
    for name in _CARDINALS - {"zero", *_IRREGULAR.values()}
} | _IRREGULAR
"""Ordinal word to its cardinal ("twentieth" to "twenty")."""

_DENOMINATORS: Final[dict[str, int]] = {"half": 2, "quarter": 4} | {
    ordinal: SMALL.get(name, 0) or SCALES[name]
    for ordinal, name in ORDINALS.items()
    if ordinal not in ("first", "second")
}
_PLURAL_DENOMINATORS: Final = {"halves": 2} | {
    f"{name}s": value for name, value in _DENOMINATORS.items() if name != "half"
}
_FEW: Final = {"couple": 2, "pair": 2, "few": 3, "dozen": 12}
_MAX_DIGITS: Final = 15


def integer(words: Words, at: int) -> Found[int]:
    """The longest whole cardinal here: "a hundred and five", "two thousand twenty seven"."""
    spelled: list[str] = []
    ends: list[int] = []
    end = at
    if word(words, at) == "a" and word(words, at + 1) in SCALES:
        spelled, ends, end = ["one"], [at + 1], at + 1
    while (name := word(words, end)) in _CARDINALS or (
        name == "and" and spelled and spelled[-1] in SCALES and word(words, end + 1) in SMALL
    ):
        spelled.append(name)
        end += 1
        ends.append(end)
    for count in range(len(spelled), 0, -1):
        if spelled[count - 1] == "and":
            continue
        try:
            return text2num(" ".join(spelled[:count]), "en"), ends[count - 1]
        except ValueError:  # two numbers side by side, such as "nineteen thirty"
            continue
    return None


def below_hundred(words: Words, at: int) -> Found[int]:
    """A number from zero to ninety nine; never more words than one number needs."""
    value = SMALL.get(word(words, at))
    if value is None:
        return None
    unit = SMALL.get(word(words, at + 1), 0)
    if value >= 20 and 1 <= unit <= 9:
        return value + unit, at + 2
    return value, at + 1


def digits(words: Words, at: int) -> Found[str]:
    """Digits said one after the other or in pairs: "one oh five", "one twenty five", "twenty twenty seven"."""
    text, end = "", at
    while True:
        if word(words, end) in _ZEROS:
            text, end = f"{text}0", end + 1
        elif group := below_hundred(words, end):
            text, end = f"{text}{group[0]}", group[1]
        else:
            break
    return (text, end) if text and len(text) <= _MAX_DIGITS else None


def fraction(words: Words, at: int) -> Found[Fraction]:
    """A part of one: "half", "a quarter", "three quarters", "two thirds"."""
    if word(words, at) == "half":
        return Fraction(1, 2), at + 1
    single = skip(words, at, "a", "an", "one")
    if single is not None and (below := _DENOMINATORS.get(word(words, single))):
        return Fraction(1, below), single + 1
    if word(words, at) == "quarter":
        return Fraction(1, 4), at + 1
    count = below_hundred(words, at)
    if count and (below := _PLURAL_DENOMINATORS.get(word(words, count[1]))):
        return Fraction(count[0], below), count[1] + 1
    return None


def quantity(words: Words, at: int) -> Found[Fraction]:
    """Any number but a bare article: "minus four", "two and a half million", "one point five", "half a dozen"."""
    negative = skip(words, at, "minus", "negative")
    found = _unsigned(words, at if negative is None else negative)
    if found is None:
        return None
    value, end = found
    return (-value if negative is not None else value), end


def _unsigned(words: Words, at: int) -> Found[Fraction]:
    part = fraction(words, at)
    if part:
        return _scaled(part[0], words, skip_any(words, part[1], "of a", "a") if _dozen(words, part[1]) else part[1])
    few = _FEW.get(word(words, skip_any(words, at, "a")))
    if few:
        return Fraction(few), skip_any(words, skip_any(words, at, "a") + 1, "of")
    whole = integer(words, at)
    pairs = digits(words, at)
    if pairs and word(words, pairs[1]) == "point":  # "eleven oh five point two"
        whole = int(pairs[0]), pairs[1]
    point = at if whole is None else whole[1]
    if word(words, point) == "point" and (decimals := digits(words, point + 1)):
        value = Fraction(decimals[0]) / 10 ** len(decimals[0]) + (whole[0] if whole else 0)
        return _scaled(value, words, decimals[1])
    if whole is None:
        return None
    if word(words, whole[1]) == "and" and (part := fraction(words, whole[1] + 1)):
        return _scaled(whole[0] + part[0], words, part[1])
    return (
        (Fraction(12 * whole[0]), whole[1] + 1) if word(words, whole[1]) == "dozen" else (Fraction(whole[0]), whole[1])
    )


def _dozen(words: Words, at: int) -> bool:
    """Whether "a dozen" or "a million" stands here."""
    name = word(words, skip_any(words, at, "of a", "a"))
    return name == "dozen" or name in SCALES


def _scaled(value: Fraction, words: Words, at: int) -> tuple[Fraction, int]:
    """`value` times the scale word that follows, if one does ("two and a half | million")."""
    name = word(words, at)
    scale = 12 if name == "dozen" else SCALES.get(name)
    return (value * scale, at + 1) if scale else (value, at)


def ordinal(words: Words, at: int) -> Found[int]:
    """The longest ordinal here: "third", "twenty first", "one hundred and fifth"."""
    end = at
    while word(words, end) in _CARDINALS or (end > at and word(words, end) == "and"):
        end += 1
    last = ORDINALS.get(word(words, end))
    if last is None:
        return None
    whole = integer([*words[at:end], last], 0)
    return (whole[0], end + 1) if whole and whole[1] == end - at + 1 else None


def plain(value: Fraction) -> int | float:
    """An int where the value is whole, else the nearest float."""
    return value.numerator if value.denominator == 1 else float(value)


def number(text: str) -> int | float | None:
    """All words as one number, digit strings and ordinals included; None if they are something else."""
    words = trim(text.split(), ("the", "number", "exactly", "about", "around", "to", "at", "on"), ("please",))
    found = quantity(words, 0)
    if found and found[1] == len(words):
        return plain(found[0])
    negative = skip_any(words, 0, "minus", "negative")
    spelled = digits(words, negative)
    if spelled and spelled[1] == len(words):
        return -int(spelled[0]) if negative else int(spelled[0])
    place = ordinal(words, 0)
    return place[0] if place and place[1] == len(words) else None


def ordinal_number(text: str) -> int | None:
    """A place in a list, counted from one; negative from its end: "the second one" 2, "the last" -1."""
    words = trim(
        text.split(),
        ("the", "number", "option", "choice", "item", "entry", "play", "take", "on"),
        ("one", "option", "choice", "item", "entry", "please"),
    )
    if tuple(words) in (("last",), ("latest",), ("final",)):
        return -1
    before_last = skip(words, 0, "second to last", "next to last", "second last", "last but one")
    if before_last == len(words):
        return -2
    for rule in (ordinal, integer):
        found = rule(words, 0)
        if found and found[1] == len(words) and found[0] > 0:
            return found[0]
    return None


def ordinal_position(text: str) -> int | None:
    """Like `ordinal_number`, as an index into a Python sequence: "the first" 0, "the last" -1."""
    place = ordinal_number(text)
    return place - 1 if place is not None and place > 0 else place
