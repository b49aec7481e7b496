"""A clock that is set wrong while everything else goes on."""

from datetime import datetime, timedelta

import pytest

from firmware_sim.manual_clock import ManualClock
from firmware_sim.web.clock import SteppedClock


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_a_step_moves_the_wall_clock_alone(seconds: float) -> None:
    right = ManualClock(datetime.fromisoformat("2026-05-04T08:00"), "Europe/Berlin")
    clock = SteppedClock(right)
    before, monotonic = clock.now(), clock.monotonic()
    clock.step(seconds)
    assert clock.now() - before == timedelta(seconds=seconds)
    assert clock.monotonic() == monotonic
    assert clock.offset == seconds
    right.advance(10)
    assert clock.now() - before == timedelta(seconds=seconds + 10)


def test_a_step_over_a_change_to_summer_time_is_as_long_as_it_says() -> None:
    clock = SteppedClock(ManualClock(datetime.fromisoformat("2026-03-29T01:30"), "Europe/Berlin"))
    clock.step(3600)
    assert clock.now().isoformat() == "2026-03-29T03:30:00+02:00"
