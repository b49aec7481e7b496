"""A board's bundle executed as real aarch64 code on another machine: qemu, Debian's Python, PyPI's wheels.

qemu looks a path up in the foreign root first (`-L`), so that neither a chroot nor administrator rights are needed, and
a file of the root stands in for the kernel's `/proc/cpuinfo`: onnxruntime asks it which processor it runs on and
crashes on that of another architecture.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import msgspec

from device.errors import BadInput, DeviceError, Missing
from quantize.export.answers import Answers, Sentence, answer

SUITE: Final = "bookworm"
MIRROR: Final = "http://deb.debian.org/debian"
PYTHON: Final = "3.11"
DEBIAN: Final = ("python3-minimal", f"libpython{PYTHON}-stdlib", "libstdc++6", "zlib1g")
WHEELS: Final = ("numpy", "onnxruntime", "tokenizers", "msgspec", "unicode-rbnf", "typing-extensions")
"""What `quantize.export.answers` imports."""
PLATFORMS: Final = tuple(f"manylinux{glibc}_aarch64" for glibc in ("2014", "_2_17", "_2_27", "_2_28"))
QEMU: Final = "qemu-aarch64-static"
BUILD_S: Final = 900
RUN_S: Final = 1800


@dataclass(frozen=True)
class Processor:
    """A board's processor.

    Attributes:
        name: As qemu calls it.
        part: Its number in `/proc/cpuinfo` (Arm Ltd., MIDR_EL1).
        features: Flags that Linux shows for it.
    """

    name: str
    part: str
    features: str

    def cpuinfo(self, cores: int = 4) -> str:
        """What the kernel of the board would show."""
        core = (
            "processor\t: {}\nBogoMIPS\t: 108.00\nFeatures\t: {}\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
            "CPU variant\t: 0x0\nCPU part\t: {}\nCPU revision\t: 3\n"
        )
        return "\n".join(core.format(number, self.features, self.part) for number in range(cores)) + "\n"


PROCESSORS: Final[Mapping[str, Processor]] = {
    "rpi4": Processor("cortex-a72", "0xd08", "fp asimd evtstrm crc32 cpuid"),
    "rpi5": Processor(
        "cortex-a76",
        "0xd0b",
        "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp",
    ),
}


def run_on_board(bundle: Path, board: str, sentences: Sequence[Sentence], cache: Path) -> dict[str, Any]:
    """Answer sentences here and as the board, and compare.

    Args:
        bundle: For the board.
        board: A name in `PROCESSORS`.
        sentences: At least one.
        cache: Where the foreign Python is kept, or will be.

    Returns:
        `board`, `processor`, `machine` (what computed), `compared_with`, and the figures of `Answers.compared`.

    Raises:
        BadInput: No such board.
        Missing: A program is not installed.
        DeviceError: Building or running failed; ends with the last line of the output.
    """
    if board not in PROCESSORS:
        raise BadInput(f"{board!r} can't be emulated; {' and '.join(PROCESSORS)} can.", remedy="Name one of them.")
    processor = PROCESSORS[board]
    root, site = build(cache)
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc" / "cpuinfo").write_text(processor.cpuinfo())
    project = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory() as folder:
        asked, out = Path(folder) / "sentences.json", Path(folder) / "answers.npz"
        asked.write_bytes(msgspec.json.encode(sentences))
        inside = {"PYTHONHOME": "/usr", "PYTHONPATH": f"{site}:{project}", "OMP_NUM_THREADS": "1"}
        command = [QEMU, "-L", str(root), "-cpu", processor.name]
        command += [part for name, value in inside.items() for part in ("-E", f"{name}={value}")]
        command += [str(root / "usr" / "bin" / f"python{PYTHON}"), "-B", "-m", "quantize.export.answers"]
        _run([*command, *(str(path.resolve()) for path in (bundle, asked, out))], RUN_S)
        there = Answers.read(out)
    here = answer(bundle, sentences)
    about = {"board": board, "processor": processor.name, "machine": there.machine, "compared_with": here.machine}
    return about | there.compared(here)


def build(cache: Path) -> tuple[Path, Path]:
    """Make what is not there yet: a Debian root with Python for arm64, and a folder with the wheels.

    The wheels have the versions that are installed here.

    Raises:
        Missing: A program is not installed.
        DeviceError: Debian's or PyPI's packages can't be had.
    """
    for program, package in ((QEMU, "qemu-user-static"), ("mmdebstrap", "mmdebstrap")):
        if shutil.which(program) is None:
            raise Missing(f"{program} is not installed.", remedy=f"Install it: sudo apt-get install {package}")
    cache = cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)
    pins = [f"{name}=={version(name)}" for name in WHEELS]
    root, site = cache / f"{SUITE}-arm64", cache / "-".join(pins).replace("==", "-")
    if not root.exists():
        part = root.with_name(f"new-{root.name}")
        shutil.rmtree(part, ignore_errors=True)
        include = f"--include={','.join(DEBIAN)}"
        _run(["mmdebstrap", "--variant=extract", "--architectures=arm64", include, SUITE, str(part), MIRROR], BUILD_S)
        part.rename(root)
    if not site.exists():
        part = site.with_name("new-site")
        shutil.rmtree(part, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            target = [option for name in PLATFORMS for option in ("--platform", name)]
            target += ["--python-version", PYTHON, "--implementation", "cp", "--only-binary=:all:", "--no-deps"]
            _run([sys.executable, "-m", "pip", "download", "-q", "--dest", folder, *target, *pins], BUILD_S)
            for wheel in sorted(Path(folder).glob("*.whl")):
                with zipfile.ZipFile(wheel) as file:
                    file.extractall(part)
        part.rename(site)
    return root, site


def _run(command: Sequence[str], deadline_s: float) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=deadline_s, cwd="/", check=False)
    except subprocess.TimeoutExpired:
        raise DeviceError(f"{Path(command[0]).name} took longer than {deadline_s:.0f} s.") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise DeviceError(f"{Path(command[0]).name} failed: {last}")
