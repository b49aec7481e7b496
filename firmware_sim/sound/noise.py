"""Mixes noise into recorded speech at a given ratio, as Picovoice's speech-to-intent benchmark does.

https://github.com/Picovoice/speech-to-intent-benchmark: levels are compared by their loudest frames, not by
their means, so that silence around the words does not make the noise louder.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import Pcm

_FRAME: Final = 2048


def mix(speech: Pcm, noise: Pcm, snr_db: float, rng: np.random.Generator) -> Pcm:
    """Add a random excerpt of `noise` to `speech` and scale the mix to half of full range.

    Args:
        speech: 16 kHz mono.
        noise: 16 kHz mono, at least as long as `speech`.
        snr_db: By how much the loudest frame of speech stands above the loudest frame of the excerpt.
        rng: Chooses the excerpt.

    Raises:
        ValueError: The noise is shorter than the speech, or one of them is shorter than a frame or silent.
    """
    if not _FRAME <= len(speech) <= len(noise):
        raise ValueError("the noise must be as long as the speech, and both as long as a frame")
    start = int(rng.integers(0, len(noise) - len(speech) + 1))
    excerpt = noise[start : start + len(speech)].astype(np.float64)
    voice = speech.astype(np.float64)
    if not _loudest(voice) or not _loudest(excerpt):
        raise ValueError("silence has no level")
    mixed = voice + excerpt * np.sqrt(_loudest(voice) / _loudest(excerpt) * 10 ** (-snr_db / 10))
    return np.asarray(mixed * (16384 / np.abs(mixed).max()), np.int16)


def _loudest(samples: NDArray[np.float64]) -> float:
    """Energy of the loudest frame."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    return float((frames**2).sum(axis=1).max())
