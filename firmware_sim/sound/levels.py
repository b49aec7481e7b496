"""How loud a sound is: what the simulator's rooms measure and set."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from device.audio.level import FULL_SCALE
from device.audio.ports import FRAME

Samples: TypeAlias = NDArray[np.float64]
"""Mono 16 kHz sound on the scale of int16, not yet rounded or limited, shape [n]."""

_ACTIVE_DB: Final = 40.0
"""Frames quieter than the loudest one by more than this are pauses."""


def amplitude(dbfs: float) -> float:
    """The RMS, on the scale of int16, of a level in dB relative to full scale."""
    return FULL_SCALE * db(dbfs)


def db(gain_db: float) -> float:
    """The factor of amplitude of a gain in dB."""
    return float(10 ** (gain_db / 20))


def rms(samples: NDArray[Any]) -> float:
    """Root mean square of samples, shape [n]; 0 for none."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def active_rms(speech: NDArray[Any]) -> float:
    """RMS over the frames in which somebody speaks: pauses don't make speech quieter. Shape [n]."""
    whole = speech[: len(speech) // FRAME * FRAME].reshape(-1, FRAME)
    if not len(whole):
        return rms(speech)
    power = np.mean(np.square(whole, dtype=np.float64), axis=1)
    return float(np.sqrt(np.mean(power[power >= np.max(power) * 10 ** (-_ACTIVE_DB / 10)])))


def scaled(samples: NDArray[Any], target: float) -> Samples:
    """The sound at an active RMS of `target`, on the scale of int16; silence stays silence."""
    result: Samples = samples.astype(np.float64) * (target / max(active_rms(samples), 1e-9))
    return result
