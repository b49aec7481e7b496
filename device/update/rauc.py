"""RAUC (https://rauc.io), which writes a signed system into the slot that does not run: its program, and what it says.

What is read here are the words of RAUC 1.8 and later: its exit code says only that something failed.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from device.errors import BadInput, DeviceError, Missing, StorageError, UpdateError, UpdateForeign, UpdateUntrusted

Progress: TypeAlias = Callable[[int, str], None]
"""Is told percent and what is being done."""

SECONDS: Final = 60.0
"""Deadline of what takes moments; an installation takes as long as it takes."""

_PERCENT: Final = re.compile(r" *(\d{1,3})% (.+)")
_REASON: Final = "LastError: "


class Slot(msgspec.Struct, frozen=True):
    """One place for a system.

    Attributes:
        name: As RAUC calls it, such as `rootfs.0`.
        bootname: As the boot loader calls it, such as `A`; empty for what can't be started by itself.
        booted: It runs.
        good: The boot loader would start it: it need not have been confirmed for that.
        version: Of the bundle that was installed into it; empty for what was there from the beginning.
        installed: When that was, as RAUC writes it, and what; empty likewise.
    """

    name: str
    bootname: str
    booted: bool
    good: bool
    version: str = ""
    installed: str = ""


class System(msgspec.Struct, frozen=True):
    """All slots.

    Attributes:
        compatible: Which kind of device this is: bundles for another kind are refused.
        booted: The slot that runs.
        following: Name of the slot that starts next; empty if RAUC can't tell.
        slots: All of them.
    """

    compatible: str
    booted: Slot
    following: str
    slots: tuple[Slot, ...]


class Rauc(Protocol):
    """What updates the system."""

    def status(self) -> System:
        """Which slots there are.

        Raises:
            Missing: RAUC or its service is not there.
            UpdateError: It can't tell.
        """

    def install(self, source: str, progress: Progress) -> None:
        """Write a bundle, a file or a URL, into the slot that does not run, and start from it next.

        Raises:
            BadInput: There is no such bundle, or it is none.
            Missing: RAUC or its service is not there.
            UpdateUntrusted: Its signature is refused.
            UpdateForeign: It is for another kind of device.
            StorageError: It doesn't fit.
            UpdateError: Anything else.
        """

    def mark(self, *, good: bool) -> None:
        """Tell the boot loader that the slot that runs is good, or that it must not be started any more.

        Raises:
            Missing: RAUC or its service is not there.
            UpdateError: The boot loader can't be told.
        """


class RaucProgram:
    """`Rauc` by its command line."""

    def status(self) -> System:
        """See `Rauc.status`."""
        return read_status(self._run("status", "--detailed", "--output-format=json"))

    def install(self, source: str, progress: Progress) -> None:
        """See `Rauc.install`."""
        said: list[str] = []
        with self._start("install", "--progress", source, errors=subprocess.STDOUT) as process:
            assert process.stdout is not None
            for line in map(str.rstrip, process.stdout):
                if step := _PERCENT.fullmatch(line):
                    progress(int(step[1]), step[2])
                elif line:
                    said.append(line)
        if process.returncode:
            raise trouble(said)

    def mark(self, *, good: bool) -> None:
        """See `Rauc.mark`."""
        self._run("status", "mark-good" if good else "mark-bad", "booted")

    def _run(self, *arguments: str) -> str:
        with self._start(*arguments, errors=subprocess.PIPE) as process:
            try:
                out, said = process.communicate(timeout=SECONDS)
            except subprocess.TimeoutExpired as error:
                process.kill()
                raise UpdateError(f"RAUC did not answer within {SECONDS:.0f} s.", remedy=_RESTART) from error
        if process.returncode:
            raise trouble([*out.splitlines(), *said.splitlines()])
        return out

    def _start(self, *arguments: str, errors: int) -> subprocess.Popen[str]:
        command, plain = ["rauc", *arguments], {**os.environ, "LC_ALL": "C"}
        try:
            return subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace", env=plain
            )
        except OSError as error:
            raise Missing(
                "RAUC is not installed: this device can't update its system.",
                remedy="Use an image of Homebody, or: sudo apt install rauc",
            ) from error


class _State(msgspec.Struct):
    state: str
    bootname: str | None = None
    boot_status: str | None = None
    slot_status: dict[str, Any] = {}


class _Status(msgspec.Struct):
    compatible: str
    slots: list[dict[str, _State]]
    boot_primary: str | None = None


def read_status(text: str) -> System:
    """What `rauc status --detailed --output-format=json` prints.

    Raises:
        UpdateError: It is something else, or no slot runs.
    """
    try:
        status = msgspec.json.decode(text, type=_Status)
    except msgspec.DecodeError as error:
        raise UpdateError(f"RAUC's status can't be read: {error}.", remedy="Check `rauc status`.") from error
    slots = tuple(_slot(name, state) for slot in status.slots for name, state in slot.items())
    booted = next((slot for slot in slots if slot.booted), None)
    if booted is None:
        raise UpdateError("RAUC does not know which slot runs.", remedy="Check its system.conf.")
    return System(status.compatible, booted, status.boot_primary or "", slots)


def _slot(name: str, state: _State) -> Slot:
    bundle, installed = state.slot_status.get("bundle", {}), state.slot_status.get("installed", {})
    digest = state.slot_status.get("checksum", {}).get("sha256", "")
    return Slot(
        name,
        state.bootname or "",
        state.state == "booted",
        state.boot_status == "good",
        bundle.get("version") or "",
        f"{installed.get('timestamp', '')} {digest[:12]}".strip(),
    )


_RESTART: Final = "Start its service again: systemctl restart rauc"

_TROUBLES: Final[tuple[tuple[str, Callable[[re.Match[str]], DeviceError]], ...]] = (
    (
        r"signature verification failed",
        lambda _: UpdateUntrusted(
            "The update's signature is refused: nobody whom this device trusts signed it, or it was changed since.",
            remedy="Get it again from whoever makes this device's system.",
        ),
    ),
    (
        r"Failed splicing data: Error reading from file: Input/output error",  # of a file that is read past dm-verity
        lambda _: UpdateUntrusted(
            "The update is not what was signed: it was changed or damaged since. Nothing of it came into use.",
            remedy="Get it again from whoever makes this device's system.",
        ),
    ),
    (
        r"Compatible mismatch: Expected '(.*?)' but bundle manifest has '(.*?)'",
        lambda found: UpdateForeign(
            f"The update is for {found[2]}; this device is {found[1]}.", remedy="Get the one for this kind of device."
        ),
    ),
    (
        r"No space left on device|too small",
        lambda _: StorageError(
            "The update does not fit into its slot.",
            remedy="Get one that was made for this device's disk.",
        ),
    ),
    (
        r"Failed to download bundle \S+ (.+)",
        lambda found: UpdateError(
            f"The update can't be downloaded: {found[1].rstrip('.')}.", remedy="Check network and address."
        ),
    ),
    (
        r"(?m)^No such file: ",
        lambda _: BadInput("There is no such update.", remedy="Check the path."),
    ),
    (
        r"Invalid bundle format",
        lambda _: BadInput("This is no update, or it is damaged.", remedy="Get it again."),
    ),
    (
        r"Already processing",
        lambda _: UpdateError("Another update is being installed.", remedy="Wait until it is done."),
    ),
    (
        r"[Ee]rror creating proxy",
        lambda _: Missing("RAUC's service does not run.", remedy="Start it: systemctl start rauc"),
    ),
)
"""What RAUC says, and what is told then; the first that is found counts."""


def trouble(said: list[str]) -> DeviceError:
    """The error that these lines of RAUC are about."""
    text = "\n".join(said)
    for pattern, error in _TROUBLES:
        if found := re.search(pattern, text):
            return error(found)
    reasons = [line.removeprefix(_REASON) for line in said if line.startswith(_REASON)] or said
    reason = next((line for line in reversed(reasons) if line), "it does not say why")
    return UpdateError(f"RAUC failed: {reason.rstrip('.')}.", remedy="See `journalctl -u rauc`.")
