"""What trials need: the disk, a stick with recordings and bundles, one of them changed and one of them ill."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from device.errors import Missing
from quantize.image.board import Board
from quantize.image.root import Root
from quantize.image.tools import require, run
from quantize.image.update import Signer, keygen, make_bundle

COMMAND: Final = Path(__file__).parent / "command.flac"
"""“Hey Jarvis, turn on the kitchen light”, by a synthetic voice, 16 kHz mono."""

_FLOOR: Final = 8.0
"""Standard deviation of the room's noise, in steps of int16: an open microphone is never silent."""


def newest(out: Path, board: Board, kind: str) -> Path:
    """The newest result of a kind of `homebody image build`.

    Raises:
        Missing: There is none.
    """
    found = sorted(out.glob(f"homebody-{board.name}-*{kind}"), key=lambda file: file.stat().st_mtime)
    if not found:
        raise Missing(
            f"{out} has no image for {board.name}.",
            remedy=f"Run: homebody image build --board {board.name} --out {out}",
        )
    return found[-1]


def prepare(board: Board, out: Path, work: Path, signer: Signer | None, log: Path) -> tuple[Path, Path]:
    """The disk, and a stick for it.

    Args:
        board: Which one.
        out: Folder of the results of a build.
        work: A new folder.
        signer: Signs the update that is ill; None for trials without it.
        log: What programs say is added to it.

    Raises:
        Missing: There is no image, or a program is not installed.
        ToolFailed: A program failed.
    """
    require("zstd", "unsquashfs", "mksquashfs", "rauc", "mke2fs")
    disk, stick, update = work / "disk.img", work / "stick", newest(out, board, ".raucb")
    stick.mkdir()
    run(["zstd", "-q", "-d", newest(out, board, ".img.zst"), "-o", disk], log)
    noise = np.random.default_rng(0)
    command, rate = soundfile.read(COMMAND, dtype="int16")
    said = np.pad(command, (2 * rate, 6 * rate))
    for name, pcm in (("command", said), ("room", np.zeros(60 * rate, np.int16))):
        heard = np.rint(pcm + noise.normal(0, _FLOOR, len(pcm))).clip(-32768, 32767).astype(np.int16)
        soundfile.write(stick / f"{name}.wav", heard, rate)
    shutil.copy(update, stick / "update.raucb")
    tamper(update, stick / "tampered.raucb")
    stranger = keygen(work / "stranger", "A stranger", log)
    small = work / "small.img"
    small.write_bytes(noise.bytes(2**20))
    make_bundle(board, Root(small, *(small for _ in range(4))), stranger, stick / "foreign.raucb", "foreign", log)
    if signer:
        make_ill(board, update, stick / "broken.raucb", signer, work, log)
    return disk, stick


def tamper(bundle: Path, target: Path) -> None:
    """A copy of an update in which one byte of the system is another."""
    shutil.copy(bundle, target)
    with target.open("r+b") as file:
        file.seek(bundle.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 0xFF]))


def make_ill(board: Board, bundle: Path, target: Path, signer: Signer, work: Path, log: Path) -> None:
    """A rightly signed update of a system that has lost its voice."""
    content, tree, root = work / "content", work / "ill", work / "ill.img"
    run(["unsquashfs", "-q", "-n", "-d", content, bundle], log)
    run(["unsquashfs", "-q", "-n", "-d", tree, content / "root.img"], log)
    for data in tree.glob("usr/lib/*/espeak-ng-data"):
        shutil.rmtree(data)
    run(["mksquashfs", tree, root, "-quiet", "-noappend", "-comp", "zstd", "-Xcompression-level", "3"], log)
    make_bundle(board, Root(root, *(root for _ in range(4))), signer, target, "ill", log)
    for folder in (content, tree):
        shutil.rmtree(folder)
    root.unlink()
