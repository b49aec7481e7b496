"""What the alarm, reminder and calendar skills share: from slots to a time, and from stored times to words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from device.dialogue.spoken import say
from device.nlu.resolve.when import localize, next_occurrence, occurrences
from device.nlu.types import DateValue, Moment, Recurrence, TimeOfDay
from device.skills.api import Request
from device.store.occasions import Occasion

LATENESS: Final = timedelta(minutes=1)
"""A time that was said may have passed by so much while it was being said."""


def first_time(request: Request) -> datetime | None:
    """The first time that the slots `time`, `date` and `recurrence` mean together, aware; None if they hold none."""
    clock, day, rule = request.value("time"), request.value("date"), request.value("recurrence")
    moment = clock if isinstance(clock, TimeOfDay | Moment) else None
    when = day if isinstance(day, DateValue | Moment) else None
    repeat = rule if isinstance(rule, Recurrence) else None
    if moment is None and when is None and repeat is None:
        return None
    return next_occurrence(moment, when, repeat, request.now)


def rule(request: Request) -> str:
    """The repetition that was said, "" for once."""
    value = request.value("recurrence")
    return value.rrule if isinstance(value, Recurrence) else ""


def is_past(at: datetime, request: Request) -> bool:
    """True if the time has passed already."""
    return at < request.now - LATENESS


def clock_time(at: datetime) -> TimeOfDay:
    """The time of day, to be spoken without seconds."""
    return TimeOfDay(time(at.hour, at.minute))


def day(at: datetime) -> DateValue:
    """The day, to be spoken."""
    return DateValue(at.date(), at.date())


def on_day(at: date, now: datetime) -> str:
    """A day as it stands after "for" and "until": "tomorrow", "Friday", "May third"."""
    return say(at, now).removeprefix("on ")


def summary(occasion: Occasion, now: datetime) -> str:
    """Such as "7 AM tomorrow" or "6:30 AM every weekday", with the alarm's name if it has one."""
    when = say(Recurrence(occasion.rrule), now) if occasion.rrule else say(day(occasion.at), now)
    said = f"{say(clock_time(occasion.at), now)} {when}"
    return f"{occasion.text}, {said}" if occasion.text else said


def matching(occasions: Sequence[Occasion], request: Request) -> list[Occasion]:
    """Those that fit the slots `time`, `date` and `recurrence`, as far as they are filled."""
    clock, span, repeat = request.value("time"), request.value("date"), request.value("recurrence")
    found = list(occasions)
    if isinstance(clock, TimeOfDay):
        found = [o for o in found if same_time(o.at.time(), clock)]
    if isinstance(span, Moment):
        soon = (request.now + span.offset).date()
        span = DateValue(soon, soon)
    if isinstance(span, DateValue):
        found = [o for o in found if falls_on(o, span, request.now)]
    if isinstance(repeat, Recurrence):
        found = [o for o in found if o.rrule == repeat.rrule]
    return found


def same_time(at: time, said: TimeOfDay) -> bool:
    """True if this time was meant; "seven" means both sevens."""
    hours = {said.time.hour, (said.time.hour + 12) % 24} if said.ambiguous else {said.time.hour}
    return at.hour in hours and at.minute == said.time.minute


def falls_on(occasion: Occasion, span: DateValue, now: datetime) -> bool:
    """True if it comes on one of these days, now or in a later repetition."""
    if span.start <= occasion.at.date() <= span.end:
        return True
    if not occasion.rrule or occasion.at.date() > span.end:
        return False
    return _next_day(occasion, span.start, now) <= span.end


def _next_day(occasion: Occasion, first: date, now: datetime) -> date:
    assert now.tzinfo is not None
    before = localize(datetime.combine(first, time.min), now.tzinfo) - timedelta(seconds=1)
    following = occurrences(occasion.rrule, localize(occasion.start, now.tzinfo), before)
    return following.date() if following else date.max
