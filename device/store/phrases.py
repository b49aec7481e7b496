"""Phrases that the user taught: say this, mean that command."""

from __future__ import annotations

from collections.abc import Mapping

from device.nlu.text import spoken
from device.store.database import Database


class TaughtPhrases:
    """Phrase to command, both in the spoken form."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Mapping[str, str]:
        """Every phrase and the command that it stands for."""
        rows = self._database.query("SELECT phrase, command FROM taught_phrases ORDER BY phrase")
        return {row["phrase"]: row["command"] for row in rows}

    def command(self, phrase: str) -> str | None:
        """The command that a phrase stands for, or None."""
        rows = self._database.query("SELECT command FROM taught_phrases WHERE phrase = ?", (spoken(phrase),))
        return rows[0][0] if rows else None

    def teach(self, phrase: str, command: str) -> None:
        """Store a phrase; one of the same words is replaced."""
        with self._database.transaction() as sql:
            sql.execute(
                "INSERT OR REPLACE INTO taught_phrases (phrase, command) VALUES (?, ?)",
                (spoken(phrase), spoken(command)),
            )

    def forget(self, phrase: str) -> None:
        """Forget one; harmless if it is gone."""
        with self._database.transaction() as sql:
            sql.execute("DELETE FROM taught_phrases WHERE phrase = ?", (spoken(phrase),))
