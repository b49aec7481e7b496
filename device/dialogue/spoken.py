"""Values as people say them: read well by a voice and on a screen.

Durations and offsets are in words, clock times and plain numbers in digits; every value comes back as itself when
its words are heard again. A day is named relative to `now` where one is given ("tomorrow", "on Friday").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final

from device.nlu.text import number_words
from device.nlu.types import Color, DateValue, Moment, Percent, Recurrence, Temperature, TimeOfDay

_DECIMALS: Final = 6
_LARGE: Final = Decimal(10) ** 15
_SMALL: Final = Decimal(1) / 10**9
_HYPHEN: Final = re.compile(r"\b((?:twen|thir|for|fif|six|seven|eigh|nine)ty) (?=[a-z])")
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_CODES: Final = dict(zip(("MO", "TU", "WE", "TH", "FR", "SA", "SU"), _WEEKDAYS, strict=True))
_GROUPS: Final = {"MO,TU,WE,TH,FR": "weekday", "SA,SU": "weekend"}
_UNITS: Final = (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
_FREQUENCIES: Final = {
    "SECONDLY": "second", "MINUTELY": "minute", "HOURLY": "hour", "DAILY": "day", "WEEKLY": "week",
    "MONTHLY": "month", "YEARLY": "year",
}  # fmt: skip


def say(value: object, now: datetime | None = None) -> str:
    """A value as it is spoken.

    Args:
        value: A resolved `Value`, a number, date, time or datetime, None (said as nothing), or a sequence of these
            (joined by commas and "and").
        now: Wall time; dates are then named relative to it.

    Raises:
        TypeError: There is no way to say this type.
    """
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case int() | float() | Fraction() | Decimal():
            return _number(value)
        case timedelta():
            return duration(value)
        case TimeOfDay():
            return _clock(value.time, value.ambiguous)
        case time():
            return _clock(value)
        case DateValue():
            return _dates(value, now)
        case datetime():  # before date, of which it is a kind
            return f"{_day(value.date(), now)} at {_clock(value.time())}"
        case date():
            return _day(value, now)
        case Moment():
            return f"in {duration(value.offset)}" if value.offset else "now"
        case Recurrence():
            return _recurrence(value)
        case Color():
            return value.name
        case Temperature():
            return _temperature(value)
        case Percent():
            return f"{_number(value.percent)} percent"
        case Sequence() | set() | frozenset():
            return join(say(part, now) for part in value)
        case _:
            raise TypeError(f"no way to say a {type(value).__name__}")


def join(parts: Iterable[str]) -> str:
    """Such as "milk", "milk and eggs", "milk, eggs and bread"."""
    *first, last = [part for part in parts if part] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def duration(value: timedelta) -> str:
    """Such as "ten minutes", "one hour and twenty minutes", "two weeks"; rounded to whole seconds."""
    left = round(abs(value.total_seconds()))
    parts = []
    for name, size in _UNITS:
        if name == "week" and left % size:  # ten days are not a week and three days
            continue
        count, left = divmod(left, size)
        if count:
            parts.append(_count(count, name))
    return join(parts) or "zero seconds"


def remaining(value: timedelta) -> str:
    """What is left of something, rounded to what a person wants to know.

    Below a minute "less than a minute"; below ten minutes to ten seconds, below two hours to a minute, below a day
    to five minutes, else to an hour. "About" is said where rounding changed it.
    """
    seconds = value.total_seconds()
    if seconds <= 0:
        return "no time"
    if seconds < 60:
        return "less than a minute"
    step = next((step for limit, step in ((600, 10), (7200, 60), (86400, 300)) if seconds < limit), 3600)
    rounded = round(seconds / step) * step
    text = duration(timedelta(seconds=rounded))
    return text if abs(rounded - seconds) < 1 else f"about {text}"


def number_of(count: float, singular: str, plural: str = "") -> str:
    """Such as "one light", "three lights", "no lights"; the regular plural is made by an "s"."""
    many = plural or f"{singular}s"
    if count == 0:
        return f"no {many}"
    return f"one {singular}" if count == 1 else f"{_number(count)} {many}"


def _count(count: int, name: str) -> str:
    spelled = _HYPHEN.sub(r"\1-", number_words(str(count)))
    return f"{spelled} {name}{'s' * (count != 1)}"


def _number(value: int | float | Fraction | Decimal) -> str:
    """Digits without trailing zeros, at most six decimals (six significant ones below one).

    Fractions that had to be rounded are "about" their value; what is too long to be read is said in powers of ten.
    """
    if isinstance(value, float) and value - value != 0:  # infinite or not a number
        return "infinity" if value > 0 else "minus infinity" if value < 0 else "not a number"
    exact = Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
    size = Context(prec=40).divide(Decimal(abs(exact.numerator)), Decimal(exact.denominator))
    sign = "minus " if exact < 0 else ""
    if size and (size >= _LARGE or size < _SMALL):
        exponent = size.adjusted()
        leading = _digits(Context(prec=40).scaleb(size, -exponent))
        power = f"minus {-exponent}" if exponent < 0 else str(exponent)
        about = "" if Fraction(leading) * Fraction(10) ** exponent == abs(exact) else "about "
        return f"{about}{sign}{leading} times 10 to the power of {power}"
    text = _digits(size)
    about = "about " if isinstance(value, Fraction) and Fraction(text) != abs(exact) else ""
    return f"{about}{sign}{text}" if text != "0" else "0"


def _digits(size: Decimal) -> str:
    decimals = _DECIMALS if size >= 1 else _DECIMALS - 1 - size.adjusted()
    text = f"{round(size, decimals):f}" if size else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _clock(value: time, ambiguous: bool = False) -> str:
    if ambiguous:
        hour = (value.hour - 1) % 12 + 1
        return f"{hour}:{value.minute:02d}" if value.minute else f"{hour} o'clock"
    if value.minute == 0 and value.hour in (0, 12):
        return "noon" if value.hour else "midnight"
    half = "AM" if value.hour < 12 else "PM"
    hour = (value.hour - 1) % 12 + 1
    return f"{hour}:{value.minute:02d} {half}" if value.minute else f"{hour} {half}"


def _day(value: date, now: datetime | None) -> str:
    """Such as "today", "tomorrow", "on Friday", "on May third", "on May third, 2027"."""
    if now is not None:
        ahead = (value - now.date()).days
        if ahead in (-1, 0, 1):
            return ("yesterday", "today", "tomorrow")[ahead + 1]
        if 1 < ahead < 7:
            return f"on {_WEEKDAYS[value.weekday()]}"
    return f"on {_month_day(value, now)}"


def _month_day(value: date, now: datetime | None) -> str:
    day = f"{_MONTHS[value.month - 1]} {_ordinal(value.day)}"
    clear = now is not None and (value.year == now.year or 0 <= (value - now.date()).days < 330)
    return day if clear else f"{day}, {value.year}"


def _ordinal(value: int) -> str:
    return _HYPHEN.sub(r"\1-", number_words(str(value), ordinal=True))


def _dates(value: DateValue, now: datetime | None) -> str:
    if value.start == value.end:
        return _day(value.start, now)
    if value.start.day == 1 and (value.end + timedelta(days=1)).day == 1:  # whole months
        if value.start.month == value.end.month and value.start.year == value.end.year:
            same_year = now is not None and value.start.year == now.year
            return f"in {_MONTHS[value.start.month - 1]}{'' if same_year else f' {value.start.year}'}"
        if (value.start.month, value.end.month) == (1, 12) and value.start.year == value.end.year:
            return f"in {value.start.year}"
    named = _week(value, now.date()) if now is not None else ""
    if named:
        return named
    start, end = (_day(day, now).removeprefix("on ") for day in (value.start, value.end))
    return f"from {start} to {end}"


def _week(value: DateValue, today: date) -> str:
    """Such as "this weekend", "next week"; empty for another span."""
    monday = value.start - timedelta(days=value.start.weekday())
    which = {0: "this", 7: "next"}.get((monday - today + timedelta(days=today.weekday())).days)
    if which is None or value.end - monday != timedelta(days=6):
        return ""
    for name, start in (("week", monday), ("weekend", monday + timedelta(days=5))):
        if value.start == (max(start, today) if which == "this" else start):
            return f"{which} {name}"
    return ""


def _temperature(value: Temperature) -> str:
    unit = {"C": " Celsius", "F": " Fahrenheit", "": ""}[value.unit]
    return f"{_number(value.degrees)} degree{'s' * (value.degrees != 1)}{unit}"


def _recurrence(value: Recurrence) -> str:
    """The rules that `resolve` makes, in words; another rule is read out by its frequency."""
    parts = dict(part.split("=", 1) for part in value.rrule.split(";"))
    interval = int(parts.get("INTERVAL", 1))
    days = parts.get("BYDAY", "").split(",") if "BYDAY" in parts else []
    unit = _FREQUENCIES[parts["FREQ"]]
    every = f"every {unit}" if interval == 1 else f"every {_count(interval, unit)}"
    if parts["FREQ"] == "WEEKLY" and days:
        which = _GROUPS.get(parts["BYDAY"]) if interval == 1 else None
        which = which or join(_CODES[day] for day in days)
        text = f"every {which}" if interval == 1 else f"{every} on {which}"
    elif "BYMONTH" in parts:
        day = f"{_MONTHS[int(parts['BYMONTH']) - 1]} {_ordinal(int(parts['BYMONTHDAY']))}"
        text = f"{every} on {day}"
    elif "BYMONTHDAY" in parts:
        number = int(parts["BYMONTHDAY"])
        text = f"{every} on the {'last day' if number < 0 else _ordinal(number)}"
    elif days:
        number, weekday = int(days[0][:-2]), _CODES[days[0][-2:]]
        text = f"{every} on the {'last' if number < 0 else _ordinal(number)} {weekday}"
    else:
        text = every
    return f"{text} at {_clock(value.time.time, value.time.ambiguous)}" if value.time else text
