"""`homebody bench`: how fast this machine hears, understands and answers, with the machine described."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from device.app import BUNDLE, build_brain, make_listener, make_stt_engine, make_tts_engine
from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.clock import Clock, SystemClock
from device.config import Config, home_folder, load_config
from device.dialogue.conversation import Conversation
from device.errors import DeviceError
from device.speech.engines import STT, EngineOptions, make_stt
from device.speech.ports import SttEngine, TtsEngine, render
from device.workers import ThreadWorkers

SENTENCES = (
    "turn on the kitchen light",
    "set a timer for ten minutes",
    "set the volume to thirty percent",
    "what time is it",
    "wake me up tomorrow at half past six",
    "add milk and eggs to the shopping list",
    "could you make it a bit warmer in the living room",
    "do you happen to know how many miles five kilometers are",
    "i would like to hear some jazz",
    "who won the election in france",
)
IDLE_SECONDS = 20


def bench(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    rounds: Annotated[int, typer.Option(help="How often each sentence is measured.", min=1)] = 20,
) -> None:
    """Measure understanding, hearing, first sound, idle load, start and memory."""
    home = home_folder()
    config = load_config(home)
    result = asyncio.run(measure(config, home, rounds))
    if as_json:
        typer.echo(json.dumps(result))
        return
    _show(result)


async def measure(config: Config, home: Path, rounds: int) -> dict[str, Any]:
    """All figures; times are of this process, on the machine that `machine` describes.

    Returns:
        `nlu` {`p50_ms`, `p95_ms`}, `stt` {engine: {`cpu_s_per_command`, `rtf`}}, `first_sound` {`p50_ms`,
        `p95_ms`}, `idle_cpu_percent`, `cold_start_s`, `peak_rss_mb`, `model_mb`, `machine`.
    """
    clock = SystemClock(config.home.timezone)
    cold_start, peak = _whole_process()
    conversation = build_brain(config, home, clock, ThreadWorkers()).conversation
    nlu = _nlu(conversation, clock, rounds)
    tts = make_tts_engine(config, home)
    clips = [render(tts, sentence) for sentence in SENTENCES]
    engines = {}
    for name in STT:
        try:
            engines[name] = _stt(
                make_stt(name, EngineOptions(home / "models", config.speech.stt_threads)), clips, clock
            )
        except DeviceError:
            continue  # an engine that is not installed has no figures
    stt = make_stt_engine(config, home)
    first = await _first_sound(conversation, stt, tts, clips, clock)
    return {
        "nlu": _percentiles(nlu),
        "stt": engines,
        "first_sound": {**_percentiles(first), "engine": config.speech.stt, "voice": config.speech.tts},
        "idle_cpu_percent": round(_idle(config), 2),
        "cold_start_s": round(cold_start, 2),
        "peak_rss_mb": round(peak, 1),
        "model_mb": round((BUNDLE / "model.onnx").stat().st_size / 1e6, 2),
        "machine": machine(),
    }


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "arch": platform.machine(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
    }


def _nlu(conversation: Conversation, clock: Clock, rounds: int) -> list[float]:
    """Milliseconds from text to interpretation, tokenization and slot values included."""
    times: list[float] = []
    for round_ in range(rounds + 1):
        for sentence in SENTENCES:
            began = clock.monotonic()
            conversation.interpret(sentence)
            if round_:  # the first round warms caches up
                times.append(1000 * (clock.monotonic() - began))
    return times


def _stt(engine: SttEngine, clips: Sequence[Pcm], clock: Clock) -> dict[str, float]:
    _transcribe(engine, clips[0])
    usage, began = _cpu(), clock.monotonic()
    for clip in clips:
        _transcribe(engine, clip)
    seconds = sum(len(clip) for clip in clips) / SAMPLE_RATE
    return {
        "cpu_s_per_command": round((_cpu() - usage) / len(clips), 3),
        "rtf": round((clock.monotonic() - began) / seconds, 3),
    }


async def _first_sound(
    conversation: Conversation, stt: SttEngine, tts: TtsEngine, clips: Sequence[Pcm], clock: Clock
) -> list[float]:
    """Milliseconds from the detected end of speech to the first rendered sound of the reply."""
    times: list[float] = []
    for clip in clips:
        began = clock.monotonic()
        turn = await conversation.turn(_transcribe(stt, clip))
        # A reply that was said before comes from the cache; a new one is what is measured.
        next(iter(tts.synthesize(f"{turn.reply} {len(times)}")), None)
        times.append(1000 * (clock.monotonic() - began))
        conversation.drop()
    return times


def _idle(config: Config) -> float:
    """Percent of one core for listening to a quiet room (wake words on, someone speaking a tenth of the time)."""
    listener = make_listener(config)
    noise = np.random.default_rng(0).normal(0, 30, (IDLE_SECONDS * SAMPLE_RATE // FRAME, FRAME)).astype(np.int16)
    usage = _cpu()
    for frame in noise:
        listener.feed(frame)
    return 100 * (_cpu() - usage) / IDLE_SECONDS


def _whole_process() -> tuple[float, float]:
    """Seconds and peak MB of a fresh process that loads everything and answers one spoken command."""
    code = "from device.cli.bench import cold_start; cold_start()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    return float(result["seconds"]), float(result["peak_mb"])


def cold_start() -> None:
    """In a fresh process: load everything, answer one typed command, print seconds since the process began."""
    home = home_folder()
    config = load_config(home)
    clock = SystemClock(config.home.timezone)
    brain = build_brain(config, home, clock, ThreadWorkers())
    make_listener(config)
    stt = make_stt_engine(config, home)
    tts = make_tts_engine(config, home)
    ready = _process_age()
    turn = asyncio.run(brain.conversation.turn("what time is it"))
    _transcribe(stt, render(tts, turn.reply))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"seconds": ready, "peak_mb": peak}) + "\n")


def _process_age() -> float:
    """Seconds since this process was started, by the kernel's own account (`proc(5)`, field 22)."""
    ticks = os.sysconf("SC_CLK_TCK")
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    return uptime - int(fields[19]) / ticks


def _transcribe(engine: SttEngine, pcm: Pcm) -> str:
    engine.start()
    engine.feed(pcm)
    return engine.finish().text


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.processor()


def _percentiles(times: Sequence[float]) -> dict[str, float]:
    return {"p50_ms": round(float(np.percentile(times, 50)), 2), "p95_ms": round(float(np.percentile(times, 95)), 2)}


def _row(console: Console, name: str, value: str) -> None:
    console.print(f"  {name:<34} {value}")


def _show(result: dict[str, Any], show: Callable[[Console, str, str], None] = _row) -> None:
    console = Console(highlight=False)
    about = result["machine"]
    console.print(f"{about['cpu']}, {about['cores']} cores, {about['memory_gb']} GB, {about['arch']}\n", style="dim")
    show(console, "understanding", "p50 {p50_ms} ms, p95 {p95_ms} ms".format(**result["nlu"]))
    for name, figures in result["stt"].items():
        show(console, f"hearing, {name}", "{cpu_s_per_command} CPU-s a command, RTF {rtf}".format(**figures))
    show(console, "end of speech → first sound", "p50 {p50_ms} ms, p95 {p95_ms} ms".format(**result["first_sound"]))
    show(console, "idle, listening", f"{result['idle_cpu_percent']} % of a core")
    show(console, "cold start", f"{result['cold_start_s']} s")
    show(console, "peak memory", f"{result['peak_rss_mb']} MB")
    show(console, "language model", f"{result['model_mb']} MB")
