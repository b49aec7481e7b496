"""What QEMU makes of a board: its arguments, and where a trial finds shell, stick and command lines.

Without KVM (`accel=tcg`), so that a trial is the same everywhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from device.errors import Missing
from quantize.image.board import Board
from quantize.image.disk import MIB
from quantize.image.tools import require, run

Arguments: TypeAlias = list[str]

SECTOR: Final = 512

CARD: Final = 2**32
"""Bytes of an SD card; QEMU takes powers of two only."""

_FIRMWARE: Final = {
    "amd64": ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", "ovmf"),
    "arm64": ("/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd", "qemu-efi-aarch64"),
}


class Emulation(Protocol):
    """A board in QEMU.

    Attributes:
        shell: Line of the shell for trials.
        stick: Where the device finds a stick.
        entries: Folders of the boot partition whose `.conf` files have the kernels' command lines.
        option: What the kernel is told in an emulator only.
    """

    shell: str
    stick: str
    entries: tuple[str, ...]
    option: str

    def arguments(self, disk: Path, console: Path, shell: Path) -> Arguments:
        """QEMU's arguments.

        Args:
            disk: Its disk, qcow2.
            console: File that all that its console says is added to.
            shell: Socket of its shell's line.
        """
        ...


class Efi:
    """A board with UEFI, virtio disks and a virtual console.

    Args:
        board: Which one.
        stick: A raw disk that can only be read.
        folder: Keeps what its firmware remembers.

    Raises:
        Missing: UEFI for it is not installed.
    """

    shell = "hvc0"
    stick = "/dev/vdb"
    entries: tuple[str, ...] = ("loader/entries",)
    option = ""

    def __init__(self, board: Board, stick: Path, folder: Path) -> None:
        code, variables, package = _FIRMWARE[board.debian]
        if not Path(code).exists():
            raise Missing(f"UEFI for {board.debian} is not installed.", remedy=f"Run: sudo apt-get install {package}")
        self._kind = ("virt", "cortex-a72") if board.debian == "arm64" else ("q35", "max")
        self._code = code
        self._stick = stick
        self._variables = folder / "variables.fd"
        shutil.copy(variables, self._variables)

    def arguments(self, disk: Path, console: Path, shell: Path) -> Arguments:
        """See `Emulation.arguments`."""
        return [
            *("-machine", self._kind[0], "-cpu", self._kind[1], "-smp", "2"),
            *("-drive", f"if=pflash,format=raw,readonly=on,file={self._code}"),
            *("-drive", f"if=pflash,format=raw,file={self._variables}"),
            *("-drive", f"if=virtio,format=qcow2,cache=writethrough,file={disk}"),
            *("-drive", f"if=virtio,format=raw,readonly=on,file={self._stick}"),
            *("-device", "virtio-serial-pci", "-device", "virtconsole,chardev=shell"),
            *("-chardev", f"socket,id=shell,path={shell},server=on,wait=off"),
            *("-chardev", f"file,id=console,path={console},append=on", "-serial", "chardev:console"),
            *("-device", "virtio-rng-pci"),
        ]


class RaspberryPi:
    """U-Boot on a Raspberry Pi 3, as QEMU has no 4 yet; its own firmware, which starts U-Boot, is not there either.

    QEMU's USB host takes no stick from Linux, so that the stick is a further partition of the card.

    Args:
        disk: The disk image, raw, which gets that partition.
        stick: What becomes it.
        folder: Keeps U-Boot, and the device tree of a Raspberry Pi 3.
        log: What programs say is added to it.

    Raises:
        ToolFailed: The disk has no U-Boot, or its root no device tree.
    """

    shell = "ttyS1"
    stick = "/dev/mmcblk0p5"
    entries: tuple[str, ...] = ("a", "b")
    # There is one line for all; a watchdog of 15 s bites an emulated processor that is busy.
    option = " systemd.mask=serial-getty@ttyS1.service systemd.watchdog_sec=0"

    def __init__(self, disk: Path, stick: Path, folder: Path, log: Path) -> None:
        require("unsquashfs", "sfdisk")
        self._uboot = folder / "u-boot.bin"
        run(["mcopy", "-n", "-o", "-i", f"{disk}@@{MIB}", "::u-boot.bin", self._uboot], log)
        start = (
            subprocess.run(["sfdisk", "-d", disk], capture_output=True, text=True, check=True)
            .stdout.split("root-a")[0]
            .rpartition("start=")[2]
            .split(",")[0]
        )
        tree = folder / "tree"
        pattern = "usr/lib/linux-image-*/broadcom/bcm2837-rpi-3-b.dtb"
        run(["unsquashfs", "-q", "-n", "-o", str(SECTOR * int(start)), "-d", tree, disk, pattern], log)
        self._tree = next(tree.glob(pattern))
        _append(disk, stick)

    def arguments(self, disk: Path, console: Path, shell: Path) -> Arguments:
        """See `Emulation.arguments`."""
        return [
            *("-machine", "raspi3b", "-kernel", str(self._uboot), "-dtb", str(self._tree)),
            *("-drive", f"if=sd,format=qcow2,cache=writethrough,file={disk}"),
            *("-chardev", f"socket,id=shell,path={shell},server=on,wait=off,logfile={console},logappend=on"),
            *("-serial", "null", "-serial", "chardev:shell"),
        ]


def _append(disk: Path, stick: Path) -> None:
    """A disk of `CARD` bytes, with a stick as its last partition."""
    os.truncate(disk, CARD)
    sectors = stick.stat().st_size // SECTOR
    start = (CARD // SECTOR - sectors - MIB // SECTOR) // 2048 * 2048
    subprocess.run(["sfdisk", "-q", "--relocate", "gpt-bak-std", disk], check=True, capture_output=True)
    line = f"start={start}, size={sectors}, type=linux, name=stick\n"
    subprocess.run(["sfdisk", "-q", "--append", disk], input=line, text=True, check=True, capture_output=True)
    with stick.open("rb") as source, disk.open("r+b") as target:
        target.seek(start * SECTOR)
        shutil.copyfileobj(source, target, MIB)


def emulation(board: Board, disk: Path, stick: Path, folder: Path, log: Path) -> Emulation:
    """A board in QEMU.

    Args:
        board: Which one.
        disk: Its disk image, raw, of a copy that may be changed.
        stick: File system of a stick, raw.
        folder: For what it needs.
        log: What programs say is added to it.

    Raises:
        Missing: A program or firmware is not installed.
        ToolFailed: The disk lacks what starts it.
    """
    require("qemu-img", f"qemu-system-{board.machine}", "mcopy")
    return Efi(board, stick, folder) if board.boot == "efi" else RaspberryPi(disk, stick, folder, log)
