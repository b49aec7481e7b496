"""Measures a speech-to-text engine on recorded commands: what it hears of their slots, and what that costs.

Each recording passes through voice activity and endpoint first, as on the device, so that the engine gets what
it would get there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from device.audio.files import read_audio
from device.audio.ports import SAMPLE_RATE, Pcm
from device.nlu.text import spoken
from device.speech.listen import Listener
from device.speech.ports import SttEngine, VadEngine
from device.speech.recording import speech_in
from firmware_sim.sound.noise import mix

Labels = Mapping[str, Mapping[str, str]]
"""File name to slot name to the words that were said for it."""


@dataclass(frozen=True, slots=True)
class SpeechScores:
    """Result of `evaluate`.

    Attributes:
        transcripts: File name to text.
        slot_recall: Share of the slots whose words all stand in the transcript, in spoken form.
        cpu_s_per_command: CPU seconds of the process for decoding, mean.
        wall_s_per_command: Seconds from the end of the command to its text, mean.
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
        AudioFormatError: A recording is missing or can't be read.
    """
    texts: dict[str, str] = {}
    cpu = wall = seconds = 0.0
    for index, name in enumerate(sorted(labels)):
        pcm = read_audio(clips / name)
        if noise is not None:
            pcm = mix(pcm, noise, snr_db, np.random.default_rng([seed, index]))
        command = speech_in(pcm, Listener(None, vad))
        cpu_before, wall_before = process_time(), perf_counter()
        engine.start()
        if command is not None:
            engine.feed(command)
            seconds += len(command) / SAMPLE_RATE
        texts[name] = engine.finish().text
        cpu += process_time() - cpu_before
        wall += perf_counter() - wall_before
    n = max(1, len(labels))
    return SpeechScores(texts, slot_recall(labels, texts), cpu / n, wall / n, wall / max(seconds, 1e-9))


def slot_recall(labels: Labels, transcripts: Mapping[str, str]) -> float:
    """Share of all slots whose words all stand, in spoken form, in the transcript of their recording."""
    heard = total = 0
    for name, slots in labels.items():
        words = f" {spoken(transcripts.get(name, ''))} "
        for text in slots.values():
            total += 1
            heard += f" {spoken(text)} " in words
    return heard / max(1, total)
