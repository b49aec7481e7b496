"""Shopping, to-do and other lists. Names of lists and items compare without regard to case."""

from __future__ import annotations

from device.store.database import Database


class Items:
    """The items of all lists; a list exists while it has an item."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lists(self) -> list[str]:
        """Names of the lists that have items."""
        return [row[0] for row in self._database.query("SELECT list FROM list_items GROUP BY list ORDER BY min(id)")]

    def items(self, name: str) -> list[str]:
        """Items of one list, oldest first."""
        rows = self._database.query("SELECT item FROM list_items WHERE list = ? ORDER BY id", (name,))
        return [row[0] for row in rows]

    def add(self, name: str, item: str) -> bool:
        """Add an item; False if it is on the list already."""
        with self._database.transaction() as sql:
            sql_text = "INSERT OR IGNORE INTO list_items (list, item) VALUES (?, ?)"
            return sql.execute(sql_text, (name, item)).rowcount > 0

    def remove(self, name: str, item: str) -> bool:
        """Remove an item; False if it is not on the list."""
        with self._database.transaction() as sql:
            sql_text = "DELETE FROM list_items WHERE list = ? AND item = ?"
            return sql.execute(sql_text, (name, item)).rowcount > 0

    def clear(self, name: str) -> int:
        """Empty a list; the number of items that were on it."""
        with self._database.transaction() as sql:
            return sql.execute("DELETE FROM list_items WHERE list = ?", (name,)).rowcount
