"""The disk image: boot partition, two roots of which the second is still empty, and data, by genimage."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from quantize.image.board import Board
from quantize.image.root import Root, entry_template
from quantize.image.tools import run
from quantize.image.uboot import add_microphone, make_script

MIB: Final = 2**20

_LAYOUT: Final = """\
image boot.vfat {{
  vfat {{ label = "HOMEBODY" extraargs = "--invariant" }}
  mountpoint = "/boot"
  size = {board.boot_mb}M
}}
image disk.img {{
  hdimage {{
    partition-table-type = "gpt"
    disk-uuid = "{uuid}"
    align = 1M
  }}
  partition esp {{ image = "boot.vfat" partition-type-uuid = "U" partition-uuid = "{uuid:.35}1" }}
  partition root-a {{ image = "{root}" size = {size}M partition-type-uuid = "{type}" partition-uuid = "{uuid:.35}2" }}
  partition root-b {{ size = {size}M partition-type-uuid = "{type}" partition-uuid = "{uuid:.35}3" }}
  partition data {{ image = "data.ext4" partition-type-uuid = "L" partition-uuid = "{uuid:.35}4" }}
}}
"""

UUID: Final = "7e6f2c4a-1d0b-4b7e-9a55-686f6d656200"
"""Of partition table and file systems: an image is the same whenever it is made."""

ROOT_TYPE: Final = "b5d1c2f3-40a7-4c1c-8d0e-686f6d656201"
"""Partition type of a root that RAUC writes: nothing of systemd's mounts it or lets it grow."""


def fill_boot(board: Board, root: Root, folder: Path, epoch: int, log: Path) -> None:
    """The boot partition of a new device, on which system a is good and b is not there yet.

    Raises:
        ToolFailed: mkimage or dtc ended with an error.
    """
    shutil.copytree(board.starting / "files", folder)
    shutil.copytree(root.boot, folder, dirs_exist_ok=True)
    for name in ("a", "b"):
        (folder / name).mkdir()
    shutil.copy(root.kernel, folder / "a/linux")
    shutil.copy(root.initrd, folder / "a/initrd")
    entry = folder / ("loader/entries/homebody-a.conf" if board.boot == "efi" else "a/entry.conf")
    entry.parent.mkdir(exist_ok=True)
    entry.write_text(entry_template(board).replace("@NAME@", "a"), encoding="utf-8")
    if board.boot == "uboot":
        make_script(folder, epoch, log)
        for tree in sorted(folder.glob("*.dtb")):
            add_microphone(tree, tree.with_stem(f"{tree.stem}-i2s"), log)


def make_disk(board: Board, root: Root, out: Path, epoch: int, log: Path) -> Path:
    """Make the disk image.

    Args:
        board: Which one.
        root: Its root file system.
        out: A folder for results and what is between.
        epoch: Seconds since 1970 of its files.
        log: What genimage says is added to it.

    Raises:
        ToolFailed: genimage ended with an error; a root or kernel is too large for its partition, say.
    """
    tree, work = out / "tree", out / "genimage"
    for folder in (tree, work):
        shutil.rmtree(folder, ignore_errors=True)
    tree.mkdir()
    fill_boot(board, root, tree / "boot", epoch, log)
    data = out / "data.ext4"
    data.unlink(missing_ok=True)
    (tree / "data").mkdir()
    fixed = {"SOURCE_DATE_EPOCH": str(epoch), "E2FSPROGS_FAKE_TIME": str(epoch)}
    named = ("-L", "data", "-U", UUID, "-E", f"hash_seed={UUID},root_owner=0:0")
    run(["mke2fs", "-q", "-t", "ext4", *named, "-d", tree / "data", data, f"{board.data_mb}M"], log, environment=fixed)
    layout = out / "genimage.cfg"
    layout.write_text(
        _LAYOUT.format(board=board, root=root.image.name, uuid=UUID, type=ROOT_TYPE, size=board.root_mb),
        encoding="utf-8",
    )
    paths = ("--rootpath", tree, "--tmppath", work, "--inputpath", out, "--outputpath", out)
    run(["genimage", "--config", layout, *paths], log, environment=fixed)
    for folder in (tree, work):
        shutil.rmtree(folder)
    return out / "disk.img"
