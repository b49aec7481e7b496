"""Whether SQLite's write-ahead log has rotted: SQLite itself ends reading it, silently, at the first bad frame.

The layout is that of https://www.sqlite.org/fileformat2.html#the_write_ahead_log.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

_HEADER: Final = struct.Struct(">8I")
"""Magic number, version, page size, sequence, two salts, two checksums."""

_FRAME: Final = struct.Struct(">6I")
"""Page number, pages of the database after a commit or 0, two salts, two checksums; then the page."""


def lost_commits(log: bytes, read: int, file: Callable[[], bytes]) -> int:
    """Commits that are in a log and were not read, beyond the one that a power cut may have torn.

    Each commit is synced before the next begins, so only the last can be incomplete for an honest reason. A log whose
    header can't be read may be one that was folded into the file and begun anew when the power went: nothing is lost
    then, since the file has it.

    Args:
        log: The log as it was before it was opened.
        read: Frames that SQLite has read from it.
        file: Gives the database file as it was then; only called where nothing was read.
    """
    if len(log) < _HEADER.size + _FRAME.size:
        return 0
    page_size = _HEADER.unpack_from(log)[2]
    if not read and not _is_page_size(page_size):
        page_size = _page_size(file())
    if not _is_page_size(page_size):
        return 0
    size = _FRAME.size + page_size
    starts = range(_HEADER.size, len(log) - size + 1, size)
    frames = [(_FRAME.unpack_from(log, at), at + _FRAME.size) for at in starts]
    # What an earlier round has left behind has other salts. Where nothing was read the header itself may be bad.
    salts = frames[0][0][2:4] if not read and frames else _HEADER.unpack_from(log)[4:6]
    unread = [(frame, at) for frame, at in frames[read:] if frame[2:4] == salts]
    commits = [number for number, (frame, _) in enumerate(unread) if frame[1] > 0]
    if not read and commits:
        latest = {frame[0]: log[at : at + page_size] for frame, at in unread[: commits[-1] + 1]}
        content = file()
        if all(content[(page - 1) * page_size :][:page_size] == image for page, image in latest.items()):
            return 0
    return max(len(commits) - 1, 0)


def _is_page_size(size: int) -> bool:
    return 512 <= size <= 65536 and size & (size - 1) == 0


def _page_size(file: bytes) -> int:
    """As the database file's own header has it; 1 means 65536."""
    size = int.from_bytes(file[16:18], "big")
    return 65536 if size == 1 else size
