"""`homebody doctor`: is everything there, does it work, how fast; each problem with its remedy."""

from __future__ import annotations

import asyncio
import json
import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from device.app import (
    build_brain,
    load_all_packs,
    load_language_model,
    make_home,
    make_listener,
    make_stt_engine,
    make_tts_engine,
)
from device.app.checks import COMMAND
from device.audio.card import SoundCardMicrophone
from device.audio.devices import list_devices
from device.audio.level import advise, listen
from device.audio.ports import SAMPLE_RATE, Microphone
from device.cli.render import State, show_finding
from device.clock import Clock, SystemClock
from device.config import Config, home_folder, load_config
from device.errors import DeviceError
from device.speech.ports import render
from device.workers import ThreadWorkers

SPACE_WANTED = 200 * 2**20
"""Bytes of free disk below which a warning is due: logs, database and an update need room."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: State
    detail: str
    remedy: str = ""


def doctor(as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False) -> None:
    """Look at sound, models, disk and speed; say what is wrong and what to do."""
    findings: list[Finding] = []
    console = Console(highlight=False)
    for finding in examine(home_folder()):
        findings.append(finding)
        if not as_json:
            show_finding(console, finding.state, finding.what, finding.detail, finding.remedy)
    broken = [f for f in findings if f.state == "problem"]
    if as_json:
        typer.echo(json.dumps({"ok": not broken, "findings": [asdict(f) for f in findings]}))
    else:
        console.print(f"\n{_verdict(findings)}", style="red" if broken else "green")
    raise typer.Exit(3 if broken else 0)


def _verdict(findings: Sequence[Finding]) -> str:
    counts = {state: sum(finding.state == state for finding in findings) for state in ("problem", "warning")}
    said = [f"{count} {state}{'s' * (count > 1)}" for state, count in counts.items() if count]
    return f"{' and '.join(said)}, see above." if said else "All is well."


def examine(home: Path) -> Iterator[Finding]:
    """Everything that can be looked at, one after the other; nothing here raises."""
    yield Finding(
        "homebody", "ok", f"{version('homebody')} on Python {platform.python_version()}, {platform.machine()}"
    )
    try:
        config = load_config(home)
    except DeviceError as error:
        yield _problem("configuration", error)
        config = Config()
    else:
        source = home / "config.toml"
        yield Finding("configuration", "ok", str(source) if source.exists() else "defaults")
    yield _try("storage", lambda: _storage(home))
    yield from _sound(config)
    yield from _language(config, home)
    yield _try("wake word", lambda: _wake(config))
    yield from _latency(config, home)


def _storage(home: Path) -> Finding:
    free = shutil.disk_usage(make_home(home)).free
    state: State = "ok" if free > SPACE_WANTED else "warning"
    return Finding("storage", state, f"{home}, {free / 2**30:.1f} GB free", "" if state == "ok" else "Free some disk.")


def _sound(config: Config) -> Iterator[Finding]:
    try:
        devices = list_devices()
    except DeviceError as error:
        yield _problem("sound", error)
        return
    for what, names in (
        ("microphone", [d.name for d in devices if d.inputs]),
        ("speaker", [d.name for d in devices if d.outputs]),
    ):
        if names:
            yield Finding(what, "ok", ", ".join(names))
        else:
            remedy = f"Connect a {what}; until then use `homebody talk --text` or `homebody ask --wav FILE`."
            yield Finding(what, "warning", "none", remedy)
    if any(device.inputs for device in devices):
        microphone = SoundCardMicrophone(config.audio.microphone)
        yield _try("signal", lambda: asyncio.run(hears(microphone, SystemClock())))


async def hears(microphone: Microphone, clock: Clock) -> Finding:
    """Listen for a second and say whether what comes is fit for speech.

    Raises:
        AudioDeviceMissing: The microphone can't be opened.
    """
    level = await listen(microphone, clock)
    problem, remedy = advise(level) or ("", "")
    detail = problem or f"{microphone.name}, room at {level.rms_dbfs:.0f} dB"
    return Finding("signal", "warning" if problem else "ok", detail, remedy)


def _language(config: Config, home: Path) -> Iterator[Finding]:
    refused: list[DeviceError] = []
    try:
        model = load_language_model(config, home, load_all_packs(config, home), refused)
    except DeviceError as error:
        yield _problem("language model", error)
        return
    yield from (_problem("language model", error) for error in refused)
    if model:
        size = sum(file.stat().st_size for file in model.folder.iterdir()) / 1e6
        detail = f"{model.manifest.name} {model.manifest.version}, {len(model.labels.intents)} intents, {size:.1f} MB"
        yield Finding("language model", "ok", detail)


def _wake(config: Config) -> Finding:
    make_listener(config)
    return Finding("wake word", "ok", ", ".join(config.speech.wake_words) or "push to talk")


def _latency(config: Config, home: Path) -> Iterator[Finding]:
    """A sentence is spoken by the voice, heard by the ears and answered, with the time of each step."""
    clock = SystemClock(config.home.timezone)
    try:
        tts = make_tts_engine(config, home)
        pcm = render(tts, COMMAND)
        began = clock.monotonic()
        next(iter(tts.synthesize(f"{COMMAND} now")))
        spoke = clock.monotonic()
        yield Finding("voice", "ok", f"{tts.name}: first sentence in {1000 * (spoke - began):.0f} ms")
        stt = make_stt_engine(config, home)
        stt.start()
        stt.feed(pcm)
        stt.finish()  # the first decode also warms caches up
        began = clock.monotonic()
        stt.start()
        stt.feed(pcm)
        text = stt.finish().text
        took = clock.monotonic() - began
        seconds = len(pcm) / SAMPLE_RATE
        yield Finding("ears", "ok", f"{stt.name}: {seconds:.1f} s of speech in {1000 * took:.0f} ms, heard “{text}”")
        conversation = build_brain(config, home, clock, ThreadWorkers()).conversation
        began = clock.monotonic()
        conversation.interpret(COMMAND)
        yield Finding("understanding", "ok", f"{1000 * (clock.monotonic() - began):.1f} ms")
    except DeviceError as error:
        yield _problem("voice, ears or understanding", error)


def _try(what: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except DeviceError as error:
        return _problem(what, error)


def _problem(what: str, error: DeviceError) -> Finding:
    return Finding(what, "problem", Exception.__str__(error), error.remedy)
