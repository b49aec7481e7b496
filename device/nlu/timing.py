"""The language model alone: how fast a bundle answers, how long it takes to load, and in how much memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from device.clock import Clock, SystemClock
from device.errors import DeviceError
from device.nlu.onnx_model import JointModel, load_model
from device.nlu.text import words

WARM_UP: Final = 3
"""Rounds before the clock counts."""


def measure_model(bundle: Path, sentences: Sequence[str], rounds: int) -> dict[str, Any]:
    """Measure a bundle in a fresh process that loads nothing else, so that the figures of machines compare.

    Args:
        bundle: To load.
        sentences: What is asked, one at a time.
        rounds: How often each of them.

    Returns:
        `bundle`, `version`, `board`, `model_mb`; `load_ms`, with the check of the files; `threads`: for one thread,
        two, and so on to the number of cores {`p50_ms`, `p95_ms`} of a sentence, tokenizing and decoding included;
        `peak_rss_mb` of the process with one thread. MB are 10^6 bytes.

    Raises:
        BundleError: The bundle can't be used.
        DeviceError: The process failed.
    """
    manifest = load_model(bundle).manifest
    question = json.dumps({"bundle": str(bundle.resolve()), "sentences": list(sentences), "rounds": rounds})
    code = "from device.nlu.timing import fresh_process; fresh_process()"
    done = subprocess.run([sys.executable, "-c", code], input=question, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DeviceError(f"{bundle} could not be measured: {(done.stderr.strip() or 'no output').splitlines()[-1]}")
    return {
        "bundle": manifest.name,
        "version": manifest.version,
        "board": manifest.board,
        "model_mb": round((bundle / "model.onnx").stat().st_size / 1e6, 2),
        **json.loads(done.stdout),
    }


def fresh_process() -> None:
    """Read from standard input what to measure, write the figures to standard output."""
    asked = json.load(sys.stdin)
    bundle, rounds = Path(asked["bundle"]), int(asked["rounds"])
    clock = SystemClock("UTC")
    began = clock.monotonic()
    model = load_model(bundle)
    loaded = clock.monotonic() - began
    said = [words(sentence) for sentence in asked["sentences"]]
    threads = {1: _percentiles(_times(model, said, rounds, clock))}
    peak = _peak_mb()
    for count in range(2, (os.cpu_count() or 1) + 1):
        threads[count] = _percentiles(_times(load_model(bundle, count), said, rounds, clock))
    found = {"load_ms": round(1000 * loaded, 1), "threads": threads, "peak_rss_mb": round(peak, 1)}
    sys.stdout.write(json.dumps(found))


def _peak_mb() -> float:
    """Peak resident memory in MB, 10^6 bytes (`proc(5)`, VmHWM, which counts in KiB).

    `getrusage` would give that of the process that started this one, where it was more: Linux keeps it over `exec`.
    """
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) * 1024 / 1e6


def _times(model: JointModel, said: Sequence[Sequence[str]], rounds: int, clock: Clock) -> list[float]:
    """Milliseconds of each answer."""
    times: list[float] = []
    for number in range(WARM_UP + rounds):
        for sentence in said:
            began = clock.monotonic()
            model.predict(sentence)
            if number >= WARM_UP:
                times.append(1000 * (clock.monotonic() - began))
    return times


def _percentiles(times: Sequence[float]) -> dict[str, float]:
    return {"p50_ms": round(float(np.percentile(times, 50)), 3), "p95_ms": round(float(np.percentile(times, 95)), 3)}
