"""The libraries of an image, each at one version and with the hashes of its wheels: `python -m quantize.image.lock`.

The versions are those that are installed here, which the tests ran with.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

LOCKS: Final = Path(__file__).parent / "locks"
PYTHON: Final = "311"
"""Of Debian bookworm."""

EXCLUDED: Final[Mapping[str, str]] = {
    "vosk": "a second recognizer, which gadgets with Moonshine do without",
    "huggingface-hub": "fetches models, and a device fetches none",
    "requests": "as huggingface-hub",
    "tqdm": "as huggingface-hub",
    "setuptools": "colorzero names it, which only its own installation needs",
    "filelock": "of moonshine-voice's own programs, of which only the weights are used",
}
"""Requirements that an image has no use for, and why."""

EXTRAS: Final = ("", "gpio")
"""Homebody's extras that an image has."""

_GLIBC: Final = (36, 35, 34, 31, 28, 27, 26, 24, 17, 12)


def closure(machine: str, root: str = "homebody") -> dict[str, str]:
    """All that a distribution requires on a machine, without `EXCLUDED`: name to the version installed here.

    Args:
        machine: As `platform.machine()` calls it.
        root: The distribution, which is not in it.
    """
    found: dict[str, str] = {}
    environment = {"platform_machine": machine, "sys_platform": "linux", "platform_system": "Linux"}

    def visit(requirements: Iterable[str], extras: Sequence[str] = ("",)) -> None:
        for requirement in map(Requirement, requirements):
            name = re.sub(r"[-_.]+", "-", requirement.name).lower()
            marker = requirement.marker
            wanted = not marker or any(marker.evaluate(environment | {"extra": extra}) for extra in extras)
            if wanted and name not in found and name not in EXCLUDED:
                installed = distribution(requirement.name)
                found[name] = installed.version
                visit(installed.requires or ())

    visit(distribution(root).requires or (), EXTRAS)
    return dict(sorted(found.items()))


def platforms(machine: str) -> list[str]:
    """Options of pip for wheels that run on Debian bookworm."""
    tags = [f"manylinux_2_{minor}_{machine}" for minor in _GLIBC] + [f"manylinux2014_{machine}"]
    options = [word for tag in tags for word in ("--platform", tag)]
    return [*options, "--python-version", PYTHON, "--only-binary=:all:"]


def lock(machine: str) -> str:
    """The lock of a machine: requirements with hashes, as pip reads them.

    Raises:
        subprocess.CalledProcessError: A wheel can't be had.
    """
    with tempfile.TemporaryDirectory() as folder:
        pins = [f"{name}=={version}" for name, version in closure(machine).items()]
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, *platforms(machine), *pins]
        subprocess.run(command, check=True)
        hashes: dict[str, str] = {}
        for wheel in Path(folder).glob("*.whl"):
            name = re.sub(r"[-_.]+", "-", wheel.name.split("-")[0]).lower()
            hashes[name] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lines = [f"{pin} --hash=sha256:{hashes[pin.partition('==')[0]]}" for pin in pins]
    return "\n".join(["# Made by `python -m quantize.image.lock`, for Python 3.11.", *lines, ""])


if __name__ == "__main__":
    for each in ("x86_64", "aarch64"):
        (LOCKS / f"{each}.txt").write_text(lock(each), encoding="utf-8")
