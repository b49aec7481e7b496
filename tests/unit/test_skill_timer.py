"""Timers, spoken."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from device.skills.api import Outcome
from device.skills.schedule import Scheduler
from firmware_sim.manual_clock import ManualClock

Ask = Callable[..., Awaitable[tuple[str, Outcome]]]
MINUTE = timedelta(minutes=1)


async def test_start_and_ask(ask: Ask, clock: ManualClock) -> None:
    reply, outcome = await ask("timer.start", duration=10 * MINUTE)
    assert reply == "Timer set for ten minutes."
    assert outcome.changes[0].set == {"remaining_s": 600}
    clock.advance(120)
    assert (await ask("timer.query", "how long"))[0] == "Eight minutes left."


async def test_named_timers_are_told_apart(ask: Ask, scheduler: Scheduler) -> None:
    await ask("timer.start", duration=10 * MINUTE, name="pasta")
    await ask("timer.start", duration=3 * MINUTE, name="tea")
    reply, outcome = await ask("timer.query", "what timers are there")
    assert "tea with three minutes left" in reply
    assert "pasta with ten minutes left" in reply
    assert (await ask("timer.query", name="pasta"))[0] == "Ten minutes left on the pasta timer."
    await ask("timer.cancel", "cancel the past a timer", name="past a")  # misheard
    assert [timer.label for timer in scheduler.timers()] == ["tea"]
    reply, outcome = await ask("timer.cancel", name="rice")
    assert outcome.failed
    assert "rice" in reply


async def test_which_of_several(ask: Ask, scheduler: Scheduler) -> None:
    await ask("timer.start", duration=10 * MINUTE)
    await ask("timer.start", duration=3 * MINUTE, name="tea")
    reply, outcome = await ask("timer.cancel", "cancel the timer")
    assert outcome.question is not None
    assert outcome.question.options == ("tea", "ten minutes")
    assert reply == "Which one: tea or ten minutes?"
    await ask("timer.cancel", "cancel the timer", name="ten minutes")
    assert [timer.label for timer in scheduler.timers()] == ["tea"]


async def test_all_of_them(ask: Ask, scheduler: Scheduler) -> None:
    for minutes in (5, 10):
        await ask("timer.start", duration=minutes * MINUTE)
    await ask("timer.pause", "pause all timers")
    assert all(timer.paused for timer in scheduler.timers())
    await ask("timer.resume", "resume all timers")
    assert not any(timer.paused for timer in scheduler.timers())
    _, outcome = await ask("timer.cancel", "cancel all timers")
    assert scheduler.timers() == []
    assert outcome.undo is not None
    await outcome.undo()
    assert [timer.remaining for timer in scheduler.timers()] == [5 * MINUTE, 10 * MINUTE]


async def test_pause_resume_extend(ask: Ask, clock: ManualClock, scheduler: Scheduler) -> None:
    await ask("timer.start", duration=10 * MINUTE)
    assert (await ask("timer.pause"))[0] == "Timer paused with ten minutes left."
    assert (await ask("timer.pause"))[0] == "It's paused already."
    clock.advance(3600)
    assert (await ask("timer.resume"))[0] == "Going on, ten minutes left."
    reply, outcome = await ask("timer.extend", duration=2 * MINUTE)
    assert reply == "Added two minutes, twelve minutes left now."
    assert outcome.undo is not None
    await outcome.undo()
    assert scheduler.timers()[0].remaining == 10 * MINUTE


async def test_a_correction_takes_the_first_timer_back(ask: Ask, scheduler: Scheduler) -> None:
    _, outcome = await ask("timer.start", duration=10 * MINUTE)
    assert outcome.undo is not None
    await outcome.undo()
    await ask("timer.start", duration=15 * MINUTE)
    assert [timer.duration for timer in scheduler.timers()] == [15 * MINUTE]


async def test_cancelling_a_timer_that_rings_silences_it(ask: Ask, clock: ManualClock, scheduler: Scheduler) -> None:
    await ask("timer.start", duration=MINUTE)
    clock.advance(60)
    assert scheduler.due()
    _, outcome = await ask("timer.cancel", "stop the timer")
    assert not outcome.failed
    assert scheduler.ringing() == []


@pytest.mark.parametrize(
    ("duration", "reply"),
    [(timedelta(0), "too_short"), (timedelta(hours=25), "too_long")],
)
async def test_impossible_durations(ask: Ask, scheduler: Scheduler, duration: timedelta, reply: str) -> None:
    _, outcome = await ask("timer.start", duration=duration)
    assert (outcome.reply, outcome.failed) == (reply, True)
    assert scheduler.timers() == []


async def test_not_more_than_anyone_means(ask: Ask, scheduler: Scheduler) -> None:
    for _ in range(25):
        _, outcome = await ask("timer.start", duration=MINUTE)
    assert outcome.reply == "too_many"
    assert len(scheduler.timers()) == 20


async def test_nothing_there(ask: Ask) -> None:
    for intent in ("query", "cancel", "pause", "resume"):
        _, outcome = await ask(f"timer.{intent}")
        assert outcome.reply == "none"
