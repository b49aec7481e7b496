"""Reminders: at a time, on a day, or repeating."""

from __future__ import annotations

from collections.abc import Sequence

from device.nlu.types import DateValue, Moment, Recurrence
from device.skills.api import Change, Outcome, Question, Request, Services
from device.skills.common import closest, failure, one_of, says, to_you, unknown_intent, wants_all
from device.skills.occasions import clock_time, day, first_time, is_past, matching, on_day, rule, summary
from device.skills.schedule import Scheduler
from device.store.occasions import Occasion


class ReminderSkill:
    """See the pack `reminder`."""

    name = "reminder"

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        match request.intent:
            case "set":
                return self._set(request)
            case "query":
                return self._query(request)
            case "cancel":
                return self._cancel(request)
        raise unknown_intent(self.name, request)

    def _set(self, request: Request) -> Outcome:
        message = to_you(request.words("message"))
        if not message:
            return Outcome(question=Question("message", "ask_message"))
        at = first_time(request)
        if at is None:
            return Outcome(question=Question("time", "ask_time"))
        if is_past(at, request):
            return failure("past")
        repeat = rule(request)
        reminder = self._scheduler.add("reminder", at, repeat, message)
        values: dict[str, object] = {"message": message, "time": clock_time(at), "date": day(at)}
        key, moment = "done", request.value("time")
        if repeat:
            key, values["recurrence"] = "recurring", Recurrence(repeat)
        elif isinstance(moment, Moment):
            key, values["duration"] = "soon", moment.offset

        async def undo() -> None:
            self._scheduler.cancel(reminder)

        return Outcome(key, values, (self._change("set", reminder),), undo=undo)

    def _query(self, request: Request) -> Outcome:
        reminders = self._scheduler.occasions("reminder")
        if not reminders:
            return Outcome("none")
        found = self._called(reminders, request)
        if not found:
            span = request.value("date")
            if isinstance(span, DateValue):
                return Outcome("none_on", {"date": on_day(span.start, request.now)})
            return failure("no_such")
        if says(request, "next"):
            found = found[:1]
        values = {"count": len(found), "reminders": tuple(summary(r, request.now) for r in found)}
        return Outcome("one" if len(found) == 1 else "several", values)

    def _cancel(self, request: Request) -> Outcome:
        reminders = self._scheduler.occasions("reminder")
        if not reminders:
            return failure("none")
        found = self._called(reminders, request)
        if says(request, "next", "last") and found:
            found = found[:1] if says(request, "next") else [max(found, key=lambda r: r.id)]
        if not found:
            return failure("no_such")
        if len(found) > 1 and not wants_all(request, "reminders"):
            names = tuple(reminder.text for reminder in found)
            return Outcome(question=Question("message", "which", {"reminders": one_of(names)}, names))
        for reminder in found:
            self._scheduler.cancel(reminder)

        async def undo() -> None:
            for reminder in found:
                self._scheduler.add("reminder", reminder.at, reminder.rrule, reminder.text)

        changes = tuple(self._change("cancel", reminder) for reminder in found)
        values = {"count": len(found), "message": found[0].text}
        return Outcome("all" if len(found) > 1 else "done", values, changes, undo=undo)

    def _called(self, reminders: Sequence[Occasion], request: Request) -> list[Occasion]:
        """Those that the slots describe."""
        found = matching(reminders, request)
        if said := to_you(request.words("message")):
            position = closest(said, [reminder.text for reminder in found])
            found = [] if position is None else [found[position]]
        return found

    def _change(self, action: str, reminder: Occasion) -> Change:
        set_ = {"at": reminder.at.isoformat(), "rrule": reminder.rrule} if action == "set" else {}
        return Change(self.name, action, reminder.text, set_)


def build(services: Services) -> ReminderSkill:
    """The skill with the schedule."""
    return ReminderSkill(services.scheduler)
