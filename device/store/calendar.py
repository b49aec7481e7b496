"""Appointments, at naive local wall times."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, time

from device.store.database import Database


@dataclass(frozen=True, slots=True)
class Event:
    """An appointment; `at` is midnight if it lasts all day."""

    id: int
    title: str
    at: datetime
    all_day: bool


class Calendar:
    """The table of appointments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, first: date, last: date) -> list[Event]:
        """Events of the days `first` to `last`, inclusive, in order."""
        span = (_text(datetime.combine(first, time.min)), _text(datetime.combine(last, time.max)))
        return _events(self._database.query("SELECT * FROM calendar WHERE at BETWEEN ? AND ? ORDER BY at, id", span))

    def after(self, now: datetime) -> list[Event]:
        """Events from `now` (naive) on, and the all-day ones of today, in order."""
        rows = self._database.query(
            "SELECT * FROM calendar WHERE at >= ? OR (all_day AND at >= ?) ORDER BY at, id",
            (_text(now), _text(datetime.combine(now.date(), time.min))),
        )
        return _events(rows)

    def add(self, title: str, at: datetime, *, all_day: bool) -> None:
        """Store one, `at` naive."""
        with self._database.transaction() as sql:
            sql.execute("INSERT INTO calendar (title, at, all_day) VALUES (?, ?, ?)", (title, _text(at), all_day))

    def remove(self, event_id: int) -> None:
        """Forget one; harmless if it is gone."""
        with self._database.transaction() as sql:
            sql.execute("DELETE FROM calendar WHERE id = ?", (event_id,))


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _events(rows: list[sqlite3.Row]) -> list[Event]:
    return [Event(r["id"], r["title"], datetime.fromisoformat(r["at"]), bool(r["all_day"])) for r in rows]
