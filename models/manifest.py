"""The manifest of a model bundle: what it is, where it comes from, and the checksum of every file.

A bundle is a folder with `model.onnx`, `tokenizer.json`, `labels.json` and this `manifest.json`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any

import msgspec

FORMAT = 1
"""Version of the manifest's own layout."""

MANIFEST = "manifest.json"
REQUIRED_FILES = ("model.onnx", "tokenizer.json", "labels.json")

Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class ManifestError(ValueError):
    """A bundle is incomplete, damaged, or of a layout that this program does not know."""


class Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One source of weights or sentences."""

    name: str
    licence: str
    source: str
    use: str = ""


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


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Contents of `manifest.json`.

    Attributes:
        format: Layout version of this file.
        name: Bundle name, such as `homebody-en`.
        version: The bundle's own version.
        language: BCP 47 tag.
        ontology: `LabelSchema.ontology` of the labels that it was trained for.
        files: File name to SHA-256, every file of the bundle but this one.
        max_tokens: Longest input, word pieces including the special ones.
        calibration: Constants that the device applies to the logits.
        recipe: How it was made; names and numbers.
        metrics: Held-out figures.
        provenance: Where weights and sentences come from, with licences.
        signature: Detached signature of the manifest without this field, if signed.
    """

    format: int
    name: str
    version: str
    language: str
    ontology: Sha256
    files: dict[FileName, Sha256]
    max_tokens: Annotated[int, msgspec.Meta(ge=8)]
    calibration: Calibration
    recipe: dict[str, Any] = {}
    metrics: dict[str, Any] = {}
    provenance: tuple[Provenance, ...] = ()
    signature: str | None = None

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read `manifest.json` of a bundle, without looking at the other files.

        Raises:
            ManifestError: It is missing, damaged, or of an unknown layout version.
        """
        try:
            data = (folder / MANIFEST).read_bytes()
            version = msgspec.json.decode(data, type=_Versioned).format
            if version != FORMAT:
                raise ManifestError(f"{MANIFEST} has layout version {version}; this program knows {FORMAT}")
            return msgspec.json.decode(data, type=cls)
        except OSError as error:
            raise ManifestError(f"{MANIFEST} can't be read ({error.strerror})") from error
        except msgspec.DecodeError as error:
            raise ManifestError(f"{MANIFEST} is damaged: {error}") from error

    def write(self, folder: Path) -> None:
        """Write `manifest.json` into a bundle."""
        (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")

    def verify(self, folder: Path) -> None:
        """Check that every file is there and unchanged.

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


class _Versioned(msgspec.Struct):
    format: int


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises:
        OSError: The file can't be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
