"""`homebody evaluate wake`: how many people a wake word hears, clean and in noise, and what else wakes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from device.audio.files import read_audio
from device.audio.ports import SAMPLE_RATE, Pcm
from device.config import home_folder
from device.errors import BadInput
from device.speech.wake_check import MoonshineCheck
from firmware_sim.sound.scenery import babble as many_voices
from firmware_sim.sound.voices import Voices
from firmware_sim.trials.confusions import read_levels
from firmware_sim.trials.recordings import LONGEST
from firmware_sim.trials.wake_recordings import read_clips, read_speech
from firmware_sim.trials.wake_scores import detection, false_accepts
from firmware_sim.trials.wake_trial import AFTER, RUN_IN, Ears, detect, overhear

_SPARE = 30
"""Seconds that babble lasts beyond the longest recording, so that its excerpts differ."""


def wake(
    clips: Annotated[Path, typer.Option(help="Folder with recordings of people who say the word, each once.")],
    word: Annotated[str, typer.Option(help="The wake word.")] = "alexa",
    noise: Annotated[Path | None, typer.Option(help="Noise to mix in.")] = None,
    babble: Annotated[bool, typer.Option("--babble", help="Mix in the talk of many voices.")] = False,
    snr: Annotated[str, typer.Option(help="Signal-to-noise ratios in dB, with commas.")] = "10,5",
    seed: Annotated[str, typer.Option(help="Picks the excerpts of noise; several with commas.")] = "0",
    threshold: Annotated[str, typer.Option(help="Thresholds, with commas.")] = "0.3,0.5,0.7,0.85,0.9,0.95",
    check: Annotated[bool, typer.Option(help="With the second look, as on the device.")] = True,
    speech: Annotated[
        list[Path] | None,
        typer.Option(help="Speech without the word: a folder, a recording, or a .txt that is read aloud."),
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Misses against false accepts, .svg or .png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """How many people a wake word hears, and how often other speech wakes it."""
    if picture and not speech:
        raise BadInput("A picture needs false accepts.", remedy="Give --speech as well.")
    thresholds, seeds = _thresholds(threshold), _seeds(seed)
    ears = Ears(word, MoonshineCheck(threads=1) if check else None)
    voices = Voices(home_folder() / "cache" / "voices")
    said = read_clips(clips)
    levels: list[dict[str, Any]] = []
    for name, sound, snr_db in _noises(noise, babble, snr, said, voices):
        runs = [
            detect(ears, said, thresholds, sound, snr_db or 0.0, each)
            for each in (seeds if sound is not None else seeds[:1])
        ]
        levels.append({"noise": name, "snr": snr_db, "rows": detection(runs)})
    result: dict[str, Any] = {"word": word, "check": check, "clips": len(said), "seeds": seeds, "detection": levels}
    if speech:
        spoken = (each for path in speech for each in read_speech(path, ears.phrase, voices))
        result["false_accepts"] = false_accepts(overhear(ears, spoken, thresholds))
    if picture:
        from firmware_sim.trials.wake_picture import write

        write(result, picture)
    if as_json:
        typer.echo(json.dumps(result))
        return
    _show(result)


def _noises(
    noise: Path | None, babble: bool, snr: str, clips: Sequence[Pcm], voices: Voices
) -> list[tuple[str | None, Pcm | None, float | None]]:
    """What is behind the word: nothing first, then each noise at each level."""
    longest = max(map(len, clips)) + round((RUN_IN + AFTER + _SPARE) * SAMPLE_RATE)
    sounds: list[tuple[str, Pcm]] = []
    if noise:
        sounds.append((noise.stem, read_audio(noise, max_seconds=LONGEST)))
    if babble:
        talk = many_voices(voices)
        sounds.append(("babble", np.resize(talk, max(longest, len(talk)))))
    levels = [level for level in read_levels(snr) if level is not None]
    return [(None, None, None), *((name, sound, level) for name, sound in sounds for level in levels)]


def _thresholds(text: str) -> list[float]:
    try:
        found = sorted({float(part) for part in text.split(",")})
    except ValueError:
        found = []
    if not found or not all(0 <= each < 1 for each in found):
        raise BadInput(f"{text!r} are no thresholds.", remedy="Give probabilities, such as 0.5,0.9.")
    return found


def _seeds(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise BadInput(f"{text!r} are no seeds.", remedy="Give whole numbers, such as 0,1,2.") from error


def _show(result: Mapping[str, Any]) -> None:
    console = Console()
    table = Table("noise", "threshold", "heard", "95 %", title=f"“{result['word']}” by {result['clips']} people")
    for level in result["detection"]:
        for row in level["rows"]:
            name = "clean" if level["snr"] is None else f"{level['noise']}, {level['snr']:g} dB"
            low, high = row["interval"]
            table.add_row(name, f"{row['threshold']:g}", f"{row['rate']:.1%}", f"{100 * low:.0f}–{100 * high:.0f}")
    console.print(table)
    if "false_accepts" not in result:
        return
    rows = result["false_accepts"]
    title = f"False accepts in {rows[0]['hours']:.1f} h of speech"
    table = Table("threshold", "first stage", "accepts", "an hour", "95 %", title=title)
    for row in rows:
        low, high = row["interval"]
        table.add_row(
            f"{row['threshold']:g}",
            str(row["first_stage"]),
            str(row["accepts"]),
            f"{row['per_hour']:.2f}",
            f"{low:.2f}–{high:.2f}",
        )
    console.print(table)
