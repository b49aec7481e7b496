"""A fleet of households: the same whatever runs it, judged by an oracle that notices what is wrong."""

import io
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import parallel_config, register_parallel_backend
from joblib.parallel import SequentialBackend
from rich.console import Console

from device.errors import BadInput
from device.events import Rang
from device.skills.schedule import Ring, Scheduler
from device.store.database import Database
from firmware_sim.fleet.household import household
from firmware_sim.fleet.ledger import (
    AlarmGone,
    AlarmSet,
    Effect,
    Ledger,
    Listed,
    Silence,
    TimerGone,
    TimerLonger,
    TimerSet,
    TimersHeld,
)
from firmware_sim.fleet.mishap import mishaps
from firmware_sim.fleet.report import show, to_json, totals
from firmware_sim.fleet.routine import Speaker, day
from firmware_sim.fleet.run import FleetResult, run_fleet
from firmware_sim.fleet.shard import START, Shard, lives, play, shards
from firmware_sim.fleet.wording import wordings
from firmware_sim.manual_clock import ManualClock
from firmware_sim.scenario.model import ExpectedTimer


def local(text: str) -> datetime:
    """A naive time, as alarms are set."""
    return datetime.fromisoformat(text)


BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2027, 3, 12, 20, 0, tzinfo=BERLIN)


# The oracle -------------------------------------------------------------------------------------------------------


def rang(ledger: Ledger, kind: str, due: datetime, text: str = "", late: float = 0.0) -> object:
    message, label = (text, "") if kind == "reminder" else ("", text)
    ring = Ring(kind, 1, label, message, missed=False, due=due)  # type: ignore[arg-type]
    return ledger.rang(Rang(ring, "", 0.0), due + timedelta(seconds=late))


def test_what_is_confirmed_is_expected_from_then_on() -> None:
    ledger = Ledger(BERLIN)
    for effect in (Listed("shopping", "milk"), Listed("shopping", "eggs"), Listed("shopping", "milk", there=False)):
        ledger.apply(effect, NOW, 1)
    ledger.apply(TimerSet(600, "tea"), NOW, 1)
    ledger.apply(AlarmSet(local("2027-03-15T06:40"), weekdays=True), NOW, 1)
    expected = ledger.expected(NOW + timedelta(seconds=60))
    assert expected.lists == {"shopping": ("eggs",)}
    assert expected.timers == (ExpectedTimer("tea", 540.0, False),)
    assert expected.alarms == ("mon 06:40",)


def test_a_timer_is_held_and_made_longer() -> None:
    ledger = Ledger(BERLIN)
    ledger.apply(TimerSet(600), NOW, 1)
    ledger.apply(TimersHeld(paused=True), NOW + timedelta(seconds=100), 1)
    assert ledger.next_due() is None
    later = NOW + timedelta(hours=1)
    ledger.apply(TimersHeld(paused=False), later, 1)
    ledger.apply(TimerLonger(60), later, 1)
    assert ledger.expected(later).timers == (ExpectedTimer("", 560.0, False),)
    ledger.apply(TimerGone(""), later, 1)
    assert not ledger.due


def test_a_ring_is_waited_for_once() -> None:
    ledger = Ledger(BERLIN)
    ledger.apply(TimerSet(600, "tea"), NOW, 1)
    due = NOW + timedelta(seconds=600)
    assert rang(ledger, "timer", due, "eggs") is None, "another one"
    assert rang(ledger, "timer", due + timedelta(minutes=1), "tea") is None, "at another time"
    assert rang(ledger, "timer", due, "tea", late=0.25).late == pytest.approx(0.25)  # type: ignore[attr-defined]
    assert ledger.expected(due).ringing == ("timer",)
    ledger.apply(Silence(), due, 1)
    assert rang(ledger, "timer", due, "tea") is None, "it rang already"


def test_what_does_not_ring_is_lost() -> None:
    ledger = Ledger(BERLIN)
    ledger.apply(TimerSet(60), NOW, 1)
    assert not ledger.overdue(NOW + timedelta(seconds=60.9))
    assert len(ledger.overdue(NOW + timedelta(seconds=61.1))) == 1
    assert not ledger.due


def test_a_weekday_alarm_comes_again_at_the_same_time_of_day_across_summer_time() -> None:
    ledger = Ledger(BERLIN)
    friday = local("2027-03-26T06:40")
    ledger.apply(AlarmSet(friday, weekdays=True), NOW, 1)
    assert rang(ledger, "alarm", friday.replace(tzinfo=BERLIN))
    following = ledger.next_due()
    assert following is not None
    assert datetime.fromtimestamp(following.at, UTC) == datetime(2027, 3, 29, 4, 40, tzinfo=UTC)


def test_only_what_counts_by_monotonic_time_moves_with_the_clock() -> None:
    ledger = Ledger(BERLIN)
    ledger.apply(TimerSet(600, "old"), NOW, 1)
    ledger.apply(TimerSet(600, "new"), NOW, 2)
    ledger.apply(AlarmSet(local("2027-03-13T05:00")), NOW, 2)
    ledger.stepped(90, life=2)
    assert [due.at - NOW.timestamp() for due in ledger.due] == [600, 690, 9 * 3600]
    assert [due.late for due in ledger.due] == [90, 0, 90], "what stands by the clock may be looked at late"


SUNDAY = local("2027-03-14T07:00")
EFFECTS: tuple[Effect, ...] = (
    TimerSet(60), TimerSet(90, "tea"), TimerGone("tea"), TimerGone(""), AlarmSet(SUNDAY), AlarmGone(SUNDAY),
    Listed("shopping", "milk"), Listed("shopping", "milk", there=False), Silence(),
)  # fmt: skip


@given(st.lists(st.sampled_from(EFFECTS)))
def test_trying_something_out_changes_nothing(effects: list[Effect]) -> None:
    ledger = Ledger(BERLIN)
    before = ledger.expected(NOW)
    tried = ledger.copy()
    for effect in effects:
        tried.apply(effect, NOW, 1)
    assert ledger.expected(NOW) == before
    assert len(tried.expected(NOW).alarms or ()) <= 1, "the same alarm is set once"


@given(st.integers(0, 10**12), st.integers(1, 86_400_000_000))
def test_what_is_due_next_is_due_then(begin: int, length: int) -> None:
    """A timer that ends within a microsecond of the wall clock must not keep a device busy for ever."""
    clock = ManualClock(datetime(2027, 3, 12, tzinfo=UTC) + timedelta(microseconds=begin))
    database = Database()
    scheduler = Scheduler(database, clock)
    timer = scheduler.start_timer(timedelta(microseconds=length))
    scheduler.extend_timer(timer, timedelta(microseconds=length // 3))
    due = scheduler.next_due()
    assert due is not None
    clock.advance((due - clock.now()).total_seconds())
    assert clock.now() == due
    assert len(scheduler.due()) == 1
    database.close()


# Words and days ---------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers())
def test_a_sentence_holds_the_slots_and_no_others(seed: int) -> None:
    said = wordings().exact(Random(seed), "timer.start", {"duration": "nine minutes", "name": "pasta"})
    assert said.count("nine minutes") == 1
    assert said.count("pasta") == 1
    assert "{" not in said


def test_what_the_packs_can_not_say_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"no phrase of light\.on has just the slots \['device', 'room'\]"):
        wordings().exact(Random(0), "light.on", {"device": "desk lamp", "room": "office"})


def test_a_household_has_days_of_its_own() -> None:
    home = household(3, 7)
    assert home == household(3, 7) != replace(household(3, 8), number=7)
    plan = day(Speaker(home, wordings(), Random(1)), START, first=True)
    assert plan == sorted(plan, key=lambda errand: errand.at)
    assert {errand.at.date() for errand in plan} == {START}
    assert [m.at for m in mishaps(Random(5), 30)] == sorted(m.at for m in mishaps(Random(5), 30))


# Fleets -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> FleetResult:
    return run_fleet(6, 2, seed=5, jobs=1)


@pytest.mark.parametrize("shard", shards(6, 2, seed=5, size=2), ids=lambda shard: f"from-{shard.first}")
def test_a_shard_is_the_same_wherever_it_is_played(shard: Shard, small: FleetResult) -> None:
    """Each is a test of its own: `pytest -n` spreads them, on this machine or a cluster."""
    assert tuple(lives([play(shard)])) == small.lives[shard.first : shard.first + shard.count]


def test_households_live_and_nothing_is_lost(small: FleetResult) -> None:
    whole = totals(small.lives)
    assert whole.turns.total() > 100
    assert whole.success > 0.9
    assert sum((life.rung for life in small.lives), Counter()).total() > 5
    assert not [loss for life in small.lives for loss in (*life.lost, *life.losses, *life.unexpected)]
    assert all(life.latest <= 1 and life.drift == 0 for life in small.lives)


class Plain(SequentialBackend):
    """A backend that gives all results at the end, as Ray's does."""

    supports_return_generator = False


def test_a_backend_of_another_makes_the_same(small: FleetResult) -> None:
    register_parallel_backend("plain", Plain)
    with parallel_config(backend="plain"):
        assert run_fleet(6, 2, seed=5, jobs=1) == small


def test_the_bar_tells_how_far_it_is(small: FleetResult) -> None:
    out = io.StringIO()
    result = run_fleet(2, 2, seed=5, jobs=1, console=Console(file=out, width=100))
    assert "2/2 households" in out.getvalue()
    assert result.lives == small.lives[:2]


def test_another_seed_is_another_fleet(small: FleetResult) -> None:
    assert run_fleet(1, 1, seed=6, jobs=1).lives[0].turns != small.lives[0].turns


def test_figures_are_for_people_and_for_programs(small: FleetResult) -> None:
    console = Console(width=140, file=io.StringIO(), record=True)
    console.print(show(small))
    figures = json.loads(to_json(small))
    assert f"{figures['turns']:,} turns" in console.export_text()
    assert figures["households"] == 6
    assert 0 < figures["success"] <= 1
    assert sum(kind["turns"] for kind in figures["kinds"].values()) == figures["turns"]
    assert all(board["p50"] <= board["p95"] <= board["max"] for board in figures["latency_ms"].values())
    assert all(board["max"] < board["budget"] for board in figures["wear_mb_a_day"].values())


def test_a_device_that_forgets_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from device.store.items import Items

    monkeypatch.setattr(Items, "add", lambda self, name, item: True)
    (life,) = run_fleet(1, 2, seed=5, jobs=1).lives
    assert {wrong.kind for wrong in life.wrong} >= {"list"}


def test_a_device_that_oversleeps_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scheduler, "next_due", lambda self: None)
    (life,) = run_fleet(1, 2, seed=5, jobs=1).lives
    assert life.lost, "it looked only when somebody spoke, or once an hour"


@pytest.mark.parametrize("numbers", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_nothing_to_simulate_is_said(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(BadInput, match="nothing to simulate"):
        run_fleet(numbers[0], numbers[1], jobs=numbers[2])
