"""The oracle: what a device must hold after all that was confirmed, and what must ring when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final, TypeAlias

from device.events import Rang
from device.store.items import Items
from device.store.rings import RingKind
from firmware_sim.gadget import Gadget
from firmware_sim.scenario.model import Expect, ExpectedTimer

PUNCTUAL: Final = 1.0
"""Seconds by which a ring may be late."""

SNOOZE: Final = timedelta(minutes=10)
"""For how long an alarm is put off unless told otherwise."""

_WEEKDAYS: Final = range(5)


@dataclass(frozen=True, slots=True)
class Listed:
    """From now on an item is on a list, or is not."""

    name: str
    item: str
    there: bool = True


@dataclass(frozen=True, slots=True)
class TimerSet:
    """A timer runs from now on."""

    seconds: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class TimerGone:
    """The timer of this name that was set last runs no more."""

    label: str


@dataclass(frozen=True, slots=True)
class TimersHeld:
    """All timers stand still, or go on."""

    paused: bool


@dataclass(frozen=True, slots=True)
class TimerLonger:
    """The only timer has so much more."""

    seconds: float


@dataclass(frozen=True, slots=True)
class AlarmSet:
    """An alarm rings at a naive local time, or from then on each weekday."""

    at: datetime
    weekdays: bool = False


@dataclass(frozen=True, slots=True)
class AlarmGone:
    """The alarm that rings once at this naive local time is off."""

    at: datetime


@dataclass(frozen=True, slots=True)
class ReminderSet:
    """A reminder is given at a naive local time."""

    at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class RemindersGone:
    """No reminder is set any more."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing rings any more; with `snoozed` it rings again."""

    snoozed: bool = False


@dataclass(frozen=True, slots=True)
class Loudness:
    """The volume."""

    level: int


Effect: TypeAlias = (
    Listed | TimerSet | TimerGone | TimersHeld | TimerLonger | AlarmSet | AlarmGone | ReminderSet | RemindersGone
    | Silence | Loudness
)  # fmt: skip
"""What a confirmed command has changed of what the device keeps."""


@dataclass(frozen=True, slots=True)
class Due:
    """Something that must ring.

    Attributes:
        kind: What.
        at: When, by the device's own wall clock, in Unix seconds.
        text: Label of a timer, message of a reminder.
        weekdays: It comes again on the next weekday.
        snoozed: It has rung before.
        life: In which life of the device it was set.
        held: Seconds that are left of a timer that stands still.
        late: Seconds by which it may be late: the clock was set forward, or nothing could be written.
    """

    kind: RingKind
    at: float
    text: str = ""
    weekdays: bool = False
    snoozed: bool = False
    life: int = 0
    held: float | None = None
    late: float = 0.0


@dataclass(frozen=True, slots=True)
class Rung:
    """Something that rang as it should.

    Attributes:
        due: What.
        late: Seconds after its time.
        missed: It was told of when the power came back, or rings again since.
    """

    due: Due
    late: float
    missed: bool = False


@dataclass(slots=True)
class Ledger:
    """What is kept and due. Copy it with `copy` to try something out.

    Attributes:
        zone: Zone of the household.
        lists: List to its items.
        due: What is to ring.
        ringing: What rings and was not stopped yet.
        volume: The loudness.
    """

    zone: tzinfo
    lists: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"shopping": ()})
    due: tuple[Due, ...] = ()
    ringing: tuple[Due, ...] = ()
    volume: int = 60

    def copy(self) -> Ledger:
        """One that changes apart from this one."""
        return replace(self, lists=dict(self.lists))

    def apply(self, effect: Effect, now: datetime, life: int) -> None:
        """Note what was confirmed at this moment of the device's wall clock."""
        match effect:
            case Listed(name, item, there):
                others = tuple(other for other in self.lists.get(name, ()) if other != item or there)
                self.lists[name] = (*others, item) if there and item not in others else others
            case TimerSet(seconds, label):
                self.due += (Due("timer", now.timestamp() + seconds, label, life=life),)
            case TimerGone(label):
                last = next((d for d in reversed(self.due) if (d.kind, d.text) == ("timer", label)), None)
                self.due = tuple(d for d in self.due if d is not last)
            case TimersHeld(paused):
                self.due = tuple(_held(d, now, life, paused=paused) if d.kind == "timer" else d for d in self.due)
            case TimerLonger(seconds):
                self.due = tuple(replace(d, at=d.at + seconds, life=life) if d.kind == "timer" else d for d in self.due)
            case AlarmSet(at, weekdays):
                alarm = Due("alarm", self._instant(at), weekdays=weekdays, life=life)
                known = [(d.at, d.weekdays) for d in self.due if d.kind == "alarm" and not d.snoozed]
                self.due += () if (alarm.at, weekdays) in known else (alarm,)
            case AlarmGone(at):
                gone = "alarm", self._instant(at), False, False
                self.due = tuple(d for d in self.due if (d.kind, d.at, d.weekdays, d.snoozed) != gone)
            case ReminderSet(at, message):
                self.due += (Due("reminder", self._instant(at), message, life=life),)
            case RemindersGone():
                self.due = tuple(d for d in self.due if d.kind != "reminder" or d.snoozed)
            case Silence(snoozed):
                if snoozed:
                    again = (now + SNOOZE).timestamp()
                    self.due += tuple(Due(d.kind, again, d.text, snoozed=True, life=life) for d in self.ringing)
                self.ringing = ()
            case Loudness(level):
                self.volume = level

    def expected(self, now: datetime) -> Expect:
        """What the device must show of it; `now` by its wall clock."""
        timers = sorted(
            (d for d in self.due if d.kind == "timer" and not d.snoozed),
            key=lambda d: (d.held is not None, _left(d, now)),
        )
        alarms = sorted((d for d in self.due if d.kind == "alarm" and not d.snoozed), key=lambda d: d.at)
        reminders = sorted((d for d in self.due if d.kind == "reminder" and not d.snoozed), key=lambda d: d.at)
        return Expect(
            lists=dict(self.lists),
            timers=tuple(ExpectedTimer(d.text, round(_left(d, now), 1), d.held is not None) for d in timers),
            alarms=tuple(f"{datetime.fromtimestamp(d.at, self.zone):%a %H:%M}".lower() for d in alarms),
            reminders=tuple(d.text for d in reminders),
            ringing=tuple(d.kind for d in self.ringing),
            volume=self.volume,
        )

    def next_due(self) -> Due | None:
        """What rings next."""
        return min((d for d in self.due if d.held is None), key=lambda d: d.at, default=None)

    def rang(self, seen: Rang, now: datetime) -> Rung | None:
        """Note a ring; None if it is one that nobody is waiting for."""
        at = seen.ring.due.timestamp()
        text = seen.ring.message or seen.ring.label
        for due in self.due:
            if (due.kind, due.text) == (seen.ring.kind, text) and abs(due.at - at) <= PUNCTUAL and due.held is None:
                self._begin(due, now)
                return Rung(due, now.timestamp() - due.at, seen.ring.missed)
        for due in self.ringing:
            if (due.kind, due.text) == (seen.ring.kind, text) and abs(due.at - at) <= PUNCTUAL:
                return Rung(due, 0.0, missed=True)
        return None

    def overdue(self, now: datetime) -> list[Due]:
        """What should have rung by now and did not; it is not waited for any more."""
        lost = [d for d in self.due if d.held is None and now.timestamp() > d.at + PUNCTUAL + d.late]
        for due in lost:
            self._begin(due, now)
        self.ringing = tuple(d for d in self.ringing if d not in lost)
        return lost

    def stepped(self, seconds: float, life: int) -> None:
        """The wall clock was set: what counts by monotonic time moves along, and the rest may be looked at late."""
        own = {d for d in self.due if d.life == life and d.held is None and (d.kind == "timer" or d.snoozed)}
        self.due = tuple(
            replace(d, at=d.at + seconds) if d in own else replace(d, late=d.late + max(seconds, 0.0)) for d in self.due
        )

    def excuse(self, until: float) -> None:
        """Nothing can be written up to this moment, so nothing can begin to ring."""
        self.due = tuple(replace(d, late=max(d.late, until - d.at)) for d in self.due)

    def adopt(self, gadget: Gadget, life: int) -> None:
        """Take over what the device holds, after it has done something else than what was wanted."""
        brain = gadget.brain
        items, scheduler = Items(brain.database), brain.scheduler
        self.lists = {name: tuple(items.items(name)) for name in {*self.lists, *items.lists()}}
        self.volume = brain.volume.level()
        now = brain.clock.now().timestamp()
        due = []
        for timer in scheduler.timers():
            left = timer.remaining.total_seconds()
            due.append(Due("timer", now + left, timer.label, life=life, held=left if timer.paused else None))
        for occasion in (*scheduler.occasions("alarm"), *scheduler.occasions("reminder")):
            at = self._instant(occasion.at)
            due.append(Due(occasion.kind, at, occasion.text, bool(occasion.rrule), life=life))
        for ring in scheduler.snoozed():
            text = ring.message or ring.label
            due.append(Due(ring.kind, ring.due.timestamp(), text, snoozed=True, life=life))
        self.due = tuple(due)
        self.ringing = tuple(Due(r.kind, r.due.timestamp(), r.message or r.label) for r in scheduler.ringing())

    def _begin(self, due: Due, now: datetime) -> None:
        self.due = tuple(d for d in self.due if d is not due)
        self.ringing += (due,)
        if due.weekdays:
            at = datetime.fromtimestamp(due.at, self.zone).replace(tzinfo=None)
            while True:
                at += timedelta(days=1)
                if at.weekday() in _WEEKDAYS and self._instant(at) > now.timestamp():
                    break
            self.due += (replace(due, at=self._instant(at), late=0.0),)

    def _instant(self, at: datetime) -> float:
        """Unix seconds of a naive local time; one that summer time skips comes later by the gap."""
        return at.replace(tzinfo=self.zone).timestamp()


def texts(dues: Sequence[Due]) -> str:
    """For people."""
    return ", ".join(f"{due.kind} {due.text}".strip() for due in dues)


def _left(due: Due, now: datetime) -> float:
    return due.held if due.held is not None else max(due.at - now.timestamp(), 0.0)


def _held(due: Due, now: datetime, life: int, *, paused: bool) -> Due:
    if paused == (due.held is not None):
        return due
    if paused:
        return replace(due, held=_left(due, now))
    return replace(due, at=now.timestamp() + _left(due, now), held=None, life=life)
