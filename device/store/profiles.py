"""Who uses the device at present."""

from __future__ import annotations

from device.store.database import Database


class Profiles:
    """The people of the household, one of them current."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def names(self) -> list[str]:
        """Everyone who was ever switched to, by name."""
        return [row[0] for row in self._database.query("SELECT name FROM profiles ORDER BY name")]

    def current(self) -> str:
        """Who uses the device, or "" if nobody said."""
        rows = self._database.query("SELECT name FROM profiles WHERE current")
        return rows[0][0] if rows else ""

    def switch(self, name: str) -> None:
        """Make this person current, adding them if they are new."""
        with self._database.transaction() as sql:
            sql.execute("UPDATE profiles SET current = 0")
            sql.execute(
                "INSERT INTO profiles VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET current = 1",
                (name,),
            )
