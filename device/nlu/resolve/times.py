"""Clock times and parts of the day.

A bare hour stays ambiguous until something fixes it: "am", "in the evening", a 24-hour form. Parts of the day
without an hour stand for the times in `DAYPART_TIMES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Final, Literal, TypeAlias

from device.nlu.resolve.grammar import Found, Words, skip, skip_any, word
from device.nlu.resolve.numbers import SMALL, below_hundred, integer
from device.nlu.types import TimeOfDay

DayPart: TypeAlias = Literal["morning", "noon", "afternoon", "evening", "night"]

DAYPART_TIMES: Final[dict[DayPart, time]] = {
    "morning": time(8),
    "noon": time(12),
    "afternoon": time(15),
    "evening": time(19),
    "night": time(21),
}
"""When a part of the day is, if nothing more was said ("remind me in the morning")."""

_PARTS: Final[dict[str, DayPart]] = {
    "morning": "morning",
    "lunchtime": "noon",
    "afternoon": "afternoon",
    "evening": "evening",
    "dinnertime": "evening",
    "night": "night",
    "mornings": "morning",
    "afternoons": "afternoon",
    "evenings": "evening",
    "nights": "night",
}
_OCLOCK: Final = ("o'clock", "o clock", "oclock")
_ZEROS: Final = ("oh", "o", "zero")
_MERIDIEM: Final = ("am", "a m", "pm", "p m")


@dataclass(frozen=True, slots=True)
class Clock:
    """Hour and minute as said; `fixed` when the hour is 24-hour or has its am or pm."""

    hour: int
    minute: int
    fixed: bool


@dataclass(frozen=True, slots=True)
class PartOfDay:
    """A part of the day; `today` when the words tie it to today ("tonight", "this morning")."""

    part: DayPart
    today: bool


def clock(words: Words, at: int) -> Found[Clock]:
    """A clock time with its "am" or "pm" if that follows: "quarter to seven pm", "six oh five", "eighteen hundred"."""
    found = _named(words, at) or _relative(words, at) or _absolute(words, at)
    if found is None:
        return None
    value, end = found
    marked = skip(words, end, *_MERIDIEM)
    if marked is None or not 1 <= value.hour <= 12:
        return found
    hour = value.hour % 12 + (12 if words[end].startswith("p") else 0)
    return Clock(hour, value.minute, fixed=True), marked


def part_of_day(words: Words, at: int) -> Found[PartOfDay]:
    """Such as "in the evening", "at night", "tonight", "this morning", or the bare word as in "tomorrow morning"."""
    if word(words, at) == "tonight":
        return PartOfDay("night", today=True), at + 1
    today = skip(words, at, "later this", "this")
    start = skip_any(words, at, "in the", "during the", "at", "on the", "at the") if today is None else today
    split = skip(words, start, "lunch time", "dinner time")
    if split is not None:
        return PartOfDay("noon" if words[start] == "lunch" else "evening", today is not None), split
    part = _PARTS.get(word(words, start))
    return (PartOfDay(part, today is not None), start + 1) if part else None


def time_of_day(value: Clock | None, part: DayPart | None) -> TimeOfDay:
    """A clock time fixed by the part of the day, or that part's usual time.

    Raises:
        ValueError: Neither is given.
    """
    if value is None:
        if part is None:
            raise ValueError("neither a clock time nor a part of the day")
        return TimeOfDay(DAYPART_TIMES[part])
    if value.fixed or part is None:
        return TimeOfDay(time(value.hour, value.minute), ambiguous=not value.fixed)
    return TimeOfDay(time(_hour_in(value.hour, part), value.minute))


def _hour_in(hour: int, part: DayPart) -> int:
    """A 12-hour clock's hour in a part of the day. Nights last until five: "three at night" is 3 AM."""
    hour %= 12
    if part == "morning":
        return hour
    if part in ("evening", "night") and hour == 0:
        return 0
    if part == "night" and hour < 5:
        return hour
    if part == "noon" and hour == 11:
        return hour
    return hour + 12


def _named(words: Words, at: int) -> Found[Clock]:
    start = skip_any(words, at, "twelve")
    noon = skip(words, start, "noon", "midday")
    if noon is not None:
        return Clock(12, 0, fixed=True), noon
    midnight = skip(words, start, "midnight")
    return (Clock(0, 0, fixed=True), midnight) if midnight is not None else None


def _relative(words: Words, at: int) -> Found[Clock]:
    """Such as "half past six", "a quarter to seven", "ten minutes to five"; "half six" is British for 6:30."""
    half = skip(words, at, "half")
    if half is not None:
        minutes, end = 30, skip_any(words, half, "past", "after")
    else:
        quarter = skip(words, at, "a quarter", "quarter")
        count = (15, quarter) if quarter is not None else below_hundred(words, at)
        if count is None or not 0 < count[0] < 30:
            return None
        minutes, end = count[0], skip_any(words, count[1], "minutes", "minute")
        if (past := skip(words, end, "past", "after")) is not None:
            end = past
        elif (until := skip(words, end, "to", "till", "til", "before", "of")) is not None and (
            words[end] != "of" or minutes % 5 == 0  # American: "ten of five"
        ):
            minutes, end = -minutes, until
        else:
            return None
    found = _named(words, end) or _whole_hour(words, end)
    if found is None:
        return None
    hour, minute = divmod((found[0].hour * 60 + minutes) % 1440, 60)
    return Clock(hour if found[0].fixed else hour or 12, minute, found[0].fixed), found[1]


def _whole_hour(words: Words, at: int) -> Found[Clock]:
    """An hour from 0 to 23: "seven", "oh seven", "nineteen"."""
    padded = word(words, at) in _ZEROS and 1 <= SMALL.get(word(words, at + 1), 0) <= 9
    found = below_hundred(words, at + padded)
    if found is None or found[0] > 23:
        return None
    return Clock(found[0], 0, fixed=padded or not 1 <= found[0] <= 12), found[1]


def _absolute(words: Words, at: int) -> Found[Clock]:
    """Such as "seven", "seven o'clock", "six thirty", "six oh five", "nineteen thirty", "oh seven hundred hours"."""
    found = _whole_hour(words, at)
    if found is None:
        return None
    value, end = found
    whole = integer(words, at)
    if whole and 100 <= whole[0] <= 2359 and whole[0] % 100 < 60:  # "seven hundred", or "730" written without a colon
        clock_time = Clock(*divmod(whole[0], 100), fixed=whole[0] % 100 == 0 or whole[0] >= 1300)
        return clock_time, skip_any(words, whole[1], "hours")
    if word(words, end) == "hundred":  # "oh seven hundred hours"
        return Clock(value.hour, 0, fixed=True), skip_any(words, end + 1, "hours")
    sharp = skip(words, end, *_OCLOCK)
    if sharp is not None:
        return value, sharp
    padded = word(words, end) in _ZEROS
    minute = below_hundred(words, end + padded)
    if minute and (minute[0] < 10 if padded else 10 <= minute[0] < 60):
        return Clock(value.hour, minute[0], value.fixed), minute[1]
    return found
