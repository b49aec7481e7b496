"""`homebody evaluate speech`: recorded commands through the whole chain, and which were understood wholly right.

Voice activity, endpoint, speech-to-text, grammar and model are the ones that ship; a command counts when its intent
and every labelled slot are right. Labels and noise are those of Picovoice's speech-to-intent benchmark.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from device.app import build_brain
from device.audio.files import read_audio
from device.audio.ports import Pcm
from device.clock import SystemClock
from device.config import home_folder, load_config
from device.dialogue.conversation import Conversation
from device.errors import BadInput
from device.nlu.text import spoken
from device.nlu.types import Interpretation
from device.speech.engines import EngineOptions, make_stt, make_vad
from device.workers import ThreadWorkers
from firmware_sim.trials.evaluate_speech import evaluate

_Z = 1.96
"""Standard normal quantile of a 95 % interval."""


def speech(
    clips: Annotated[Path, typer.Option(help="Folder with the recordings.")],
    labels: Annotated[Path, typer.Option(help="JSON: file name to intent and slots.")],
    pack: Annotated[Path, typer.Option(help="The pack that should understand them.")],
    noise: Annotated[Path | None, typer.Option(help="Noise to mix in.")] = None,
    snr: Annotated[str, typer.Option(help="Signal-to-noise ratios in dB, with commas.")] = "12",
    seed: Annotated[int, typer.Option(help="Picks the excerpts of noise.")] = 0,
    engine: Annotated[str, typer.Option(help="Engines, with commas.")] = "moonshine,whisper",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """How many recorded commands are understood wholly right, clean and in noise."""
    expected = read_expected(labels)
    mixed = [float(level) for level in snr.split(",")] if noise else []
    sound = read_audio(noise, max_seconds=3600.0) if noise else None
    with tempfile.TemporaryDirectory(prefix="homebody-evaluate-") as home:
        conversation = _conversation(Path(home), pack)
        rows = [
            measure(conversation, clips, expected, name, level, sound, seed)
            for name in engine.split(",")
            for level in track([None, *mixed], description=name, disable=as_json, transient=True)
        ]
    if as_json:
        typer.echo(json.dumps({"pack": pack.name, "seed": seed, "results": rows}))
        return
    _show(rows)


def measure(
    conversation: Conversation,
    clips: Path,
    expected: Mapping[str, Mapping[str, Any]],
    engine: str,
    snr_db: float | None,
    noise: Pcm | None,
    seed: int,
) -> dict[str, Any]:
    """One engine at one noise level.

    Returns:
        `engine`, `snr` (None: clean), `n`, `acceptance` (0 to 1), `interval` (Wilson, 95 %), `strict` (slots that
        were not said count as wrong), `slot_recall` of the open transcript, `cpu_s_per_command`, `failures`.
    """
    stt = make_stt(engine, EngineOptions(home_folder() / "models", threads=1))
    slots = {name: label["slots"] for name, label in expected.items()}
    scores = evaluate(
        clips, slots, stt, make_vad(), noise=noise if snr_db is not None else None, snr_db=snr_db or 0.0, seed=seed
    )
    accepted = strict = 0
    failures = []
    for name, label in expected.items():
        readings = conversation.interpret(scores.transcripts[name])
        reading = readings[0] if len(readings) == 1 else Interpretation("")
        right = accepts(reading, label)
        accepted += right
        strict += right and len(reading.slots) == len(label["slots"])
        if not right:
            failures.append({"clip": name, "heard": scores.transcripts[name], "understood": _words(reading)})
    n = len(expected)
    return {
        "engine": engine,
        "snr": snr_db,
        "n": n,
        "acceptance": round(accepted / n, 4),
        "interval": wilson(accepted, n),
        "strict": round(strict / n, 4),
        "slot_recall": round(scores.slot_recall, 4),
        "cpu_s_per_command": round(scores.cpu_s_per_command, 3),
        "failures": failures,
    }


def accepts(reading: Interpretation, label: Mapping[str, Any]) -> bool:
    """True if the intent and every labelled slot are right, in spoken form."""
    understood = {name: spoken(slot.text) for name, slot in reading.slots.items()}
    wanted = {snake(name): spoken(words) for name, words in label["slots"].items()}
    return reading.intent.rpartition(".")[2] == snake(label["intent"]) and wanted.items() <= understood.items()


def read_expected(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Labels: file name to `intent` and `slots`.

    Raises:
        BadInput: Not readable, not JSON, or not of that form.
    """
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))
        return {name: {"intent": label["intent"], "slots": dict(label["slots"])} for name, label in labels.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{path} holds no labels: {error}.", remedy="Give a label.json of the benchmark's form."
        ) from error


def snake(name: str) -> str:
    """`orderDrink` as `order_drink`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def wilson(successes: int, n: int) -> tuple[float, float]:
    """95 % score interval of a proportion (Wilson 1927)."""
    share, z2 = successes / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return round(middle - half, 4), round(middle + half, 4)


def _conversation(home: Path, pack: Path) -> Conversation:
    """A brain with the shipped packs and this one."""
    if not pack.is_file():
        raise BadInput(f"There is no pack {pack}.", remedy="Give a pack's YAML file.")
    packs = home / "packs"
    packs.mkdir()
    shutil.copy(pack, packs)
    return build_brain(load_config(home), home, SystemClock(), ThreadWorkers()).conversation


def _words(reading: Interpretation) -> str:
    slots = ", ".join(f"{name}={slot.text}" for name, slot in reading.slots.items())
    return f"{reading.intent}({slots})"


def _show(rows: Sequence[Mapping[str, Any]]) -> None:
    table = Table("engine", "noise", "understood", "95 %", "strict", "CPU-s", title="Commands understood wholly right")
    for row in rows:
        low, high = row["interval"]
        table.add_row(
            row["engine"],
            "clean" if row["snr"] is None else f"{row['snr']:g} dB",
            f"{100 * row['acceptance']:.1f} %",
            f"{100 * low:.0f}–{100 * high:.0f}",
            f"{100 * row['strict']:.1f} %",
            f"{row['cpu_s_per_command']:.2f}",
        )
    Console().print(table)
