"""`homebody evaluate commands`: the built-in packs by voice, what can be said held against what was heard alone.

Voices say what people of the simulated flat say; voice activity, endpoint, speech-to-text, grammar and model are the
ones that ship. A command counts when it means what it means when it is typed: intent and all slots, and no other.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from device.audio.files import read_audio
from device.config import home_folder
from device.dialogue.conversation import Conversation
from device.errors import BadInput
from device.nlu.types import Interpretation
from device.nlu.understand import is_command
from device.speech.engines import EngineOptions, make_stt, make_vad
from device.speech.listen import Listener
from device.speech.ports import SttEngine, Transcript, VadEngine
from device.speech.recording import speech_in
from device.workers import ThreadWorkers
from firmware_sim.manual_clock import ManualClock
from firmware_sim.sound.voices import Voices
from firmware_sim.trials.corpus import (
    SCENES,
    VOICES,
    Scene,
    Spoken,
    Stage,
    casting,
    household,
    read_commands,
    understood,
)
from firmware_sim.trials.recordings import LONGEST
from firmware_sim.trials.speech_scores import wilson, words

NOW: Final = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
"""When everything is said: a Tuesday morning."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one spoken command.

    Attributes:
        said: The command, and by whom.
        scene: Where.
        heard: The open transcript.
        openly: What that was taken for.
        told: What was understood by ears that know what can be said.
        open_right: The open transcript was understood wholly right.
        told_right: The other was.
        cpu_s: CPU seconds of this process for decoding.
    """

    said: Spoken
    scene: Scene
    heard: str
    openly: tuple[Interpretation, ...]
    told: tuple[Interpretation, ...]
    open_right: bool
    told_right: bool
    cpu_s: float


def commands(
    voices: Annotated[str, typer.Option(help="Who speaks, with commas.")] = ",".join(VOICES),
    scene: Annotated[str, typer.Option(help="Where, with commas.")] = ",".join(SCENES),
    snr: Annotated[float, typer.Option(help="Speech above noise, babble and TV, in dB.")] = 12.0,
    engine: Annotated[str, typer.Option(help="Speech-to-text engine.")] = "moonshine",
    noise: Annotated[Path | None, typer.Option(help="Recorded noise; by default that of a fan.")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Commands a scene; by default all, once.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of who says what, and of the noise.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what was misunderstood.")] = False,
) -> None:
    """How many spoken commands of the built-in packs are understood wholly right."""
    scenes = _scenes(scene)
    known = read_commands()
    cast = casting(known, [name for name in voices.split(",") if name], sample or len(known), seed)
    sound = read_audio(noise, max_seconds=LONGEST) if noise else None
    stage = Stage(Voices(home_folder() / "cache" / "voices"), snr, sound, seed)
    stt, vad = make_stt(engine, EngineOptions(home_folder() / "models", threads=1)), make_vad()
    with flat() as conversation:
        results = [
            result
            for place in scenes
            for said in track(cast, place, console=Console(stderr=True), transient=True, disable=as_json)
            for result in [play(said, place, stage, stt, vad, conversation)]
        ]
    tables = {by: summary(results, by) for by in ("scene", "voice")}
    failures = [_told(result) for result in results if not result.told_right]
    if as_json:
        head = {"engine": engine, "snr": snr, "seed": seed, "n": len(results)}
        typer.echo(json.dumps(head | tables | {"failures": failures}))
        return
    _show(tables)
    for failure in failures if verbose else ():
        typer.echo(
            f"{failure['scene']}, {failure['voice']}: “{failure['said']}” was heard as “{failure['heard']}”: "
            f"{failure['understood'] or 'nothing'}"
        )


@contextmanager
def flat() -> Iterator[Conversation]:
    """The whole assistant in the simulated flat, on a Tuesday morning, until it is no longer needed."""
    with tempfile.TemporaryDirectory(prefix="homebody-evaluate-") as home:
        brain = household(Path(home), ManualClock(NOW), ThreadWorkers())
        try:
            yield brain.conversation
        finally:
            brain.close()


def play(
    said: Spoken, scene: Scene, stage: Stage, stt: SttEngine, vad: VadEngine, conversation: Conversation
) -> Result:
    """Say one command, and hear and understand it both ways; nothing is done.

    Raises:
        DeviceError: A voice or an engine is not there, or broke.
    """
    (expected,) = conversation.interpret(said.command.text)
    speech = speech_in(stage(said, scene), Listener(None, vad))
    before = process_time()
    stt.start(conversation.sentences())
    if speech is not None:
        stt.feed(speech)
    transcript = stt.finish()
    cpu_s = process_time() - before
    openly, told = conversation.interpret(transcript.text), read(transcript, conversation)
    return Result(
        said, scene, transcript.text, openly, told, understood(openly, expected), understood(told, expected), cpu_s
    )


def read(transcript: Transcript, conversation: Conversation) -> tuple[Interpretation, ...]:
    """What the device takes a transcript for, with all that is in it."""
    return conversation.interpret(transcript)


def summary(results: Sequence[Result], by: str) -> list[dict[str, Any]]:
    """Figures of each scene or of each voice, and of all together.

    Args:
        results: At least one.
        by: "scene", or "voice".

    Returns:
        For each its name as `by`, `n`, `open` and `constrained` (0 to 1), their `open_interval` and
        `constrained_interval` (Wilson, 95 %), `rejected` (nothing was understood), `cpu_s_per_command`.
    """
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.scene if by == "scene" else result.said.voice, []).append(result)
    return [{by: name, **_figures(group)} for name, group in [*groups.items(), ("all", list(results))]]


def _figures(group: Sequence[Result]) -> dict[str, Any]:
    n = len(group)
    openly, told = (sum(each) / n for each in zip(*((r.open_right, r.told_right) for r in group), strict=True))
    return {
        "n": n,
        "open": round(openly, 4),
        "open_interval": wilson(openly, n),
        "constrained": round(told, 4),
        "constrained_interval": wilson(told, n),
        "rejected": sum(not any(map(is_command, result.told)) for result in group),
        "cpu_s_per_command": round(sum(result.cpu_s for result in group) / n, 3),
    }


def _told(result: Result) -> dict[str, Any]:
    return {
        "scene": result.scene,
        "voice": result.said.voice,
        "said": result.said.command.text,
        "heard": result.heard,
        "understood": _words(result.told),
        "openly": _words(result.openly),
        "expected": words(result.said.command.intent, result.said.command.slots),
    }


def _words(readings: Iterable[Interpretation]) -> str:
    return " and ".join(
        words(reading.intent, {name: slot.text for name, slot in reading.slots.items()})
        for reading in readings
        if is_command(reading)
    )


def _scenes(text: str) -> list[Scene]:
    scenes = [scene for scene in SCENES if scene in text.split(",")]
    if not scenes or set(text.split(",")) - set(SCENES):
        raise BadInput(f"There are no scenes {text!r}.", remedy=f"Choose from: {', '.join(SCENES)}, with commas.")
    return scenes


def _show(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    for by, rows in tables.items():
        table = Table(by, "n", "open", "95 %", "constrained", "95 %", "rejected", "CPU-s", title=f"By {by}")
        for row in rows:
            table.add_row(
                row[by],
                str(row["n"]),
                *_share(row, "open"),
                *_share(row, "constrained"),
                str(row["rejected"]),
                f"{row['cpu_s_per_command']:.2f}",
            )
        Console(highlight=False).print(table)


def _share(row: Mapping[str, Any], key: str) -> tuple[str, str]:
    low, high = row[f"{key}_interval"]
    return f"{row[key]:.1%}", f"{100 * low:.0f}–{100 * high:.0f}"
