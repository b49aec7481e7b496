"""What lies between a mouth and the network: the room, the noise in it, the microphone's level.

Rooms are Polack's statistical model (1988: noise that decays exponentially behind the direct sound); noises are made
here, so that none of a benchmark's recordings trains.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter, oaconvolve

from quantize.wake.synthesizers import Audio
from quantize.wake.voices import SAMPLE_RATE

NOISE_SECONDS: Final = 20
"""Length of every noise that is made."""

LOUDEST: Final = 0.99


def impulse(rng: np.random.Generator) -> Audio:
    """A room's answer to a click: 0.1 to 0.7 s until it has fallen by 60 dB, direct sound -6 to 12 dB over the rest."""
    rt60, over_db, delay = rng.uniform(0.1, 0.7), rng.uniform(-6, 12), int(rng.integers(16, 160))
    time = np.arange(int(rt60 * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / rt60)
    tail[:delay] = 0
    tail = lfilter([1.0], [1.0, -rng.uniform(0, 0.6)], tail)  # walls take the highs
    tail *= 10 ** (-over_db / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return np.asarray(tail, np.float32)


def noise(rng: np.random.Generator, speech: Sequence[Audio]) -> Audio:
    """One of: coloured noise that swells, textures, a hum, clatter, a melody, talk, talk in shreds; RMS 1.

    Args:
        rng: Chooses.
        speech: What the people say.
    """
    kind = rng.choice(
        ["coloured", "texture", "texture", "hum", "clatter", "clatter", "music", "babble", "babble", "shreds"]
    )
    count = NOISE_SECONDS * SAMPLE_RATE
    if kind == "babble":
        made = sum((_talk(rng, speech, count) for _ in range(int(rng.integers(1, 7)))), np.zeros(count))
    elif kind == "hum":
        made = _partials(rng, float(rng.uniform(45, 130)), count, 12) + 0.3 * _coloured(rng, count)
    elif kind == "clatter":
        made = 0.05 * _coloured(rng, count) + _clatter(rng, count)
    elif kind == "texture":
        made = _texture(rng, count)
    elif kind == "shreds":
        made = _shreds(rng, speech, count)
    elif kind == "music":
        made = np.concatenate([_chord(rng, count // 40) for _ in range(40)])
    else:
        made = _coloured(rng, count)
    return np.asarray(made / np.sqrt(np.mean(made**2) + 1e-12), np.float32)


def heard(speech: Audio, room: Audio | None, noise: Audio, snr_db: float, peak_db: float) -> npt.NDArray[np.int16]:
    """What the microphone delivers.

    Args:
        speech: Near the mouth, shape [n].
        room: Of `impulse`, or None for a mouth at the microphone.
        noise: Of `noise`, at least as long.
        snr_db: By how much the loudest 128 ms of speech stand over the noise's mean.
        peak_db: Peak of the mix, below full range.
    """
    wet = speech if room is None else oaconvolve(speech, room)[: len(speech)]
    frames = wet[: len(wet) // 2048 * 2048].reshape(-1, 2048)
    level = float(np.sqrt((frames**2).mean(axis=1).max())) or 0.05
    mixed = wet + noise[: len(wet)] * level * 10 ** (-snr_db / 20)
    mixed *= LOUDEST * 10 ** (peak_db / 20) / (np.abs(mixed).max() + 1e-9)
    return np.asarray(mixed * 32767, np.int16)


def paced(speech: Audio, factor: float) -> Audio:
    """Played faster: higher, shorter, from a smaller head."""
    at = np.arange(0, len(speech) - 1, factor)
    return np.asarray(np.interp(at, np.arange(len(speech)), speech), np.float32)


def coloured(speech: Audio, rng: np.random.Generator) -> Audio:
    """Through another microphone: highs and lows tilted by up to 6 dB."""
    tilt = float(rng.uniform(-0.6, 0.6))
    return np.asarray(lfilter([1.0, -tilt], [1.0], speech), np.float32)


def _coloured(rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    """From white to brown, with a swelling of some seconds."""
    pole = float(rng.choice([0.0, 0.5, 0.9, 0.97, 0.99]))
    made = lfilter([1.0], [1.0, -pole], rng.standard_normal(count))
    swelling = np.interp(np.arange(count), np.linspace(0, count, 12), rng.uniform(0.3, 1.0, 12))
    return np.asarray(made / made.std() * swelling, np.float64)


def _partials(rng: np.random.Generator, hertz: float, count: int, partials: int) -> npt.NDArray[np.float64]:
    time = np.arange(count) / SAMPLE_RATE
    waves = [
        np.sin(2 * np.pi * hertz * n * time + rng.uniform(0, 6)) * rng.uniform(0, 1) / n for n in range(1, partials)
    ]
    return np.asarray(sum(waves), np.float64)


def _chord(rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    root, fade = 110 * 2 ** (rng.integers(0, 24) / 12), np.exp(-np.arange(count) / (count * rng.uniform(0.3, 2)))
    notes = (_partials(rng, root * 2 ** (step / 12), count, 8) for step in (0, *rng.choice([3, 4, 7, 9, 12], 2)))
    return np.asarray(sum(notes) * fade, np.float64)


def _clatter(rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    """Pots and plates, doors, steps: clicks that ring, bright or dull, alone or scraped over each other."""
    made = np.zeros(count)
    length = SAMPLE_RATE // 3
    time = np.arange(length) / SAMPLE_RATE
    for start in rng.integers(0, count - length, size=int(rng.integers(10, 80))):
        low, high = sorted(rng.uniform(100, 7500, 2))
        ring = sum(np.sin(2 * np.pi * hertz * time) for hertz in rng.uniform(low, high, int(rng.integers(2, 7))))
        ring = rng.uniform(0, 1) * ring + rng.uniform(0, 2) * rng.standard_normal(length)
        ring *= np.exp(-time * rng.uniform(8, 200)) * rng.uniform(0.1, 1)
        for again in range(int(rng.integers(1, 4))):
            at = min(count - length, start + int(again * rng.uniform(0.03, 0.25) * SAMPLE_RATE))
            made[at : at + length] += ring * rng.uniform(0.3, 1)
    return made


def _texture(rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    """Rustling, water, squeaks, animals: noise whose spectrum wanders as fast as that of speech."""
    frames = count // 160
    bands = int(rng.integers(4, 24))
    pace = int(frames * rng.uniform(0.01, 0.25))
    walk = rng.standard_normal((pace, bands)) * rng.uniform(2, 14)
    at = np.linspace(0, pace - 1, frames)
    smooth = np.stack([np.interp(at, np.arange(pace), walk[:, band]) for band in range(bands)])
    fine = np.stack([np.interp(np.linspace(0, bands - 1, 161), np.arange(bands), column) for column in smooth.T])
    spectrum = (rng.standard_normal((frames, 161)) + 1j * rng.standard_normal((frames, 161))) * 10 ** (fine / 20)
    grains = np.fft.irfft(spectrum, axis=1) * np.hanning(320)
    made = np.zeros(count + 320)
    made[: frames * 160] += grains[:, :160].ravel()
    made[160 : 160 + frames * 160] += grains[:, 160:].ravel()
    return made[:count]


def _shreds(rng: np.random.Generator, speech: Sequence[Audio], count: int) -> npt.NDArray[np.float64]:
    """Pieces of talk in wrong order, some backwards: sounds of speech that are no words."""
    made = np.zeros(count)
    at = 0
    while at < count:
        line = speech[int(rng.integers(len(speech)))]
        length = int(rng.uniform(0.04, 0.25) * SAMPLE_RATE)
        start = int(rng.integers(max(1, len(line) - length)))
        piece = line[start : start + length][: count - at] * rng.uniform(0.2, 1)
        made[at : at + len(piece)] = piece[::-1] if rng.random() < 0.4 else piece
        at += len(piece) + (int(rng.uniform(0, 0.5) * SAMPLE_RATE) if rng.random() < 0.3 else 0)
    return made


def _talk(rng: np.random.Generator, speech: Sequence[Audio], count: int) -> npt.NDArray[np.float64]:
    made = np.zeros(count)
    at = int(rng.integers(0, SAMPLE_RATE))
    while at < count:
        line = speech[int(rng.integers(len(speech)))][: count - at]
        made[at : at + len(line)] = line
        at += len(line) + int(rng.integers(0, SAMPLE_RATE // 2))
    return made * rng.uniform(0.2, 1)
