"""What is worth hearing of a scenario's sound: idle stretches are cut out, since a device may idle for hours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE, Pcm
from firmware_sim.scenario.played import Heard

LONGEST_IDLE: Final = 5.0
"""Seconds of an idle stretch from which on it is cut."""

LONGEST: Final = 120.0
"""Seconds of sound that are kept at most: with them a page of twenty scenarios stays below 15 MB."""

_FRAME: Final = SAMPLE_RATE // 10
_FRAMES: Final = SAMPLE_RATE // _FRAME
"""Frames a second."""
_MARGIN: Final = 10
"""Frames that are kept on both sides of what is not idle."""
_OVER_NOISE: Final = 2.0
"""Peaks so many times over the room's noise are a sound: 6 dB, more than the peaks of steady noise differ."""
_FLOOR: Final = 33
"""Peak below which nothing counts as sound: -60 dBFS."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of simulated time that was kept, in seconds since the beginning of the scenario."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Sound without its idle stretches.

    Attributes:
        spans: What was kept, in order.
        microphone: Shape [n], 16 kHz.
        speaker: The same of the loudspeaker.
        whole: Seconds of the sound before it was cut.
    """

    spans: tuple[Span, ...]
    microphone: Pcm
    speaker: Pcm
    whole: float

    @property
    def seconds(self) -> float:
        """Length of what was kept."""
        return sum(span.end - span.begin for span in self.spans)

    @property
    def cuts(self) -> list[tuple[float, float]]:
        """Where something was left out, in seconds of the excerpt, and how many seconds."""
        edges = [Span(0.0, 0.0), *self.spans, Span(self.whole, self.whole)]
        found = []
        place = 0.0
        for before, after in zip(edges, edges[1:], strict=False):
            place += before.end - before.begin
            if after.begin - before.end > 1 / _FRAMES:
                found.append((place, after.begin - before.end))
        return found

    def place(self, at: float) -> float | None:
        """Where a moment of the scenario is in the excerpt; None if it was left out."""
        return next((begin for begin, _ in self.parts(at, at)), None)

    def parts(self, begin: float, end: float) -> Iterator[tuple[float, float]]:
        """Where a stretch of the scenario is in the excerpt, as far as it was kept."""
        place = 0.0
        for span in self.spans:
            first, last = max(begin, span.begin), min(end, span.end)
            if first <= last:
                yield place + first - span.begin, place + last - span.begin
            place += span.end - span.begin


def excerpt(heard: Heard, moments: Iterable[float], *, last: bool) -> Excerpt:
    """Keep what sounds, and what is around some moments.

    Args:
        heard: The whole sound; the shorter channel is taken to be silent at its end.
        moments: Simulated seconds at which something happened.
        last: Of more than `LONGEST` seconds the last are kept, not the first.
    """
    count = -(-max(len(heard.microphone), len(heard.speaker)) // _FRAME)
    microphone, speaker = _framed(heard.microphone, count), _framed(heard.speaker, count)
    active = _sounding(microphone) | (_peaks(speaker) > _FLOOR)
    for moment in moments:
        active[min(max(0, int(moment * _FRAMES)), count - 1) : int(moment * _FRAMES) + 1] = True
    kept = _without_idle(active)
    budget = round(LONGEST * _FRAMES)
    if kept.sum() > budget:
        kept[np.flatnonzero(kept)[:-budget] if last else np.flatnonzero(kept)[budget:]] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]])))
    spans = tuple(Span(begin / _FRAMES, end / _FRAMES) for begin, end in edges.reshape(-1, 2).tolist())
    return Excerpt(spans, microphone[kept].reshape(-1), speaker[kept].reshape(-1), count / _FRAMES)


def _framed(pcm: Pcm, count: int) -> Pcm:
    return np.pad(pcm, (0, count * _FRAME - len(pcm))).reshape(count, _FRAME)


def _peaks(frames: Pcm) -> NDArray[np.int32]:
    """Highest magnitude of each frame; in 32 bits, since -32768 has no counterpart in 16."""
    highest, lowest = frames.max(1, initial=0).astype(np.int32), frames.min(1, initial=0).astype(np.int32)
    return np.maximum(highest, -lowest)


def _sounding(frames: Pcm) -> NDArray[np.bool_]:
    """Frames in which something is heard over the room's noise."""
    peaks = _peaks(frames)
    noise = float(np.percentile(peaks[peaks > 0], 20)) if peaks.any() else 0.0
    return peaks > max(_FLOOR, _OVER_NOISE * noise)


def _without_idle(active: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """All frames but those in the middle of a long idle stretch."""
    kept = np.ones_like(active)
    edges = np.flatnonzero(np.diff(np.concatenate([[True], active, [True]])))
    for begin, end in edges.reshape(-1, 2).tolist():
        if end - begin > LONGEST_IDLE * _FRAMES:
            kept[begin + _MARGIN if begin else 0 : end - _MARGIN if end < len(active) else end] = False
    return kept
