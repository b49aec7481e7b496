"""Spans of time: durations ("an hour and a half") and calendar offsets ("two months")."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from dateutil.relativedelta import relativedelta

from device.nlu.resolve.grammar import Found, Words, skip, skip_any, trim, word
from device.nlu.resolve.numbers import fraction, quantity

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "fortnight": 1209600}
_MONTHS: Final = {"month": 1, "year": 12}
_SIZES: Final = {**_SECONDS, "month": 2_600_000, "year": 31_000_000}
"""Only for the order of units: "two hours ten minutes" goes from larger to smaller."""

_PLURALS: Final = {f"{name}s": name for name in _SIZES} | {
    "sec": "second",
    "min": "minute",
    "secs": "second",
    "mins": "minute",
}
_SMALLER: Final = {"hour": "minute", "minute": "second"}
"""What a bare number behind a unit counts: "an hour twenty"."""

_BEFORE: Final = (
    "for",
    "of",
    "in",
    "about",
    "around",
    "roughly",
    "approximately",
    "exactly",
    "just",
    "by",
    "to",
    "the",
)
_BEHIND: Final = ("please", "more", "longer", "long", "exactly", "extra", "further", "timer", "or", "so", "from", "now")
_LIMIT: Final = timedelta(days=365 * 100)


@dataclass(frozen=True, slots=True)
class Offset:
    """A distance in the calendar: whole months, which vary in length, and an exact rest."""

    months: int
    rest: timedelta

    @property
    def whole_days(self) -> bool:
        """True when it leaves the time of day alone."""
        return not self.rest % timedelta(days=1)

    def after(self, moment: datetime, times: int = 1) -> datetime:
        """`moment` moved by this distance in wall time; the 31st becomes the month's last day where there is none."""
        return moment + relativedelta(months=self.months * times) + self.rest * times


def unit(name: str) -> str | None:
    """Singular unit of a word, or None."""
    return name if name in _SIZES else _PLURALS.get(name)


def offset(words: Words, at: int) -> Found[Offset]:
    """The longest span of time here, months and years included."""
    months, seconds = Fraction(0), Fraction(0)
    end, last = at, ""
    while True:
        part = _part(words, skip_any(words, end, "and") if last else end)
        if part and (not last or _SIZES[part[0][1]] < _SIZES[last]):
            (count, last), end = part
            count_more = skip(words, end, "and")
            more = fraction(words, count_more) if count_more is not None else None
            if more and _part(words, end + 1) is None:  # "an hour | and a half", not "an hour and | half a minute"
                count, end = count + more[0], more[1]
            months += count * _MONTHS.get(last, 0)
            seconds += count * _SECONDS.get(last, 0)
            continue
        if last in _SMALLER:
            bare = quantity(words, skip_any(words, end, "and"))
            if bare and 0 < bare[0] < 60 and bare[0].denominator == 1:
                seconds += bare[0] * _SECONDS[_SMALLER[last]]
                end = bare[1]
        break
    if not last or months.denominator != 1 or seconds > _LIMIT.total_seconds() or months > 1200:
        return None
    return Offset(int(months), timedelta(microseconds=round(seconds * 1_000_000))), end


def duration(text: str) -> timedelta | None:
    """All words as one duration; None if they are something else, or months, which have no fixed length."""
    words = trim(text.split(), _BEFORE, _BEHIND)
    found = offset(words, 0)
    return found[0].rest if found and found[1] == len(words) and not found[0].months else None


def _part(words: Words, at: int) -> Found[tuple[Fraction, str]]:
    """A count and its unit: "ten minutes", "a couple of days", "three quarters of an hour", "five more minutes"."""
    found = quantity(words, skip_any(words, at, "another"))
    if found is None:
        article = skip(words, at, "an", "a", "another")
        if article is None:
            return None
        found = (Fraction(1), article)
    count, end = found
    if count < 0:
        return None
    if count.denominator != 1:
        end = skip_any(words, end, "of an", "of a", "of one", "an", "a")
    end = skip_any(words, end, "more", "extra", "additional", "whole", "full")
    name = unit(word(words, end))
    return ((count, name), end + 1) if name else None
