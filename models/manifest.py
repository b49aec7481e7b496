"""The manifest of a model bundle: what it is, where it comes from, and the checksum of every file.

A bundle is a folder with `model.onnx`, `tokenizer.json`, `labels.json` and this `manifest.json`; every other file in it
is listed too. Nothing in a manifest tells when or where it was made: the same inputs and seed give the same bytes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any

import msgspec

FORMAT = 2
"""Version of the manifest's own layout: 2 added `board`, and `sha256` and `counts` of a provenance."""

READABLE = (1, 2)
"""Layouts that this program reads."""

MANIFEST = "manifest.json"
REQUIRED_FILES = ("model.onnx", "tokenizer.json", "labels.json")

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
PathPart = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=64)]
SignatureText = Annotated[str, msgspec.Meta(pattern=r"^ed25519:[0-9a-f]{16}:[A-Za-z0-9+/]{86}==$")]


class ManifestError(ValueError):
    """A bundle is incomplete, damaged, or of a layout that this program does not know."""


class Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One source of weights or sentences.

    Attributes:
        name: What it is called.
        licence: SPDX name, or as its owner writes it.
        source: Where it is, and who published it.
        use: What it was used for.
        sha256: Of what was read: the file, or the lines that `sha256sum` prints for its files in order of their names.
        counts: Split to number of sentences.
    """

    name: str
    licence: str
    source: str
    use: str = ""
    sha256: Sha256 | None = None
    counts: dict[str, Annotated[int, msgspec.Meta(ge=0)]] = {}


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Constants fitted on a development split, applied by the device.

    Attributes:
        temperature: Intent logits are divided by it before the softmax (Guo et al. 2017, arXiv 1706.04599).
        act_temperature: The same for the act logits.
        scope_weights: Logistic regression over `device.nlu.reject.features` that gives P(in scope).
        scope_bias: Its intercept.
        threshold: Below this P(in scope) an utterance is out of scope.
    """

    temperature: Annotated[float, msgspec.Meta(gt=0)]
    act_temperature: Annotated[float, msgspec.Meta(gt=0)]
    scope_weights: tuple[float, ...]
    scope_bias: float
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Contents of `manifest.json`. Fields that have their default are not written.

    Attributes:
        format: Layout version of this file.
        name: Bundle name, such as `homebody-en`.
        version: The bundle's own version.
        language: BCP 47 tag.
        ontology: `LabelSchema.ontology` of the labels that it was trained for.
        files: File name to SHA-256, every file of the bundle but this one.
        max_tokens: Longest input, word pieces including the special ones.
        calibration: Constants that the device applies to the logits.
        recipe: How it was made; names and numbers, `seed` among them.
        metrics: Held-out figures.
        provenance: Where weights and sentences come from, with licences.
        signature: Of the manifest without this field, if signed; see `models.signature`.
        board: Board that the int8 weights were made for, empty if any.
    """

    format: int
    name: PathPart
    version: PathPart
    language: str
    ontology: Sha256
    files: dict[FileName, Sha256]
    max_tokens: Annotated[int, msgspec.Meta(ge=8)]
    calibration: Calibration
    recipe: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
    provenance: tuple[Provenance, ...] = ()
    signature: SignatureText | None = None
    board: str = ""

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read `manifest.json` of a bundle, without looking at the other files.

        Raises:
            ManifestError: It is missing, damaged, or of an unknown layout version.
        """
        try:
            data = (folder / MANIFEST).read_bytes()
            version = msgspec.json.decode(data, type=_Versioned).format
            if version not in READABLE:
                known = " and ".join(map(str, READABLE))
                raise ManifestError(f"{MANIFEST} has layout version {version}; this program knows {known}")
            return msgspec.json.decode(data, type=cls)
        except OSError as error:
            raise ManifestError(f"{MANIFEST} can't be read ({error.strerror})") from error
        except msgspec.DecodeError as error:
            raise ManifestError(f"{MANIFEST} is damaged: {error}") from error

    def write(self, folder: Path) -> None:
        """Write `manifest.json` into a bundle; an old one is replaced as a whole."""
        part = folder / f".{MANIFEST}.part"
        part.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")
        part.replace(folder / MANIFEST)

    def verify(self, folder: Path) -> None:
        """Check that every file is there and unchanged, and that there is no other.

        Raises:
            ManifestError: Names the file that is missing, not listed, or differs from its checksum.
        """
        for name in REQUIRED_FILES:
            if name not in self.files:
                raise ManifestError(f"{name} is not listed in {MANIFEST}")
        for name, expected in self.files.items():
            try:
                found = file_sha256(folder / name)
            except OSError as error:
                raise ManifestError(f"{name} can't be read ({error.strerror})") from error
            if found != expected:
                raise ManifestError(f"{name} is damaged: sha256 {found[:12]}… instead of {expected[:12]}…")
        if extra := sorted({path.name for path in folder.iterdir()} - {*self.files, MANIFEST}):
            raise ManifestError(f"{extra[0]} is in the folder but not listed in {MANIFEST}")


class _Versioned(msgspec.Struct):
    format: int


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises:
        OSError: The file can't be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
