"""`homebody bench`: how fast this machine hears, understands and answers, with the machine described."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import typer
from rich.console import Console

from device.app import (
    BUNDLE,
    Brain,
    build_assistant,
    build_brain,
    make_home,
    make_listener,
    make_stt_engine,
    make_tts_engine,
)
from device.assistant import Assistant
from device.audio.fileports import FileMicrophone, FileSpeaker
from device.audio.mixer import Mixer
from device.audio.ports import SAMPLE_RATE, Pcm
from device.audio.ring import Ring
from device.clock import Clock, SystemClock
from device.config import Config, HomeConfig, home_folder, load_config
from device.dialogue.conversation import Conversation
from device.errors import Missing
from device.events import Observation, SoundBegan
from device.nlu.timing import measure_model
from device.speech.bias.sentences import Sentences
from device.speech.engines import STT, EngineOptions, make_stt, make_tts
from device.speech.ports import SttEngine, TtsEngine, render
from device.speech.renewable import Renewable
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
IDLE_SECONDS = 10
REPLY_SECONDS = 20.0
"""Longest wait for one reply."""


def bench(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    rounds: Annotated[int, typer.Option(help="How often each sentence is measured.", min=1)] = 20,
    model: Annotated[Path | None, typer.Option(help="Measure this model bundle alone.")] = None,
) -> None:
    """Measure understanding, hearing, first sound, idle load, start and memory."""
    if model is not None:
        alone = measure_model(model, SENTENCES, rounds) | {"machine": machine()}
        typer.echo(json.dumps(alone, indent=None if as_json else 1))
        return
    home = home_folder()
    config = load_config(home)
    result = asyncio.run(measure(config, home, rounds))
    if as_json:
        typer.echo(json.dumps(result))
        return
    _show(result)


async def measure(config: Config, home: Path, rounds: int) -> dict[str, Any]:
    """All figures; times are of this process, on the machine that `machine` describes.

    A fresh home folder and the simulated house are used, so that nothing of the owner's is switched or kept.

    Returns:
        `nlu` {`p50_ms`, `p95_ms`}; `stt` {engine: {`cpu_s_per_command`, `rtf`}}; `first_sound` {`p50_ms`, `p95_ms`
        from the detected end of speech, `after_last_word` {`p50_ms`, `p95_ms`} with the pause that proves it, and
        `by_engine`}; `idle_cpu_percent` of one core; `cold_start_s`; `peak_rss_mb`; `model_mb`; `machine`.
    """
    clock = SystemClock(config.home.timezone)
    config = msgspec.structs.replace(config, home=HomeConfig())
    make_stt_engine(config, home)  # what is missing is reported before anything is measured
    tts = make_tts_engine(config, home)
    cold_start, peak = _whole_process()
    person = _person(home / "models", tts)
    clips = [render(person, sentence) for sentence in SENTENCES]
    models = home / "models"
    engines = {name: engine for name in STT if (engine := _engine(name, models, config.speech.stt_threads))}
    with tempfile.TemporaryDirectory(prefix="bench-", dir=make_home(home)) as fresh:
        brain = build_brain(config, Path(fresh), clock, ThreadWorkers())
        nlu = _nlu(brain.conversation, clock, rounds)
        said = brain.conversation.sentences()
        stt = {name: _stt(engine, clips, clock, said) for name, engine in engines.items()}
        replies = {name: await _replies(brain, engine, tts, clips) for name, engine in engines.items()}
        idle = await _idle(brain, engines[config.speech.stt], tts)
    chosen = replies[config.speech.stt]
    return {
        "nlu": _percentiles(nlu),
        "stt": stt,
        "first_sound": {
            **_percentiles([1000 * reply.latency for reply in chosen]),
            "after_last_word": _percentiles([1000 * reply.after_speech for reply in chosen]),
            "by_engine": {name: _percentiles([1000 * r.latency for r in all_]) for name, all_ in replies.items()},
        },
        "idle_cpu_percent": round(idle, 2),
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


def _stt(engine: SttEngine, clips: Sequence[Pcm], clock: Clock, said: Sentences) -> dict[str, float]:
    for clip in clips:  # once, so that the ways through what can be said are known, as after a day's use
        _transcribe(engine, clip, said)
    usage, began = _cpu(), clock.monotonic()
    for clip in clips:
        _transcribe(engine, clip, said)
    seconds = sum(len(clip) for clip in clips) / SAMPLE_RATE
    return {
        "cpu_s_per_command": round((_cpu() - usage) / len(clips), 3),
        "rtf": round((clock.monotonic() - began) / seconds, 3),
    }


def _person(models: Path, voice: TtsEngine) -> TtsEngine:
    """Who speaks the commands: Piper, the more human voice, where it is installed."""
    try:
        return make_tts("piper", EngineOptions(models))
    except Missing:
        return voice


def _engine(name: str, models: Path, threads: int) -> SttEngine | None:
    """An engine, or None where it is not installed."""
    try:
        return make_stt(name, EngineOptions(models, threads))
    except Missing:
        return None


async def _replies(brain: Brain, stt: SttEngine, tts: TtsEngine, clips: Sequence[Pcm]) -> list[SoundBegan]:
    """Spoken commands through the whole edge loop in real time: when the first sound of each reply came."""
    async with _running(brain, stt, tts) as (assistant, ring, sounds):
        replies = []
        for clip in clips:
            microphone = FileMicrophone(clip, brain.clock, tail_silence=3.0)
            assistant.press()
            microphone.start(ring.push)
            replies.append(await asyncio.wait_for(sounds.get(), REPLY_SECONDS))
            microphone.stop()
        return replies


async def _idle(brain: Brain, stt: SttEngine, tts: TtsEngine) -> float:
    """Percent of one core for listening to a quiet room with all wake words on, in real time."""
    noise = np.random.default_rng(0).normal(0, 30, IDLE_SECONDS * SAMPLE_RATE).astype(np.int16)
    async with _running(brain, stt, tts) as (_, ring, _):
        microphone = FileMicrophone(noise, brain.clock)
        microphone.start(ring.push)
        usage = _cpu()
        await brain.clock.sleep(IDLE_SECONDS)
        return 100 * (_cpu() - usage) / IDLE_SECONDS


@asynccontextmanager
async def _running(
    brain: Brain, stt: SttEngine, tts: TtsEngine
) -> AsyncIterator[tuple[Assistant, Ring, asyncio.Queue[SoundBegan]]]:
    """The edge loop with a speaker that nobody hears."""
    sounds: asyncio.Queue[SoundBegan] = asyncio.Queue()

    def observe(seen: Observation) -> None:
        if isinstance(seen, SoundBegan):
            sounds.put_nowait(seen)

    ring, mixer, speaker = Ring(brain.clock), Mixer(brain.clock, brain.volume), FileSpeaker(brain.clock)
    assistant = build_assistant(brain, ring, mixer, Renewable(lambda: stt), Renewable(lambda: tts), observe)
    speaker.start(mixer.pull)
    loop = asyncio.create_task(assistant.run())
    await asyncio.sleep(0)  # lets it begin, so that the button has somebody to press it
    try:
        yield assistant, ring, sounds
    finally:
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        speaker.stop()


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


def _transcribe(engine: SttEngine, pcm: Pcm, said: Sentences | None = None) -> str:
    engine.start(said)
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


def _show(result: dict[str, Any]) -> None:
    console = Console(highlight=False)
    about, sound = result["machine"], result["first_sound"]
    console.print(f"{about['cpu']}, {about['cores']} cores, {about['memory_gb']} GB, {about['arch']}\n", style="dim")
    rows = [("understanding", "p50 {p50_ms} ms, p95 {p95_ms} ms".format(**result["nlu"]))]
    for name, figures in result["stt"].items():
        rows.append((f"hearing, {name}", "{cpu_s_per_command} CPU-s a command, RTF {rtf}".format(**figures)))
    for name, figures in sound["by_engine"].items():
        rows.append((f"endpoint → first sound, {name}", "p50 {p50_ms} ms, p95 {p95_ms} ms".format(**figures)))
    rows += [
        ("last word → first sound", "p50 {p50_ms} ms, p95 {p95_ms} ms".format(**sound["after_last_word"])),
        ("idle, listening", f"{result['idle_cpu_percent']} % of a core"),
        ("cold start", f"{result['cold_start_s']} s"),
        ("peak memory", f"{result['peak_rss_mb']} MB"),
        ("language model", f"{result['model_mb']} MB"),
    ]
    for name, value in rows:
        console.print(f"  {name:<36} {value}")
