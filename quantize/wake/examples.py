"""Streams of features with labels: phrases in rooms with something before and after, and all that is no phrase.

Features are those of the device, microWakeWord's front end: 40 bands each 10 ms.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from pymicro_wakeword import MicroWakeWordFeatures

from quantize.wake.net import BANDS, STRIDE
from quantize.wake.rooms import coloured, heard, impulse, noise, paced
from quantize.wake.synthesizers import Audio
from quantize.wake.voices import SAMPLE_RATE

SECONDS: Final = 3.9
WARM_SECONDS: Final = 0.9
"""Of an example, and what of it only lets the front end's noise estimate settle."""

STEPS: Final = round((SECONDS - WARM_SECONDS) * 100 / STRIDE)
DELAY: Final = 0.05
"""Seconds from a step's number times 30 ms to the end of the sound that it has heard: features look 30 ms ahead."""

NEAR: Final = (0.0, 0.21)
"""Seconds after a phrase's end in which it has to be reported."""

DOUBT: Final = (0.15, 0.4)
"""Seconds before and after the end outside of which it must not be."""

IGNORED: Final = -1
ROOMS: Final = 150
NOISES: Final = 60
BATCHES: Final = 64
"""Rooms and noises that every process makes, the same in all; parts into which the work is divided."""

Features: TypeAlias = npt.NDArray[np.float16]
"""[examples, 3 STEPS, 40]"""

Labels: TypeAlias = npt.NDArray[np.int8]
"""[examples, STEPS, phrases]: 1, 0, or `IGNORED`."""


@dataclass(frozen=True, slots=True)
class Material:
    """What examples are made of.

    Attributes:
        phrases: Renderings of each wake word.
        misses: Renderings of what sounds nearly like one.
        speech: Renderings of other sentences.
        alone: The words count only at the beginning of what somebody says ("stop", not "don't stop").
    """

    phrases: Sequence[Sequence[Audio]]
    misses: Sequence[Audio]
    speech: Sequence[Audio]
    alone: bool = False


def make(material: Material, positives: int, negatives: int, seed: int, jobs: int) -> tuple[Features, Labels]:
    """Make examples in several processes; the result doesn't depend on their number.

    Args:
        material: Of what.
        positives: Examples of each wake word.
        negatives: Examples without.
        seed: Of all chance.
        jobs: Processes.
    """
    words = [word for word in range(len(material.phrases)) for _ in range(positives)] + [IGNORED] * negatives
    parts = [part for at in range(BATCHES) if (part := words[at::BATCHES])]
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _begin, (material, seed)) as pool:
        made = list(pool.map(_part, range(len(parts)), parts))
    return np.concatenate([features for features, _ in made]), np.concatenate([labels for _, labels in made])


def features(front: MicroWakeWordFeatures, pcm: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """What the device's front end makes of a recording from its beginning, shape [n, 40]."""
    front.reset()
    rows = [row.reshape(BANDS) for row in front.process_streaming(pcm.tobytes())]
    return np.asarray(rows, np.float32).reshape(-1, BANDS)


class _Maker:
    """Makes examples in one process."""

    def __init__(self, material: Material, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._material = material
        self._seed = seed
        self._rooms = [impulse(rng) for _ in range(ROOMS)]
        self._noises = [noise(rng, material.speech) for _ in range(NOISES)]
        self._front = MicroWakeWordFeatures()

    def batch(self, number: int, words: Sequence[int]) -> tuple[Features, Labels]:
        rng = np.random.default_rng([self._seed, number])
        made = [self._example(word, rng) for word in words]
        return np.stack([row for row, _ in made]), np.stack([label for _, label in made])

    def _example(self, word: int, rng: np.random.Generator) -> tuple[Features, Labels]:
        line = np.zeros(round((SECONDS + 0.1) * SAMPLE_RATE), np.float32)
        labels = np.zeros((STEPS, len(self._material.phrases)), np.int8)
        if word != IGNORED:
            end = self._place(line, _pick(self._material.phrases[word], rng), rng, clear=self._material.alone)
            after = (WARM_SECONDS + DELAY + np.arange(STEPS) * STRIDE / 100) - end
            labels[(after > -DOUBT[0]) & (after < DOUBT[1]), word] = IGNORED
            labels[(after >= NEAR[0]) & (after <= NEAR[1]), word] = 1
        else:
            self._otherwise(line, rng)
        room = self._rooms[int(rng.integers(ROOMS))] if rng.random() < 0.7 else None
        sound = self._noises[int(rng.integers(NOISES))]
        start = int(rng.integers(len(sound) - len(line)))
        # Now and then nothing but the microphone's own noise, or not even that.
        snr = rng.uniform(25, 90) if rng.random() < 0.25 else rng.uniform(-3, 25)
        pcm = heard(line, room, sound[start : start + len(line)], snr, rng.uniform(-35, 0))
        first = round(WARM_SECONDS * 100)
        return features(self._front, pcm)[first : first + STEPS * STRIDE].astype(np.float16), labels

    def _otherwise(self, line: Audio, rng: np.random.Generator) -> None:
        """Speech without the phrase."""
        kind, said = rng.random(), _pick([phrase for word in self._material.phrases for phrase in word], rng)
        if kind < 0.1:  # a part of the phrase
            cut = int(len(said) * rng.uniform(0.4, 0.65))
            self._place(line, said[:cut] if rng.random() < 0.6 else said[cut:], rng)
        elif kind < 0.45:
            self._place(line, _pick(self._material.misses, rng), rng)
        elif kind < 0.65 and self._material.alone:  # in the middle of a sentence
            start = int(rng.uniform(1.2, 2.8) * SAMPLE_RATE)
            _put(line, _pick(self._material.speech, rng), start, last=True)
            _put(line, said, start + int(rng.uniform(0, 0.12) * SAMPLE_RATE))
        elif kind < 0.85:
            at = -int(rng.uniform(0, 1) * SAMPLE_RATE)
            while at < len(line):
                at = _put(line, _pick(self._material.speech, rng), at) + int(rng.uniform(0, 0.6) * SAMPLE_RATE)

    def _place(self, line: Audio, said: Audio, rng: np.random.Generator, clear: bool = False) -> float:
        """Something that is said, perhaps after and before something else; the second at which it ends."""
        end = int(rng.uniform(WARM_SECONDS + 0.6, SECONDS - 0.45) * SAMPLE_RATE)
        _put(line, said, end, last=True)
        if rng.random() < 0.35:
            gap = rng.uniform(0.4 if clear else 0.05, 1.0)
            _put(line, _pick(self._material.speech, rng), end - len(said) - int(gap * SAMPLE_RATE), last=True)
        if rng.random() < 0.5:
            _put(line, _pick(self._material.speech, rng), end + int(rng.uniform(0, 0.5) * SAMPLE_RATE))
        return end / SAMPLE_RATE


def _pick(said: Sequence[Audio], rng: np.random.Generator) -> Audio:
    """One rendering, from another head and through another microphone."""
    return coloured(paced(said[int(rng.integers(len(said)))], float(rng.uniform(0.85, 1.18))), rng)


def _put(line: Audio, said: Audio, at: int, last: bool = False) -> int:
    """Lay a sound into a line where it has room, to begin at a sample or to end there; the sample after it."""
    start = at - len(said) if last else at
    first, stop = max(0, start), min(len(line), start + len(said))
    if stop > first:
        line[first:stop] += said[first - start : stop - start]
    return start + len(said)


_maker: _Maker
"""Of this process."""


def _begin(material: Material, seed: int) -> None:
    global _maker
    _maker = _Maker(material, seed)


def _part(number: int, words: Sequence[int]) -> tuple[Features, Labels]:
    return _maker.batch(number, words)
