"""What of the files below a folder is synced and what is only written: what a power cut may take away.

It follows SQLite's own crash tests (https://www.sqlite.org/testing.html#crash_testing): every sector that was written
and not synced is as it was, as it should be, or garbage where it was to change, in any combination and whatever the
order of the writes; a file that was created or deleted may be there or not until its folder is synced.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from firmware_sim.board.sqlite_vfs import RealFile

_GARBAGE: Final = 0.2
"""Share of garbage among the sectors that did not arrive."""


@dataclass(slots=True)
class Node:
    """A file, whatever it is called by now.

    Attributes:
        inode: Its number on the host.
        size: Bytes.
        synced_size: Bytes when it was last synced.
        before: Sectors that were written since then, as they were; empty where there was nothing.
    """

    inode: int
    size: int
    synced_size: int
    before: dict[int, bytes] = field(default_factory=dict)


class PageCache:
    """The files that SQLite has opened. What others do to them counts as synced."""

    def __init__(self, sector: int) -> None:
        """`sector`: bytes that are written together."""
        self._sector = sector
        self._nodes: dict[str, Node] = {}
        self._entries: dict[str, bytes | None] = {}  # what the synced folder has where a file was created or deleted

    def node(self, path: str) -> Node:
        """The file that is at `path` now."""
        now = Path(path).stat()
        node = self._nodes.get(path)
        if node is None or node.inode != now.st_ino:  # a damaged database is moved aside
            node = self._nodes[path] = Node(now.st_ino, now.st_size, now.st_size)
        elif not node.before:
            node.size = node.synced_size = now.st_size
        return node

    def created(self, path: str) -> None:
        """A file is new."""
        self._entries.setdefault(path, None)

    def deleted(self, path: str, synced: bytes) -> None:
        """A file of which `synced` was on the flash is gone."""
        self._nodes.pop(path, None)
        self._entries.setdefault(path, synced)

    def synced(self, path: str) -> bytes:
        """What the flash holds for certain of the file at `path`."""
        node = self.node(path)
        content = Path(path).read_bytes()[: node.synced_size]
        image = bytearray(content.ljust(node.synced_size, b"\0"))
        for index, old in node.before.items():
            start = index * self._sector
            old = old[: max(0, node.synced_size - start)]
            image[start : start + len(old)] = old
        return bytes(image)

    def keep(self, node: Node, real: RealFile, start: int, end: int) -> None:
        """Remember the sectors of the bytes from `start` to `end` before they are written or cut off."""
        for index in range(start // self._sector, -(-end // self._sector)):
            if index not in node.before:
                offset = index * self._sector
                node.before[index] = real.read(self._sector, offset) if offset < node.synced_size else b""

    def sync(self, path: str, node: Node) -> int:
        """A file, and its name, are on the flash now; the bytes of the sectors that this took."""
        written = sum(index * self._sector < node.size for index in node.before) * self._sector
        node.before.clear()
        node.synced_size = node.size
        if self._nodes.get(path) is node:
            self._entries.pop(path, None)
        return written

    def sync_folder(self) -> None:
        """What was created and deleted is on the flash now."""
        self._entries.clear()

    def lose_power(self, chance: random.Random) -> None:
        """Make the files what a power cut leaves of them. Connections that are open reach them no more."""
        for path in self._present():
            _renew(path, after_cut(self.synced(path), Path(path).read_bytes(), self._sector, chance))
        for path, entry in sorted(self._entries.items()):
            if chance.random() < 0.5:
                _renew(path, entry)
        self._nodes.clear()
        self._entries.clear()

    def lose_process(self) -> None:
        """All that was written is there, synced or not. Connections that are open reach it no more."""
        for path in self._present():
            _renew(path, Path(path).read_bytes())
            self._nodes[path].inode = Path(path).stat().st_ino

    def _present(self) -> list[str]:
        """Paths of the files that are where SQLite left them."""
        return [
            path
            for path, node in sorted(self._nodes.items())
            if Path(path).exists() and Path(path).stat().st_ino == node.inode
        ]


def after_cut(old: bytes, new: bytes, sector: int, chance: random.Random) -> bytes:
    """What a power cut leaves of a file of which `old` was synced and `new` was written."""
    arrives = chance.random()  # nearly nothing, nearly all, and anything between
    length = max(len(old), len(new))
    size = len(new) if chance.random() < arrives else len(old)
    before = np.frombuffer(old.ljust(length, b"\0"), np.uint8)
    # What a truncation takes away is gone with the size, or all there: no file system changes bytes for that.
    after = np.frombuffer((new + old[len(new) :]).ljust(length, b"\0"), np.uint8).copy()
    for start in np.unique(np.flatnonzero(before != after) // sector) * sector:
        was, is_now = before[start : start + sector], after[start : start + sector]
        if chance.random() < arrives:
            continue
        if chance.random() < _GARBAGE:
            # Only what was to change: SQLite relies on the rest (SQLITE_IOCAP_POWERSAFE_OVERWRITE).
            noise = np.frombuffer(chance.randbytes(len(was)), np.uint8)
            is_now[was != is_now] = noise[was != is_now]
        else:
            is_now[:] = was
    return after.tobytes()[:size]


def _renew(path: str, content: bytes | None) -> None:
    """Put a new file in the place of one: a dead process holds, maps and locks the old one for ever."""
    for old in (path, path + "-shm"):  # the index of the log is made anew by whoever opens it first
        Path(old).unlink(missing_ok=True)
    if content is not None:
        Path(path).write_bytes(content)
