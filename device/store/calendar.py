"""Appointments, at naive local wall times, once or repeating."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from dateutil.rrule import rrulestr

from device.store.database import Database

HORIZON: Final = timedelta(days=366)
"""How far ahead repetitions are looked up."""


@dataclass(frozen=True, slots=True)
class Event:
    """An appointment.

    Attributes:
        id: Row id; all repetitions of one entry share it.
        title: What it is called.
        at: When this occurrence is, naive; midnight if it lasts all day.
        all_day: It has no time of day.
        first: The entry's first occurrence.
        rrule: RFC 5545 rule, or "" if it happens once.
    """

    id: int
    title: str
    at: datetime
    all_day: bool
    first: datetime
    rrule: str


class Calendar:
    """The table of appointments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, first: date, last: date) -> list[Event]:
        """Occurrences of the days `first` to `last`, inclusive, in order."""
        return self._occurrences(datetime.combine(first, time.min), datetime.combine(last, time.max))

    def after(self, now: datetime) -> list[Event]:
        """Occurrences from `now` on to the `HORIZON`, and the all-day ones of today, in order."""
        wall = now.replace(tzinfo=None)
        events = self._occurrences(datetime.combine(wall.date(), time.min), wall + HORIZON)
        return [event for event in events if event.all_day or event.at >= wall]

    def add(self, title: str, at: datetime, *, all_day: bool, rrule: str = "") -> Event:
        """Store one, `at` naive."""
        with self._database.transaction() as sql:
            cursor = sql.execute(
                "INSERT INTO calendar (title, at, all_day, rrule) VALUES (?, ?, ?, ?)",
                (title, at.isoformat(timespec="seconds"), all_day, rrule),
            )
        assert cursor.lastrowid is not None
        return Event(cursor.lastrowid, title, at, all_day, at, rrule)

    def remove(self, event_id: int) -> None:
        """Forget one with all its repetitions; harmless if it is gone."""
        with self._database.transaction() as sql:
            sql.execute("DELETE FROM calendar WHERE id = ?", (event_id,))

    def _occurrences(self, start: datetime, end: datetime) -> list[Event]:
        events = [_event(row) for row in self._database.query("SELECT * FROM calendar")]
        found = [
            replace(event, at=at)
            for event in events
            for at in (
                rrulestr(event.rrule, dtstart=event.first).between(start, end, inc=True) if event.rrule else [event.at]
            )
            if start <= at <= end
        ]
        return sorted(found, key=lambda event: (event.at, event.id))


def _event(row: sqlite3.Row) -> Event:
    first = datetime.fromisoformat(row["at"])
    return Event(row["id"], row["title"], first, bool(row["all_day"]), first, row["rrule"])
