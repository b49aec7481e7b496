"""The one SQLite file: durable commits, migrations, and honesty about damage.

WAL mode with `synchronous=FULL` syncs the log at every commit, so that a commit survives the plug being
pulled (https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from device.errors import StorageError
from device.store.log import lost_commits
from device.store.schema import MIGRATIONS

SqlValue: TypeAlias = str | int | float | None

MEMORY: Final = ":memory:"
_BUSY_SECONDS: Final = 5.0


class _DamageError(Exception):
    """The file is not a database, or its pages contradict each other."""


class Database:
    """A connection used from the one thread that owns all state (sqlite3 itself refuses any other).

    Attributes:
        path: The file, or ":memory:".
        recovered_from: Where a damaged file was moved when opening; None if nothing was lost. Whoever opens
            the database must tell the user.
        lost_commits: How many of the last commits could not be read, as their log was damaged; to be told, too.

    Raises:
        StorageError: The file can't be opened or created, or a newer version of Homebody wrote it.
    """

    def __init__(self, path: Path | str = MEMORY) -> None:
        self.path = path
        self.recovered_from: Path | None = None
        self.lost_commits = 0
        if path != MEMORY:
            self._make_folder(Path(path))
        try:
            self._connection = self._open()
        except _DamageError:
            self.recovered_from = self._move_aside(Path(path))
            self._connection = self._open()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, committed to the disk when the block ends. Inside another one it joins that one.

        Must not be held across an `await`.

        Raises:
            StorageError: Disk full, read-only, locked or damaged; nothing of the block was kept.
        """
        if self._connection.in_transaction:
            yield self._connection
            return
        with _reported(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()  # harmless where a full disk made SQLite roll back by itself
                raise

    def query(self, sql: str, parameters: Sequence[SqlValue] = ()) -> list[sqlite3.Row]:
        """All rows of a SELECT.

        Raises:
            StorageError: The file can't be read.
        """
        with _reported(self.path):
            return self._connection.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Fold the log into the file and let go of it."""
        self._connection.close()

    def _open(self) -> sqlite3.Connection:
        """Open it, or at least read it: on a read-only storage SQLite can't create the log that it wants."""
        try:
            return self._connect(str(self.path))
        except StorageError:
            if self.path == MEMORY or not _is_settled(Path(self.path)):
                raise
            return self._connect(f"{Path(self.path).absolute().as_uri()}?immutable=1")

    def _connect(self, address: str) -> sqlite3.Connection:
        """A connection to a path or URI."""
        uri = address.startswith("file:")
        with _reported(self.path):
            connection = sqlite3.connect(address, timeout=_BUSY_SECONDS, isolation_level=None, uri=uri)
        connection.row_factory = sqlite3.Row
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        log = self._log()
        try:
            check = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if check != "ok":
                raise _DamageError(check)
            connection.execute("PRAGMA journal_mode=WAL")
            self._fold(connection, log)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA secure_delete=ON")  # what is forgotten is overwritten
            self._migrate(connection)
            self._fold(connection)
        except sqlite3.OperationalError as error:
            raise _storage_error(self.path, error) from error
        except sqlite3.DatabaseError as error:
            raise _DamageError(str(error)) from error

    def _log(self) -> bytes:
        """The log as the last run left it."""
        log = Path(f"{self.path}-wal")
        return log.read_bytes() if self.path != MEMORY and log.exists() else b""

    def _fold(self, connection: sqlite3.Connection, log: bytes = b"") -> None:
        """Bring the log into the file: a flipped bit costs all that is in the log after it.

        On a full or read-only storage it stays in the log.
        """
        with contextlib.suppress(sqlite3.OperationalError):
            _, frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self.lost_commits += lost_commits(log, max(frames, 0), Path(self.path).read_bytes)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _migrate(self, connection: sqlite3.Connection) -> None:
        if _version(connection) == len(MIGRATIONS):
            return
        connection.execute("BEGIN IMMEDIATE")
        version = _version(connection)  # again: another process may have migrated while this one waited
        if version > len(MIGRATIONS):
            raise StorageError(
                f"{self.path} was written by a newer version of Homebody.",
                remedy="Update Homebody, or set HOMEBODY_HOME to another folder.",
            )
        for script in MIGRATIONS[version:]:
            for statement in filter(str.strip, script.split(";")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")
        connection.execute("COMMIT")

    def _make_folder(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"{path.parent} can't be created: {error.strerror}.",
                remedy="Set HOMEBODY_HOME to a folder that you may write to.",
            ) from error

    def _move_aside(self, path: Path) -> Path:
        """Keep the damaged file with its log, which may hold what the file lost, for a rescue."""
        number = 1
        while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
            number += 1
        with _reported(path):
            for suffix in ("-wal", "-shm", ""):
                part = path.with_name(path.name + suffix)
                if part.exists():
                    part.rename(aside.with_name(aside.name + suffix))
        return aside


def _is_settled(path: Path) -> bool:
    """Whether all that was committed is in the file itself, and none of it in a log."""
    log = path.with_name(f"{path.name}-wal")
    return path.is_file() and not (log.exists() and log.stat().st_size)


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


@contextlib.contextmanager
def _reported(path: Path | str) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a constraint of ours was broken: a bug, not the storage
    except (sqlite3.DatabaseError, OSError) as error:
        raise _storage_error(path, error) from error


def _storage_error(path: Path | str, error: Exception) -> StorageError:
    return StorageError(
        f"{path} can't be used: {error}.", remedy="Free some space and check that the folder is writable."
    )
