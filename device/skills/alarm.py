"""Alarms: once or repeating, snoozed or stopped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from device.nlu.types import Recurrence
from device.skills.api import Change, Outcome, Question, Request, Services
from device.skills.common import closest, failure, named, one_of, says, text_of, unknown_intent, wants_all
from device.skills.occasions import clock_time, day, first_time, is_past, matching, rule, summary
from device.skills.schedule import Scheduler
from device.store.occasions import Occasion

SNOOZE: Final = timedelta(minutes=10)
LONGEST_SNOOZE: Final = timedelta(hours=2)


class AlarmSkill:
    """See the pack `alarm`."""

    name = "alarm"

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
            case "snooze":
                return self._snooze(request)
            case "stop":
                return self._stop()
        raise unknown_intent(self.name, request)

    def _set(self, request: Request) -> Outcome:
        at = first_time(request)
        if at is None:
            return Outcome(question=Question("time", "ask_time"))
        if is_past(at, request):
            return failure("past")
        label, repeat = text_of(request, "name"), rule(request)
        values: dict[str, object] = {"time": clock_time(at), "date": day(at), "name": label}
        key = "named" if label else "done"
        if repeat:
            key, values["recurrence"] = "recurring", Recurrence(repeat)
        same = [a for a in self._scheduler.occasions("alarm") if (a.at, a.rrule) == (at.replace(tzinfo=None), repeat)]
        alarm = same[0] if same else self._scheduler.add("alarm", at, repeat, label)

        async def undo() -> None:
            if not same:
                self._scheduler.cancel(alarm)

        mentioned = {"name": named(label)} if label else {}
        return Outcome(key, values, (self._change("set", alarm),), mentioned=mentioned, undo=undo)

    def _query(self, request: Request) -> Outcome:
        alarms = self._scheduler.occasions("alarm")
        if not alarms:
            return Outcome("none")
        found = self._called(alarms, request)
        if not found:
            return Outcome("no_such")
        if says(request, "next") or len(found) == 1:
            first = found[0]
            values = {"time": clock_time(first.at), "date": day(first.at), "alarms": summary(first, request.now)}
            key = "next" if says(request, "next") else "repeating" if first.rrule else "one"
            return Outcome(key, values)
        return Outcome("several", {"count": len(found), "alarms": tuple(summary(a, request.now) for a in found)})

    def _cancel(self, request: Request) -> Outcome:
        alarms = self._scheduler.occasions("alarm")
        if not alarms:
            silenced = [*self._scheduler.stop_ringing(), *self._scheduler.cancel_snoozed()]
            return Outcome("stopped", changes=(Change(self.name, "stop"),)) if silenced else failure("none")
        found = self._called(alarms, request)
        if says(request, "next") and found:
            found = found[:1]
        if not found:
            return failure("no_such")
        if len(found) > 1 and not wants_all(request, "alarms"):
            names = tuple(summary(alarm, request.now) for alarm in found)
            return Outcome(question=Question("name", "which", {"alarms": one_of(names)}, names))
        for alarm in found:
            self._scheduler.cancel(alarm)

        async def undo() -> None:
            for alarm in found:
                self._scheduler.add("alarm", alarm.at, alarm.rrule, alarm.text)

        changes = tuple(self._change("cancel", alarm) for alarm in found)
        values = {"count": len(found), "time": clock_time(found[0].at)}
        return Outcome("all" if len(found) > 1 else "done", values, changes, undo=undo)

    def _snooze(self, request: Request) -> Outcome:
        said = request.value("duration")
        duration = min(said, LONGEST_SNOOZE) if isinstance(said, timedelta) and said else SNOOZE
        put_off = self._scheduler.snooze(duration / timedelta(minutes=1))
        if not put_off:
            return failure("none")
        change = Change(self.name, "snooze", "alarm", {"until": put_off[0].due.isoformat(timespec="seconds")})
        return Outcome("done", {"duration": duration}, (change,))

    def _stop(self) -> Outcome:
        stopped = self._scheduler.stop_ringing()
        if not stopped:
            return failure("none")
        return Outcome("done", changes=tuple(Change(self.name, "stop", f"{r.kind} {r.label}".strip()) for r in stopped))

    def _called(self, alarms: Sequence[Occasion], request: Request) -> list[Occasion]:
        """Those that the slots describe; a name may also be the answer to "which one?"."""
        found = matching(alarms, request)
        if said := text_of(request, "name"):
            position = closest(said, [a.text or summary(a, request.now) for a in found])
            if position is None:
                position = closest(said, [summary(a, request.now) for a in found])
            found = [] if position is None else [found[position]]
        return found

    def _change(self, action: str, alarm: Occasion) -> Change:
        set_ = {"at": alarm.at.isoformat(), "rrule": alarm.rrule} if action == "set" else {}
        return Change(self.name, action, alarm.text or f"alarm {alarm.id}", set_)


def build(services: Services) -> AlarmSkill:
    """The skill with the schedule."""
    return AlarmSkill(services.scheduler)
