"""What the user asked to remember."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from device.store.database import Database


@dataclass(frozen=True, slots=True)
class Note:
    """One note; `written` is UTC."""

    id: int
    text: str
    written: datetime


class Notes:
    """The table of notes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Note]:
        """Newest first."""
        rows = self._database.query("SELECT * FROM notes ORDER BY id DESC")
        return [Note(row["id"], row["text"], datetime.fromtimestamp(row["written_utc"], UTC)) for row in rows]

    def add(self, text: str, now: datetime) -> Note:
        """Store one."""
        with self._database.transaction() as sql:
            cursor = sql.execute("INSERT INTO notes (text, written_utc) VALUES (?, ?)", (text, now.timestamp()))
        assert cursor.lastrowid is not None
        return Note(cursor.lastrowid, text, now.astimezone(UTC))

    def remove(self, note: Note) -> None:
        """Forget one; harmless if it is gone."""
        with self._database.transaction() as sql:
            sql.execute("DELETE FROM notes WHERE id = ?", (note.id,))
