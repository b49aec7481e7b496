"""From a checkout to what is flashed: payload, root, disk, update, inventory; nothing half-made under a final name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Final

from device.errors import BadInput
from models.manifest import Manifest, ManifestError
from quantize.image import inventory
from quantize.image.board import Board
from quantize.image.disk import make_disk
from quantize.image.foreign import enable
from quantize.image.payload import make_payload
from quantize.image.root import make_root
from quantize.image.tools import require, run
from quantize.image.update import Format, Signer, make_bundle, system_conf

ROOM: Final = 5 * 2**30
"""Bytes that a build needs at its peak: the root unpacked, packed, and in the disk."""

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be built.

    Attributes:
        board: For which machine.
        signer: Who signs its updates; a device takes them from nobody else.
        model: Language model bundle; None for the one of the checkout.
        version: Of image and update.
        epoch: Seconds since 1970 that no file is newer than.
        form: RAUC's format of the update.
    """

    board: Board
    signer: Signer
    model: Path | None = None
    version: str = ""
    epoch: int = 0
    form: Format = "verity"


def build(order: Order, out: Path, cache: Path, step: Step) -> list[Path]:
    """Build an image into a folder.

    All is made in a hidden folder beside the results; they get their names when the last of them is whole, so that an
    interrupted build leaves those of the last one as they were.

    Args:
        order: What.
        out: Folder of the results, made if it is not there.
        cache: Folder for wheels.
        step: Told what is being done.

    Returns:
        The results: disk (compressed), update, SBOM, licences, manifest, checksums.

    Raises:
        DeviceError: A tool, a key or room is missing, or a tool failed; the log is kept then.
    """
    require("mmdebstrap", "mksquashfs", "mke2fs", "mcopy", "mkfs.vfat", "genimage", "rauc", "zstd")
    if order.board.boot == "uboot":
        require("mkimage", "dtc")
    enable(order.board)
    order.signer.check()
    if order.model:
        _check_model(order.model)
    out.mkdir(parents=True, exist_ok=True)
    if (free := shutil.disk_usage(out).free) < ROOM:
        raise BadInput(
            f"There are {free / 2**30:.1f} GB free where {out} is, and a build needs {ROOM / 2**30:.0f}.",
            remedy="Free some, or name another --out.",
        )
    board, name = order.board, f"homebody-{order.board.name}"
    version = order.version or installed("homebody")
    epoch = order.epoch or last_change()
    log = out / f"{name}.log"
    log.unlink(missing_ok=True)
    with _workshop(out / f".{name}") as work:
        step("libraries")
        payload = work / "payload"
        make_payload(board.machine, payload, cache, log)
        if order.model:
            shipped = payload / "models/artefacts/homebody-en"
            shutil.rmtree(shipped)
            shutil.copytree(order.model, shipped)
        step("root file system")
        config = _config(order, version, work / "config")
        _find_out(work / "home", config, log)
        root = make_root(board, payload, config, work, epoch, log)
        step("disk")
        disk = make_disk(board, root, work, epoch, log)
        step("update")
        update = work / f"{name}-{version}.raucb"
        make_bundle(board, root, order.signer, update, version, log, order.form)
        step("compression")
        packed = work / f"{name}-{version}.img.zst"
        run(["zstd", "-q", "-10", "-T0", disk, "-o", packed], log)
        step("inventory")
        components = [*inventory.debian_components(root.packages), *inventory.python_components(payload)]
        texts = {
            f"{name}-{version}.cdx.json": inventory.bill_of_materials(board, version, components, epoch),
            f"{name}-{version}.licences.tsv": inventory.licences(components),
            f"{name}-{version}.manifest.json": inventory.manifest(
                board, version, epoch, root.image, {"disk": packed, "update": update}
            ),
        }
        for file, text in texts.items():
            (work / file).write_text(text, encoding="utf-8")
        made = [packed, update, *(work / file for file in texts)]
        sums = work / f"{name}-{version}.SHA256SUMS"
        sums.write_text(inventory.checksums(made), encoding="utf-8")
        return [file.replace(out / file.name) for file in (*made, sums)]


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """An empty folder that is gone afterwards; what a build that was killed left in it goes first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def last_change() -> int:
    """When the checkout last changed, by its history; `SOURCE_DATE_EPOCH` where that is set.

    Raises:
        BadInput: Neither is there.
    """
    if (given := os.environ.get("SOURCE_DATE_EPOCH", "")).isdigit():
        return int(given)
    found = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    if found.returncode:
        raise BadInput(
            "This is no checkout, so nothing tells how old its files are.",
            remedy="Set SOURCE_DATE_EPOCH to seconds since 1970.",
        )
    return int(found.stdout)


def _config(order: Order, version: str, folder: Path) -> Path:
    """The files that this build alone has."""
    (folder / "etc/rauc").mkdir(parents=True)
    (folder / "etc/rauc/system.conf").write_text(system_conf(order.board), encoding="utf-8")
    shutil.copy(order.signer.certificate, folder / "etc/rauc/keyring.pem")
    release = f'NAME=Homebody\nID=homebody\nID_LIKE=debian\nVERSION_ID={version}\nPRETTY_NAME="Homebody {version}"\n'
    (folder / "usr/lib").mkdir(parents=True)
    (folder / "usr/lib/os-release").write_text(release, encoding="utf-8")
    # A board without a clock starts with this file's time, not in 1970; see systemd(1).
    (folder / "usr/lib/clock-epoch").touch()
    return folder


def _find_out(home: Path, config: Path, log: Path) -> None:
    """What a device would find out at its first start its image brings: to compile a grammar takes a board seconds."""
    ask = "from device.cli import main; main(['ask', 'hello'])"
    run([sys.executable, "-c", ask], log, environment={"HOMEBODY_HOME": str(home)})
    given = "usr/share/homebody/cache"
    shutil.copytree(home / "cache", config / given)
    copied = [
        f"C /data/homebody/cache/{file.name} 0600 homebody homebody - /{given}/{file.name}\n"
        for file in sorted((config / given).iterdir())
    ]
    lines = config / "usr/lib/tmpfiles.d/homebody-cache.conf"
    lines.parent.mkdir()
    lines.write_text("".join(copied), encoding="utf-8")


def _check_model(folder: Path) -> None:
    try:
        Manifest.read(folder).verify(folder)
    except (ManifestError, OSError) as error:
        raise BadInput(
            f"{folder} is no whole model bundle: {error}.", remedy="Make it with `homebody train`."
        ) from error
