"""Appointments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from device.dialogue.spoken import say
from device.nlu.resolve.when import next_occurrence
from device.nlu.types import DateValue, Moment, Recurrence, TimeOfDay
from device.skills.api import Change, Outcome, Question, Request, Services
from device.skills.common import closest, failure, one_of, says, text_of, to_you, unknown_intent, wants_all
from device.skills.occasions import clock_time, on_day, same_time
from device.store.calendar import Calendar, Event


class CalendarSkill:
    """See the pack `calendar`."""

    name = "calendar"

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        match request.intent:
            case "add":
                return self._add(request)
            case "query":
                return self._query(request)
            case "remove":
                return self._remove(request)
        raise unknown_intent(self.name, request)

    def _add(self, request: Request) -> Outcome:
        message = _title(request)
        if not message:
            return Outcome(question=Question("message", "ask_message"))
        clock, day, rule = request.value("time"), request.value("date"), request.value("recurrence")
        at = next_occurrence(
            clock if isinstance(clock, TimeOfDay | Moment) else None,
            day if isinstance(day, DateValue | Moment) else DateValue(request.now.date(), request.now.date()),
            rule if isinstance(rule, Recurrence) else None,
            request.now,
        ).replace(tzinfo=None)
        timed = isinstance(clock, TimeOfDay | Moment) or (isinstance(rule, Recurrence) and rule.time is not None)
        if not timed:
            at = datetime.combine(at.date(), time.min)
        rrule = rule.rrule if isinstance(rule, Recurrence) else ""
        event = self._calendar.add(message, at, all_day=not timed, rrule=rrule)

        async def undo() -> None:
            self._calendar.remove(event.id)

        values = {"message": message, "date": on_day(at.date(), request.now), "time": clock_time(at)}
        return Outcome("timed" if timed else "done", values, (self._change("add", event),), undo=undo)

    def _query(self, request: Request) -> Outcome:
        upcoming = self._calendar.after(request.now)
        if not upcoming:
            return Outcome("empty")
        wanted, span = _wanted(request), _span(request)
        if wanted or says(request, "next"):
            found = _called(upcoming, wanted) if wanted else upcoming[:1]
            if not found:
                return Outcome("no_such")
            when = say(found[0].at.date(), request.now)
            if not found[0].all_day:
                when += f" at {say(clock_time(found[0].at))}"
            return Outcome("next", {"message": found[0].title, "date": when})
        span = span or DateValue(request.now.date(), request.now.date())
        found = _at_time(self._calendar.between(span.start, span.end), request)
        spoken_span = _say_span(span, request.now)
        if not found:
            return Outcome("none", {"date": spoken_span})
        events = tuple(_summary(event, span, request.now) for event in found)
        values = {"date": spoken_span, "events": events, "count": len(found)}
        return Outcome("one" if len(found) == 1 else "several", values)

    def _remove(self, request: Request) -> Outcome:
        span, wanted = _span(request), _wanted(request)
        events = self._calendar.between(span.start, span.end) if span else self._calendar.after(request.now)
        if not events:
            return failure("none")
        found = _at_time(events, request)
        if wanted:
            found = _called(found, wanted)
        elif says(request, "next"):
            found = found[:1]
        if not found:
            return failure("no_such")
        unique = list({event.id: event for event in found}.values())
        if len(unique) > 1 and not wants_all(request, "appointments", "events", "meetings"):
            names = tuple(dict.fromkeys(event.title for event in unique))
            return Outcome(question=Question("message", "which", {"events": one_of(names)}, names))
        for event in unique:
            self._calendar.remove(event.id)

        async def undo() -> None:
            for event in unique:
                self._calendar.add(event.title, event.first, all_day=event.all_day, rrule=event.rrule)

        changes = tuple(self._change("remove", event) for event in unique)
        values = {"message": unique[0].title, "count": len(unique)}
        return Outcome("all" if len(unique) > 1 else "done", values, changes, undo=undo)

    def _change(self, action: str, event: Event) -> Change:
        set_ = {"at": event.at.isoformat(), "rrule": event.rrule} if action == "add" else {}
        return Change(self.name, action, event.title, set_)


def _title(request: Request) -> str:
    """What it is called, with whom and where."""
    title = to_you(request.words("message"))
    for slot, joint in (("person", "with"), ("place", "at")):
        if title and (said := text_of(request, slot)) and said not in title:
            title += f" {joint} {said}"
    return title


def _wanted(request: Request) -> str:
    return to_you(request.words("message")) or text_of(request, "person")


def _span(request: Request) -> DateValue | None:
    value = request.value("date")
    if isinstance(value, Moment):
        soon = (request.now + value.offset).date()
        return DateValue(soon, soon)
    return value if isinstance(value, DateValue) else None


def _called(events: Sequence[Event], wanted: str) -> list[Event]:
    """The events whose title is nearest to what was said."""
    position = closest(wanted, [event.title for event in events])
    if position is None:
        return []
    return [event for event in events if event.title == events[position].title]


def _at_time(events: Sequence[Event], request: Request) -> list[Event]:
    clock = request.value("time")
    if not isinstance(clock, TimeOfDay):
        return list(events)
    return [event for event in events if not event.all_day and same_time(event.at.time(), clock)]


def _summary(event: Event, span: DateValue, now: datetime) -> str:
    parts = [event.title]
    if span.start != span.end:
        parts.append(say(event.at.date(), now))
    if not event.all_day:
        parts.append(f"at {say(clock_time(event.at))}")
    return " ".join(parts)


def _say_span(span: DateValue, now: datetime) -> str:
    if span.start == span.end:
        return on_day(span.start, now)
    last: date = min(span.end, span.start + timedelta(days=366))
    return say(DateValue(span.start, last), now).removeprefix("from ")


def build(services: Services) -> CalendarSkill:
    """The skill with the stored appointments."""
    return CalendarSkill(Calendar(services.database))
