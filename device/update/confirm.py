"""Whether the system that was started stays: once its health is confirmed it does; else the one before comes back.

A boot loader's "good" says only that it would start a system: one that was just installed is good for it as well (with
U-Boot and boot counting), or no system is until somebody says so at each start (GRUB). So the device itself remembers
which installations it has confirmed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from device.errors import StorageError
from device.update.rauc import Rauc, Slot, System

FILE: Final = "confirmed.json"


class Verdict(StrEnum):
    """What becomes of the system that runs."""

    GOOD = "good"
    """It is healthy and stays."""
    KEPT = "kept"
    """It is ill, but was healthy once: what broke since is not the update's fault, and the one before is no better."""
    ALONE = "alone"
    """It is ill, but there is none that could be gone back to."""
    BAD = "bad"
    """It is ill and new: the one before is started next."""


class Confirmed:
    """The installations that were found healthy, by slot.

    Args:
        folder: Of the file that remembers them.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def __contains__(self, slot: Slot) -> bool:
        return self._read().get(slot.name) == slot.installed

    def add(self, slot: Slot) -> None:
        """Remember what is in a slot now.

        Raises:
            StorageError: It can't be written.
        """
        part = self._file.with_suffix(".part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(msgspec.json.encode({**self._read(), slot.name: slot.installed}))
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._file)
        except OSError as error:
            raise StorageError(
                f"{self._file} can't be written: {error.strerror}.", remedy="Free some space or check the disk."
            ) from error

    def _read(self) -> dict[str, str]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            return {}  # then it is looked at again


def confirm(rauc: Rauc, confirmed: Confirmed, healthy: Callable[[], bool]) -> tuple[Verdict, System]:
    """Decide, and tell the boot loader.

    It can't go back and forth: a system that was marked bad is nothing to go back to.

    Args:
        rauc: Knows the slots.
        confirmed: What was healthy before.
        healthy: Looks whether all works.

    Returns:
        What was decided, and the slots as they were found.

    Raises:
        DeviceError: RAUC is not there or failed, or what was decided can't be written down.
    """
    system = rauc.status()
    booted = system.booted
    if healthy():
        rauc.mark(good=True)
        if booted not in confirmed:
            confirmed.add(booted)
        return Verdict.GOOD, system
    if booted in confirmed:
        verdict = Verdict.KEPT
    else:
        others = (slot for slot in system.slots if slot.bootname and not slot.booted)
        verdict = Verdict.BAD if any(slot.good for slot in others) else Verdict.ALONE
    rauc.mark(good=verdict is not Verdict.BAD)  # a boot loader that counts its tries would give up
    return verdict, system
