"""What goes into `/opt/homebody`: this checkout and its libraries for another machine, without what no device uses."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

from device.errors import BadInput
from quantize.image.lock import LOCKS, platforms
from quantize.image.tools import run

PRUNED: Final = (
    "moonshine_voice/libmoonshine.so",
    "moonshine_voice.libs",
    "moonshine_voice/assets/*.wav",
    "moonshine_voice/assets/*.tsv",
    "numpy/**/tests",
    "numpy/**/*.pyi",
    "numpy/**/*.lib",
    "numpy/**/*.a",
    "numpy/f2py",
    "onnxruntime/capi/libonnxruntime.so*",
    "onnxruntime/transformers",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/datasets",
    "pygments/lexers",
    "quantize",
    "numpy/distutils",
    *("bin", "include", "lib64", "share"),
    *("homebody-*.dist-info/direct_url.json", "homebody-*.dist-info/RECORD"),
)
"""Parts of the libraries that nothing of the device imports, of Moonshine all but the weights; and what tells in which
folder it was built."""

_CHECKOUT: Final = Path(__file__).resolve().parents[2]


def make_payload(machine: str, target: Path, cache: Path, log: Path) -> None:
    """Fill a folder with all Python code of an image.

    Args:
        machine: As `platform.machine()` calls it.
        target: A new folder.
        cache: Where wheels are kept from build to build; what is in it is used only if its hash is the lock's.
        log: What pip says is added to it.

    Raises:
        BadInput: This is no checkout.
        ToolFailed: A wheel can't be had, or has another hash.
    """
    if not (_CHECKOUT / "pyproject.toml").exists():
        raise BadInput("Images are built from a checkout of Homebody.", remedy="Clone it, and run `make image` there.")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    wheels, own = cache / machine, target.parent / "own"
    wheels.mkdir(parents=True, exist_ok=True)
    locked = ("--no-deps", "--require-hashes", "-r", LOCKS / f"{machine}.txt")
    run([*pip, "download", *locked, *platforms(machine), "--find-links", wheels, "-d", wheels], log)
    source = _exported(target.parent / "source")
    run([*pip, "wheel", "--no-deps", "-w", own, source], log)
    place = ("install", "--no-compile", "--target", target, "--no-index", "--find-links", wheels)
    run([*pip, *place, *locked, *platforms(machine)], log)
    run([*pip, *place, "--no-deps", "--upgrade", *own.glob("*.whl")], log)
    for pattern in PRUNED:
        for path in target.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _exported(folder: Path) -> Path:
    """The checkout without what a build or a run left in it: setuptools would take old files along."""
    folder.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(_CHECKOUT / name, folder)
    for name in ("device", "firmware_sim", "models", "quantize"):
        shutil.copytree(_CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder
