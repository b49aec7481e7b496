"""How well a wake word is heard, and how often it is heard where it was not said.

False accepts are counted as events an hour, with the exact Poisson interval (Garwood 1936): of an hour without any,
one learns only that there are fewer than 3.7.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from pymicro_wakeword import MicroWakeWordFeatures
from scipy.stats import chi2

from quantize.wake.examples import features
from quantize.wake.net import STRIDE
from quantize.wake.rooms import heard, impulse, noise
from quantize.wake.synthesizers import Audio
from quantize.wake.voices import SAMPLE_RATE

WINDOW: Final = 5
"""Steps of 30 ms over which the device takes the mean."""

REFRACTORY: Final = round(1.0 * 100 / STRIDE)
"""Steps after a detection in which none is counted."""

STREAM_SECONDS: Final = 60
"""Length of a stretch of talk in one room."""

LIMITS: Final = tuple(round(1 - float(left), 4) for left in np.geomspace(0.7, 0.001, 60))
"""Thresholds that are tried, from 0.3 to 0.999: closer together the nearer they are to 1."""

LEVEL: Final = 0.95
"""Of the confidence interval."""

Pcm: TypeAlias = npt.NDArray[np.int16]
"""Samples at 16 kHz, mono, shape [n]."""

Curve: TypeAlias = npt.NDArray[np.float32]
"""Mean probability at each step of 30 ms, shape [steps, phrases]."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Events an hour.

    Attributes:
        events: How many there were.
        hours: In how long.
    """

    events: int
    hours: float

    @property
    def interval(self) -> tuple[float, float]:
        """Exact 95 % interval of the rate, events an hour."""
        tail = (1 - LEVEL) / 2
        low = chi2.ppf(tail, 2 * self.events) / 2 if self.events else 0.0
        return float(low / self.hours), float(chi2.ppf(1 - tail, 2 * self.events + 2) / 2 / self.hours)


class Ear:
    """Hears recordings as the device does, all at once.

    Args:
        model: Of `net.export`.
    """

    def __init__(self, model: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._front = MicroWakeWordFeatures()

    def __call__(self, pcm: Pcm) -> Curve:
        """The means over a recording, 16 kHz."""
        return self.means(self.rows(pcm))

    def rows(self, pcm: Pcm) -> npt.NDArray[np.float32]:
        """The features of a recording, shape [3 n, 40]."""
        rows = features(self._front, pcm)
        return rows[: len(rows) // STRIDE * STRIDE]

    def means(self, rows: npt.NDArray[np.float32]) -> Curve:
        """The means over features, shape [3 n, 40]."""
        state = np.zeros(self._session.get_inputs()[1].shape, np.float32)
        probabilities = self._session.run(None, {"features": rows[None], "state": state})[0][0]
        sums = np.cumsum(np.concatenate([np.zeros((WINDOW, probabilities.shape[1])), probabilities]), axis=0)
        return np.asarray((sums[WINDOW:] - sums[:-WINDOW]) / WINDOW, np.float32)


def events(curve: Curve, threshold: float) -> int:
    """How often a mean rises over a threshold, shape [steps], a second apart at least."""
    count, deaf = 0, -1
    for step in np.flatnonzero(curve > threshold).tolist():
        if step > deaf:
            count, deaf = count + 1, step + REFRACTORY
    return count


def talk(speech: Sequence[Audio], hours: float, seed: int) -> Iterable[Pcm]:
    """Hours of other talk, a minute at a time, each in a room and a noise of its own.

    Args:
        speech: What is said, over and over in other order.
        hours: How long.
        seed: Of all chance.
    """
    rng = np.random.default_rng(seed)
    noises = [noise(rng, speech) for _ in range(20)]
    for _ in range(round(hours * 3600 / STREAM_SECONDS)):
        line = np.zeros(STREAM_SECONDS * SAMPLE_RATE, np.float32)
        at = 0
        while at < len(line):
            said = speech[int(rng.integers(len(speech)))][: len(line) - at]
            line[at : at + len(said)] = said
            at += len(said) + int(rng.uniform(0, 1.5) * SAMPLE_RATE)
        sound = np.tile(noises[int(rng.integers(len(noises)))], STREAM_SECONDS // 20 + 1)
        yield heard(line, impulse(rng) if rng.random() < 0.7 else None, sound, rng.uniform(5, 40), rng.uniform(-30, 0))


def threshold(curves: Sequence[Curve], hours: float, rate: float) -> float:
    """The lowest of `LIMITS` over which talk is taken for the word at most `rate` times an hour, or the highest."""
    kept = (limit for limit in LIMITS if sum(events(curve, limit) for curve in curves) <= rate * hours)
    return next(kept, LIMITS[-1])
