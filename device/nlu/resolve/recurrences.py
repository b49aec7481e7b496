"""Repetitions as RFC 5545 rules: "every weekday", "on mondays and thursdays", "the first of every month"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from device.nlu.resolve.dates import WEEKDAYS, month_and_day
from device.nlu.resolve.grammar import Found, Words, skip, skip_any, word
from device.nlu.resolve.numbers import below_hundred, ordinal
from device.nlu.resolve.times import DayPart, part_of_day

_CODES: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WORKDAYS: Final = (0, 1, 2, 3, 4)
WEEKEND: Final = (5, 6)
_FREQUENCIES: Final = {
    "minute": "MINUTELY",
    "hour": "HOURLY",
    "day": "DAILY",
    "week": "WEEKLY",
    "fortnight": "WEEKLY;INTERVAL=2",
    "month": "MONTHLY",
    "year": "YEARLY",
}
_ADVERBS: Final = {
    "daily": "day",
    "everyday": "day",
    "nightly": "day",
    "weekly": "week",
    "fortnightly": "fortnight",
    "monthly": "month",
    "yearly": "year",
    "annually": "year",
    "hourly": "hour",
}
_PER_DAY: Final = {"once a": 1, "one time a": 1, "twice a": 2, "two times a": 2, "three times a": 3, "four times a": 4}
_PLURALS: Final = {f"{name}s": index for name, index in WEEKDAYS.items()}
_EVERY: Final = ("every single", "every", "each")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule without DTSTART, and the part of the day that the words held ("every evening")."""

    rrule: str
    part: DayPart | None = None


def recurrence(words: Words, at: int) -> Found[Rule]:
    """The repetition that begins here."""
    start = skip_any(words, at, "on")
    every = skip(words, start, *_EVERY)
    if every is not None:
        return _every(words, every)
    return _adverb(words, at) or _plural(words, start) or _day_of_every(words, start)


def _every(words: Words, at: int) -> Found[Rule]:
    """What follows "every"."""
    other = skip(words, at, "other")
    number = ordinal(words, at) if other is None else None
    count = below_hundred(words, at) if other is None and number is None else None
    interval, end = 1, at
    if other is not None:
        interval, end = 2, other
    elif number:
        dated = _every_ordinal(words, at, number)
        if dated:
            return dated
        interval, end = number
    elif count:
        interval, end = count
    elif (half := skip(words, at, "half hour", "half an hour", "quarter hour", "quarter of an hour")) is not None:
        return Rule(f"FREQ=MINUTELY;INTERVAL={30 if words[at] == 'half' else 15}"), half
    if interval < 1:
        return None
    return _every_named(words, end, interval) or _every_unit(words, end, interval) or _every_date(words, at)


def _every_unit(words: Words, at: int, interval: int) -> Found[Rule]:
    """Such as "day", "two weeks on friday", "month on the third", "year on may third"."""
    name = word(words, at)
    frequency = _FREQUENCIES.get(name) or _FREQUENCIES.get(name.removesuffix("s"))
    if frequency is None:
        return None
    rule = f"FREQ={frequency}" + (f";INTERVAL={interval}" if interval > 1 else "")
    return _detail(words, at + 1, rule)


def _detail(words: Words, at: int, rule: str) -> tuple[Rule, int]:
    """The days on which a weekly, monthly or yearly rule falls, if they are said."""
    start = skip_any(words, at, "on the", "on")
    if rule.startswith("FREQ=WEEKLY") and (days := _weekdays(words, start)):
        return Rule(f"{rule};BYDAY={_codes(days[0])}"), days[1]
    if rule.startswith("FREQ=MONTHLY"):
        if start > at and word(words, start) == "last":
            weekday = WEEKDAYS.get(word(words, start + 1))
            if weekday is not None:
                return Rule(f"{rule};BYDAY=-1{_CODES[weekday]}"), start + 2
            if word(words, start + 1) == "day":
                return Rule(f"{rule};BYMONTHDAY=-1"), start + 2
        day = ordinal(words, start)
        if day and start > at and 1 <= day[0] <= 31:
            weekday = WEEKDAYS.get(word(words, day[1]))
            if weekday is not None and day[0] <= 5:
                return Rule(f"{rule};BYDAY={day[0]}{_CODES[weekday]}"), day[1] + 1
            return Rule(f"{rule};BYMONTHDAY={day[0]}"), day[1]
    if rule.startswith("FREQ=YEARLY") and (date := month_and_day(words, start)):
        return Rule(f"{rule};BYMONTH={date[0][0]};BYMONTHDAY={date[0][1]}"), date[1]
    return Rule(rule), at


def _every_named(words: Words, at: int, interval: int) -> Found[Rule]:
    """Such as "weekday", "weekend", "monday and friday", "monday to thursday", "evening"."""
    every = f";INTERVAL={interval}" if interval > 1 else ""
    days = _weekdays(words, at)
    if (end := skip(words, at, "weekday", "weekdays", "week day", "workday", "work day", "working day")) is not None:
        days = WORKDAYS, end
    elif (end := skip(words, at, "weekend", "weekends")) is not None:
        days = WEEKEND, end
    if days:
        return Rule(f"FREQ=WEEKLY{every};BYDAY={_codes(days[0])}"), days[1]
    part = part_of_day(words, at) if word(words, at) not in ("in", "at", "on", "this", "tonight") else None
    return (Rule(f"FREQ=DAILY{every}", part[0].part), part[1]) if part else None


def _every_ordinal(words: Words, at: int, number: tuple[int, int]) -> Found[Rule]:
    """Such as "third of may", "first of the month", "first monday of the month"; "third day" is an interval."""
    value, end = number
    month = skip(words, end, "of the month", "of each month", "day of the month")
    if month is not None and value <= 31:
        return Rule(f"FREQ=MONTHLY;BYMONTHDAY={value}"), month
    weekday = WEEKDAYS.get(word(words, end))
    if weekday is not None and (month := skip(words, end + 1, "of the month", "in the month")) is not None:
        return Rule(f"FREQ=MONTHLY;BYDAY={value}{_CODES[weekday]}"), month
    return _every_date(words, at)


def _every_date(words: Words, at: int) -> Found[Rule]:
    date = month_and_day(words, at)
    return (Rule(f"FREQ=YEARLY;BYMONTH={date[0][0]};BYMONTHDAY={date[0][1]}"), date[1]) if date else None


def _adverb(words: Words, at: int) -> Found[Rule]:
    """Such as "daily", "weekly on monday", "twice a day"."""
    name = _ADVERBS.get(word(words, at))
    if name:
        rule, end = _detail(words, at + 1, f"FREQ={_FREQUENCIES[name]}")
        return Rule(rule.rrule, "night" if words[at] == "nightly" else None), end
    always = skip(words, at, "seven days a week", "all days")
    if always is not None:
        return Rule("FREQ=DAILY"), always
    for phrase, times in _PER_DAY.items():
        end_of = skip(words, at, phrase)
        if end_of is None:
            continue
        if times == 1:
            return _every_unit(words, end_of, 1)
        return (Rule(f"FREQ=HOURLY;INTERVAL={24 // times}"), end_of + 1) if word(words, end_of) == "day" else None
    return None


def _plural(words: Words, at: int) -> Found[Rule]:
    """Such as "weekdays", "mondays and fridays", "monday to friday"."""
    for found, names in ((WORKDAYS, ("weekdays", "workdays", "work days", "working days")), (WEEKEND, ("weekends",))):
        end = skip(words, at, *names)
        if end is not None:
            return Rule(f"FREQ=WEEKLY;BYDAY={_codes(found)}"), end
    span = word(words, at) in WEEKDAYS and word(words, at + 1) in ("to", "through", "till", "until")
    if word(words, at) not in _PLURALS and not span:
        return None
    days = _weekdays(words, at)
    if days is None or (span and len(days[0]) == 1):
        return None
    return Rule(f"FREQ=WEEKLY;BYDAY={_codes(days[0])}"), days[1]


def _day_of_every(words: Words, at: int) -> Found[Rule]:
    """Such as "the first of every month", "the last day of each month", "the first monday of every month"."""
    start = skip_any(words, at, "the")
    last = skip(words, start, "last")
    number = (-1, last) if last is not None else ordinal(words, start)
    if number is None:
        return None
    value, end = number
    weekday = WEEKDAYS.get(word(words, end))
    day = end + 1 if weekday is not None else skip_any(words, end, "day")
    month = skip(words, day, "of every month", "of each month", "every month", "each month", "in every month")
    if month is None or value > (5 if weekday is not None else 31) or (last is not None and day == end):
        return None
    by = f"BYDAY={value}{_CODES[weekday]}" if weekday is not None else f"BYMONTHDAY={value}"
    return Rule(f"FREQ=MONTHLY;{by}"), month


def _weekdays(words: Words, at: int) -> Found[tuple[int, ...]]:
    """One or several weekdays, singular or plural, or a range of them."""
    days: list[int] = []
    end = at
    while True:
        start = skip_any(words, end, "and on", "and every", "and", "or") if days else end
        index = _index(word(words, start))
        if index is None:
            break
        end = start + 1
        last = _index(word(words, end + 1)) if word(words, end) in ("to", "through", "till", "until") else None
        if last is not None:
            days += [(index + step) % 7 for step in range((last - index) % 7 + 1)]
            end += 2
        else:
            days.append(index)
    return (tuple(sorted(set(days))), end) if days else None


def _index(name: str) -> int | None:
    return WEEKDAYS.get(name, _PLURALS.get(name))


def _codes(days: Iterable[int]) -> str:
    return ",".join(_CODES[day] for day in days)
