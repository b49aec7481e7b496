"""Installed model bundles: each version in a folder of its own, and a history that says which is in use.

    <home>/models/language/homebody-en/2-1f3a9c04/    name/version-digest, never changed once it is there
    <home>/models/language/history.json               what was installed and rolled back to, in order

A bundle is copied aside, synced, verified and renamed into its place before the history names it, and the history is
replaced by a rename as well: whenever the plug is pulled, either the old version is in use or the new one, whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal, NamedTuple

import msgspec

from device.errors import BadInput, BundleError, StorageError
from models.manifest import MANIFEST, Manifest, ManifestError, file_sha256

SHIPPED: Final = ""
"""Key of the bundle that ships with the program."""

Key = Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9._+-]*/[A-Za-z0-9][A-Za-z0-9._+-]*)?$")]
"""`name/version-digest` of an installed bundle; `SHIPPED` for the one that ships."""

_HISTORY: Final = "history.json"
_INCOMING: Final = ".incoming"
_DIGITS: Final = 8


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bundle came into use, because it was installed or because it was gone back to."""

    what: Literal["install", "rollback"]
    bundle: Key


class Change(NamedTuple):
    """Keys of what was in use before, and of what is now."""

    before: str
    after: str


def line_of(events: tuple[Event, ...]) -> tuple[str, ...]:
    """The installed bundles to go back through, the one in use last; empty if that is the one that ships.

    Going back to a bundle of the line forgets those after it: what was rolled back is not gone back to.
    """
    line: list[str] = []
    for event in events:
        if event.bundle == SHIPPED:
            line.clear()
        elif event.what == "rollback" and event.bundle in line:
            while line[-1] != event.bundle:
                line.pop()
        else:
            line.append(event.bundle)
    return tuple(line)


def split_key(key: str) -> tuple[str, str, str]:
    """Name, version and digest of an installed bundle."""
    name, _, rest = key.partition("/")
    version, _, digest = rest.rpartition("-")
    return name, version, digest


class Bundles:
    """The installed bundles of a device.

    Args:
        home: Folder of all state.
    """

    def __init__(self, home: Path) -> None:
        self.root = home / "models" / "language"

    def folder(self, key: str) -> Path:
        """Where an installed bundle lies."""
        return self.root / key

    def installed(self) -> list[str]:
        """Keys of all installed bundles, in use or not, in order of their names."""
        return sorted(f"{path.parent.parent.name}/{path.parent.name}" for path in self.root.glob(f"[!.]*/*/{MANIFEST}"))

    def line(self) -> tuple[str, ...]:
        """`line_of` the history.

        Raises:
            BundleError: The history is damaged.
        """
        return line_of(self._events())

    @property
    def active(self) -> str:
        """Key of the bundle in use.

        Raises:
            BundleError: The history is damaged.
        """
        return (self.line() or (SHIPPED,))[-1]

    def find(self, version: str) -> str:
        """The key that somebody means with a version, a version with digest, a whole key, or "shipped".

        Raises:
            BadInput: None of the installed ones, or several.
        """
        if version == "shipped":
            return SHIPPED
        keys = self.installed()
        found = [key for key in keys if version in _names(key)]
        if len(found) == 1:
            return found[0]
        if found:
            raise BadInput(f"{version} may be {' or '.join(found)}.", remedy="Give name and digest as well.")
        raise BadInput(f"No version {version} is installed.", remedy=f"Choose from: {', '.join([*keys, 'shipped'])}.")

    def install(self, source: Path) -> Change:
        """Copy a bundle and put it into use. Harmless if it is in use already.

        Args:
            source: A bundle that the caller has found fit for use.

        Raises:
            BundleError: It changed or is damaged.
            StorageError: The disk is full or can't be written, or another program installs at the same time.
        """
        with self._writing():
            key = _key(source)
            if not self._is_whole(key):
                self._copy(source, key)
            before = self._line_or_anew()
            if before[-1:] != (key,):
                self._record("install", key)
        return Change((before or (SHIPPED,))[-1], key)

    def rollback(self, check: Callable[[str], object], to: str | None = None) -> Change:
        """Go back to what was in use before, or to a certain bundle.

        Args:
            check: Raises where the bundle of a key is not fit for use.
            to: Key; by default the one before.

        Raises:
            BadInput: There is nothing to go back to, or it is in use already.
            BundleError: That bundle is damaged.
            StorageError: As for `install`.
        """
        with self._writing():
            line = (SHIPPED, *self._line_or_anew())
            if to is None and len(line) == 1:
                raise BadInput(
                    "The model that ships is in use, there is none before it.",
                    remedy="Name an installed one with --to; see `homebody models list`.",
                )
            after = line[-2] if to is None else to
            if after == line[-1]:
                raise BadInput(f"{after or 'The model that ships'} is in use already.")
            check(after)
            self._record("rollback", after)
        return Change(line[-1], after)

    def _events(self) -> tuple[Event, ...]:
        path = self.root / _HISTORY
        try:
            return msgspec.json.decode(path.read_bytes(), type=tuple[Event, ...])
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError) as error:
            raise BundleError(
                f"{path}, which says which installed model is in use, is damaged: {error}.",
                remedy="Run `homebody models list`, then `homebody models rollback --to VERSION`.",
            ) from error

    def _line_or_anew(self) -> tuple[str, ...]:
        """The line; a damaged history is moved aside and begins anew."""
        try:
            return self.line()
        except BundleError:
            (self.root / _HISTORY).replace(self.root / f"{_HISTORY}.damaged")
            return ()

    def _record(self, what: Literal["install", "rollback"], key: str) -> None:
        events = (*self._events(), Event(what, key))
        part = self.root / f"{_INCOMING}.json"
        with part.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(events), indent=1) + b"\n")
            _sync(file)
        part.replace(self.root / _HISTORY)
        _sync_folder(self.root)

    def _is_whole(self, key: str) -> bool:
        folder = self.folder(key)
        try:
            Manifest.read(folder).verify(folder)
        except ManifestError:
            return False
        return _key(folder) == key

    def _copy(self, source: Path, key: str) -> None:
        incoming, target = self.root / _INCOMING, self.folder(key)
        shutil.rmtree(incoming, ignore_errors=True)  # of an installation that was cut off
        incoming.mkdir()
        for name in (*Manifest.read(source).files, MANIFEST):
            with (source / name).open("rb") as read, (incoming / name).open("wb") as written:
                shutil.copyfileobj(read, written)
                _sync(written)
        _sync_folder(incoming)
        try:
            Manifest.read(incoming).verify(incoming)
        except ManifestError as error:
            raise BundleError(f"What was copied from {source} is not whole: {error}.", remedy="Try again.") from error
        if _key(incoming) != key:
            raise BundleError(f"{source} changed while it was copied.", remedy="Try again.")
        target.parent.mkdir(exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)  # a damaged one, else there would be nothing to copy
        incoming.rename(target)
        _sync_folder(target.parent)
        _sync_folder(self.root)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """One program at a time; what the system refuses becomes an error with a remedy."""
        try:
            if not self.root.is_dir():
                self.root.mkdir(parents=True)
                _sync_folder(self.root.parent)
                _sync_folder(self.root.parent.parent)
            with (self.root / ".lock").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise StorageError(
                        "Another program is installing a model.", remedy="Try again when it is done."
                    ) from error
                try:
                    yield
                finally:
                    shutil.rmtree(self.root / _INCOMING, ignore_errors=True)
        except OSError as error:
            raise StorageError(
                f"{self.root} can't be written: {error.strerror or error}.",
                remedy="Free some space or change HOMEBODY_HOME.",
            ) from error


def _key(folder: Path) -> str:
    try:
        manifest = Manifest.read(folder)
    except ManifestError as error:
        raise BundleError(f"{folder} is not a whole bundle: {error}.", remedy="Get the bundle again.") from error
    return f"{manifest.name}/{manifest.version}-{file_sha256(folder / MANIFEST)[:_DIGITS]}"


def _names(key: str) -> set[str]:
    """All by which a key can be meant."""
    name, version, digest = split_key(key)
    return {key, version, digest, f"{version}-{digest}", f"{name}/{version}"}


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
