"""Durations and moments as scenarios write them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from firmware_sim.scenario.values import moment, seconds

NOW = datetime(2027, 3, 27, 22, 0, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("400 ms", 0.4),
        ("2 s", 2),
        ("1.5 min", 90),
        ("8 h", 28800),
        ("3 d", 259200),
        (7, 7),
        (0.5, 0.5),
        ("-1 h", -3600),
    ],
)
def test_durations(written: str | float, means: float) -> None:
    assert seconds(written) == pytest.approx(means)


@pytest.mark.parametrize("written", ["", "soon", "2", "2 weeks", "min", "1 h 5 min"])
def test_what_is_no_duration(written: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        seconds(written)


def test_a_time_of_day_is_the_next_one_and_keeps_its_hour_when_the_clocks_change() -> None:
    assert moment("to 07:00", NOW).isoformat() == "2027-03-28T07:00:00+02:00"
    assert moment("to 23:30:15", NOW).isoformat() == "2027-03-27T23:30:15+01:00"


@pytest.mark.parametrize(("written", "says"), [("to noon", "no moment"), ("to 2027-03-27T21:00", "has passed")])
def test_what_is_no_moment(written: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        moment(written, NOW)
