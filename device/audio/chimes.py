"""The device's own short sounds, computed: nothing to ship, nothing to license, the same on every machine.

Each is a row of bell-like notes (a sine with two weaker harmonics, raised-cosine attack, exponential decay).
Notes lie between 330 Hz and 1.4 kHz, where the small loudspeaker of a gadget is at its best. Pitches are equal
tempered with A4 = 440 Hz (ISO 16).
"""

from __future__ import annotations

from functools import cache
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np

from device.audio.ports import SAMPLE_RATE, Pcm

ChimeName: TypeAlias = Literal["start", "stop", "error", "timer", "alarm"]


class Note(NamedTuple):
    """One note: when it begins and how long it rings (seconds), its pitch (Hz)."""

    at: float
    seconds: float
    hertz: float


CHIMES: Final[dict[ChimeName, tuple[Note, ...]]] = {
    # "I listen": a rising fifth, C5 G5, over before the first word.
    "start": (Note(0.0, 0.09, 523.25), Note(0.07, 0.10, 783.99)),
    # "I heard you": the same fifth falling.
    "stop": (Note(0.0, 0.09, 783.99), Note(0.07, 0.12, 523.25)),
    # "That didn't work": a falling fourth, low and slow, A4 E4.
    "error": (Note(0.0, 0.18, 440.0), Note(0.16, 0.26, 329.63)),
    # A timer is done: a broken C major chord, C5 E5 G5 C6, twice.
    "timer": tuple(
        Note(start + 0.12 * index, 0.30, hertz)
        for start in (0.0, 0.7)
        for index, hertz in enumerate((523.25, 659.26, 783.99, 1046.5))
    ),
    # An alarm, made to be repeated: four urgent pairs A5 E6, then a rest, so that a "stop" can be heard.
    "alarm": tuple(
        Note(start + offset, 0.16, hertz)
        for start in (0.0, 0.25, 0.5, 0.75)
        for offset, hertz in ((0.0, 880.0), (0.1, 1318.51))
    ),
}
"""The notes of every chime."""

_REST: Final[dict[ChimeName, float]] = {"timer": 0.5, "alarm": 0.6}
"""Seconds of silence after those that are repeated."""

_PEAK: Final[dict[ChimeName, float]] = {"start": 0.25, "stop": 0.25, "error": 0.3, "timer": 0.6, "alarm": 0.8}
"""Largest sample, as a fraction of full scale: quiet where someone is listening anyway."""

_HARMONICS: Final = ((1, 1.0), (2, 0.3), (3, 0.08))
_ATTACK: Final = 0.008
_RELEASE: Final = 0.02


@cache
def chime(name: ChimeName) -> Pcm:
    """The sound of that name; the array is shared and read-only."""
    notes = CHIMES[name]
    length = max(note.at + note.seconds for note in notes) + _REST.get(name, 0.0)
    mixed = np.zeros(round(length * SAMPLE_RATE))
    for note in notes:
        begin, count = round(note.at * SAMPLE_RATE), round(note.seconds * SAMPLE_RATE)
        time = np.arange(count) / SAMPLE_RATE
        tone = sum(weight * np.sin(2 * np.pi * note.hertz * order * time) for order, weight in _HARMONICS)
        decay = np.exp(-3.0 * time / note.seconds)
        ends = np.minimum(_edge(time, _ATTACK), _edge(note.seconds - time, _RELEASE))
        mixed[begin : begin + count] += tone * decay * ends
    pcm: Pcm = np.rint(mixed * (_PEAK[name] * 32767 / np.max(np.abs(mixed)))).astype(np.int16)
    pcm.flags.writeable = False
    return pcm


def _edge(
    time: np.ndarray[tuple[int], np.dtype[np.float64]], seconds: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Raised-cosine rise from 0 to 1 within `seconds`."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(time / seconds, 0.0, 1.0))
