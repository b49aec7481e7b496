from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.nlu.resolve import ResolveContext, resolve
from device.nlu.text import number_words
from device.nlu.types import DateValue, Moment

NOW = datetime(2026, 7, 15, 10, 0, tzinfo=ZoneInfo("Europe/Berlin"))  # a Wednesday
CONTEXT = ResolveContext(NOW)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", "2026-07-15"),
        ("tonight", "2026-07-15"),
        ("this evening", "2026-07-15"),
        ("tomorrow", "2026-07-16"),
        ("tomorrow evening", "2026-07-16"),
        ("tomorrow at seven", "2026-07-16"),
        ("the day after tomorrow", "2026-07-17"),
        ("yesterday", "2026-07-14"),
        ("the day before yesterday", "2026-07-13"),
        ("friday", "2026-07-17"),
        ("on friday", "2026-07-17"),
        ("on friday morning", "2026-07-17"),
        ("monday", "2026-07-20"),
        ("wednesday", "2026-07-22"),
        ("this wednesday", "2026-07-15"),
        ("this friday", "2026-07-17"),
        ("next tuesday", "2026-07-21"),
        ("next friday", "2026-07-24"),
        ("friday next week", "2026-07-24"),
        ("friday week", "2026-07-24"),
        ("last friday", "2026-07-10"),
        ("last wednesday", "2026-07-08"),
        ("a week from monday", "2026-07-27"),
        ("a week on monday", "2026-07-27"),
        ("two weeks from tomorrow", "2026-07-30"),
        ("the third of may", "2027-05-03"),
        ("may third", "2027-05-03"),
        ("may the third", "2027-05-03"),
        ("third may", "2027-05-03"),
        ("may three", "2027-05-03"),
        ("may third twenty twenty seven", "2027-05-03"),
        ("the third of may two thousand thirty", "2030-05-03"),
        ("may third nineteen eighty four", "1984-05-03"),
        ("july fifteenth", "2026-07-15"),
        ("july fourteenth", "2027-07-14"),
        ("monday the third of may", "2027-05-03"),
        ("friday the seventeenth", "2026-07-17"),
        ("february twenty ninth", "2028-02-29"),
        ("the twenty first", "2026-07-21"),
        ("the fifteenth", "2026-07-15"),
        ("the third", "2026-08-03"),
        ("the third of next month", "2026-08-03"),
        ("the thirty first", "2026-07-31"),
        ("in two weeks", "2026-07-29"),
        ("two weeks", "2026-07-29"),
        ("in three days", "2026-07-18"),
        ("in a month", "2026-08-15"),
        ("in half a year", "2027-01-15"),
        ("a year and a half from now", "2028-01-15"),
        ("two weeks ago", "2026-07-01"),
        ("week from today", "2026-07-22"),
        ("tomorrow's", "2026-07-16"),
        ("friday's", "2026-07-17"),
        ("the rest of the day", "2026-07-15"),
        ("the third monday of this month", "2026-07-20"),
        ("the first monday of next month", "2026-08-03"),
        ("last friday of the month", "2026-07-31"),
        ("the last friday in may", "2027-05-28"),
        ("the end of the month", "2026-07-31"),
        ("christmas", "2026-12-25"),
        ("christmas eve", "2026-12-24"),
        ("the day after christmas", "2026-12-26"),
        ("three days before christmas", "2026-12-22"),
        ("new year's eve", "2026-12-31"),
        ("new year's day", "2027-01-01"),
        ("halloween", "2026-10-31"),
        ("valentine's day", "2027-02-14"),
        ("easter", "2027-03-28"),
        ("good friday", "2027-03-26"),
        ("thanksgiving", "2026-11-26"),
    ],
)
def test_day(text: str, day: str) -> None:
    expected = date.fromisoformat(day)
    assert resolve("date", text, CONTEXT) == DateValue(expected, expected)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("this weekend", "2026-07-18", "2026-07-19"),
        ("the weekend", "2026-07-18", "2026-07-19"),
        ("next weekend", "2026-07-25", "2026-07-26"),
        ("this week", "2026-07-15", "2026-07-19"),
        ("next week", "2026-07-20", "2026-07-26"),
        ("last week", "2026-07-06", "2026-07-12"),
        ("this month", "2026-07-15", "2026-07-31"),
        ("next month", "2026-08-01", "2026-08-31"),
        ("next year", "2027-01-01", "2027-12-31"),
        ("this week's", "2026-07-15", "2026-07-19"),
        ("the coming week", "2026-07-20", "2026-07-26"),
        ("the rest of the year", "2026-07-15", "2026-12-31"),
        ("the next five days", "2026-07-15", "2026-07-20"),
        ("in may", "2027-05-01", "2027-05-31"),
        ("december", "2026-12-01", "2026-12-31"),
    ],
)
def test_span(text: str, start: str, end: str) -> None:
    assert resolve("date", text, CONTEXT) == DateValue(date.fromisoformat(start), date.fromisoformat(end))


def test_on_sunday_this_weekend_is_what_is_left_of_it() -> None:
    sunday = ResolveContext(datetime(2026, 7, 19, 9, 0, tzinfo=ZoneInfo("UTC")))
    assert resolve("date", "this weekend", sunday) == DateValue(date(2026, 7, 19), date(2026, 7, 19))


def test_the_thirty_first_skips_short_months() -> None:
    late_april = ResolveContext(datetime(2026, 4, 2, 9, 0, tzinfo=ZoneInfo("UTC")))
    assert resolve("date", "the thirty first", late_april) == DateValue(date(2026, 5, 31), date(2026, 5, 31))


def test_hours_are_an_offset() -> None:
    assert resolve("date", "in two hours", CONTEXT) == Moment(timedelta(hours=2))


@pytest.mark.parametrize(
    "text",
    [
        "seven",
        "banana",
        "thirty first of june",
        "the fortieth",
        "february thirtieth",
        "monday friday",
        "the",
        "every day",
    ],
)
def test_no_date(text: str) -> None:
    assert resolve("date", text, CONTEXT) is None


@given(st.dates(date(2024, 1, 1), date(2090, 12, 31)), st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_every_full_date_comes_back(today: date, day: date) -> None:
    context = ResolveContext(datetime(today.year, today.month, today.day, tzinfo=ZoneInfo("UTC")))
    words = f"{day.strftime('%B').lower()} {number_words(str(day.day), ordinal=True)} {number_words(str(day.year))}"
    assert resolve("date", words, context) == DateValue(day, day)


@given(
    st.dates(date(2024, 1, 1), date(2090, 12, 31)),
    st.sampled_from(["friday", "next friday", "this friday", "last friday"]),
)
def test_weekdays_are_near(today: date, text: str) -> None:
    context = ResolveContext(datetime(today.year, today.month, today.day, 12, tzinfo=ZoneInfo("UTC")))
    found = resolve("date", text, context)
    assert isinstance(found, DateValue)
    assert found.start.weekday() == 4
    low, high = {"friday": (1, 7), "next friday": (5, 11), "this friday": (0, 6), "last friday": (-7, -1)}[text]
    assert low <= (found.start - today).days <= high
