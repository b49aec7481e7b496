"""The local media library: what is in a folder, and what was meant by a title, an artist or a genre."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from device.errors import Missing
from device.nlu.text import spoken
from device.skills.common import closest
from device.skills.ports import Track

SUFFIXES: Final = frozenset({".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav"})
"""What libsndfile (1.1 or later) decodes."""

MOST: Final = 50_000
"""Files beyond these are left out: a wrong folder must not fill the memory."""

_log = logging.getLogger(__name__)


class Library:
    """Tracks of a folder and its subfolders, read once.

    A track without tags is called after its file; its folders stand for artist and album.

    Raises:
        Missing: There is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise Missing(f"There is no music folder {folder}.", remedy="Create it, or set `home.music`.")
        self.folder = folder.resolve()
        self._tracks = {track.id: track for track in self._scan()}

    def tracks(self) -> Sequence[Track]:
        """Everything, by path."""
        return tuple(self._tracks.values())

    def path(self, track: Track) -> Path:
        """Where a track's file is."""
        return self.folder / track.id

    def _scan(self) -> Iterator[Track]:
        files = sorted(path for path in self.folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        if len(files) > MOST:
            _log.warning("%s holds %d files; the first %d are used", self.folder, len(files), MOST)
        for path in files[:MOST]:
            if path.resolve().is_relative_to(self.folder):  # a link must not lead out of the library
                yield _read(self.folder, path)


def _read(folder: Path, path: Path) -> Track:
    from tinytag import TinyTag, TinyTagException

    name = path.relative_to(folder)
    artist = name.parts[0] if len(name.parts) > 1 else ""
    album = name.parts[1] if len(name.parts) > 2 else ""
    title, genre = path.stem.replace("_", " "), ""
    try:
        tags = TinyTag.get(path)
    except (TinyTagException, OSError) as error:
        _log.info("no tags in %s: %s", path, error)
    else:
        title, artist = tags.title or title, tags.artist or artist
        album, genre = tags.album or album, tags.genre or genre
    return Track(name.as_posix(), title, artist, album, genre)


def search(
    tracks: Sequence[Track], *, title: str = "", artist: str = "", album: str = "", genre: str = ""
) -> list[Track]:
    """The tracks that were meant, in the library's order; every name that is given must fit.

    Names are compared as `common.closest` does. A `title` may also be that of an album.
    """
    found = list(tracks)
    if artist:
        found = _nearest(found, artist, [track.artist for track in found])
    if genre:
        found = _nearest(found, genre, [track.genre for track in found])
    if album:
        found = _nearest(found, album, [track.album for track in found])
    if title:
        by_title = _nearest(found, title, [track.title for track in found])
        by_album = _nearest(found, title, [track.album for track in found])
        exact = any(spoken(track.title) == spoken(title) for track in by_title)
        found = by_title if exact or not by_album else by_album
    return found


def _nearest(tracks: Sequence[Track], said: str, names: Sequence[str]) -> list[Track]:
    """Tracks whose name is the one nearest to what was said."""
    known = sorted(set(names) - {""})
    position = closest(said, known)
    if position is None:
        return []
    return [track for track, name in zip(tracks, names, strict=True) if name == known[position]]
