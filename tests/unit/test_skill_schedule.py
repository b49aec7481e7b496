"""The schedule: restarts, wrong clocks, daylight saving, kills while ringing."""

from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import StorageError
from device.nlu.resolve.when import next_occurrence
from device.nlu.types import Recurrence, TimeOfDay
from device.skills.schedule import Scheduler
from device.store.database import Database
from firmware_sim.manual_clock import ManualClock

MINUTE = timedelta(minutes=1)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_timer_rings_once_and_on_time(scheduler: Scheduler, clock: ManualClock) -> None:
    scheduler.start_timer(10 * MINUTE, "pasta")
    assert scheduler.next_due() == clock.now() + 10 * MINUTE
    clock.advance(599)
    assert scheduler.due() == []
    clock.advance(1)
    (ring,) = scheduler.due()
    assert (ring.kind, ring.label, ring.missed) == ("timer", "pasta", False)
    assert scheduler.due() == []
    assert scheduler.ringing() == [ring]
    assert scheduler.timers() == []
    assert scheduler.stop_ringing() == [ring]
    assert scheduler.ringing() == []
    assert scheduler.next_due() is None


def test_a_paused_timer_keeps_what_is_left(scheduler: Scheduler, clock: ManualClock) -> None:
    scheduler.start_timer(10 * MINUTE)
    clock.advance(240)
    scheduler.pause_timer(scheduler.timers()[0])
    clock.advance(86_400)
    (timer,) = scheduler.timers()
    assert (timer.paused, timer.remaining) == (True, 6 * MINUTE)
    assert scheduler.due() == []
    scheduler.resume_timer(timer)
    clock.advance(359)
    assert scheduler.due() == []
    clock.advance(1)
    assert len(scheduler.due()) == 1


def test_extending_counts_from_what_is_left(scheduler: Scheduler, clock: ManualClock) -> None:
    timer = scheduler.start_timer(10 * MINUTE)
    clock.advance(540)
    longer = scheduler.extend_timer(scheduler.timers()[0], 2 * MINUTE)
    assert (longer.id, longer.remaining, longer.duration) == (timer.id, 3 * MINUTE, 12 * MINUTE)
    assert scheduler.timers()[0].remaining == 3 * MINUTE


def test_timers_and_alarms_survive_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    before = Scheduler(Database(tmp_path / "h.db"), clock)
    before.start_timer(10 * MINUTE, "tea")
    before.pause_timer(before.start_timer(5 * MINUTE, "held"))
    before.add("alarm", clock.now() + timedelta(hours=1), text="up")
    clock.advance(60)
    after = Scheduler(Database(tmp_path / "h.db"), clock)
    assert [(t.label, t.remaining, t.paused) for t in after.timers()] == [
        ("tea", 9 * MINUTE, False),
        ("held", 5 * MINUTE, True),
    ]
    assert [o.text for o in after.occasions("alarm")] == ["up"]


def test_what_ended_while_off_rings_at_once_as_missed(tmp_path: Path, clock: ManualClock) -> None:
    before = Scheduler(Database(tmp_path / "h.db"), clock)
    before.start_timer(10 * MINUTE, "tea")
    before.add("alarm", clock.now() + timedelta(hours=1))
    before.add("reminder", clock.now() + timedelta(days=2), text="call")
    clock.advance(3 * 3600)
    after = Scheduler(Database(tmp_path / "h.db"), clock)
    rings = after.due()
    assert [(r.kind, r.missed) for r in rings] == [("timer", True), ("alarm", True)]
    assert rings[0].due == clock.now() - timedelta(hours=2, minutes=50)


def test_a_kill_while_ringing_rings_again(tmp_path: Path, clock: ManualClock) -> None:
    before = Scheduler(Database(tmp_path / "h.db"), clock)
    before.add("alarm", clock.now() + MINUTE, text="up")
    clock.advance(60)
    assert len(before.due()) == 1
    after = Scheduler(Database(tmp_path / "h.db"), clock)
    (again,) = after.due()
    assert (again.label, again.missed) == ("up", False)
    after.stop_ringing()
    assert Scheduler(Database(tmp_path / "h.db"), clock).due() == []


def test_snooze_rings_again_also_after_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    scheduler = Scheduler(Database(tmp_path / "h.db"), clock)
    scheduler.add("alarm", clock.now() + MINUTE, text="up")
    clock.advance(60)
    scheduler.due()
    (put_off,) = scheduler.snooze(10)
    assert put_off.due == clock.now() + 10 * MINUTE
    assert scheduler.ringing() == []
    assert [r.label for r in scheduler.snoozed()] == ["up"]
    assert scheduler.next_due() == put_off.due
    scheduler = Scheduler(Database(tmp_path / "h.db"), clock)
    assert scheduler.due() == []
    clock.advance(600)
    assert [r.label for r in scheduler.due()] == ["up"]
    scheduler.snooze(10)
    assert [r.label for r in scheduler.cancel_snoozed()] == ["up"]
    clock.advance(3600)
    assert scheduler.due() == []


def test_an_alarm_repeats_on_its_days(scheduler: Scheduler, clock: ManualClock) -> None:
    scheduler.add("alarm", wall("2026-05-04T09:00"), "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")
    rung = []
    for _ in range(7 * 24):
        clock.advance(3600)
        rung += [(ring.due.isoweekday(), ring.due.hour) for ring in scheduler.due()]
        scheduler.stop_ringing()
    assert rung == [(day, 9) for day in range(1, 6)]


def test_a_week_slept_through_rings_once(tmp_path: Path, clock: ManualClock) -> None:
    Scheduler(Database(tmp_path / "h.db"), clock).add("alarm", wall("2026-05-04T09:00"), "FREQ=DAILY")
    clock.advance(7 * 86_400)
    after = Scheduler(Database(tmp_path / "h.db"), clock)
    assert [r.missed for r in after.due()] == [True]
    assert after.occasions("alarm")[0].at == wall("2026-05-11T09:00")


def test_alarms_keep_their_hour_across_daylight_saving(database: Database) -> None:
    clock = ManualClock(wall("2026-03-27T12:00"), "Europe/Berlin")  # summer time begins on the 29th
    scheduler = Scheduler(database, clock)
    scheduler.add("alarm", wall("2026-03-28T07:00"), "FREQ=DAILY")
    rung = []
    for _ in range(4 * 24 * 4):
        clock.advance(900)
        rung += [ring.due.isoformat() for ring in scheduler.due()]
        scheduler.stop_ringing()
    assert rung[:3] == ["2026-03-28T07:00:00+01:00", "2026-03-29T07:00:00+02:00", "2026-03-30T07:00:00+02:00"]


def test_an_hour_that_a_clock_change_skips_rings_later(database: Database) -> None:
    clock = ManualClock(wall("2026-03-29T01:50"), "Europe/Berlin")
    scheduler = Scheduler(database, clock)
    scheduler.add("alarm", wall("2026-03-29T02:30"))
    clock.advance(11 * 60)
    assert clock.now().hour == 3
    assert scheduler.due() == []
    clock.advance(29 * 60)
    assert len(scheduler.due()) == 1


def test_a_repeated_hour_rings_once(database: Database) -> None:
    clock = ManualClock(wall("2026-10-25T01:00"), "Europe/Berlin")
    scheduler = Scheduler(database, clock)
    scheduler.add("alarm", wall("2026-10-25T02:30"), "FREQ=DAILY")
    rung = 0
    for _ in range(20):
        clock.advance(600)
        rung += len(scheduler.due())
        scheduler.stop_ringing()
    assert rung == 1


@pytest.mark.parametrize("step", [timedelta(days=365 * 50), timedelta(hours=-6)])
def test_timers_do_not_notice_when_the_wall_clock_is_set(
    scheduler: Scheduler, clock: ManualClock, step: timedelta
) -> None:
    scheduler.start_timer(10 * MINUTE)
    clock.advance(300)
    clock.step(step)
    assert scheduler.due() == []
    assert scheduler.timers()[0].remaining == 5 * MINUTE
    clock.advance(299)
    assert scheduler.due() == []
    clock.advance(1)
    (ring,) = scheduler.due()
    assert not ring.missed


def test_a_clock_without_battery_that_is_set_after_the_start(tmp_path: Path, clock: ManualClock) -> None:
    before = Scheduler(Database(tmp_path / "h.db"), clock)
    before.start_timer(10 * MINUTE, "tea")
    before.add("alarm", wall("2026-05-05T07:00"))
    clock.step(timedelta(days=-20_000))  # the power goes and comes back in the seventies
    after = Scheduler(Database(tmp_path / "h.db"), clock)
    assert after.due() == []
    clock.step(timedelta(days=20_000, minutes=4))  # a time server answers: four minutes have passed
    assert after.due() == []
    assert after.timers()[0].remaining == 6 * MINUTE
    clock.advance(360)
    assert [r.label for r in after.due()] == ["tea"]
    clock.step(timedelta(days=1))
    assert [r.kind for r in after.due()] == ["alarm"]


def test_a_clock_ahead_of_its_time_skips_no_repetition_for_good(scheduler: Scheduler, clock: ManualClock) -> None:
    scheduler.add("alarm", wall("2026-05-04T09:00"), "FREQ=DAILY")
    clock.step(timedelta(days=3650))
    scheduler.due()
    scheduler.stop_ringing()
    clock.step(timedelta(days=-3650))
    assert scheduler.due() == []
    clock.advance(3600)
    assert [ring.due.isoformat() for ring in scheduler.due()] == ["2026-05-04T09:00:00+02:00"]


def test_a_small_step_back_does_not_ring_twice(scheduler: Scheduler, clock: ManualClock) -> None:
    scheduler.add("alarm", wall("2026-05-04T09:00"), "FREQ=DAILY")
    clock.advance(3600)
    assert len(scheduler.due()) == 1
    scheduler.stop_ringing()
    clock.step(timedelta(seconds=-20))
    clock.advance(20)
    assert scheduler.due() == []


def test_a_repetition_keeps_its_hour_although_the_first_day_skips_it(database: Database) -> None:
    clock = ManualClock(wall("2027-03-27T20:00"), "Europe/Berlin")
    scheduler = Scheduler(database, clock)
    clock_time = TimeOfDay(time(2, 30), False)
    at = next_occurrence(clock_time, None, Recurrence("FREQ=DAILY"), clock.now())
    scheduler.add("alarm", at, "FREQ=DAILY")
    clock.advance(6.5 * 3600)
    (ring,) = scheduler.due()
    assert f"{ring.due:%H:%M}" == "03:30"
    assert [alarm.at for alarm in scheduler.occasions("alarm")] == [wall("2027-03-29T02:30")]


def writable(database: Database, yes: bool) -> None:
    database.query(f"PRAGMA query_only={'OFF' if yes else 'ON'}")


def test_on_a_full_storage_all_rings_and_is_stopped_for_good(
    scheduler: Scheduler, database: Database, clock: ManualClock
) -> None:
    scheduler.start_timer(10 * MINUTE, "pasta")
    scheduler.add("alarm", wall("2026-05-04T08:10"), "FREQ=DAILY")
    scheduler.add("reminder", wall("2026-05-04T08:10"), text="feed the cat")
    writable(database, False)
    clock.advance(600)
    rings = scheduler.due()
    assert [(ring.kind, ring.label, ring.message) for ring in rings] == [
        ("timer", "pasta", ""),
        ("alarm", "", ""),
        ("reminder", "", "feed the cat"),
    ]
    assert all(isinstance(ring.trouble, StorageError) for ring in rings)
    assert scheduler.ringing() == rings
    assert scheduler.due() == []
    assert scheduler.stop_ringing() == rings
    assert scheduler.ringing() == []
    assert (scheduler.timers(), scheduler.occasions("reminder")) == ([], [])
    assert scheduler.next_due() == clock.now() + timedelta(days=1)
    clock.advance(86_400)
    assert [ring.kind for ring in scheduler.due()] == ["alarm"], "it is full the next day, too"
    scheduler.stop_ringing()
    writable(database, True)
    assert scheduler.due() == []
    again = Scheduler(database, clock)
    assert again.due() == [], "it rang, and was stopped"
    assert [alarm.at for alarm in again.occasions("alarm")] == [wall("2026-05-06T08:10")]


def test_what_rang_unwritten_rings_again_after_a_restart(
    scheduler: Scheduler, database: Database, clock: ManualClock
) -> None:
    scheduler.start_timer(MINUTE)
    writable(database, False)
    clock.advance(60)
    assert len(scheduler.due()) == 1
    writable(database, True)
    assert len(Scheduler(database, clock).due()) == 1


def test_what_rings_unwritten_is_snoozed_once_there_is_room(
    scheduler: Scheduler, database: Database, clock: ManualClock
) -> None:
    scheduler.add("alarm", wall("2026-05-04T08:01"), text="work")
    writable(database, False)
    clock.advance(60)
    rings = scheduler.due()
    with pytest.raises(StorageError):
        scheduler.snooze(5)
    assert scheduler.ringing() == rings, "nothing was changed"
    writable(database, True)
    scheduler.snooze(5)
    assert (scheduler.ringing(), scheduler.due()) == ([], [])
    clock.advance(300)
    assert [(ring.label, ring.trouble) for ring in scheduler.due()] == [("work", None)]
    assert scheduler.occasions("alarm") == []


def test_a_ring_that_was_stopped_on_a_full_storage_is_forgotten_later(
    scheduler: Scheduler, database: Database, clock: ManualClock
) -> None:
    scheduler.start_timer(MINUTE)
    clock.advance(60)
    assert len(scheduler.due()) == 1
    writable(database, False)
    with pytest.raises(StorageError):
        scheduler.stop_ringing()
    assert (scheduler.ringing(), scheduler.due()) == ([], [])
    writable(database, True)
    assert scheduler.due() == []
    assert Scheduler(database, clock).due() == []


def test_a_bad_rule_is_refused_when_it_is_set(scheduler: Scheduler) -> None:
    with pytest.raises(ValueError, match=r".+"):
        scheduler.add("alarm", wall("2026-05-04T09:00"), "FREQ=SOMETIMES")
    assert scheduler.occasions("alarm") == []


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 7200), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(1, 1800), st.booleans()), max_size=20),
)
def test_every_timer_rings_exactly_once_whatever_restarts(durations: list[int], pauses: list[tuple[int, bool]]) -> None:
    clock = ManualClock(wall("2026-05-04T08:00"), "Europe/Berlin")
    database = Database()
    scheduler = Scheduler(database, clock)
    for number, seconds in enumerate(durations):
        scheduler.start_timer(timedelta(seconds=seconds), str(number))
    rung: dict[str, float] = {}
    for seconds, restart in [*pauses, (7200, True)]:
        clock.advance(seconds)
        if restart:
            scheduler = Scheduler(database, clock)
        for ring in scheduler.due():
            assert ring.label not in rung
            rung[ring.label] = clock.monotonic()
        scheduler.stop_ringing()
    assert rung.keys() == {str(number) for number in range(len(durations))}
    assert all(rung[str(number)] >= seconds for number, seconds in enumerate(durations))
