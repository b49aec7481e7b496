"""Small values by key, as JSON: volume, the home's temperature unit, ..."""

from __future__ import annotations

import json
from typing import Any

from device.store.database import Database


class Settings:
    """Key to JSON value."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` if it was never set."""
        rows = self._database.query("SELECT value FROM settings WHERE key = ?", (key,))
        return json.loads(rows[0][0]) if rows else default

    def set(self, key: str, value: Any) -> None:
        """Store a value that JSON can hold."""
        with self._database.transaction() as sql:
            sql.execute("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", (key, json.dumps(value)))
