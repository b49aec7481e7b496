"""The same words twice: as they were recorded, and as a microphone across the room hears them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from scipy.signal import oaconvolve
from torch import Tensor

from quantize.wake.rooms import LOUDEST, coloured, impulse
from quantize.wake.synthesizers import Audio
from quantize.wake.voices import SAMPLE_RATE

PAUSE: Final = (0.25, 0.8)
"""Seconds that a scene is longer than its longest recording."""

SNR_DB: Final = (-2.0, 24.0)
"""Loudest 128 ms of speech over the noise's mean; one scene in `1 / QUIET` has none to speak of."""

QUIET: Final = 0.08
QUIET_DB: Final = 40.0
IN_A_ROOM: Final = 0.45
OTHER_MICROPHONE: Final = 0.4
TWO_NOISES: Final = 0.3
"""Shares of the scenes."""

PEAK_DB: Final = (-18.0, -1.0)
"""Level of the speech, below full range."""

_FLOOR: Final = 1e-4
"""RMS of the noise in what was recorded: nothing is as silent as zeros."""

_FRAME: Final = 2048

NO_TOKEN: Final = -1


@dataclass(frozen=True, slots=True)
class Recording:
    """What somebody says.

    Attributes:
        pcm: 16 kHz, shape [n].
        tokens: What the recognizer writes for it, from the token that begins to the one that ends.
    """

    pcm: npt.NDArray[np.int16]
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some scenes of one length.

    Attributes:
        clean: As it was recorded, shape [scenes, samples], full range -1 to 1.
        heard: In noise, the same shape.
        tokens: Shape [scenes, longest], `NO_TOKEN` behind the end.
    """

    clean: Tensor
    heard: Tensor
    tokens: Tensor


def stage(
    recordings: Sequence[Recording], noises: Sequence[Audio], rng: np.random.Generator, snr_db: float | None = None
) -> Batch:
    """Play recordings somewhere.

    Args:
        recordings: Best of about one length.
        noises: At least as long as they are, see `quantize.wake.rooms.noise`.
        rng: Chooses where.
        snr_db: Of all; None draws one for each.
    """
    length = max(len(recording.pcm) for recording in recordings) + int(rng.uniform(*PAUSE) * SAMPLE_RATE)
    pairs = [_scene(recording.pcm, length, noises, rng, snr_db) for recording in recordings]
    tokens = torch.full((len(recordings), max(len(recording.tokens) for recording in recordings)), NO_TOKEN)
    for row, recording in zip(tokens, recordings, strict=True):
        row[: len(recording.tokens)] = torch.tensor(recording.tokens)
    clean, heard = (torch.from_numpy(np.stack(sounds)) for sounds in zip(*pairs, strict=True))
    return Batch(clean, heard, tokens)


def _scene(
    pcm: npt.NDArray[np.int16],
    length: int,
    noises: Sequence[Audio],
    rng: np.random.Generator,
    snr_db: float | None,
) -> tuple[Audio, Audio]:
    speech = pcm.astype(np.float32) / 32768
    speech *= 10 ** (rng.uniform(*PEAK_DB) / 20) / max(1e-3, float(np.abs(speech).max()))
    clean = np.zeros(length, np.float32)
    begin = int(rng.uniform(0, 1) * (length - len(speech)))
    clean[begin : begin + len(speech)] = speech
    wet: Audio = clean
    if rng.random() < IN_A_ROOM:
        wet = oaconvolve(clean, impulse(rng))[:length].astype(np.float32)
    if rng.random() < OTHER_MICROPHONE:
        wet = coloured(wet, rng)
    if snr_db is None:
        snr_db = QUIET_DB if rng.random() < QUIET else float(rng.uniform(*SNR_DB))
    frames = wet[: len(wet) // _FRAME * _FRAME].reshape(-1, _FRAME)
    level = float(np.sqrt((frames**2).mean(axis=1).max()))
    heard = wet + _excerpt(noises, length, rng) * level * 10 ** (-snr_db / 20)
    heard *= min(1.0, LOUDEST / float(np.abs(heard).max()))
    clean += _FLOOR * rng.standard_normal(length).astype(np.float32)
    return clean, np.asarray(np.round(heard * 32768) / 32768, np.float32)


def _excerpt(noises: Sequence[Audio], length: int, rng: np.random.Generator) -> Audio:
    """One noise, or two at once; RMS 1."""

    def one() -> Audio:
        noise = noises[int(rng.integers(len(noises)))]
        begin = int(rng.integers(len(noise) - length + 1))
        return noise[begin : begin + length]

    made = one() + rng.uniform(0.2, 1) * one() if rng.random() < TWO_NOISES else one()
    return np.asarray(made / (np.sqrt(np.mean(made**2)) + 1e-9), np.float32)
