"""The history of turns and what the user said about them. Off unless its owner turns it on."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from device.nlu.report import UsedModel
from device.nlu.types import Act, Source
from device.store.database import Database


class Reading(msgspec.Struct, frozen=True):
    """How one command of a turn was understood.

    Attributes:
        intent: Its full name, `oos`, or empty for a bare answer.
        act: What it does in the dialogue.
        route: What decided.
        probability: 0 to 1.
        text: The words of the command.
        slots: Slot name to its words.
    """

    intent: str
    act: Act
    route: Source
    probability: float
    text: str
    slots: dict[str, str]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: what was heard, understood and answered; `at` is UTC. Audio is never kept.

    Attributes:
        readings: One for each command; none for a turn that an older version kept.
        failed: Not understood, or not done.
        model: What it was understood with; None without a model.
    """

    id: int
    at: datetime
    heard: str
    intent: str
    reply: str
    readings: tuple[Reading, ...] = ()
    failed: bool = False
    model: UsedModel | None = None


class Turns:
    """The table of turns.

    Args:
        database: Where.
        keep_days: Days for which a turn is kept; 0 keeps none.
    """

    def __init__(self, database: Database, keep_days: int) -> None:
        self._database = database
        self._keep_days = keep_days

    def add(
        self,
        now: datetime,
        heard: str,
        intent: str,
        reply: str,
        readings: Sequence[Reading] = (),
        failed: bool = False,
        model: UsedModel | None = None,
    ) -> None:
        """Store a turn, if turns are kept at all, and forget those that are past their days."""
        self.prune(now)
        if self._keep_days:
            with self._database.transaction() as sql:
                sql.execute(
                    "INSERT INTO turns (at_utc, heard, intent, reply, readings, failed, model) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (now.timestamp(), heard, intent, reply, _json(readings), failed, _json(model)),
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

    def last(self, but: str = "") -> Turn | None:
        """The latest turn that is kept and is not of the intent `but`."""
        rows = self._database.query("SELECT * FROM turns WHERE intent <> ? ORDER BY id DESC LIMIT 1", (but,))
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
    readings = msgspec.json.decode(row["readings"], type=tuple[Reading, ...])
    model = msgspec.json.decode(row["model"], type=UsedModel | None)
    return Turn(
        row["id"], at, row["heard"], row["intent"], row["reply"], readings, bool(row["failed"]), model
    )  # fmt: skip


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
