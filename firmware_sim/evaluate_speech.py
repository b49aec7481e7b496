"""Measures a speech-to-text engine on recorded commands: what it hears of their slots, and what that costs.

The recordings pass through the ears as on the device (voice activity, endpoint, pre-roll), so that the engine
gets what it would get there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import soundfile
import soxr

from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.nlu.text import spoken
from device.speech.listen import Listener, Utterance
from device.speech.ports import SttEngine, VadEngine
from firmware_sim.noise import mix

Labels = Mapping[str, Mapping[str, str]]
"""File name to slot name to the words that were said for it."""


@dataclass(frozen=True, slots=True)
class SpeechScores:
    """Result of `evaluate`.

    Attributes:
        transcripts: File name to text.
        slot_recall: Share of the slots whose words all stand in the transcript, in spoken form.
        cpu_s_per_command: CPU seconds of the process for decoding, mean.
        wall_s_per_command: Seconds from the end of speech detection to the text, mean.
        rtf: Wall time for each second of audio that was decoded.
    """

    transcripts: Mapping[str, str]
    slot_recall: float
    cpu_s_per_command: float
    wall_s_per_command: float
    rtf: float


def evaluate(
    clips: Path,
    labels: Labels,
    engine: SttEngine,
    vad: VadEngine,
    *,
    noise: Pcm | None = None,
    snr_db: float = 12.0,
    seed: int = 0,
) -> SpeechScores:
    """Transcribe the labelled recordings of the folder `clips`, clean or with `noise` mixed in.

    The excerpt of noise depends on `seed` and the clip's place in the sorted list only.

    Raises:
        OSError, soundfile.SoundFileError: A recording is missing or can't be read.
    """
    texts: dict[str, str] = {}
    cpu = wall = seconds = 0.0
    for index, name in enumerate(sorted(labels)):
        pcm = read_clip(clips / name)
        if noise is not None:
            pcm = mix(pcm, noise, snr_db, np.random.default_rng([seed, index]))
        words = []
        for utterance in utterances(pcm, vad):
            cpu_before, wall_before = process_time(), perf_counter()
            engine.start()
            engine.feed(utterance)
            words.append(engine.finish().text)
            cpu += process_time() - cpu_before
            wall += perf_counter() - wall_before
            seconds += len(utterance) / SAMPLE_RATE
        texts[name] = " ".join(filter(None, words))
    n = max(1, len(labels))
    return SpeechScores(texts, slot_recall(labels, texts), cpu / n, wall / n, wall / max(seconds, 1e-9))


def utterances(pcm: Pcm, vad: VadEngine) -> list[Pcm]:
    """The utterances that the ears find in a recording, as if listening began with it."""
    listener = Listener(None, vad)
    listener.listen("command")
    tail = np.zeros(SAMPLE_RATE * 2 - len(pcm) % FRAME + FRAME, np.int16)
    padded = np.concatenate([pcm, tail])
    found = []
    for start in range(0, len(padded) - FRAME + 1, FRAME):
        for event in listener.feed(padded[start : start + FRAME]):
            if isinstance(event, Utterance):
                found.append(event.pcm)
        if listener.mode == "idle":
            listener.listen("command")
    return found


def slot_recall(labels: Labels, transcripts: Mapping[str, str]) -> float:
    """Share of all slots whose words all stand, in spoken form, in the transcript of their recording."""
    heard = total = 0
    for name, slots in labels.items():
        words = f" {spoken(transcripts.get(name, ''))} "
        for text in slots.values():
            total += 1
            heard += f" {spoken(text)} " in words
    return heard / max(1, total)


def read_labels(path: Path) -> Labels:
    """Read a `label.json` of Picovoice's benchmark: file name to `{"intent": ..., "slots": {...}}`."""
    return {name: label["slots"] for name, label in json.loads(path.read_text(encoding="utf-8")).items()}


def read_clip(path: Path) -> Pcm:
    """Read a recording as 16 kHz mono int16, whatever its rate and channels."""
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    return np.asarray(soxr.resample(samples[:, 0], rate, SAMPLE_RATE), np.int16)
