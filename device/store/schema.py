"""The tables, as a list of migrations: entry `n` brings `PRAGMA user_version` from `n` to `n + 1`.

An entry is never edited once released; a change is a new entry. No statement may hold a semicolon inside.

Wall times (`at`, `start`) are naive local ISO 8601: seven in the morning stays seven when the zone or
daylight saving changes. Instants (`*_utc`) are Unix seconds.
"""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE timers (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        label TEXT NOT NULL,
        duration REAL NOT NULL,
        ends_utc REAL,
        remaining REAL,
        CHECK ((ends_utc IS NULL) <> (remaining IS NULL))
    );
    CREATE TABLE occasions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL CHECK (kind IN ('alarm', 'reminder')),
        at TEXT NOT NULL,
        fold INTEGER NOT NULL,
        start TEXT NOT NULL,
        rrule TEXT NOT NULL,
        text TEXT NOT NULL
    );
    CREATE INDEX occasions_at ON occasions (at);
    CREATE TABLE rings (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL CHECK (kind IN ('timer', 'alarm', 'reminder')),
        label TEXT NOT NULL,
        message TEXT NOT NULL,
        due_utc REAL NOT NULL
    );
    CREATE TABLE list_items (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        list TEXT NOT NULL COLLATE NOCASE,
        item TEXT NOT NULL COLLATE NOCASE,
        UNIQUE (list, item)
    );
    CREATE TABLE notes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        text TEXT NOT NULL,
        written_utc REAL NOT NULL
    );
    CREATE TABLE calendar (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        at TEXT NOT NULL,
        all_day INTEGER NOT NULL,
        rrule TEXT NOT NULL
    );
    CREATE TABLE settings (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE turns (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at_utc REAL NOT NULL,
        heard TEXT NOT NULL,
        intent TEXT NOT NULL,
        reply TEXT NOT NULL
    );
    CREATE INDEX turns_at ON turns (at_utc);
    CREATE TABLE feedback (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        turn INTEGER NOT NULL UNIQUE REFERENCES turns (id) ON DELETE CASCADE,
        at_utc REAL NOT NULL,
        verdict TEXT NOT NULL
    );
    CREATE TABLE profiles (
        name TEXT PRIMARY KEY COLLATE NOCASE,
        current INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE taught_phrases (
        phrase TEXT PRIMARY KEY,
        command TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE turns ADD COLUMN readings TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE turns ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE turns ADD COLUMN model TEXT NOT NULL DEFAULT 'null';
    """,
)
