from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.nlu.resolve import ResolveContext, parse_when, resolve
from device.nlu.text import spoken
from device.nlu.types import DateValue, Moment, Recurrence, TimeOfDay

CONTEXT = ResolveContext(datetime(2026, 7, 15, 10, 0, tzinfo=ZoneInfo("Europe/Berlin")))


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("seven", "07:00"),
        ("at seven", "07:00"),
        ("seven o'clock", "07:00"),
        ("twelve", "12:00"),
        ("quarter to seven", "06:45"),
        ("a quarter to seven", "06:45"),
        ("quarter of seven", "06:45"),
        ("quarter past six", "06:15"),
        ("half past six", "06:30"),
        ("half six", "06:30"),
        ("half past twelve", "12:30"),
        ("ten to five", "04:50"),
        ("ten to one", "12:50"),
        ("ten minutes past five", "05:10"),
        ("twenty five to eleven", "10:35"),
        ("six thirty", "06:30"),
        ("six oh five", "06:05"),
        ("eleven fifty nine", "11:59"),
        ("five hundred and thirty", "05:30"),  # written "530"
        ("after seven", "07:00"),
    ],
)
def test_ambiguous(text: str, clock: str) -> None:
    assert resolve("time", text, CONTEXT) == TimeOfDay(time.fromisoformat(clock), ambiguous=True)


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("seven am", "07:00"),
        ("seven a m", "07:00"),
        ("seven in the morning", "07:00"),
        ("seven in the evening", "19:00"),
        ("seven in the afternoon", "19:00"),
        ("five past eight in the morning", "08:05"),
        ("ten to five pm", "16:50"),
        ("half six in the evening", "18:30"),
        ("three at night", "03:00"),
        ("eleven at night", "23:00"),
        ("twelve pm", "12:00"),
        ("twelve am", "00:00"),
        ("twelve thirty am", "00:30"),
        ("twelve at night", "00:00"),
        ("noon", "12:00"),
        ("twelve noon", "12:00"),
        ("midday", "12:00"),
        ("midnight", "00:00"),
        ("quarter to midnight", "23:45"),
        ("nineteen thirty", "19:30"),
        ("twenty one fifteen", "21:15"),
        ("eighteen hundred", "18:00"),
        ("eight hundred am", "08:00"),
        ("seven hundred and forty five pm", "19:45"),
        ("one thousand two hundred and thirty pm", "12:30"),
        ("this evening's", "19:00"),
        ("oh seven hundred hours", "07:00"),
        ("zero thirty", "00:30"),
        ("seven o'clock tonight", "19:00"),
        ("tonight at ten", "22:00"),
        ("this evening at six thirty", "18:30"),
        ("tomorrow morning at seven", "07:00"),
        ("tomorrow evening seven", "19:00"),
        ("every night at ten", "22:00"),
        ("seven pm sharp please", "19:00"),
        # Parts of the day stand for a usual time.
        ("in the morning", "08:00"),
        ("lunchtime", "12:00"),
        ("this afternoon", "15:00"),
        ("this evening", "19:00"),
        ("tonight", "21:00"),
        ("tomorrow night", "21:00"),
    ],
)
def test_fixed(text: str, clock: str) -> None:
    assert resolve("time", text, CONTEXT) == TimeOfDay(time.fromisoformat(clock))


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("in ten minutes", timedelta(minutes=10)),
        ("ten minutes", timedelta(minutes=10)),
        ("ten minutes from now", timedelta(minutes=10)),
        ("in an hour and a half", timedelta(minutes=90)),
        ("in half an hour", timedelta(minutes=30)),
        ("in half an hour's time", timedelta(minutes=30)),
        ("in two hours time", timedelta(hours=2)),
        ("in two days", timedelta(days=2)),
        ("in a month", timedelta(days=31)),
        ("now", timedelta(0)),
    ],
)
def test_offset(text: str, offset: timedelta) -> None:
    assert resolve("time", text, CONTEXT) == Moment(offset)


@pytest.mark.parametrize(
    "text", ["friday", "banana", "twenty five", "seven eight nine", "six sixty", "seven at eight", "tomorrow", "the"]
)
def test_no_time(text: str) -> None:
    assert resolve("time", text, CONTEXT) is None


def test_a_phrase_gives_all_its_parts() -> None:
    when = parse_when("every weekday at half past six in the morning", CONTEXT)
    assert when is not None
    clock = TimeOfDay(time(6, 30))
    assert (when.time, when.date) == (clock, None)
    assert when.recurrence == Recurrence("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", clock)


def test_joined_slots_fix_the_hour() -> None:
    when = parse_when("tomorrow evening seven", CONTEXT)
    assert when is not None
    day = CONTEXT.today + timedelta(days=1)
    assert (when.time, when.date) == (TimeOfDay(time(19)), DateValue(day, day))


def test_too_long_a_phrase_is_none() -> None:
    assert parse_when("the day after " * 500 + "tomorrow", CONTEXT) is None


@given(st.times())
def test_clock_times_as_typed(value: time) -> None:
    for form in ("%I:%M %p", "%H:%M"):
        found = resolve("time", spoken(value.strftime(form)), CONTEXT)
        assert isinstance(found, TimeOfDay)
        expected = value.replace(second=0, microsecond=0)
        if found.ambiguous:  # a 24-hour time before one o'clock in the afternoon may be of either half
            assert form == "%H:%M"
            assert expected.hour <= 12
        assert found.time == expected
