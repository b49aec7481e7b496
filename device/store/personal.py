"""All that is kept about people, in one place: to be counted and to be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from device.store.database import Database

_TABLES: Final[Mapping[str, tuple[str, str]]] = {
    "turns": ("turn", "turns"),
    "notes": ("note", "notes"),
    "list_items": ("list item", "list items"),
    "calendar": ("appointment", "appointments"),
    "occasions": ("alarm or reminder", "alarms and reminders"),
    "timers": ("timer", "timers"),
    "profiles": ("profile", "profiles"),
    "taught_phrases": ("taught phrase", "taught phrases"),
}
"""Table to what people call one and several of its rows."""

_STAYING: Final = frozenset({"occasions", "timers"})
"""Not forgotten with the rest: whoever says "forget everything" still wants to be woken."""


class Personal:
    """Counts and forgets across all tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self) -> Mapping[tuple[str, str], int]:
        """What people call one and several of a thing, and how many are kept."""
        return {
            names: self._database.query(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608 (our own names)
            for table, names in _TABLES.items()
        }

    def forget(self) -> int:
        """Delete everything but alarms, reminders and timers, for good; returns how many entries there were.

        Feedback goes with its turns, likes with the settings that hold them. The log is folded into the file,
        whose freed pages are overwritten.
        """
        count = 0
        with self._database.transaction() as sql:
            for table in _TABLES.keys() - _STAYING:
                count += sql.execute(f"DELETE FROM {table}").rowcount  # noqa: S608 (our own names)
            count += sql.execute("DELETE FROM settings WHERE key = 'media.liked'").rowcount
        self._database.query("PRAGMA wal_checkpoint(TRUNCATE)")
        return count
