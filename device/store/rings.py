"""Rows of what rings: written before the sound, so that a kill while ringing rings again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from device.store.database import Database

RingKind: TypeAlias = Literal["timer", "alarm", "reminder"]


@dataclass(frozen=True, slots=True)
class RingRow:
    """Something that rings from `due_utc` until it is stopped; in the future while it is snoozed.

    Attributes:
        id: Row id, never used again.
        kind: What rings.
        label: Name of the timer or alarm, or "".
        message: What the reminder says, or "".
        due_utc: Unix seconds.
    """

    id: int
    kind: RingKind
    label: str
    message: str
    due_utc: float


class Rings:
    """The table of what rings or is snoozed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[RingRow]:
        """In the order in which they began."""
        return [RingRow(*row) for row in self._database.query("SELECT * FROM rings ORDER BY id")]

    def add(self, kind: RingKind, due_utc: float, *, label: str = "", message: str = "") -> None:
        """Store one."""
        with self._database.transaction() as sql:
            sql.execute(
                "INSERT INTO rings (kind, label, message, due_utc) VALUES (?, ?, ?, ?)",
                (kind, label, message, due_utc),
            )

    def put_off(self, ring_id: int, due_utc: float) -> None:
        """Let it ring at another time."""
        with self._database.transaction() as sql:
            sql.execute("UPDATE rings SET due_utc = ? WHERE id = ?", (due_utc, ring_id))

    def remove(self, ring_id: int) -> None:
        """Forget one; harmless if it is gone."""
        with self._database.transaction() as sql:
            sql.execute("DELETE FROM rings WHERE id = ?", (ring_id,))
