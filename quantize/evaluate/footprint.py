"""Size, speed and memory of a bundle, in a fresh process that only loads it and answers.

Run as a program it is that process: `python -m quantize.evaluate.footprint BUNDLE SENTENCES` prints one JSON object.
It imports nothing of the factory but this file, of the device only what understands text, and little else.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from device.errors import DeviceError

MB: Final = 1_000_000
WARM_UP: Final = 50
"""Sentences answered before the clock counts."""
MAX_SENTENCES: Final = 1000
DEADLINE_S: Final = 300


def footprint(bundle: Path, sentences: Sequence[str]) -> dict[str, Any]:
    """Measure a bundle on one core with one thread, sentence by sentence.

    Args:
        bundle: To load.
        sentences: Spoken forms, words between spaces; the first `MAX_SENTENCES` are answered.

    Returns:
        `model_mb` and `bundle_mb` (10^6 bytes), `latency_p50_ms` and `latency_p95_ms` (tokenizing, network, decoding;
        warm), `load_ms`, `peak_rss_mb` (10^6 bytes, of the whole process), `latency_sentences`, `machine`.

    Raises:
        DeviceError: The process failed.
    """
    import subprocess

    command = [sys.executable, "-m", "quantize.evaluate.footprint", str(bundle)]
    text = "\n".join(sentences[:MAX_SENTENCES])
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=DEADLINE_S, env=environment, check=False
    )
    if done.returncode:
        raise DeviceError(f"{bundle} could not be measured: {(done.stderr.strip() or 'no output').splitlines()[-1]}")
    files = {path.name: path.stat().st_size for path in bundle.iterdir() if path.is_file()}
    measured: dict[str, Any] = json.loads(done.stdout)
    return {
        "model_mb": round(files["model.onnx"] / MB, 2),
        "bundle_mb": round(sum(files.values()) / MB, 2),
        **measured,
        "machine": processor(),
    }


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Name of this machine's processor, with the number of its cores."""
    import platform

    name = ""
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{name or platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def _measure(bundle: Path, sentences: Sequence[Sequence[str]]) -> dict[str, Any]:
    from device.nlu.onnx_model import load_model

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    begin = time.perf_counter()
    model = load_model(bundle)
    loaded = time.perf_counter() - begin
    for said in sentences[:WARM_UP]:
        model.predict(said)
    times: list[float] = []
    for said in sentences:
        begin = time.perf_counter()
        model.predict(said)
        times.append(time.perf_counter() - begin)
    times.sort()
    return {
        "latency_p50_ms": round(1000 * times[len(times) // 2], 3),
        "latency_p95_ms": round(1000 * times[int(len(times) * 0.95)], 3),
        "latency_sentences": len(times),
        "load_ms": round(1000 * loaded, 1),
        "peak_rss_mb": round(_peak_rss() / MB, 1),
    }


def _peak_rss() -> int:
    """Bytes. Linux hands `ru_maxrss` of the parent on to its child; `VmHWM` is this process's own."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measure(Path(sys.argv[1]), [line.split() for line in sys.stdin])))
