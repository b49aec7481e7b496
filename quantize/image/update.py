"""The update: RAUC's signed bundle of a root, with a hook that puts its kernel where the boot loader finds it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from device.errors import BadInput
from quantize.image.board import BOOT, Board
from quantize.image.root import Root
from quantize.image.tools import run

Format: TypeAlias = Literal["verity", "plain"]

_MANIFEST: Final = """\
[update]
compatible={board.compatible}
version={version}

[bundle]
format={format}

[hooks]
filename=hook

[image.rootfs]
filename=root.img
hooks=post-install
"""

# A board without a clock of its own thinks that it is before the certificate's time until a network tells it better.
_SYSTEM: Final = """\
[system]
compatible={board.compatible}
{bootloader}
mountprefix=/run/rauc
statusfile=/data/rauc/status
bundle-formats=verity plain

[keyring]
path=/etc/rauc/keyring.pem
use-bundle-signing-time=true

{handlers}[slot.rootfs.0]
device=/dev/disk/by-partlabel/root-a
type=raw
bootname=a

[slot.rootfs.1]
device=/dev/disk/by-partlabel/root-b
type=raw
bootname=b
"""

_BOOTLOADERS: Final = {
    "efi": {
        "bootloader": "bootloader=custom",
        "handlers": "[handlers]\nbootloader-custom-backend=/usr/lib/homebody/slots\n\n",
    },
    # Tries of a system that is good are not counted down, see boot.cmd.
    "uboot": {"bootloader": "bootloader=uboot\nboot-attempts=9\nboot-attempts-primary=3", "handlers": ""},
}


class Signer(NamedTuple):
    """Who signs updates: a private key and its certificate, PEM."""

    key: Path
    certificate: Path

    def check(self) -> None:
        """See that both are there.

        Raises:
            BadInput: One is not, or is none.
        """
        remedy = "Make both with `homebody image keygen --out DIR`, and keep the key secret."
        for file, mark in ((self.key, "PRIVATE KEY"), (self.certificate, "CERTIFICATE")):
            if not file.is_file():
                raise BadInput(f"There is no {file}.", remedy=remedy)
            if mark not in file.read_text(encoding="ascii", errors="replace"):
                raise BadInput(f"{file} is no {mark.lower()} in PEM.", remedy=remedy)


def keygen(out: Path, name: str, log: Path) -> Signer:
    """Make a key and a certificate for ten years.

    Raises:
        BadInput: There is one already.
        ToolFailed: openssl ended with an error.
    """
    signer = Signer(out / "update.key.pem", out / "update.cert.pem")
    for file in signer:
        if file.exists():
            raise BadInput(f"{file} is there already.", remedy="Name another folder; a key is never overwritten.")
    out.mkdir(parents=True, exist_ok=True)
    extensions = ("-addext", "keyUsage=digitalSignature", "-addext", "extendedKeyUsage=emailProtection")
    command = ("openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-days", "3650", "-subj", f"/CN={name}")
    run([*command, *extensions, "-keyout", signer.key, "-out", signer.certificate], log)
    signer.key.chmod(0o600)
    return signer


def system_conf(board: Board) -> str:
    """RAUC's view of a device, see its reference of `system.conf`."""
    return _SYSTEM.format(board=board, **_BOOTLOADERS[board.boot])


def make_bundle(
    board: Board, root: Root, signer: Signer, target: Path, version: str, log: Path, form: Format = "verity"
) -> None:
    """Make an update.

    Args:
        board: What it is for.
        root: What is installed.
        signer: Who signs it.
        target: The new file.
        version: As `rauc info` shows it.
        log: What rauc says is added to it.
        form: RAUC's format: verity checks what it reads as it reads it, plain is for devices of old.

    Raises:
        ToolFailed: rauc ended with an error.
    """
    content = target.parent / f"{target.stem}.content"  # rauc writes into the manifest that it is given
    shutil.rmtree(content, ignore_errors=True)
    content.mkdir()
    try:
        (content / "root.img").hardlink_to(root.image)
        hook = content / "hook"
        hook.write_text((BOOT / "hook").read_text("utf-8") + (board.starting / "entry").read_text("utf-8"), "utf-8")
        hook.chmod(0o755)
        manifest = _MANIFEST.format(board=board, version=version, format=form)
        (content / "manifest.raucm").write_text(manifest, encoding="utf-8")
        target.unlink(missing_ok=True)
        compress = ("--mksquashfs-args=-comp zstd -Xcompression-level 3",)  # the root is compressed already
        signed = (f"--cert={signer.certificate}", f"--key={signer.key}", f"--keyring={signer.certificate}")
        run(["rauc", "bundle", *signed, *compress, content, target], log)
    finally:
        shutil.rmtree(content)
