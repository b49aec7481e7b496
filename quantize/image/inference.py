"""The health check as arm64 code, in minutes: Debian's packages only unpacked, the image's libraries, and qemu-user."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from quantize.export.aarch64 import PROCESSORS
from quantize.image.board import board
from quantize.image.foreign import enable
from quantize.image.machine import TrialFailed
from quantize.image.payload import make_payload
from quantize.image.root import SUITE
from quantize.image.tools import ToolFailed, require, run

PACKAGES: Final = ("python3", "libstdc++6", "libgomp1", "libportaudio2", "espeak-ng", "coreutils", "dash", "tzdata")
DEADLINE_S: Final = 600.0


def as_arm64(work: Path, cache: Path, log: Path) -> str:
    """Run `homebody health` as an Arm board would, without a microphone.

    Args:
        work: A new folder.
        cache: Where wheels are kept.
        log: What programs say is added to it.

    Returns:
        The checks that passed, in a line.

    Raises:
        Missing: qemu or mmdebstrap is not there, or this user may not use them.
        ToolFailed: They failed.
        TrialFailed: The device would not be healthy.
    """
    found = board("generic-arm64")
    require("mmdebstrap")
    enable(found)
    work.mkdir(parents=True)
    root = work / "root"
    include = f"--include={','.join(PACKAGES)}"
    run(["mmdebstrap", "--variant=extract", f"--architectures={found.debian}", include, SUITE, root], log)
    for folder in ("proc", "tmp", "opt", "data/homebody", "dev"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    make_payload(found.machine, work / "payload", cache, log)
    shutil.move(work / "payload", root / "opt/homebody")
    (root / "proc/cpuinfo").write_text(PROCESSORS["rpi4"].cpuinfo(), encoding="ascii")
    (root / "dev/null").touch()
    program = ("/usr/bin/python3", "-B", "-c", "from device.cli import main; main()")
    command = ["chroot", str(root), *program, "health", "--without", "microphone", "--json"]
    environment = {
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "PYTHONPATH": "/opt/homebody",
        "HOMEBODY_HOME": "/data/homebody",
        "OMP_NUM_THREADS": "1",
        "QEMU_CPU": "cortex-a72",
    }
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        checks: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
    except subprocess.TimeoutExpired as error:
        raise ToolFailed(f"The health check took longer than {DEADLINE_S:.0f} s.") from error
    except (json.JSONDecodeError, KeyError) as error:
        raise ToolFailed(f"The health check did not end: {done.stderr.strip()[-600:]}") from error
    if ill := [f"{check['name']}: {check['detail']}" for check in checks if not check["ok"]]:
        raise TrialFailed("; ".join(ill))
    return ", ".join(check["name"] for check in checks)
