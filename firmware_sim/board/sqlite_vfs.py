"""A door between SQLite and the file system, through which the writes to chosen folders pass.

It is a VFS (https://www.sqlite.org/vfs.html) registered as the default one in the very library that Python's
`sqlite3` uses, so that code which knows nothing of it writes through it.

Nothing is forwarded that need not be: the system's own VFS opens each file in the memory that SQLite gave, then the
file's table of methods is exchanged for a copy in which five methods are ours. All others, those of the shared memory
of the WAL and reading among them, are still the system's, at the system's speed.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import functools
import logging
import os
import sqlite3
from collections.abc import Callable
from ctypes import CFUNCTYPE, Structure, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from device.errors import BadInput, Missing

H = TypeVar("H")

OK: Final = 0
"""SQLite's result code for success; the others are in the module `sqlite3`."""

OPEN_READONLY: Final = 0x1
OPEN_READWRITE: Final = 0x2
OPEN_CREATE: Final = 0x4
OPEN_MAIN_JOURNAL: Final = 0x800
OPEN_SUPER_JOURNAL: Final = 0x4000
OPEN_WAL: Final = 0x80000
"""Flags of xOpen: https://www.sqlite.org/c3ref/c_open_autoproxy.html."""

_log = logging.getLogger(__name__)

_NAME: Final = b"homebody-simulated"

_CLOSE: Final = CFUNCTYPE(c_int, c_void_p)
_READ_WRITE: Final = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE: Final = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC_LOCK: Final = CFUNCTYPE(c_int, c_void_p, c_int)
_OPEN: Final = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_DELETE: Final = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)


class _Methods(Structure):
    """`sqlite3_io_methods`, version 3; a file of SQLite begins with a pointer to one."""

    _fields_ = (
        ("iVersion", c_int),
        *((name, c_void_p) for name in (
            "xClose", "xRead", "xWrite", "xTruncate", "xSync", "xFileSize", "xLock", "xUnlock", "xCheckReservedLock",
            "xFileControl", "xSectorSize", "xDeviceCharacteristics", "xShmMap", "xShmLock", "xShmBarrier",
            "xShmUnmap", "xFetch", "xUnfetch",
        )),
    )  # fmt: skip


class _Vfs(Structure):
    """`sqlite3_vfs`, version 3."""

    _fields_ = (
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        *((name, c_void_p) for name in (
            "pAppData", "xOpen", "xDelete", "xAccess", "xFullPathname", "xDlOpen", "xDlError", "xDlSym", "xDlClose",
            "xRandomness", "xSleep", "xCurrentTime", "xGetLastError", "xCurrentTimeInt64", "xSetSystemCall",
            "xGetSystemCall", "xNextSystemCall",
        )),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RealFile:
    """An open file as the system's VFS works it; each method returns SQLite's result code."""

    address: int
    table: _Table

    def read(self, size: int, offset: int) -> bytes:
        """`size` bytes; what is behind the end of the file reads as zeros."""
        buffer = ctypes.create_string_buffer(size)
        self.table.read(self.address, buffer, size, offset)
        return buffer.raw

    def write(self, data: int, size: int, offset: int) -> int:
        """Write `size` bytes from the address `data`."""
        code: int = self.table.write(self.address, data, size, offset)
        return code

    def truncate(self, size: int) -> int:
        """Cut the file to `size` bytes."""
        code: int = self.table.truncate(self.address, size)
        return code

    def lock(self, level: int) -> int:
        """Take a lock: 1 shared to 4 exclusive."""
        code: int = self.table.lock(self.address, level)
        return code


class Storage(Protocol[H]):
    """What decides about the files below a folder; `H` is whatever it wants to remember of an open file.

    The methods are called by SQLite, in the thread that uses the connection and with a lock of that connection held:
    they must not use a database. What they raise is logged and answered as an I/O error.
    """

    def open(self, path: str, flags: int, proceed: Callable[[int], int]) -> H | int:
        """Open a file by `proceed(flags)`, or refuse it by returning a result code that is not 0."""

    def write(self, handle: H, real: RealFile, data: int, size: int, offset: int) -> int:
        """Write `size` bytes from the address `data`; returns the result code, as all that follow."""

    def truncate(self, handle: H, real: RealFile, size: int) -> int:
        """Cut the file to `size` bytes."""

    def sync(self, handle: H) -> int:
        """Bring what was written to the storage; the system is not asked to, as only simulated power is cut."""

    def lock(self, handle: H, real: RealFile, level: int) -> int:
        """Take a lock of the database file."""

    def delete(self, path: str, synced: bool, proceed: Callable[[], int]) -> int:
        """Delete a file by `proceed()`; `synced` if the folder is to be synced as well."""


def mount(folder: Path, storage: Storage[Any]) -> None:
    """Let `storage` decide about all files below `folder` that SQLite opens from now on.

    Raises:
        BadInput: Something is mounted there.
        Missing: Python's SQLite can't be reached.
    """
    _shim().mount(str(folder.resolve()), storage)


def unmount(folder: Path) -> None:
    """Files that are opened from now on are the system's; those that are open stay with their storage."""
    _shim().unmount(str(folder.resolve()))


class _Table:
    """The methods of one kind of file of the system's VFS, and the copy in which some are ours."""

    def __init__(self, address: int, ours: dict[str, Any]) -> None:
        real = _Methods.from_address(address)
        self.close = _CLOSE(real.xClose)
        self.read = _READ_WRITE(real.xRead)
        self.write = _READ_WRITE(real.xWrite)
        self.truncate = _TRUNCATE(real.xTruncate)
        self.lock = _SYNC_LOCK(real.xLock)
        self.copy = _Methods.from_buffer_copy(real)
        for name, function in ours.items():
            setattr(self.copy, name, ctypes.cast(function, c_void_p).value)


class _Shim:
    """The VFS. There is one a process, and it is never freed: SQLite keeps pointers into it."""

    def __init__(self) -> None:
        library = _library()
        self._register, self._unregister = library.sqlite3_vfs_register, library.sqlite3_vfs_unregister
        library.sqlite3_vfs_find.restype = c_void_p
        self._system: int = library.sqlite3_vfs_find(None)
        system = _Vfs.from_address(self._system)
        self._real_open, self._real_delete = _OPEN(system.xOpen), _DELETE(system.xDelete)
        self._mounted: dict[str, Storage[Any]] = {}
        self._files: dict[int, tuple[Storage[Any], Any, RealFile]] = {}
        self._tables: dict[int, _Table] = {}
        self._methods = {
            "xClose": _CLOSE(_safe(self._close, sqlite3.SQLITE_IOERR_CLOSE)),
            "xWrite": _READ_WRITE(_safe(self._write, sqlite3.SQLITE_IOERR_WRITE)),
            "xTruncate": _TRUNCATE(_safe(self._truncate, sqlite3.SQLITE_IOERR_TRUNCATE)),
            "xSync": _SYNC_LOCK(_safe(self._sync, sqlite3.SQLITE_IOERR_FSYNC)),
            "xLock": _SYNC_LOCK(_safe(self._lock, sqlite3.SQLITE_IOERR_LOCK)),
        }
        self._open_callback = _OPEN(_safe(self._open, sqlite3.SQLITE_CANTOPEN))
        self._delete_callback = _DELETE(_safe(self._delete, sqlite3.SQLITE_IOERR_DELETE))
        self._vfs = _Vfs.from_buffer_copy(system)
        self._vfs.pNext = None
        self._vfs.zName = _NAME
        self._vfs.xOpen = ctypes.cast(self._open_callback, c_void_p).value
        self._vfs.xDelete = ctypes.cast(self._delete_callback, c_void_p).value
        # A connection that is left open is closed when the interpreter ends, after modules were cleared.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))

    def mount(self, folder: str, storage: Storage[Any]) -> None:
        if folder in self._mounted:
            raise BadInput(f"{folder} is a simulated storage already.", remedy="Give each device a folder of its own.")
        if not self._mounted:
            self._register(ctypes.byref(self._vfs), 1)
            self._check()
        self._mounted[folder] = storage

    def unmount(self, folder: str) -> None:
        if self._mounted.pop(folder, None) is not None and not self._mounted:
            self._unregister(ctypes.byref(self._vfs))

    def _check(self) -> None:
        """A program may hold two libraries of SQLite; only Python's own is of use."""
        try:
            sqlite3.connect(f"file::memory:?vfs={_NAME.decode()}", uri=True).close()
        except sqlite3.OperationalError as error:
            self._unregister(ctypes.byref(self._vfs))
            raise _unreachable() from error

    def _storage(self, path: str) -> Storage[Any] | None:
        for folder, storage in self._mounted.items():
            if path.startswith(folder + os.sep):
                return storage
        return None

    def _open(self, _vfs: int, name: int | None, file: int, flags: int, out_flags: int | None) -> int:
        path = os.fsdecode(ctypes.string_at(name)) if name else ""
        storage = self._storage(path)
        if storage is None:
            code: int = self._real_open(self._system, name, file, flags, out_flags)
            return code
        # SQLite closes even a file that did not open, unless there is nothing to close it with.
        ctypes.memset(file, 0, ctypes.sizeof(c_void_p))
        handle = storage.open(path, flags, lambda flags: self._real_open(self._system, name, file, flags, out_flags))
        if isinstance(handle, int):
            return handle
        methods = c_void_p.from_address(file)
        address = methods.value
        assert address is not None
        table = self._tables.get(address)
        if table is None:
            table = self._tables[address] = _Table(address, self._methods)
        self._files[file] = storage, handle, RealFile(file, table)
        methods.value = ctypes.addressof(table.copy)
        return OK

    def _delete(self, _vfs: int, name: int, synced: int) -> int:
        path = os.fsdecode(ctypes.string_at(name))

        def proceed() -> int:
            code: int = self._real_delete(self._system, name, synced)
            return code

        storage = self._storage(path)
        return proceed() if storage is None else storage.delete(path, bool(synced), proceed)

    def _close(self, file: int) -> int:
        _, _, real = self._files.pop(file)
        code: int = real.table.close(file)
        return code

    def _write(self, file: int, data: int, size: int, offset: int) -> int:
        storage, handle, real = self._files[file]
        return storage.write(handle, real, data, size, offset)

    def _truncate(self, file: int, size: int) -> int:
        storage, handle, real = self._files[file]
        return storage.truncate(handle, real, size)

    def _sync(self, file: int, _flags: int) -> int:
        storage, handle, _ = self._files[file]
        return storage.sync(handle)

    def _lock(self, file: int, level: int) -> int:
        storage, handle, real = self._files[file]
        return storage.lock(handle, real, level)


_shim = functools.cache(_Shim)


def _safe(method: Callable[..., int], code: int) -> Callable[..., int]:
    """Nothing may be raised through SQLite's C code: `code` is the answer instead."""

    def call(*arguments: Any) -> int:
        try:
            return method(*arguments)
        except BaseException:
            _log.exception("simulated storage")
            return code

    return call


def _library() -> ctypes.CDLL:
    """Python's SQLite, found through its extension module, or in the program itself where that is built in."""
    library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
    try:
        library.sqlite3_vfs_find, library.sqlite3_vfs_register, library.sqlite3_vfs_unregister  # noqa: B018
    except AttributeError:
        raise _unreachable() from None
    return library


def _unreachable() -> Missing:
    return Missing(
        "Python's SQLite can't be reached, so no storage can be simulated.",
        remedy="Use a Python whose sqlite3 is linked to a shared libsqlite3, as Debian's is.",
    )
