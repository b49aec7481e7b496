"""What QEMU makes of a board: its arguments, and where a trial finds shell, stick and command lines.

Without KVM (`accel=tcg`), so that a trial is the same everywhere.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from device.errors import Missing
from quantize.image.board import Board
from quantize.image.disk import MIB
from quantize.image.tools import require, run

Arguments: TypeAlias = list[str]

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

    def arguments(self, disk: Path, stick: Path, console: Path, shell: Path) -> Arguments:
        """QEMU's arguments.

        Args:
            disk: Its disk, qcow2.
            stick: A raw disk that can only be read.
            console: File that all that its console says is added to.
            shell: Socket of its shell's line.
        """
        ...


class Efi:
    """A board with UEFI, virtio disks and a virtual console.

    Args:
        board: Which one.
        folder: Keeps what its firmware remembers.

    Raises:
        Missing: UEFI for it is not installed.
    """

    shell = "hvc0"
    stick = "/dev/vdb"
    entries: tuple[str, ...] = ("loader/entries",)
    option = ""

    def __init__(self, board: Board, folder: Path) -> None:
        code, variables, package = _FIRMWARE[board.debian]
        if not Path(code).exists():
            raise Missing(f"UEFI for {board.debian} is not installed.", remedy=f"Run: sudo apt-get install {package}")
        self._kind = ("virt", "cortex-a72") if board.debian == "arm64" else ("q35", "max")
        self._code = code
        self._variables = folder / "variables.fd"
        shutil.copy(variables, self._variables)

    def arguments(self, disk: Path, stick: Path, console: Path, shell: Path) -> Arguments:
        """See `Emulation.arguments`."""
        return [
            *("-machine", self._kind[0], "-cpu", self._kind[1], "-smp", "2"),
            *("-drive", f"if=pflash,format=raw,readonly=on,file={self._code}"),
            *("-drive", f"if=pflash,format=raw,file={self._variables}"),
            *("-drive", f"if=virtio,format=qcow2,cache=writethrough,file={disk}"),
            *("-drive", f"if=virtio,format=raw,readonly=on,file={stick}"),
            *("-device", "virtio-serial-pci", "-device", "virtconsole,chardev=shell"),
            *("-chardev", f"socket,id=shell,path={shell},server=on,wait=off"),
            *("-chardev", f"file,id=console,path={console},append=on", "-serial", "chardev:console"),
            *("-device", "virtio-rng-pci"),
        ]


class RaspberryPi:
    """U-Boot on a Raspberry Pi 3, as QEMU has no 4 yet; its own firmware, which starts U-Boot, is not there either.

    Args:
        disk: The disk image, raw.
        folder: Keeps U-Boot, and the device tree of a Raspberry Pi 3.
        log: What programs say is added to it.

    Raises:
        ToolFailed: The disk has no U-Boot, or its root no device tree.
    """

    shell = "ttyS1"
    stick = "/dev/sda"
    entries: tuple[str, ...] = ("a", "b")
    # There is one line for all; a watchdog of 15 s bites an emulated processor that is busy.
    option = " systemd.mask=serial-getty@ttyS1.service systemd.watchdog_sec=0"

    def __init__(self, disk: Path, folder: Path, log: Path) -> None:
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
        run(["unsquashfs", "-q", "-n", "-o", str(512 * int(start)), "-d", tree, disk, pattern], log)
        self._tree = next(tree.glob(pattern))

    def arguments(self, disk: Path, stick: Path, console: Path, shell: Path) -> Arguments:
        """See `Emulation.arguments`."""
        return [
            *("-machine", "raspi3b", "-kernel", str(self._uboot), "-dtb", str(self._tree)),
            *("-drive", f"if=sd,format=qcow2,cache=writethrough,file={disk}"),
            *("-drive", f"if=none,id=stick,format=raw,readonly=on,file={stick}", "-device", "usb-storage,drive=stick"),
            *("-chardev", f"socket,id=shell,path={shell},server=on,wait=off,logfile={console},logappend=on"),
            *("-serial", "null", "-serial", "chardev:shell"),
        ]


def emulation(board: Board, disk: Path, folder: Path, log: Path) -> Emulation:
    """A board in QEMU.

    Args:
        board: Which one.
        disk: Its disk image, raw.
        folder: For what it needs.
        log: What programs say is added to it.

    Raises:
        Missing: A program or firmware is not installed.
        ToolFailed: The disk lacks what starts it.
    """
    require("qemu-img", f"qemu-system-{board.machine}", "mcopy")
    return Efi(board, folder) if board.boot == "efi" else RaspberryPi(disk, folder, log)
