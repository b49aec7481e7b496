"""Programs of others that make images, run with their output in a log and their failures as errors."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from device.errors import DeviceError, Missing

PACKAGES: Final[Mapping[str, str]] = {
    "mmdebstrap": "mmdebstrap",
    "mksquashfs": "squashfs-tools",
    "unsquashfs": "squashfs-tools",
    "mke2fs": "e2fsprogs",
    "mcopy": "mtools",
    "mkfs.vfat": "dosfstools",
    "genimage": "genimage",
    "mkimage": "u-boot-tools",
    "dtc": "device-tree-compiler",
    "sfdisk": "fdisk",
    "rauc": "rauc",
    "openssl": "openssl",
    "zstd": "zstd",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-aarch64-static": "qemu-user-static",
}
"""Program to the Debian package that brings it."""

_TAIL: Final = 12


class ToolFailed(DeviceError):
    """A program ended with an error; the message has the end of what it said."""


def require(*programs: str) -> None:
    """See that programs are there.

    Raises:
        Missing: Some are not; the remedy installs them all.
    """
    path = "/usr/local/sbin:/usr/sbin:/sbin"
    lacking = [each for each in programs if not shutil.which(each) and not shutil.which(each, path=path)]
    if lacking:
        packages = " ".join(sorted({PACKAGES[each] for each in lacking}))
        raise Missing(f"{', '.join(lacking)}: not installed.", remedy=f"Run: sudo apt-get install {packages}")


def run(
    command: Sequence[str | Path],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a program to its end.

    Args:
        command: Its name and arguments.
        log: File that what it says is added to.
        environment: Variables beside those of this process.

    Raises:
        ToolFailed: It ended with an error.
    """
    variables = os.environ | {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"} | dict(environment or {})
    with log.open("ab") as file:
        file.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        file.flush()
        begin = file.tell()
        done = subprocess.run(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=variables,
        )
    if done.returncode:
        with log.open("rb") as file:
            file.seek(begin)
            said = file.read().decode(errors="replace").strip().splitlines()[-_TAIL:]
        raise ToolFailed(
            "\n".join([f"{command[0]} ended with error {done.returncode}:", *(f"  {line}" for line in said)]),
            remedy=f"The whole log is in {log}.",
        )
