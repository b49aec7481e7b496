from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.dialogue.spoken import join, number_of, remaining, say
from device.nlu.resolve import ResolveContext, resolve
from device.nlu.text import spoken
from device.nlu.types import Color, DateValue, Moment, Percent, Recurrence, Temperature, TimeOfDay

NOW = datetime(2026, 7, 15, 10, 0, tzinfo=ZoneInfo("Europe/Berlin"))  # a Wednesday
CONTEXT = ResolveContext(NOW)


def day(text: str, end: str = "") -> DateValue:
    return DateValue(date.fromisoformat(text), date.fromisoformat(end or text))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("kitchen", "kitchen"),
        (None, ""),
        (True, "yes"),
        (105, "105"),
        (2.0, "2"),
        (2.5, "2.5"),
        (0.1 + 0.2, "0.3"),
        (-4, "minus 4"),
        (1 / 3, "0.333333"),
        (Fraction(1, 3), "about 0.333333"),
        (Fraction(3, 10), "0.3"),
        (Fraction(-5, 2), "minus 2.5"),
        (Fraction(1, 3_000_000), "about 0.000000333333"),
        (Decimal("1.50"), "1.5"),
        (10**12, "1000000000000"),
        (10**30, "1 times 10 to the power of 30"),
        (2**100, "about 1.267651 times 10 to the power of 30"),
        (1.5e-12, "1.5 times 10 to the power of minus 12"),
        (float("inf"), "infinity"),
        (timedelta(minutes=10), "ten minutes"),
        (timedelta(minutes=80), "one hour and twenty minutes"),
        (timedelta(seconds=4205), "one hour, ten minutes and five seconds"),
        (timedelta(seconds=1), "one second"),
        (timedelta(minutes=25), "twenty-five minutes"),
        (timedelta(days=10), "ten days"),
        (timedelta(days=14), "two weeks"),
        (timedelta(0), "zero seconds"),
        (Moment(timedelta(minutes=10)), "in ten minutes"),
        (Moment(timedelta(0)), "now"),
        (TimeOfDay(time(6, 30)), "6:30 AM"),
        (TimeOfDay(time(19)), "7 PM"),
        (TimeOfDay(time(12)), "noon"),
        (TimeOfDay(time(0)), "midnight"),
        (TimeOfDay(time(0, 5)), "12:05 AM"),
        (TimeOfDay(time(7), ambiguous=True), "7 o'clock"),
        (TimeOfDay(time(7, 5), ambiguous=True), "7:05"),
        (time(13, 15), "1:15 PM"),
        (day("2026-07-15"), "today"),
        (day("2026-07-16"), "tomorrow"),
        (day("2026-07-14"), "yesterday"),
        (day("2026-07-17"), "on Friday"),
        (day("2026-07-22"), "on July twenty-second"),
        (day("2027-05-03"), "on May third"),
        (day("2027-07-14"), "on July fourteenth, 2027"),
        (day("2026-07-18", "2026-07-19"), "this weekend"),
        (day("2026-07-25", "2026-07-26"), "next weekend"),
        (day("2026-07-15", "2026-07-19"), "this week"),
        (day("2026-07-20", "2026-07-26"), "next week"),
        (day("2026-08-01", "2026-08-31"), "in August"),
        (day("2027-05-01", "2027-05-31"), "in May 2027"),
        (day("2027-01-01", "2027-12-31"), "in 2027"),
        (day("2026-07-16", "2026-07-18"), "from tomorrow to Saturday"),
        (date(2026, 7, 16), "tomorrow"),
        (datetime(2026, 7, 16, 6, 30), "tomorrow at 6:30 AM"),  # noqa: DTZ001
        (Recurrence("FREQ=DAILY"), "every day"),
        (Recurrence("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", TimeOfDay(time(6, 30))), "every weekday at 6:30 AM"),
        (Recurrence("FREQ=WEEKLY;BYDAY=SA,SU"), "every weekend"),
        (Recurrence("FREQ=WEEKLY;BYDAY=MO,WE,FR"), "every Monday, Wednesday and Friday"),
        (Recurrence("FREQ=WEEKLY;INTERVAL=2"), "every two weeks"),
        (Recurrence("FREQ=MONTHLY;BYMONTHDAY=-1"), "every month on the last day"),
        (Recurrence("FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=3"), "every year on May third"),
        (Color("warm white", "#ffd6aa"), "warm white"),
        (Temperature(21.5, "C"), "21.5 degrees Celsius"),
        (Temperature(1, ""), "1 degree"),
        (Temperature(-5, "F"), "minus 5 degrees Fahrenheit"),
        (Percent(50), "50 percent"),
        (["milk", "eggs", "bread"], "milk, eggs and bread"),
        ((timedelta(minutes=5), timedelta(minutes=10)), "five minutes and ten minutes"),
        ([], ""),
    ],
)
def test_say(value: object, text: str) -> None:
    assert say(value, NOW) == text


def test_without_now_dates_are_full() -> None:
    assert say(day("2026-05-03")) == "on May third, 2026"


def test_what_cannot_be_said() -> None:
    with pytest.raises(TypeError, match="object"):
        say(object())


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "no time"),
        (-5, "no time"),
        (42, "less than a minute"),
        (60, "one minute"),
        (252, "about four minutes and ten seconds"),
        (600, "ten minutes"),
        (622, "about ten minutes"),
        (4810, "about one hour and twenty minutes"),
        (5 * 3600 + 100, "about five hours"),
        (3 * 86400, "three days"),
        (30.2, "less than a minute"),
        (119.8, "two minutes"),
    ],
)
def test_remaining(seconds: float, text: str) -> None:
    assert remaining(timedelta(seconds=seconds)) == text


def test_counts_and_lists() -> None:
    assert [number_of(count, "light") for count in (0, 1, 3)] == ["no lights", "one light", "3 lights"]
    assert number_of(2, "entry", "entries") == "2 entries"
    assert join(["", "milk", ""]) == "milk"


@given(st.integers(0, 40 * 86400))
def test_durations_come_back(seconds: int) -> None:
    value = timedelta(seconds=seconds)
    assert resolve("duration", spoken(say(value)), CONTEXT) == value


@given(st.integers(0, 23), st.integers(0, 59), st.booleans())
def test_times_come_back(hour: int, minute: int, ambiguous: bool) -> None:
    value = TimeOfDay(time((hour % 12 + 1) if ambiguous else hour, minute), ambiguous)
    assert resolve("time", spoken(say(value)), CONTEXT) == value


@given(st.dates(date(2024, 1, 1), date(2080, 12, 31)), st.integers(0, 1000))
def test_dates_come_back(today: date, ahead: int) -> None:
    now = datetime(today.year, today.month, today.day, 12, tzinfo=ZoneInfo("UTC"))
    value = DateValue(today + timedelta(days=ahead), today + timedelta(days=ahead))
    assert resolve("date", spoken(say(value, now)), ResolveContext(now)) == value


@given(st.one_of(st.integers(-(10**9), 10**9), st.decimals(-9999, 9999, places=3)))
def test_numbers_come_back(value: int | Decimal) -> None:
    assert resolve("number", spoken(say(value)), CONTEXT) == float(value)


WEEKLY = st.lists(st.sampled_from(range(7)), min_size=1, unique=True).map(
    lambda days: "BYDAY=" + ",".join(("MO", "TU", "WE", "TH", "FR", "SA", "SU")[at] for at in sorted(days))
)
RULES = st.one_of(
    st.tuples(st.sampled_from(["DAILY", "HOURLY", "MONTHLY", "YEARLY", "MINUTELY"]), st.just("")),
    st.tuples(st.just("WEEKLY"), WEEKLY),
    st.tuples(st.just("MONTHLY"), st.integers(1, 31).map(lambda at: f"BYMONTHDAY={at}")),
    st.tuples(st.just("MONTHLY"), st.sampled_from(["BYMONTHDAY=-1", "BYDAY=1MO", "BYDAY=3TH", "BYDAY=-1FR"])),
    st.tuples(st.just("YEARLY"), st.integers(1, 28).map(lambda at: f"BYMONTH=5;BYMONTHDAY={at}")),
)


@given(RULES, st.integers(1, 30), st.one_of(st.none(), st.integers(0, 1439)))
def test_recurrences_come_back(rule: tuple[str, str], interval: int, minute: int | None) -> None:
    parts = [f"FREQ={rule[0]}", f"INTERVAL={interval}" if interval > 1 else "", rule[1]]
    clock = None if minute is None else TimeOfDay(time(*divmod(minute, 60)))
    value = Recurrence(";".join(part for part in parts if part), clock)
    assert resolve("recurrence", spoken(say(value, NOW)), CONTEXT) == value
