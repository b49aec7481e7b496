"""Whether SQLite's write-ahead log has rotted: SQLite itself ends reading it, silently, at the first bad frame.

The layout is that of https://www.sqlite.org/fileformat2.html#the_write_ahead_log.
"""

from __future__ import annotations

import struct
from typing import Final

_HEADER: Final = struct.Struct(">8I")
"""Magic number, version, page size, sequence, two salts, two checksums."""

_FRAME: Final = struct.Struct(">6I")
"""Page number, pages of the database after a commit or 0, two salts, two checksums; then the page."""


def lost_commits(log: bytes, read: int) -> int:
    """Commits that are in a log and were not read, beyond the one that a power cut may have torn.

    Each commit is synced before the next begins, so only the last can be incomplete for an honest reason.

    Args:
        log: The file as it was before it was opened.
        read: Frames that SQLite has read from it.
    """
    if len(log) < _HEADER.size + _FRAME.size:
        return 0
    page_size = _HEADER.unpack_from(log)[2]
    if not 512 <= page_size <= 65536:
        return 0
    frames = [
        _FRAME.unpack_from(log, at)
        for at in range(_HEADER.size, len(log) - _FRAME.size - page_size + 1, _FRAME.size + page_size)
    ]
    # What an earlier round has left behind has other salts. Where nothing was read the header itself may be bad.
    salts = frames[0][2:4] if not read and frames else _HEADER.unpack_from(log)[4:6]
    commits: int = sum(frame[1] > 0 and frame[2:4] == salts for frame in frames[read:])
    return max(commits - 1, 0)
