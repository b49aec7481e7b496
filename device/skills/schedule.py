"""What is to ring and when: timers, alarms and reminders, on the disk before anything is confirmed or heard.

Alarms and reminders go by wall time, naive: seven in the morning stays seven across daylight saving. A
timer counts by monotonic time within the run in which it was started, whatever happens to the wall clock, and
by wall time across restarts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from device.clock import Clock
from device.errors import StorageError
from device.nlu.resolve.when import occurrences
from device.nlu.types import TimeOfDay
from device.skills.unwritten import Begun, Source, Unwritten
from device.store.database import Database
from device.store.occasions import Occasion, OccasionKind, Occasions
from device.store.rings import RingKind, RingRow, Rings
from device.store.timers import TimerRow, Timers

GRACE: Final = timedelta(seconds=30)
"""Ringing later than this counts as missed: the device was off or held up."""

_STEP: Final = 0.5
"""Seconds between wall and monotonic time that count as a step of the wall clock, not as its drift."""

_STEP_BACK: Final = -300.0
"""A larger step back brings recurrences of that time again; a smaller one must not ring twice."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer that has not rung yet."""

    id: int
    label: str
    duration: timedelta
    remaining: timedelta
    paused: bool


@dataclass(frozen=True, slots=True)
class Ring:
    """Something that rings now, or is snoozed until `due`.

    Attributes:
        kind: What rings.
        id: Unique among all rings.
        label: Name of the timer or alarm, or "".
        message: What the reminder says, or "".
        missed: It should have rung more than `GRACE` before the device noticed.
        due: When it was to ring; aware.
        trouble: Why it could not be written down that it rings; it is due again after a restart.
    """

    kind: RingKind
    id: int
    label: str
    message: str
    missed: bool
    due: datetime
    trouble: StorageError | None = None


class Scheduler:
    """Holds timers, alarms and reminders. One instance a process, on the thread of the database.

    Every method that changes something has committed it when it returns; only `due` lets things ring that can't be
    written down.

    Raises:
        StorageError: From any method, if the database can't be read or written; nothing was changed then.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._timers = Timers(database)
        self._occasions = Occasions(database)
        self._rings = Rings(database)
        self._offset = clock.now().timestamp() - clock.monotonic()
        self._own_timers: set[int] = set()
        self._own_snoozes: set[int] = set()
        self._announced: dict[int, Ring] = {}
        self._unwritten = Unwritten()
        self._silenced: set[int] = set()

    def timers(self) -> list[Timer]:
        """Timers that have not rung, the next to end first, paused ones last."""
        now = self._now().timestamp()
        timers = [_timer(row, now) for row in self._timer_rows()]
        return sorted(timers, key=lambda timer: (timer.paused, timer.remaining))

    def start_timer(self, duration: timedelta, label: str = "") -> Timer:
        """Set a timer that begins to count at once."""
        seconds = duration.total_seconds()
        timer_id = self._timers.add(label, seconds, self._now().timestamp() + seconds)
        self._own_timers.add(timer_id)
        return Timer(timer_id, label, duration, duration, paused=False)

    def pause_timer(self, timer: Timer) -> None:
        """Stop counting."""
        self._put(timer, timer.remaining, paused=True)

    def resume_timer(self, timer: Timer) -> None:
        """Go on counting."""
        self._put(timer, timer.remaining, paused=False)

    def extend_timer(self, timer: Timer, by: timedelta) -> Timer:
        """Add time, or take some away when negative."""
        longer = replace(timer, duration=timer.duration + by, remaining=max(timer.remaining + by, timedelta(0)))
        self._put(longer, longer.remaining, paused=timer.paused)
        return longer

    def cancel_timer(self, timer: Timer) -> None:
        """Forget a timer."""
        self._timers.remove(timer.id)

    def occasions(self, kind: OccasionKind) -> list[Occasion]:
        """Alarms or reminders to come, soonest first; `at` is naive wall time."""
        return self._unwritten.occasions(self._occasions.all(kind))

    def add(self, kind: OccasionKind, at: datetime, rrule: str = "", text: str = "") -> Occasion:
        """Set an alarm or a reminder.

        Args:
            kind: Which.
            at: First time, aware or naive wall time.
            rrule: RFC 5545 rule of the repetition, "" for once.
            text: The alarm's label, or what the reminder says.

        Raises:
            ValueError: Not a rule.
        """
        first = at.replace(tzinfo=None)
        if rrule:  # a bad rule must fail here, not when it is due
            _following(rrule, first, self._now())
        return self._occasions.add(kind, first, rrule, text)

    def cancel(self, occasion: Occasion) -> None:
        """Forget an alarm or a reminder with all its repetitions."""
        self._occasions.remove(occasion.id)

    def due(self) -> list[Ring]:
        """What begins to ring now. Call it at `next_due()`, and once when the device has started.

        What was ringing or snoozed when the device was killed is among the first call's.
        """
        now = self._now()
        timers = [row for row in self._timer_rows() if row.ends_utc and row.ends_utc <= now.timestamp()]
        occasions = [row for row in self._occasion_rows() if _instant(row.at, now) <= now]
        sources: list[Source] = [*timers, *occasions]
        begins = [_begun(source, now) for source in sources]
        trouble = None
        try:
            self._write_down(begins)
        except StorageError as error:
            trouble = error
            for begun in begins:
                self._unwritten.begin(begun.row, begun.source, begun.following)
        fresh = [row for row in self._ripe(now) if row.id not in self._announced]
        for row in fresh:
            self._announced[row.id] = replace(_ring(row, now), trouble=trouble if row.id < 0 else None)
        return [self._announced[row.id] for row in fresh]

    def next_due(self) -> datetime | None:
        """When `due` will have something to say next, in UTC; None if nothing is set.

        Not in the zone of the device: Python subtracts times of one zone as wall times, also across a clock change.

        Wall clocks are set and zones have daylight saving: wait for an hour at most, then ask again.
        """
        now = self._now()
        instants = [row.ends_utc for row in self._timer_rows() if row.ends_utc]
        instants += [row.due_utc for row in self._rings.all() if row.id not in self._announced]
        instants += [_instant(row.at, now).timestamp() for row in self._occasion_rows()]
        if not instants:
            return None
        soonest = min(instants)
        due = datetime.fromtimestamp(soonest, UTC)
        # Rounded up: a timer may end within the microsecond before which `due` has nothing to say.
        return due if due.timestamp() >= soonest else due + timedelta(microseconds=1)

    def ringing(self) -> list[Ring]:
        """What rings now, in the order in which it began."""
        now = self._now()
        return [self._announced.get(row.id) or _ring(row, now) for row in self._ripe(now)]

    def snoozed(self) -> list[Ring]:
        """What will ring again."""
        now = self._now()
        rows = [row for row in self._rings.all() if row.id not in self._announced]
        return [_ring(row, now) for row in rows if row.due_utc > now.timestamp()]

    def stop_ringing(self) -> list[Ring]:
        """End all that rings and return it; it is silent even if that can't be written down."""
        stopped = self.ringing()
        self._silenced.update(ring.id for ring in stopped)
        self._forget(stopped)
        return stopped

    def cancel_snoozed(self) -> list[Ring]:
        """Call off all that is snoozed and return it."""
        called_off = self.snoozed()
        self._forget(called_off)
        return called_off

    def snooze(self, minutes: float) -> list[Ring]:
        """Let all that rings ring again after `minutes`; returns it with its new time."""
        now = self._now()
        again = now + timedelta(minutes=minutes)
        put_off = [replace(ring, due=again, missed=False) for ring in self.ringing()]
        unwritten = self._unwritten.among(ring.id for ring in put_off)
        with self._database.transaction():
            for ring in put_off:
                self._rings.put_off(ring.id, again.timestamp())
            for begun in unwritten:
                self._rings.add(begun.row.kind, again.timestamp(), label=begun.row.label, message=begun.row.message)
                self._pass(begun.source, begun.following)
        self._unwritten.forget(unwritten)
        for ring in put_off:
            self._own_snoozes.add(ring.id)
            self._announced.pop(ring.id, None)
        return put_off

    def _write_down(self, begins: list[Begun]) -> None:
        """What begins to ring, and what was stopped while it could not be written."""
        stopped = self._unwritten.among(self._silenced)
        stale = [row.id for row in self._rings.all() if row.id in self._silenced]
        if not (begins or stopped or stale):
            return
        with self._database.transaction():
            for begun in begins:
                row = begun.row
                self._rings.add(row.kind, row.due_utc, label=row.label, message=row.message)
            for begun in (*stopped, *begins):
                self._pass(begun.source, begun.following)
            for ring_id in stale:
                self._rings.remove(ring_id)
        self._unwritten.forget(stopped)

    def _pass(self, source: Source, following: datetime | None) -> None:
        """What has rung is over, or waits for its next time."""
        if isinstance(source, TimerRow):
            self._timers.remove(source.id)
        elif following:
            self._occasions.move(source.id, following)
        else:
            self._occasions.remove(source.id)

    def _timer_rows(self) -> list[TimerRow]:
        return self._unwritten.timers(self._timers.all())

    def _occasion_rows(self) -> list[Occasion]:
        return self._unwritten.occasions(self._occasions.all())

    def _ripe(self, now: datetime) -> list[RingRow]:
        """What rings now; what once began to ring does so whatever the wall clock is set to."""
        rows = [*self._rings.all(), *(begun.row for begun in self._unwritten.begun)]
        ripe = [row for row in rows if row.due_utc <= now.timestamp() or row.id in self._announced]
        return [row for row in ripe if row.id not in self._silenced]

    def _forget(self, rings: list[Ring]) -> None:
        """Remove what is written; `due` sees to the others."""
        written = [ring.id for ring in rings if ring.id > 0]
        if written:
            with self._database.transaction():
                for ring_id in written:
                    self._rings.remove(ring_id)

    def _put(self, timer: Timer, remaining: timedelta, *, paused: bool) -> None:
        seconds = remaining.total_seconds()
        ends = None if paused else self._now().timestamp() + seconds
        row = TimerRow(timer.id, timer.label, timer.duration.total_seconds(), ends, seconds if paused else None)
        self._timers.update(row)
        self._own_timers.add(timer.id)

    def _now(self) -> datetime:
        """Wall time; first moves what counts by monotonic time along with a step of the wall clock.

        Only what was started in this run moves. What an earlier run left behind was stored at a clock that
        was right, and the usual step after a start is that of a clock without battery being set.
        """
        now = self._clock.now()
        step = now.timestamp() - self._clock.monotonic() - self._offset
        if abs(step) > _STEP:
            with self._database.transaction():
                for timer in self._timers.all():
                    if timer.ends_utc and timer.id in self._own_timers:
                        self._timers.update(replace(timer, ends_utc=timer.ends_utc + step))
                for ring in self._rings.all():
                    if ring.id in self._own_snoozes:
                        self._rings.put_off(ring.id, ring.due_utc + step)
                if step < _STEP_BACK:
                    self._rewind(now)
            self._offset += step
        return now

    def _rewind(self, now: datetime) -> None:
        """Bring repetitions back that a clock ahead of its time had skipped."""
        for occasion in self._occasions.all():
            if occasion.rrule:
                following = _following(occasion.rrule, occasion.start, now)
                if following and following < occasion.at:
                    self._occasions.move(occasion.id, following)


def _instant(at: datetime, now: datetime) -> datetime:
    """Naive wall time as an instant, UTC; one that a clock change skips comes later by the gap."""
    return at.replace(tzinfo=now.tzinfo).astimezone(UTC)


def _following(rrule: str, start: datetime, now: datetime) -> datetime | None:
    """The next occurrence after now, naive; None if the rule has come to its end."""
    assert now.tzinfo is not None
    found = occurrences(rrule, start.replace(tzinfo=now.tzinfo), now)
    return found.replace(tzinfo=None) if found else None


def _begun(source: Source, now: datetime) -> Begun:
    """The ring of what is due: one only, however many repetitions were slept through."""
    if isinstance(source, TimerRow):
        assert source.ends_utc is not None
        return Begun(RingRow(0, "timer", source.label, "", source.ends_utc), source, None)
    due = _instant(source.at, now).timestamp()
    words = (source.text, "") if source.kind == "alarm" else ("", source.text)
    following = _following(source.rrule, source.start, now) if source.rrule else None
    return Begun(RingRow(0, source.kind, *words, due), source, following)


def _timer(row: TimerRow, now: float) -> Timer:
    seconds = row.remaining if row.ends_utc is None else max(row.ends_utc - now, 0.0)
    assert seconds is not None
    remaining = timedelta(seconds=seconds)
    return Timer(row.id, row.label, timedelta(seconds=row.duration), remaining, paused=row.ends_utc is None)


def _ring(row: RingRow, now: datetime) -> Ring:
    due = datetime.fromtimestamp(row.due_utc, now.tzinfo)
    missed = now.timestamp() - row.due_utc > GRACE.total_seconds()
    return Ring(row.kind, row.id, row.label, row.message, missed, due)


def announcement(ring: Ring) -> tuple[str, Mapping[str, object]]:
    """What to say when it rings: a reply key of the pack of the ring's kind, and its values."""
    values: dict[str, object] = {"time": TimeOfDay(ring.due.time())}
    if ring.label:
        values["name"] = ring.label
    if ring.message:
        values["message"] = ring.message
    key = "missed" if ring.missed else "ringing"
    return (f"{key}_named" if ring.label else key), values
