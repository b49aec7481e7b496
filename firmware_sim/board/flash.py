"""A simulated flash storage under SQLite: it wears, fills up, turns read-only, rots, and loses its power.

The database of a device, unchanged, writes through it (`sqlite_vfs`); what a power cut leaves is decided in
`page_cache`.
"""

from __future__ import annotations

import os
import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Self

from device.clock import Clock
from device.errors import BadInput
from firmware_sim.board import sqlite_vfs
from firmware_sim.board.page_cache import Node, PageCache
from firmware_sim.board.sqlite_vfs import OK, RealFile

SECTOR: Final = 4096
"""Bytes that are written together unless told otherwise: a block of a file system, and of common flash controllers."""

_PLENTY: Final = 64_000_000
"""Bytes of room with which the files are not counted at each commit: more than a device writes besides its database."""

_LOG_FLAGS: Final = sqlite_vfs.OPEN_WAL | sqlite_vfs.OPEN_MAIN_JOURNAL | sqlite_vfs.OPEN_SUPER_JOURNAL


@dataclass(frozen=True, slots=True)
class Wear:
    """What the database did to the flash. Only whole sectors that a sync brought there count.

    Attributes:
        bytes_total: Bytes of all sectors written.
        writes_total: Writes of SQLite, however small; several may go into one sector.
        syncs_total: Syncs.
        busiest_minute_bytes: Bytes in the busiest minute of the device's wall clock.
        by_day: Bytes of each day of the device's wall clock, in its zone.
    """

    bytes_total: int
    writes_total: int
    syncs_total: int
    busiest_minute_bytes: int
    by_day: Mapping[date, int]


@dataclass(slots=True)
class _Handle:
    """An open file.

    Attributes:
        path: Its path when it was opened.
        node: The file.
        life: In which life of the device it was opened.
        syncs_folder: Its next sync makes what was created and deleted in the folder durable, too: SQLite's VFS does
            that for new journals.
    """

    path: str
    node: Node
    life: int
    syncs_folder: bool


class Flash:
    """The storage of one device: all that SQLite keeps below a folder.

    Only the database is counted and cut, not what the device writes by itself: caches, and bundles, which are
    renamed into place once they are whole. Several devices may have theirs in one process. Methods may be called
    from any thread; those that SQLite calls (see `sqlite_vfs.Storage`) are not for others.

    A device that lost its power or was killed leaves a connection. It can be closed or forgotten, before or after the
    next life begins: it reaches nothing any more.

    Attributes:
        full: Every write that needs more room fails, as on a full file system.
        read_only: Every write fails, as on a file system that was remounted after an error.
        on_cut: Called when an armed cut happens, by SQLite in the middle of a write: it must not use the database.
        writes: Writes of SQLite so far.
        bytes_written: Bytes in them.
        syncs: Syncs so far.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        size: int | None = None,
        sector: int = SECTOR,
        seed: int = 0,
        honest: bool = True,
    ) -> None:
        """An intact storage, not yet mounted: use it as a context manager.

        Args:
            folder: The device's home; what is in it counts as synced.
            clock: The device's own, for the wear.
            size: Bytes that all files below the folder may take; None for no limit.
            sector: Bytes that are written together.
            seed: Chance: what a power cut leaves, which bit flips.
            honest: False for a storage that says it has synced and has not, as cheap cards do.

        Raises:
            BadInput: A sector has no bytes.
        """
        if sector < 1:
            raise BadInput(f"A sector of {sector} bytes is none.", remedy=f"Use a power of two, such as {SECTOR}.")
        self.full = False
        self.read_only = False
        self.on_cut: Callable[[], None] = lambda: None
        self.writes = self.bytes_written = self.syncs = 0
        self._folder = folder
        self._clock = clock
        self._size = size
        self._cache = PageCache(sector)
        self._honest = honest
        self._chance = random.Random(seed)
        self._lock = threading.RLock()
        self._life = 0
        self._off = False
        self._countdown = 0
        self._room = 0
        self._minutes: Counter[int] = Counter()
        self._days: Counter[date] = Counter()

    def __enter__(self) -> Self:
        """Mount it.

        Raises:
            BadInput: The folder has a simulated storage already.
            Missing: Python's SQLite can't be reached.
        """
        sqlite_vfs.mount(self._folder, self)
        return self

    def __exit__(self, *_: object) -> None:
        sqlite_vfs.unmount(self._folder)

    @property
    def powered(self) -> bool:
        """False from a cut until `restore`."""
        return not self._off

    def wear(self) -> Wear:
        """What has been written since the beginning, power cuts or not."""
        with self._lock:
            busiest = max(self._minutes.values(), default=0)
            return Wear(self._days.total(), self.writes, self.syncs, busiest, dict(self._days))

    def cut(self, after_writes: int = 0) -> None:
        """Cut the power now, or in the middle of the n-th write from now on.

        From then on nothing reaches the storage, and nothing can be opened.
        """
        with self._lock:
            self._countdown = after_writes
            self._off = self._off or not after_writes

    def restore(self) -> None:
        """The power is back, and the files are what the cut left of them. Also calls an armed cut off."""
        with self._lock:
            self._countdown = 0
            if not self._off:
                return
            self._cache.lose_power(self._chance)
            self._life += 1
            self._off = False

    def kill(self) -> None:
        """The device's process ends at once: all that it wrote is there, synced or not; it writes no more."""
        with self._lock:
            self._life += 1
            self._cache.lose_process()

    def flip(self, path: Path, bit: int | None = None) -> int:
        """Let one bit of a file rot.

        Args:
            path: The file; it should not be open.
            bit: Counted from the lowest bit of the first byte; None for any one.

        Returns:
            The bit.

        Raises:
            BadInput: The file has no such bit.
        """
        content = bytearray(path.read_bytes()) if path.exists() else bytearray()
        if bit is None and content:
            bit = self._chance.randrange(len(content) * 8)
        if bit is None or not 0 <= bit < len(content) * 8:
            raise BadInput(f"{path} has no bit {bit}.", remedy="Name a file that is there, and a bit inside it.")
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        return bit

    def open(self, path: str, flags: int, proceed: Callable[[int], int]) -> _Handle | int:
        """See `Storage.open`."""
        with self._lock:
            if self._off:
                return sqlite3.SQLITE_CANTOPEN
            if self.read_only:
                flags &= ~(sqlite_vfs.OPEN_READWRITE | sqlite_vfs.OPEN_CREATE)
                flags |= sqlite_vfs.OPEN_READONLY
            created = not Path(path).exists()
            if code := proceed(flags):
                return code
            if created:
                self._cache.created(path)
            return _Handle(path, self._cache.node(path), self._life, created and bool(flags & _LOG_FLAGS))

    def write(self, handle: _Handle, real: RealFile, data: int, size: int, offset: int) -> int:
        """See `Storage.write`. A write that the power cut meets is torn by `restore`, as it was not synced."""
        with self._lock:
            if self._is_dead(handle) or self.read_only:
                return sqlite3.SQLITE_IOERR_WRITE
            node, end = handle.node, offset + size
            if end > node.size and not self._take_room(end - node.size):
                return sqlite3.SQLITE_FULL
            self._cache.keep(node, real, offset, end)
            if code := real.write(data, size, offset):
                return code
            node.size = max(node.size, end)
            self.writes += 1
            self.bytes_written += size
            if self._countdown:
                self._countdown -= 1
                if not self._countdown:
                    self._off = True
                    self.on_cut()
                    return sqlite3.SQLITE_IOERR_WRITE
            return OK

    def truncate(self, handle: _Handle, real: RealFile, size: int) -> int:
        """See `Storage.truncate`."""
        with self._lock:
            if self._is_dead(handle) or self.read_only:
                return sqlite3.SQLITE_IOERR_TRUNCATE
            self._cache.keep(handle.node, real, size, handle.node.size)
            if code := real.truncate(size):
                return code
            handle.node.size = size
            return OK

    def sync(self, handle: _Handle) -> int:
        """See `Storage.sync`."""
        with self._lock:
            if self._is_dead(handle):
                return sqlite3.SQLITE_IOERR_FSYNC
            self.syncs += 1
            if self._room < _PLENTY:
                self._room = 0  # measured again at the next commit: others write, too
            if self._honest:
                self._book(self._cache.sync(handle.path, handle.node))
                if handle.syncs_folder:
                    self._cache.sync_folder()
                    handle.syncs_folder = False
            return OK

    def lock(self, handle: _Handle, real: RealFile, level: int) -> int:
        """See `Storage.lock`. Without a lock the connection of a dead process can't fold and delete its log."""
        return sqlite3.SQLITE_IOERR_LOCK if self._is_dead(handle) else real.lock(level)

    def delete(self, path: str, synced: bool, proceed: Callable[[], int]) -> int:
        """See `Storage.delete`."""
        with self._lock:
            if self._off or self.read_only:
                return sqlite3.SQLITE_IOERR_DELETE
            if not Path(path).exists():
                return proceed()
            before = self._cache.synced(path)
            if code := proceed():
                return code
            self._cache.deleted(path, before)
            if synced and self._honest:
                self._cache.sync_folder()
            return OK

    def _is_dead(self, handle: _Handle) -> bool:
        return self._off or handle.life != self._life

    def _book(self, written: int) -> None:
        if written:
            now = self._clock.now()
            self._minutes[int(now.timestamp()) // 60] += written
            self._days[now.date()] += written

    def _take_room(self, growth: int) -> bool:
        if self.full:
            return False
        if self._size is None:
            return True
        if growth > self._room:
            self._room = self._size - _bytes_below(self._folder)
        if growth > self._room:
            return False
        self._room -= growth
        return True


def _bytes_below(folder: Path) -> int:
    return sum(Path(root, name).lstat().st_size for root, _, names in os.walk(folder) for name in names)
