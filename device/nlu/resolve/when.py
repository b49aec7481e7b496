"""From slots to instants: the next time that a clock time, a date and a repetition mean, safe across daylight saving.

Where English leaves the half of the day open, an alarm's owner is assumed: without a date "seven" is the next
seven to come; with another day or a repetition, five to eleven are in the morning, twelve is noon, one to four are
in the afternoon. A wall time that a clock change skips is moved forward by the gap; of one that comes twice the
first is meant (PEP 495, fold 0).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from dateutil.rrule import rrulestr

from device.nlu.types import DateValue, Moment, Recurrence, TimeOfDay

DAY_STARTS: Final = time(9)
"""When something is that has a day but no time ("remind me on friday")."""

_TODAY: Final = timedelta(hours=1)
_FIRST_MORNING_HOUR: Final = 5
_SUBDAILY: Final = {
    "HOURLY": timedelta(hours=1),
    "MINUTELY": timedelta(minutes=1),
    "SECONDLY": timedelta(seconds=1),
}
_LONGEST_SHIFT: Final = timedelta(hours=3)
"""No zone of the present day moves its clocks by more at once, so wall times this close may come in another order."""


def localize(naive: datetime, zone: tzinfo) -> datetime:
    """A wall time in a zone; one that a clock change skips is moved forward by the gap."""
    return naive.replace(tzinfo=zone, fold=0).astimezone(UTC).astimezone(zone)


def next_occurrence(
    time: TimeOfDay | Moment | None,
    date: DateValue | Moment | None,
    recurrence: Recurrence | None,
    now: datetime,
) -> datetime:
    """The first instant that the slots of one command mean together.

    Args:
        time: Clock time or offset; a recurrence's own time and `DAY_STARTS` (for today: in an hour) stand in for a
            missing one. A time that is past today is tomorrow's.
        date: Day; of a span the first day. A past day is taken at its word, so the caller may refuse.
        recurrence: Repetition; the first occurrence after `now` (or on or after `date`) is returned.
        now: Wall time, aware.

    Returns:
        An aware time in the zone of `now`; after `now`, unless a past day was named. The first of a repetition keeps
        the wall time that was said even where a clock change skips it: the days after it must have that time.

    Raises:
        ValueError: All three are None, `now` is naive, or the recurrence has come to its end.
    """
    zone = now.tzinfo
    if zone is None or (time is None and date is None and recurrence is None):
        raise ValueError("next_occurrence needs an aware `now` and at least one slot")
    shift = time if isinstance(time, Moment) else date if isinstance(date, Moment) else None
    if shift is not None and recurrence is None:
        return _shifted(now, shift.offset, zone)
    clock = time if isinstance(time, TimeOfDay) else recurrence.time if recurrence else None
    day = date.start if isinstance(date, DateValue) else None
    if recurrence is not None:
        part = recurrence.time
        if clock and clock.ambiguous and part and not part.ambiguous:  # "every evening" + "seven"
            clock = TimeOfDay(min(_readings(clock), key=lambda reading: _distance(reading, part.time)))
        return _first_of(recurrence.rrule, clock, day, now, zone)
    if day is not None and day != now.date():
        return localize(datetime.combine(day, _usual(clock) if clock else DAY_STARTS), zone)
    return _next_reading(clock, now, zone) if clock else _shifted(now, _TODAY, zone)


def occurrences(rrule: str, start: datetime, after: datetime) -> datetime | None:
    """The first occurrence of a repetition strictly after an instant.

    Days and longer repeat in wall time (seven stays seven across a clock change), hours and shorter in real time.

    Args:
        rrule: RFC 5545 rule without DTSTART.
        start: The first occurrence, aware.
        after: Aware.

    Returns:
        An aware time in the zone of `start`; None when the rule has come to its end.

    Raises:
        ValueError: The rule is malformed, or a time is naive.
    """
    zone = start.tzinfo
    if zone is None or after.tzinfo is None:
        raise ValueError("occurrences needs aware times")
    parts = dict(part.split("=", 1) for part in rrule.split(";"))
    step = _SUBDAILY.get(parts.get("FREQ", ""))
    limit = after.astimezone(UTC)  # times of one zone compare and subtract as wall times, so all is done in UTC
    if step is not None:
        step *= int(parts.get("INTERVAL", 1))
        first = start.astimezone(UTC)
        return (first + max((limit - first) // step + 1, 0) * step).astimezone(zone)
    rule = rrulestr(rrule, dtstart=start.replace(tzinfo=None, fold=0))
    found = rule.after(after.astimezone(zone).replace(tzinfo=None, fold=0) - _LONGEST_SHIFT)
    while found is not None and localize(found, zone).astimezone(UTC) <= limit:
        found = rule.after(found)
    return None if found is None else localize(found, zone)


def _shifted(now: datetime, offset: timedelta, zone: tzinfo) -> datetime:
    """Whole days in wall time ("in two days", same hour), anything finer in real time."""
    if offset and not offset % timedelta(days=1):
        return localize(now.replace(tzinfo=None) + offset, zone)
    return (now.astimezone(UTC) + offset).astimezone(zone)


def _readings(clock: TimeOfDay) -> tuple[time, ...]:
    """The one or two clock times that were meant."""
    if not clock.ambiguous:
        return (clock.time,)
    return clock.time, clock.time.replace(hour=(clock.time.hour + 12) % 24)


def _usual(clock: TimeOfDay) -> time:
    """The likelier reading where the day is not today."""
    if clock.ambiguous and clock.time.hour < _FIRST_MORNING_HOUR:
        return clock.time.replace(hour=clock.time.hour + 12)
    return clock.time


def _distance(one: time, other: time) -> int:
    """Minutes between two times of day, around the clock."""
    minutes = abs((one.hour - other.hour) * 60 + one.minute - other.minute)
    return min(minutes, 1440 - minutes)


def _next_reading(clock: TimeOfDay, now: datetime, zone: tzinfo) -> datetime:
    """The next time, today or tomorrow, that one of the readings comes."""
    days = (now.date(), now.date() + timedelta(days=1))
    times = (localize(datetime.combine(day, reading), zone) for day in days for reading in _readings(clock))
    instants = [instant.astimezone(UTC) for instant in times]
    return min(instant for instant in instants if instant > now.astimezone(UTC)).astimezone(zone)


def _first_of(rrule: str, clock: TimeOfDay | None, day: date | None, now: datetime, zone: tzinfo) -> datetime:
    """The first occurrence after now, on or after `day`; days may begin to repeat there, whatever the interval."""
    if not any(f"FREQ={frequency}" in rrule for frequency in _SUBDAILY):
        rrule = ";".join(part for part in rrule.split(";") if not part.startswith("INTERVAL="))
        at = _usual(clock) if clock else DAY_STARTS
    else:
        at = _usual(clock) if clock else now.time()
    start = datetime.combine(day or now.date(), at, zone)
    before_start = start.astimezone(UTC) - timedelta(seconds=1)
    found = occurrences(rrule, start, max(now.astimezone(UTC), before_start) if day else now)
    if found is None:
        raise ValueError(f"the rule {rrule} has no occurrence")
    said = datetime.combine(found.date(), at, zone)
    return said if said.astimezone(UTC) == found else found
