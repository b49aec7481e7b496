"""Fetches models that no package carries: resumes, verifies against a pinned SHA-256, unpacks safely.

The only code that opens a network connection for models, and only when a person says `homebody models fetch`.
The opener is injected, so that everything else is tested without a network.
"""

from __future__ import annotations

import hashlib
import io
import stat
import tempfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, TypeAlias

from device.errors import BadInput, DeviceError, Missing, StorageError

TIMEOUT_SECONDS: Final = 30.0
"""A connection that delivers nothing for this long is given up; the next run resumes."""

_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Archive:
    """A ZIP archive with one folder at its top.

    Attributes:
        name: Name in the catalogue and of the folder it is unpacked to.
        url: Where it is.
        sha256: Of the archive, lower-case hexadecimal.
        size: Bytes of the archive.
        unpacked: Bytes that it may unpack to at most.
        licence: SPDX name.
    """

    name: str
    url: str
    sha256: str
    size: int
    unpacked: int
    licence: str


CATALOGUE: Final[Mapping[str, Archive]] = {
    "vosk-small-en-us": Archive(
        name="vosk-small-en-us",
        url="https://alphacephei.com/vosk/models/vosk-model-small-en-us-0.15.zip",
        # The same in the Yocto recipe, the AUR package and the Homebrew formula that ship this model.
        sha256="30f26242c4eb449f948e42cb302dd7a686cb29a3423a8367f99ff41780942498",
        size=41_205_931,
        unpacked=200_000_000,
        licence="Apache-2.0",
    )
}


@dataclass(frozen=True, slots=True)
class Body:
    """What a server answers: `chunks` begin at byte `offset`, which is 0 where it can't resume."""

    offset: int
    chunks: Iterator[bytes]


OpenUrl: TypeAlias = Callable[[str, int], AbstractContextManager[Body]]
"""Opens a URL from a byte offset on; raises OSError when there is no network, no server or no such file."""

Progress: TypeAlias = Callable[[int, int], None]
"""Is told bytes so far and in all."""


def fetch(
    name: str,
    models: Path,
    *,
    archive: Path | None = None,
    open_url: OpenUrl | None = None,
    progress: Progress = lambda done, total: None,
) -> Path:
    """Bring a model of the catalogue into the folder `models` and return its folder there.

    Harmless if it is there already. What was downloaded before an interruption is not downloaded again.

    Args:
        name: Name in the catalogue.
        models: Folder of models; made if need be.
        archive: The archive, if a person brought it to a machine without a network; it is only read.
        open_url: Opens URLs; by default with urllib.
        progress: Told how far the download is.

    Raises:
        BadInput: No such model, or `archive` is not the right file.
        Missing: No connection.
        StorageError: The disk is full or the folder can't be written.
        DeviceError: What came is damaged; it was deleted.
    """
    entry = CATALOGUE.get(name)
    if entry is None:
        raise BadInput(f"There is no model {name}.", remedy=f"Choose from: {', '.join(CATALOGUE)}.")
    return fetch_archive(entry, models, archive=archive, open_url=open_url or open_https, progress=progress)


def fetch_archive(entry: Archive, models: Path, *, archive: Path | None, open_url: OpenUrl, progress: Progress) -> Path:
    """`fetch` for an archive that need not be in the catalogue."""
    target = models / entry.name
    if target.is_dir():
        return target
    try:
        models.mkdir(parents=True, exist_ok=True)
        if archive is not None:
            _check_brought(entry, archive)
            return _unpack(entry, archive, target)
        part = models / f".{entry.name}.part"
        _download(entry, part, open_url, progress)
        if _sha256(part) != entry.sha256:
            part.unlink()
            raise DeviceError(
                f"What {entry.url} sent is not the {entry.name} that was expected (wrong SHA-256).",
                remedy="Run the command again; if it fails again, the file on the server has changed.",
            )
        folder = _unpack(entry, part, target)
        part.unlink()
        return folder
    except OSError as error:
        raise StorageError(
            f"{models} can't be written: {error.strerror or error}.", remedy="Free some space or change HOMEBODY_HOME."
        ) from error


def _check_brought(entry: Archive, archive: Path) -> None:
    if not archive.is_file():
        raise BadInput(f"{archive} is not there.")
    if _sha256(archive) != entry.sha256:
        raise BadInput(f"{archive} is not {entry.name} (wrong SHA-256).", remedy=f"It is at {entry.url}.")


def _download(entry: Archive, part: Path, open_url: OpenUrl, progress: Progress) -> None:
    """Complete the file `part`, which may hold the beginning already."""
    with part.open("r+b" if part.exists() else "w+b") as file:
        done = file.seek(0, io.SEEK_END)
        if done > entry.size:
            file.seek(0)
            done = file.truncate()
        if done == entry.size:
            return
        for at, chunk in _stream(entry, open_url, done):
            if at < done:  # the server can't resume
                file.seek(at)
                file.truncate()
            file.write(chunk[: entry.size - at])  # more than expected can't be right
            done = min(at + len(chunk), entry.size)
            progress(done, entry.size)
            if done == entry.size:
                return
    raise _unreachable(entry, ConnectionError("the connection ended early"))


def _stream(entry: Archive, open_url: OpenUrl, offset: int) -> Iterator[tuple[int, bytes]]:
    """Positions and bytes as they come; an OSError in here is the network's, elsewhere it is the disk's."""
    try:
        with open_url(entry.url, offset) as body:
            at = body.offset
            for chunk in body.chunks:
                yield at, chunk
                at += len(chunk)
    except OSError as error:
        raise _unreachable(entry, error) from error


def _unpack(entry: Archive, archive: Path, target: Path) -> Path:
    """Unpack beside `target`, then rename, so that a model is there wholly or not at all."""
    with tempfile.TemporaryDirectory(prefix=f".{entry.name}-", dir=target.parent) as scratch:
        try:
            with zipfile.ZipFile(archive) as pack:
                top = _check_members(entry, pack.infolist())
                pack.extractall(scratch)
        except zipfile.BadZipFile as error:
            raise DeviceError(f"The archive of {entry.name} is damaged: {error}.") from error
        (Path(scratch) / top).replace(target)
    return target


def _check_members(entry: Archive, members: list[zipfile.ZipInfo]) -> str:
    """Name of the one top folder.

    Raises:
        DeviceError: A member would land elsewhere, is a link, or all of them are too big.
    """
    tops = set()
    for member in members:
        path = PurePosixPath(member.filename)
        if (
            path.is_absolute()
            or ".." in path.parts
            or "\\" in member.filename
            or stat.S_ISLNK(member.external_attr >> 16)
        ):
            raise DeviceError(f"The archive of {entry.name} holds a forbidden path: {member.filename!r}.")
        tops.add(path.parts[0])
    if len(tops) != 1 or sum(member.file_size for member in members) > entry.unpacked:
        raise DeviceError(f"The archive of {entry.name} is not laid out as expected.")
    return str(tops.pop())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unreachable(entry: Archive, error: OSError) -> Missing:
    return Missing(
        f"{entry.url} can't be reached ({getattr(error, 'reason', None) or error}).",
        remedy=(
            f"Run the command again with a network connection (it resumes), or download that file elsewhere, bring it "
            f"here and run: homebody models fetch {entry.name} --archive FILE"
        ),
    )


@contextmanager
def open_https(url: str, offset: int) -> Iterator[Body]:
    """`OpenUrl` over urllib, for https only."""
    if not url.startswith("https://"):
        raise ValueError(f"{url} is not https")
    request = urllib.request.Request(url, headers={"Range": f"bytes={offset}-"} if offset else {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - https was checked
        resumed = response.status == 206
        yield Body(offset if resumed else 0, iter(lambda: response.read(_CHUNK), b""))
