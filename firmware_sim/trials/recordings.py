"""Recorded commands as the device gets them: noise is mixed in, and what nobody says is cut away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from device.audio.files import read_audio
from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.errors import BadInput
from device.nlu.text import spoken
from device.rhino.convert import snake
from device.speech.listen import Listener, Utterance
from device.speech.ports import VadEngine
from device.speech.recording import TAIL, speech_in
from firmware_sim.sound.noise import mix

ENDINGS: Final = frozenset({".wav", ".flac", ".ogg", ".mp3"})
"""Files of a folder that are taken for recordings."""

LONGEST: Final = 4 * 3600.0
"""Seconds that a file of noise or of foreign speech may last."""


@dataclass(frozen=True, slots=True)
class Label:
    """What is said in a recording: the intent, and the words of its slots, in spoken form and by our names."""

    intent: str
    slots: Mapping[str, str]


Labels: TypeAlias = Mapping[str, Label]
"""File name to what is said in it."""

Clips: TypeAlias = Mapping[str, Pcm]
"""File name to 16 kHz mono."""

Commands: TypeAlias = Mapping[str, Pcm | None]
"""File name to the speech in it; None where none was found."""


def read_labels(path: Path) -> Labels:
    """Labels as Picovoice's speech-to-intent benchmark writes them: file name to `intent` and `slots`.

    Raises:
        BadInput: Not readable, not JSON, not of that form, or empty.
    """
    try:
        read = {
            name: Label(snake(label["intent"]), {snake(slot): spoken(text) for slot, text in label["slots"].items()})
            for name, label in json.loads(path.read_text(encoding="utf-8")).items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{path} holds no labels: {error}.", remedy="Give a label.json of the benchmark's form."
        ) from error
    if not read:
        raise BadInput(f"{path} labels nothing.", remedy="Give a label.json with a recording at least.")
    return read


def read_clips(folder: Path, names: Sequence[str]) -> Clips:
    """The recordings of these names that are in a folder, sorted; one may have been converted (`x.wav` to `x.flac`).

    Raises:
        BadInput: None of them is there.
        AudioFormatError: One can't be read.
    """
    here = {path.name: path for path in _files(folder)}
    stems = {path.stem: path for path in here.values()}
    found = {name: here.get(name) or stems.get(Path(name).stem) for name in sorted(names)}
    clips = {name: read_audio(path) for name, path in found.items() if path}
    if not clips:
        raise BadInput(f"{folder} has none of the labelled recordings.", remedy="Give the folder that they are in.")
    return clips


def commands(clips: Clips, vad: VadEngine, noise: Pcm | None, snr_db: float | None, seed: int) -> Commands:
    """What the device would decode of each recording, from its first to its last speech.

    Args:
        clips: Recordings of one command each.
        vad: Finds the speech.
        noise: 16 kHz mono, at least as long as every recording.
        snr_db: Level of the speech above the noise; None for the recordings as they are.
        seed: Picks the excerpts of noise, which depend on it and on the recording's place among the others only.

    Raises:
        BadInput: The noise is too short, or it or a recording is silent.
    """
    cut: dict[str, Pcm | None] = {}
    for index, (name, pcm) in enumerate(clips.items()):
        heard = pcm if noise is None or snr_db is None else noisy(pcm, noise, snr_db, seed, index)
        cut[name] = speech_in(heard, Listener(None, vad))
    return cut


def noisy(pcm: Pcm, noise: Pcm, snr_db: float, seed: int, index: int) -> Pcm:
    """A recording with an excerpt of noise.

    Raises:
        BadInput: They can't be mixed.
    """
    try:
        return mix(pcm, noise, snr_db, np.random.default_rng([seed, index]))
    except ValueError as error:
        raise BadInput(
            f"Noise can't be mixed in: {error}.", remedy="Give longer noise, or other recordings."
        ) from error


def foreign(folder: Path, vad: VadEngine) -> Iterator[Pcm]:
    """Utterances of recordings of any length, as a listening device would cut them.

    Raises:
        BadInput: There is no recording.
        AudioFormatError: One can't be read.
    """
    files = _files(folder)
    if not files:
        raise BadInput(f"{folder} has no recordings.", remedy=f"Put {', '.join(sorted(ENDINGS))} files there.")
    for path in files:
        pcm = read_audio(path, max_seconds=LONGEST)
        rest = np.zeros(-len(pcm) % FRAME + round(TAIL * SAMPLE_RATE / FRAME) * FRAME, np.int16)
        padded = np.concatenate([pcm, rest])
        listener = Listener(None, vad)
        for begin in range(0, len(padded), FRAME):
            if listener.mode == "idle":
                listener.listen("command")
            for event in listener.feed(padded[begin : begin + FRAME]):
                if isinstance(event, Utterance):
                    yield event.pcm


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", remedy="Give the folder with the recordings.")
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
