"""Size, speed and memory of a bundle, as the table of benchmarks wants them."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from device.nlu.timing import measure_model

MB: Final = 1_000_000
MAX_SENTENCES: Final = 1000


def footprint(bundle: Path, sentences: Sequence[str]) -> dict[str, Any]:
    """Measure a bundle in a fresh process (`device.nlu.timing`), with one thread, sentence by sentence.

    Args:
        bundle: To load.
        sentences: The first `MAX_SENTENCES` are answered.

    Returns:
        `model_mb` and `bundle_mb` (10^6 bytes), `latency_p50_ms` and `latency_p95_ms` (tokenizing, network, decoding;
        warm), `latency_sentences`, `load_ms`, `peak_rss_mb` (10^6 bytes, of the whole process), `machine`.

    Raises:
        BundleError: The bundle can't be used.
        DeviceError: The process failed.
    """
    asked = sentences[:MAX_SENTENCES]
    measured = measure_model(bundle, asked, rounds=1)
    one = measured["threads"]["1"]
    return {
        "model_mb": measured["model_mb"],
        "bundle_mb": round(sum(path.stat().st_size for path in bundle.iterdir() if path.is_file()) / MB, 2),
        "latency_p50_ms": one["p50_ms"],
        "latency_p95_ms": one["p95_ms"],
        "latency_sentences": len(asked),
        "load_ms": measured["load_ms"],
        "peak_rss_mb": measured["peak_rss_mb"],
        "machine": processor(),
    }


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Name of this machine's processor, with the number of its cores."""
    name = ""
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{name or platform.processor() or platform.machine()}, {os.cpu_count()} cores"
