from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.nlu.resolve.durations import duration

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("ten minutes", 10 * MINUTE),
        ("an hour", HOUR),
        ("an hour and a half", 1.5 * HOUR),
        ("one and a half hours", 1.5 * HOUR),
        ("two hours and a half", 2.5 * HOUR),
        ("an hour and a quarter", 1.25 * HOUR),
        ("an hour and three quarters", 1.75 * HOUR),
        ("half an hour", 0.5 * HOUR),
        ("a half hour", 0.5 * HOUR),
        ("half a minute", 30),
        ("one hour and twenty minutes", 80 * MINUTE),
        ("one hour ten minutes five seconds", 70 * MINUTE + 5),
        ("an hour and half a minute", HOUR + 30),
        ("ninety seconds", 90),
        ("ninety second", 90),
        ("two and a half hours", 2.5 * HOUR),
        ("one point five hours", 1.5 * HOUR),
        ("a quarter of an hour", 15 * MINUTE),
        ("quarter of an hour", 15 * MINUTE),
        ("a quarter hour", 15 * MINUTE),
        ("three quarters of an hour", 45 * MINUTE),
        ("a third of an hour", 20 * MINUTE),
        ("five more minutes", 5 * MINUTE),
        ("another ten minutes", 10 * MINUTE),
        ("another minute", MINUTE),
        ("ten minutes longer", 10 * MINUTE),
        ("a minute thirty", 90),
        ("two minutes thirty", 150),
        ("one hour twenty", 80 * MINUTE),
        ("an hour fifteen", 75 * MINUTE),
        ("one hour and fifteen", 75 * MINUTE),
        ("a couple of minutes", 2 * MINUTE),
        ("a few hours", 3 * HOUR),
        ("two days", 2 * DAY),
        ("a day and a half", 1.5 * DAY),
        ("a week", 7 * DAY),
        ("a fortnight", 14 * DAY),
        ("for about twenty minutes please", 20 * MINUTE),
        ("an hour or so", HOUR),
        ("half a dozen hours", 6 * HOUR),
        ("zero seconds", 0),
    ],
)
def test_duration(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "ten",  # of what?
        "minutes",
        "two months",  # of no fixed length
        "ten minutes pasta",
        "minus five minutes",
        "five minutes ten minutes",
        "seven o'clock",
        "one million hours",
        "and",
        "",
    ],
)
def test_no_duration(text: str) -> None:
    assert duration(text) is None


@given(st.text(alphabet=st.sampled_from([" ", *"abehmnorsu'"]), max_size=40))
def test_never_fails(text: str) -> None:
    duration(" ".join(text.split()))
