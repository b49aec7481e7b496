"""The history of turns and what the user said about them. Off unless its owner turns it on."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from device.store.database import Database


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: what was heard, understood and answered; `at` is UTC. Audio is never kept."""

    id: int
    at: datetime
    heard: str
    intent: str
    reply: str


class Turns:
    """The table of turns.

    Args:
        database: Where.
        keep_days: Days for which a turn is kept; 0 keeps none.
    """

    def __init__(self, database: Database, keep_days: int) -> None:
        self._database = database
        self._keep_days = keep_days

    def add(self, now: datetime, heard: str, intent: str, reply: str) -> None:
        """Store a turn, if turns are kept at all, and forget those that are past their days."""
        self.prune(now)
        if self._keep_days:
            with self._database.transaction() as sql:
                sql.execute(
                    "INSERT INTO turns (at_utc, heard, intent, reply) VALUES (?, ?, ?, ?)",
                    (now.timestamp(), heard, intent, reply),
                )

    def prune(self, now: datetime) -> None:
        """Forget what is past its days; what is marked as wrong goes with its turn."""
        with self._database.transaction() as sql:
            oldest = (now - timedelta(days=self._keep_days)).timestamp()
            sql.execute("DELETE FROM turns WHERE at_utc <= ?", (oldest,))


class History:
    """Reading, marking and forgetting of what `Turns` kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self) -> Turn | None:
        """The latest turn that is kept."""
        rows = self._database.query("SELECT * FROM turns ORDER BY id DESC LIMIT 1")
        return _turn(rows[0]) if rows else None

    def since(self, start: datetime) -> list[Turn]:
        """Turns at or after `start` (aware), oldest first."""
        return [
            _turn(r)
            for r in self._database.query("SELECT * FROM turns WHERE at_utc >= ? ORDER BY id", (start.timestamp(),))
        ]

    def mark(self, turn: Turn, verdict: str, now: datetime) -> None:
        """Note what the user said about a turn; the last word counts."""
        with self._database.transaction() as sql:
            sql.execute(
                "INSERT OR REPLACE INTO feedback (turn, at_utc, verdict) VALUES (?, ?, ?)",
                (turn.id, now.timestamp(), verdict),
            )

    def marked(self) -> list[tuple[Turn, str]]:
        """Turns with a verdict, oldest first."""
        rows = self._database.query("SELECT t.*, f.verdict FROM turns t JOIN feedback f ON f.turn = t.id ORDER BY t.id")
        return [(_turn(row), row["verdict"]) for row in rows]

    def forget(self, start: datetime, end: datetime) -> int:
        """Delete the turns from `start` to before `end` (aware) with their feedback; returns how many.

        The log is folded into the file, whose freed pages are overwritten, so that nothing stays readable.
        """
        with self._database.transaction() as sql:
            span = (start.timestamp(), end.timestamp())
            count = sql.execute("DELETE FROM turns WHERE at_utc >= ? AND at_utc < ?", span).rowcount
        self._database.query("PRAGMA wal_checkpoint(TRUNCATE)")
        return count


def _turn(row: sqlite3.Row) -> Turn:
    at = datetime.fromtimestamp(row["at_utc"], UTC)
    return Turn(row["id"], at, row["heard"], row["intent"], row["reply"])
