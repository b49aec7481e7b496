"""Programs of the other architecture, run by qemu-user through the kernel's binfmt_misc."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path
from typing import Final

from device.errors import Missing
from quantize.image.board import Board
from quantize.image.tools import require

_BINFMT: Final = Path("/proc/sys/fs/binfmt_misc")
_QEMU: Final = "qemu-aarch64"


def enable(board: Board) -> None:
    """See that programs of a board run here: they do, or the kernel is told by what.

    Raises:
        Missing: qemu is not installed, or this user may not tell the kernel.
    """
    if platform.machine() == board.machine or (_BINFMT / _QEMU).exists():
        return
    if board.machine != "aarch64":
        raise Missing(f"{board.title} is built on a machine of its own architecture only.", remedy="Use an x86-64 PC.")
    require("qemu-aarch64-static")
    try:
        if not (_BINFMT / "register").exists():
            subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", _BINFMT], check=True, capture_output=True)
        line = Path(f"/usr/lib/binfmt.d/{_QEMU}.conf").read_text(encoding="ascii")
        (_BINFMT / "register").write_text(line.strip(), encoding="ascii")
    except (OSError, subprocess.CalledProcessError) as error:
        raise Missing(
            "Programs for arm64 can't be run here.",
            remedy="As root: mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc, then update-binfmts --enable.",
        ) from error
