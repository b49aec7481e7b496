"""Alarms and reminders, spoken. The clock says Monday, 4 May 2026, eight in the morning."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta

from device.nlu.types import DateValue, Moment, Recurrence, Slot, TimeOfDay
from device.skills.api import Outcome
from device.skills.schedule import Scheduler
from firmware_sim.manual_clock import ManualClock

Ask = Callable[..., Awaitable[tuple[str, Outcome]]]

SEVEN = TimeOfDay(time(7), ambiguous=True)
HALF_PAST_SIX = TimeOfDay(time(6, 30))
TUESDAY = DateValue(date(2026, 5, 5), date(2026, 5, 5))
WEEKDAYS = Recurrence("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_set_once(ask: Ask, scheduler: Scheduler) -> None:
    reply, outcome = await ask("alarm.set", time=SEVEN)
    assert reply == "Alarm set for 7 PM today."
    assert scheduler.occasions("alarm")[0].at == at("2026-05-04T19:00")
    reply, _ = await ask("alarm.set", time=HALF_PAST_SIX, date=TUESDAY)
    assert reply == "Alarm set for 6:30 AM tomorrow."
    assert outcome.changes[0].set == {"at": "2026-05-04T19:00:00", "rrule": ""}


async def test_set_repeating(ask: Ask, scheduler: Scheduler) -> None:
    reply, _ = await ask("alarm.set", time=HALF_PAST_SIX, recurrence=WEEKDAYS)
    assert reply == "Alarm set for 6:30 AM every weekday."
    assert scheduler.occasions("alarm")[0].at == at("2026-05-05T06:30")


async def test_the_same_alarm_twice_is_one(ask: Ask, scheduler: Scheduler) -> None:
    await ask("alarm.set", time=SEVEN)
    await ask("alarm.set", time=SEVEN)
    assert len(scheduler.occasions("alarm")) == 1


async def test_the_past_is_refused(ask: Ask, scheduler: Scheduler) -> None:
    yesterday = DateValue(date(2026, 5, 3), date(2026, 5, 3))
    _, outcome = await ask("alarm.set", time=SEVEN, date=yesterday)
    assert (outcome.reply, outcome.failed) == ("past", True)
    assert scheduler.occasions("alarm") == []


async def test_query(ask: Ask) -> None:
    assert (await ask("alarm.query"))[1].reply == "none"
    await ask("alarm.set", time=SEVEN, date=TUESDAY)
    assert "7 AM tomorrow" in (await ask("alarm.query"))[0]
    await ask("alarm.set", time=HALF_PAST_SIX, recurrence=WEEKDAYS)
    reply, _ = await ask("alarm.query", "what alarms do i have")
    assert reply == "You have 2 alarms: 6:30 AM every weekday and 7 AM tomorrow."
    assert (await ask("alarm.query", "when is my next alarm"))[0] == "Your next alarm is at 6:30 AM tomorrow."
    saturday = DateValue(date(2026, 5, 9), date(2026, 5, 9))
    friday = DateValue(date(2026, 5, 8), date(2026, 5, 8))
    assert (await ask("alarm.query", "", date=saturday))[1].reply == "no_such"
    assert (await ask("alarm.query", "", date=friday))[1].reply == "repeating"


async def test_cancel_by_time_by_name_or_all(ask: Ask, scheduler: Scheduler) -> None:
    await ask("alarm.set", time=SEVEN, date=TUESDAY)
    await ask("alarm.set", time=HALF_PAST_SIX, recurrence=WEEKDAYS)
    await ask("alarm.set", time=TimeOfDay(time(22)), name="medicine")
    reply, _ = await ask("alarm.cancel", "cancel the seven o'clock alarm", time=SEVEN)
    assert "7 AM" in reply
    await ask("alarm.cancel", "cancel the medicine alarm", name="medicine")
    assert [alarm.rrule for alarm in scheduler.occasions("alarm")] == [WEEKDAYS.rrule]
    await ask("alarm.set", time=SEVEN)
    _, outcome = await ask("alarm.cancel", "cancel all alarms")
    assert (outcome.reply, scheduler.occasions("alarm")) == ("all", [])
    assert outcome.undo is not None
    await outcome.undo()
    assert len(scheduler.occasions("alarm")) == 2


async def test_which_alarm(ask: Ask, scheduler: Scheduler) -> None:
    await ask("alarm.set", time=SEVEN)
    await ask("alarm.set", time=HALF_PAST_SIX, recurrence=WEEKDAYS)
    _, outcome = await ask("alarm.cancel", "cancel the alarm")
    assert outcome.question is not None
    chosen = outcome.question.options[1]
    await ask("alarm.cancel", "cancel the alarm", name=chosen)
    (left,) = scheduler.occasions("alarm")
    assert left.at == at("2026-05-04T19:00")


async def test_snooze_and_stop(ask: Ask, scheduler: Scheduler, clock: ManualClock) -> None:
    assert (await ask("alarm.snooze"))[1].failed
    await ask("alarm.set", time=Moment(timedelta(minutes=5)))
    clock.advance(300)
    assert scheduler.due()
    reply, _ = await ask("alarm.snooze")
    assert "ten minutes" in reply
    clock.advance(600)
    assert scheduler.due()
    await ask("alarm.snooze", duration=timedelta(minutes=3))
    clock.advance(180)
    assert scheduler.due()
    assert not (await ask("alarm.stop"))[1].failed
    assert (await ask("alarm.stop"))[1].failed


async def test_remind(ask: Ask, scheduler: Scheduler, clock: ManualClock) -> None:
    reply, _ = await ask("reminder.set", message="call my mum", time=HALF_PAST_SIX, date=TUESDAY)
    assert "6:30 AM tomorrow: call your mum" in reply
    reply, _ = await ask("reminder.set", message="check the oven", time=Moment(timedelta(minutes=10)))
    assert "in ten minutes" in reply
    clock.advance(600)
    (ring,) = scheduler.due()
    assert (ring.kind, ring.message) == ("reminder", "check the oven")


async def test_asked_about_and_cancelled(ask: Ask, scheduler: Scheduler) -> None:
    await ask("reminder.set", message="call the dentist", time=HALF_PAST_SIX, date=TUESDAY)
    await ask("reminder.set", message="water the plants", time=HALF_PAST_SIX, recurrence=WEEKDAYS)
    reply, _ = await ask("reminder.query", "what are my reminders")
    assert "call the dentist, 6:30 AM tomorrow" in reply
    assert "water the plants, 6:30 AM every weekday" in reply
    friday = DateValue(date(2026, 5, 8), date(2026, 5, 8))
    assert "water the plants" in (await ask("reminder.query", date=friday))[0]
    sunday = DateValue(date(2026, 5, 10), date(2026, 5, 10))
    assert (await ask("reminder.query", date=sunday))[0] == "You have no reminders for Sunday."
    await ask("reminder.cancel", message=Slot("call the dentist"))
    assert [r.text for r in scheduler.occasions("reminder")] == ["water the plants"]
    _, outcome = await ask("reminder.cancel", message="feed the cat")
    assert outcome.reply == "no_such"
    _, outcome = await ask("reminder.cancel", "delete all reminders")
    assert scheduler.occasions("reminder") == []
