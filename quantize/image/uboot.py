"""What U-Boot and a Raspberry Pi's firmware find on the boot partition that has to be made: script and device trees."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from quantize.image.board import BOOT
from quantize.image.tools import run

SCRIPT: Final = BOOT / "uboot/boot.cmd"
MICROPHONE: Final = BOOT / "uboot/i2s-microphone.dtsi"


def make_script(folder: Path, epoch: int, log: Path) -> None:
    """`boot.scr`, which U-Boot looks for.

    Raises:
        ToolFailed: mkimage ended with an error.
    """
    command = ("mkimage", "-A", "arm64", "-T", "script", "-d", SCRIPT, folder / "boot.scr")
    run(command, log, environment={"SOURCE_DATE_EPOCH": str(epoch)})


def add_microphone(tree: Path, target: Path, log: Path) -> None:
    """A device tree with a microphone on I2S.

    Debian's trees have no symbols, so that no overlay fits: they are taken apart and put together again.

    Args:
        tree: Of a board, without it.
        target: The new one.
        log: What dtc says is added to it.

    Raises:
        ToolFailed: dtc ended with an error.
    """
    source = target.with_suffix(".dts")
    run(["dtc", "-q", "-I", "dtb", "-O", "dts", "-o", source, tree], log)
    source.write_text(source.read_text(encoding="utf-8") + MICROPHONE.read_text(encoding="utf-8"), encoding="utf-8")
    run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", target, source], log)
    source.unlink()
