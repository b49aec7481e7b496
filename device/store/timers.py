"""Rows of timers. Counting down is the scheduler's (`device.skills.schedule`)."""

from __future__ import annotations

from dataclasses import dataclass

from device.store.database import Database


@dataclass(frozen=True, slots=True)
class TimerRow:
    """A timer as stored; exactly one of `ends_utc` (running) and `remaining` (paused) is set.

    Attributes:
        id: Row id, never used again.
        label: Its name, or "".
        duration: Seconds that it was set for, extensions included.
        ends_utc: Unix seconds at which it ends.
        remaining: Seconds left.
    """

    id: int
    label: str
    duration: float
    ends_utc: float | None
    remaining: float | None


class Timers:
    """The table of timers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[TimerRow]:
        """In the order in which they were set."""
        return [TimerRow(*row) for row in self._database.query("SELECT * FROM timers ORDER BY id")]

    def add(self, label: str, duration: float, ends_utc: float) -> int:
        """Store a running timer and return its id."""
        with self._database.transaction() as sql:
            cursor = sql.execute(
                "INSERT INTO timers (label, duration, ends_utc) VALUES (?, ?, ?)", (label, duration, ends_utc)
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def update(self, row: TimerRow) -> None:
        """Store all columns of a timer again."""
        with self._database.transaction() as sql:
            sql.execute(
                "UPDATE timers SET label = ?, duration = ?, ends_utc = ?, remaining = ? WHERE id = ?",
                (row.label, row.duration, row.ends_utc, row.remaining, row.id),
            )

    def remove(self, timer_id: int) -> None:
        """Forget one; harmless if it is gone."""
        with self._database.transaction() as sql:
            sql.execute("DELETE FROM timers WHERE id = ?", (timer_id,))
