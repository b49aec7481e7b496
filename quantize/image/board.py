"""What an image differs in from board to board: one TOML file each in `boards/`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from device.errors import BadInput

BOARDS: Final = Path(__file__).parent / "boards"

BOOT: Final = Path(__file__).parent / "boot"
"""The hook of updates; for each way to start how it ends with the `entry`, and `files` for the boot partition."""

MegaBytes = Annotated[int, msgspec.Meta(gt=0, le=65536)]


class Board(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A kind of machine.

    Attributes:
        name: As `homebody image build --board` takes it.
        title: For people.
        debian: Debian's name of the architecture.
        machine: The kernel's and the wheels' name of it.
        boot: What chooses between the two systems: systemd-boot by its counting ("efi"), or U-Boot.
        boot_files: What the boot partition holds beside kernels: paths within the root to a file or folder there.
        packages: Debian packages beside those of every board: kernel, firmware, boot loader.
        console: Serial line that the kernel and a login talk to.
        modules: Kernel modules in the initramfs beside those of every board: what the disk hangs on.
        boot_mb: Size of the boot partition in MiB: kernel and initramfs of both systems.
        root_mb: Size of each of the two root partitions in MiB.
        data_mb: Size of the data partition in the image in MiB; it grows at the first start.
    """

    name: str
    title: str
    debian: Literal["amd64", "arm64"]
    machine: Literal["x86_64", "aarch64"]
    boot: Literal["efi", "uboot"]
    boot_files: Mapping[str, str]
    packages: tuple[str, ...]
    console: str
    modules: tuple[str, ...] = ()
    boot_mb: MegaBytes = 128
    root_mb: MegaBytes = 320
    data_mb: MegaBytes = 64

    @property
    def starting(self) -> Path:
        """Folder of what belongs to its way to start."""
        return BOOT / self.boot

    @property
    def compatible(self) -> str:
        """What an update must be made for, to be taken by this board (RAUC's `compatible`)."""
        return f"homebody-{self.name}"


def board(name: str) -> Board:
    """A board by its name.

    Raises:
        BadInput: There is none of that name; names the nearest.
    """
    names = sorted(file.stem for file in BOARDS.glob("*.toml"))
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        remedy = f"Did you mean {near[0]}? " if near else ""
        raise BadInput(f"There is no board {name}.", remedy=f"{remedy}There are {', '.join(names)}.")
    text = (BOARDS / f"{name}.toml").read_text(encoding="utf-8")
    return msgspec.toml.decode(f'name = "{name}"\n{text}', type=Board)
