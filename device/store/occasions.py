"""Rows of alarms and reminders: what is due at a wall time, once or by a rule."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from device.store.database import Database

OccasionKind: TypeAlias = Literal["alarm", "reminder"]


@dataclass(frozen=True, slots=True)
class Occasion:
    """An alarm or a reminder.

    Attributes:
        id: Row id, never used again.
        kind: Which of the two.
        at: Next time, naive local wall time; its `fold` tells the two passes of a repeated hour apart.
        start: First time, the rule's DTSTART.
        rrule: RFC 5545 rule, or "" if it happens once.
        text: The alarm's label or the reminder's message.
    """

    id: int
    kind: OccasionKind
    at: datetime
    start: datetime
    rrule: str
    text: str


class Occasions:
    """The table of alarms and reminders."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, kind: OccasionKind | None = None) -> list[Occasion]:
        """Soonest first; of one kind, or of both."""
        rows = self._database.query("SELECT * FROM occasions ORDER BY at, id")
        return [occasion for occasion in map(_occasion, rows) if kind in (None, occasion.kind)]

    def add(self, kind: OccasionKind, at: datetime, rrule: str = "", text: str = "") -> Occasion:
        """Store one, `at` naive, and return it."""
        with self._database.transaction() as sql:
            cursor = sql.execute(
                "INSERT INTO occasions (kind, at, fold, start, rrule, text) VALUES (?, ?, ?, ?, ?, ?)",
                (kind, _text(at), at.fold, _text(at), rrule, text),
            )
        assert cursor.lastrowid is not None
        return Occasion(cursor.lastrowid, kind, at, at, rrule, text)

    def move(self, occasion_id: int, at: datetime) -> None:
        """Set the next time."""
        with self._database.transaction() as sql:
            sql.execute("UPDATE occasions SET at = ?, fold = ? WHERE id = ?", (_text(at), at.fold, occasion_id))

    def remove(self, occasion_id: int) -> None:
        """Forget one; harmless if it is gone."""
        with self._database.transaction() as sql:
            sql.execute("DELETE FROM occasions WHERE id = ?", (occasion_id,))


def _text(at: datetime) -> str:
    if at.tzinfo is not None:
        raise ValueError("wall times are stored naive")
    return at.isoformat(timespec="seconds")


def _occasion(row: sqlite3.Row) -> Occasion:
    at = datetime.fromisoformat(row["at"]).replace(fold=row["fold"])
    start = datetime.fromisoformat(row["start"])
    return Occasion(row["id"], row["kind"], at, start, row["rrule"], row["text"])
