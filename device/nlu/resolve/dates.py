"""Calendar days: named ones, weekdays, days of a month, spans such as a weekend, holidays.

Rules of the house, where English leaves it open: a bare weekday is the next one after today; "this friday" may be
today; "next friday" is the one of the next calendar week (Monday to Sunday); a day without a month or a year is
the next such day, today included; "this week" lasts from today to Sunday.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final

from dateutil.easter import easter
from dateutil.relativedelta import TH, relativedelta, weekday

from device.nlu.resolve.durations import Offset, offset
from device.nlu.resolve.grammar import Found, Words, skip, skip_any, word
from device.nlu.resolve.numbers import below_hundred, integer, ordinal
from device.nlu.types import DateValue

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(weeks=1)

WEEKDAYS: Final[dict[str, int]] = {
    name: index
    for index, names in enumerate(
        (
            "monday mon",
            "tuesday tue tues",
            "wednesday wed",
            "thursday thu thur thurs",
            "friday fri",
            "saturday sat",
            "sunday sun",
        )
    )
    for name in names.split()
}
"""Weekday name or abbreviation to 0 (Monday) to 6."""

MONTHS: Final[dict[str, int]] = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
            "september sep sept", "october oct", "november nov", "december dec",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
"""Month name or abbreviation to 1 to 12."""

_STEPS: Final = {"this": 0, "current": 0, "next": 1, "coming": 1, "upcoming": 1, "following": 1, "last": -1}
_PERIODS: Final = ("day", "weekend", "week", "month", "year")

HOLIDAYS: Final[dict[str, Callable[[int], date]]] = {
    "christmas eve": lambda year: date(year, 12, 24),
    "christmas day": lambda year: date(year, 12, 25),
    "christmas": lambda year: date(year, 12, 25),
    "xmas": lambda year: date(year, 12, 25),
    "boxing day": lambda year: date(year, 12, 26),
    "new year's eve": lambda year: date(year, 12, 31),
    "new years eve": lambda year: date(year, 12, 31),
    "new year's day": lambda year: date(year, 1, 1),
    "new years day": lambda year: date(year, 1, 1),
    "new year's": lambda year: date(year, 1, 1),
    "new years": lambda year: date(year, 1, 1),
    "valentine's day": lambda year: date(year, 2, 14),
    "valentines day": lambda year: date(year, 2, 14),
    "halloween": lambda year: date(year, 10, 31),
    "good friday": lambda year: easter(year) - 2 * _DAY,
    "easter sunday": easter,
    "easter monday": lambda year: easter(year) + _DAY,
    "easter": easter,
    "thanksgiving day": lambda year: date(year, 11, 1) + relativedelta(weekday=TH(4)),
    "thanksgiving": lambda year: date(year, 11, 1) + relativedelta(weekday=TH(4)),
}
"""Holidays by year. Easter is the western one (dateutil's `easter`); Thanksgiving the American one."""


def calendar(words: Words, at: int, today: date) -> Found[DateValue]:
    """The longest date here."""
    found = [match for rule in _RULES if (match := rule(words, at, today))]
    return max(found, key=lambda match: match[1]) if found else None


def month_and_day(words: Words, at: int) -> Found[tuple[int, int]]:
    """Such as "the third of may", "may third", "may three", "three may"."""
    start = skip_any(words, at, "the")
    number = ordinal(words, start)
    if number:
        named = skip_any(words, number[1], "day of", "of")
    else:
        number = below_hundred(words, start)
        named = number[1] if number else start
    month = MONTHS.get(word(words, named)) if number else None
    if number and month:
        return ((month, number[0]), named + 1) if _exists(month, number[0]) else None
    month = MONTHS.get(word(words, at))
    if month is None:
        return None
    start = skip_any(words, at + 1, "the")
    number = ordinal(words, start) or below_hundred(words, start)
    return ((month, number[0]), number[1]) if number and _exists(month, number[0]) else None


def _exists(month: int, day: int) -> bool:
    """Whether some year has that day."""
    try:
        date(2024, month, day)  # a leap year
    except ValueError:
        return False
    return True


def _one(day: date) -> DateValue:
    return DateValue(day, day)


def _first(candidates: Callable[[int], date], today: date) -> date | None:
    """The first of a yearly day that is not past; some days come only every fourth (rarely eighth) year."""
    for year in range(today.year, today.year + 9):
        try:
            day = candidates(year)
        except ValueError:
            continue
        if day >= today:
            return day
    return None


def _relative(words: Words, at: int, today: date) -> Found[DateValue]:
    for name, days in (("today", 0), ("tomorrow", 1), ("yesterday", -1)):
        if word(words, at) == name:
            return _one(today + days * _DAY), at + 1
    return None


def _weekday(words: Words, at: int, today: date) -> Found[DateValue]:
    """Such as "friday", "this friday", "next friday", "last friday", "friday next week", "friday week"."""
    start = skip_any(words, at, "this coming", "the coming", "coming", "this", "next", "last")
    index = WEEKDAYS.get(word(words, start))
    if index is None:
        return None
    ahead = (index - today.weekday()) % 7 * _DAY
    monday_next = today + (7 - today.weekday()) * _DAY
    end = start + 1
    said = words[at] if start > at else ""
    if said == "last":
        return _one(today - ((today.weekday() - index - 1) % 7 + 1) * _DAY), end
    if said == "next":
        return _one(monday_next + index * _DAY), end
    if said == "this" and words[start - 1] == "this":
        return _one(today + ahead), end
    coming = today + (ahead or _WEEK)
    if (following := skip(words, end, "next week")) is not None:
        return _one(monday_next + index * _DAY), following
    if word(words, end) == "week":  # British: a week after the coming one
        return _one(coming + _WEEK), end + 1
    exact = month_and_day_of(words, end, today) or _day_of_month(words, end, today)
    return exact or (_one(coming), end)


def month_and_day_of(words: Words, at: int, today: date) -> Found[DateValue]:
    """A day of a month, with its year where one follows ("may third twenty twenty seven")."""
    found = month_and_day(words, at)
    if found is None:
        return None
    (month, day), end = found
    said = _year(words, end)
    if said:
        try:
            return _one(date(said[0], month, day)), said[1]
        except ValueError:
            return None
    coming = _first(lambda year: date(year, month, day), today)
    return (_one(coming), end) if coming else None


def _year(words: Words, at: int) -> Found[int]:
    """Such as "twenty twenty seven", "two thousand six", "nineteen eighty four"; "nineteen thirty" is a time."""
    whole = integer(words, at)
    if whole and 1900 <= whole[0] <= 2199:
        return whole
    century = below_hundred(words, at)
    if century is None or century[0] not in (19, 20, 21):
        return None
    zero = skip(words, century[1], "oh")
    rest = below_hundred(words, century[1] if zero is None else zero)
    if rest is None or (rest[0] < 10) != (zero is not None) or (century[0] == 19 and rest[0] < 60):
        return None
    return 100 * century[0] + rest[0], rest[1]


def _day_of_month(words: Words, at: int, today: date) -> Found[DateValue]:
    """Such as "the twenty first", "the third of next month"."""
    number = ordinal(words, skip_any(words, at, "the"))
    if number is None or not 1 <= number[0] <= 31:
        return None
    following = skip(words, number[1], "of next month", "next month")
    end = skip_any(words, number[1], "of this month", "of the month") if following is None else following
    first = today.replace(day=1) + relativedelta(months=following is not None)
    for _ in range(3):
        try:
            day = first.replace(day=number[0])
        except ValueError:
            day = date.min
        if day >= today:
            return _one(day), end
        first += relativedelta(months=1)
    return None


def _span(words: Words, at: int, today: date) -> Found[DateValue]:
    """Such as "this weekend", "next week", "the rest of the month", "may", "the end of the year"."""
    end_of = skip(words, at, "the end of the", "end of the", "the end of", "end of")
    if end_of is not None and word(words, end_of) in ("month", "year"):
        return _one(_period(words[end_of], 0, today).end), end_of + 1
    start = skip_any(words, at, "the rest of the", "rest of the", "the remainder of the", "the")
    step = _STEPS.get(word(words, start))
    name = word(words, start if step is None else start + 1)
    if name in _PERIODS:
        span = _period(name, step or 0, today)
        return span if step else DateValue(max(span.start, today), span.end), start + (1 if step is None else 2)
    month = MONTHS.get(word(words, at))
    if month is None:
        return None
    first = date(today.year + (month < today.month), month, 1)
    return DateValue(max(first, today), first + relativedelta(months=1) - _DAY), at + 1


def _days_ahead(words: Words, at: int, today: date) -> Found[DateValue]:
    """Such as "the next five days", "the coming two weeks"."""
    start = skip(words, skip_any(words, at, "the"), "next", "coming", "following", "upcoming")
    length = offset(words, start) if start is not None else None
    if length is None or not length[0].whole_days:
        return None
    return DateValue(today, length[0].after(datetime.combine(today, time.min)).date()), length[1]


def _weekday_of_month(words: Words, at: int, today: date) -> Found[DateValue]:
    """Such as "the third monday of next month", "the last friday in may"."""
    start = skip_any(words, at, "the")
    number = (-1, start + 1) if word(words, start) == "last" else ordinal(words, start)
    index = WEEKDAYS.get(word(words, number[1])) if number else None
    if number is None or index is None or not -1 <= number[0] <= 5:
        return None
    inside = skip(words, number[1] + 1, "of the", "in the", "of", "in")
    month = _span(words, inside, today) if inside is not None else None
    if month is None or month[0].end.day < 28:
        return None
    first = month[0].end.replace(day=1)
    day = first + relativedelta(day=31 if number[0] < 0 else 1, weekday=weekday(index)(number[0]))
    return (_one(day), month[1]) if day.month == first.month else None


def _period(name: str, step: int, today: date) -> DateValue:
    """The present day, weekend, week, month or year, or the one `step` further."""
    if name == "day":
        return _one(today + step * _DAY)
    monday = today - today.weekday() * _DAY + step * _WEEK
    if name == "weekend":
        return DateValue(monday + 5 * _DAY, monday + 6 * _DAY)
    if name == "week":
        return DateValue(monday, monday + 6 * _DAY)
    if name == "month":
        first = today.replace(day=1) + relativedelta(months=step)
        return DateValue(first, first + relativedelta(months=1) - _DAY)
    return DateValue(date(today.year + step, 1, 1), date(today.year + step, 12, 31))


def _holiday(words: Words, at: int, today: date) -> Found[DateValue]:
    start = skip_any(words, at, "this", "next")
    for name, of_year in HOLIDAYS.items():
        end = skip(words, start, name)
        if end is not None:
            day = _first(of_year, today)
            return (_one(day), end) if day else None
    return None


def _shifted(words: Words, at: int, today: date) -> Found[DateValue]:
    """Such as "a week from monday", "the day after tomorrow", "three days before christmas", "two weeks ago"."""
    bare = skip(words, at, "the day", "day", "week")
    distance = offset(words, at) if bare is None else (Offset(0, _WEEK if words[at] == "week" else _DAY), bare)
    if distance is None or not distance[0].whole_days:
        return None
    span, end = distance
    midnight = datetime.combine(today, time.min)
    if word(words, end) == "ago":
        return _one(span.after(midnight, -1).date()), end + 1
    after = skip(words, end, "from", "after", "on")
    before = skip(words, end, "before")
    start = before if after is None else after
    base = calendar(words, start, today) if start is not None else None
    if base is None:
        return None
    moved = span.after(datetime.combine(base[0].start, time.min), -1 if after is None else 1)
    return _one(moved.date()), base[1]


_RULES: Final[tuple[Callable[[Words, int, date], Found[DateValue]], ...]] = (
    _relative,
    _weekday,
    month_and_day_of,
    _day_of_month,
    _weekday_of_month,
    _days_ahead,
    _span,
    _holiday,
    _shifted,
)
