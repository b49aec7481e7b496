"""Countdown timers: several at once, with names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from device.dialogue.spoken import remaining, say
from device.nlu.types import Slot
from device.skills.api import Change, Outcome, Question, Request, Services
from device.skills.common import closest, failure, named, one_of, text_of, unknown_intent, wants_all
from device.skills.schedule import Scheduler, Timer

SHORTEST: Final = timedelta(seconds=1)
LONGEST: Final = timedelta(hours=24)
MOST: Final = 20
"""Beyond these nobody means a timer; they also keep a misheard number from filling the store."""


class TimerSkill:
    """See the pack `timer`."""

    name = "timer"

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        match request.intent:
            case "start":
                return self._start(request)
            case "query":
                return self._query(request)
            case "cancel":
                return self._cancel(request)
            case "pause" | "resume":
                return self._hold(request, pause=request.intent == "pause")
            case "extend":
                return self._extend(request)
        raise unknown_intent(self.name, request)

    def _start(self, request: Request) -> Outcome:
        duration = request.value("duration")
        if not isinstance(duration, timedelta):
            return Outcome(question=Question("duration", "ask_duration"))
        if duration < SHORTEST:
            return failure("too_short")
        if duration > LONGEST:
            return failure("too_long")
        count = len(self._scheduler.timers())
        if count >= MOST:
            return failure("too_many", {"count": count})
        label = text_of(request, "name")
        timer = self._scheduler.start_timer(duration, label)

        async def undo() -> None:
            self._scheduler.cancel_timer(timer)

        return replace(self._done(request, timer, {"duration": duration, "name": label}), undo=undo)

    def _query(self, request: Request) -> Outcome:
        timers = self._scheduler.timers()
        if not timers:
            return Outcome("none")
        found = self._called(timers, request)
        if not found:
            return failure("no_such", {"name": text_of(request, "name")})
        if len(found) > 1:
            return Outcome("several", {"count": len(found), "timers": tuple(map(_summary, found))})
        timer = found[0]
        values = {"remaining": remaining(timer.remaining), "name": timer.label}
        key = "paused" if timer.paused else "one_named" if timer.label else "one"
        return Outcome(key, values, mentioned=_mention(timer))

    def _cancel(self, request: Request) -> Outcome:
        timers = self._scheduler.timers()
        everyone = wants_all(request, "timers")
        duration = request.value("duration")
        rings = [ring.label for ring in self._scheduler.ringing() if ring.kind == "timer"]
        name = text_of(request, "name")
        # One that rings is meant before any that runs; by its name, if that was said.
        meant = closest(name, rings) is not None if name else bool(rings) and duration is None
        if not timers or (meant and not everyone):
            return self._silence(request)
        if meant:
            self._scheduler.stop_ringing()
        if isinstance(duration, timedelta):
            timers = [timer for timer in timers if timer.duration == duration]
        found = self._called(timers, request)
        if not found:
            return failure("no_such", {"name": text_of(request, "name") or request.words("duration")})
        if len(found) > 1 and not everyone:
            return _which(found)
        for timer in found:
            self._scheduler.cancel_timer(timer)

        async def undo() -> None:
            for timer in found:
                again = self._scheduler.start_timer(timer.remaining, timer.label)
                if timer.paused:
                    self._scheduler.pause_timer(again)

        if len(found) == 1:
            return replace(self._done(request, found[0], {"name": found[0].label}), undo=undo)
        changes = tuple(self._change(request, timer) for timer in found)
        return Outcome("all", {"count": len(found)}, changes, undo=undo)

    def _silence(self, request: Request) -> Outcome:
        """Cancelling while a timer rings means the ringing, whatever else runs."""
        rings = self._scheduler.stop_ringing()
        if not rings:
            return failure("none")
        return Outcome(
            "done", changes=tuple(Change(self.name, "stop", f"timer {ring.label}".strip()) for ring in rings)
        )

    def _hold(self, request: Request, *, pause: bool) -> Outcome:
        timers = [timer for timer in self._scheduler.timers() if timer.paused != pause]
        others = len(self._scheduler.timers()) - len(timers)
        if not timers:
            return Outcome("already") if others else failure("none")
        found = self._called(timers, request)
        if not found:
            return failure("no_such", {"name": text_of(request, "name")})
        if len(found) > 1 and not wants_all(request, "timers"):
            return _which(found)
        for timer in found:
            (self._scheduler.pause_timer if pause else self._scheduler.resume_timer)(timer)
        if len(found) > 1:
            return Outcome("all", {"count": len(found)}, tuple(self._change(request, timer) for timer in found))
        values = {"name": found[0].label, "remaining": remaining(found[0].remaining)}
        return self._done(request, found[0], values)

    def _extend(self, request: Request) -> Outcome:
        duration = request.value("duration")
        if not isinstance(duration, timedelta):
            return Outcome(question=Question("duration", "ask_duration"))
        timers = self._scheduler.timers()
        if not timers:
            return failure("none")
        found = self._called(timers, request)
        if not found:
            return failure("no_such", {"name": text_of(request, "name")})
        if len(found) > 1:
            return _which(found)
        longer = self._scheduler.extend_timer(found[0], duration)

        async def undo() -> None:
            self._scheduler.extend_timer(longer, -duration)

        values = {"duration": duration, "remaining": remaining(longer.remaining), "name": longer.label}
        return replace(self._done(request, longer, values), undo=undo)

    def _called(self, timers: Sequence[Timer], request: Request) -> list[Timer]:
        """Timers of the name that was said; all if none was."""
        said = text_of(request, "name")
        if not said:
            return list(timers)
        position = closest(said, [_name(timer) for timer in timers])
        return [] if position is None else [timers[position]]

    def _done(self, request: Request, timer: Timer, values: Mapping[str, object]) -> Outcome:
        key = "named" if timer.label else "done"
        return Outcome(key, values, (self._change(request, timer),), mentioned=_mention(timer))

    def _change(self, request: Request, timer: Timer) -> Change:
        seconds = round(timer.remaining.total_seconds())
        set_ = {} if request.intent == "cancel" else {"remaining_s": seconds}
        return Change(self.name, request.intent, f"timer {timer.label or timer.id}", set_)


def _which(timers: Sequence[Timer]) -> Outcome:
    names = tuple(_name(timer) for timer in timers)
    return Outcome(question=Question("name", "which", {"timers": one_of(names)}, names))


def _name(timer: Timer) -> str:
    """What to call it: its name, or the time that it was set for."""
    return timer.label or say(timer.duration)


def _summary(timer: Timer) -> str:
    state = "paused at" if timer.paused else "with"
    return f"{timer.label or 'one'} {state} {remaining(timer.remaining)} left"


def _mention(timer: Timer) -> Mapping[str, Slot]:
    return {"name": named(timer.label)} if timer.label else {}


def build(services: Services) -> TimerSkill:
    """The skill with the schedule."""
    return TimerSkill(services.scheduler)
