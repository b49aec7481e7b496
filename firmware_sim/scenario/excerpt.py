"""What is worth hearing of a scenario's sound: idle stretches are cut out, since a device may idle for hours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE, Pcm

LONGEST_IDLE: Final = 5.0
"""Seconds of an idle stretch from which on it is cut."""

LONGEST: Final = 90.0
"""Seconds of sound that are kept at most: with them a page of twenty scenarios stays below 15 MB."""

_FRAME: Final = SAMPLE_RATE // 10
_FRAMES: Final = SAMPLE_RATE // _FRAME
"""Frames a second."""
_MARGIN: Final = 10
"""Frames that are kept at both ends of an idle stretch."""
_OVER_NOISE: Final = 2.0
"""Peaks so many times over the room's noise are a sound: 6 dB, more than the peaks of steady noise differ."""
_FLOOR: Final = 33
"""Peak below which nothing counts as sound: -60 dBFS."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the microphone heard and the loudspeaker played, 16 kHz from the scenario's beginning; for reports."""

    microphone: Pcm
    speaker: Pcm


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
        for before, after in pairwise(edges):
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
    if not count:
        return Excerpt((), heard.microphone, heard.speaker, 0.0)
    active = _sounding(_peaks(heard.microphone, count)) | (_peaks(heard.speaker, count) > _FLOOR)
    for moment in moments:
        frame = int(moment * _FRAMES)
        active[min(frame, count - 1) : frame + 1] = True
    kept = _without_idle(active)
    budget = round(LONGEST * _FRAMES)
    if kept.sum() > budget:
        kept[np.flatnonzero(kept)[:-budget] if last else np.flatnonzero(kept)[budget:]] = False
    edges = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]]))).reshape(-1, 2).tolist()
    return Excerpt(
        tuple(Span(begin / _FRAMES, end / _FRAMES) for begin, end in edges),
        _taken(heard.microphone, edges),
        _taken(heard.speaker, edges),
        count / _FRAMES,
    )


def _peaks(pcm: Pcm, count: int) -> NDArray[np.int32]:
    """Highest magnitude of each frame, without a copy of hours of sound; in 32 bits, where 32768 has its place."""
    peaks = np.zeros(count, np.int32)
    whole = len(pcm) // _FRAME
    frames = pcm[: whole * _FRAME].reshape(whole, _FRAME)
    peaks[:whole] = np.maximum(frames.max(1, initial=0).astype(np.int32), -frames.min(1, initial=0).astype(np.int32))
    peaks[whole : whole + 1] = np.abs(pcm[whole * _FRAME :].astype(np.int32)).max(initial=0)
    return peaks


def _sounding(peaks: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Frames in which something is heard over the room's noise."""
    noise = float(np.percentile(peaks[peaks > 0], 20)) if peaks.any() else 0.0
    return peaks > max(_FLOOR, _OVER_NOISE * noise)


def _taken(pcm: Pcm, edges: Sequence[Sequence[int]]) -> Pcm:
    """Some stretches of frames, one after the other."""
    parts = [pcm[begin * _FRAME : end * _FRAME] for begin, end in edges]
    sizes = [(end - begin) * _FRAME for begin, end in edges]
    return np.concatenate([np.pad(part, (0, size - len(part))) for part, size in zip(parts, sizes, strict=True)])


def _without_idle(active: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """All frames but those in the middle of a long idle stretch."""
    kept = np.ones_like(active)
    edges = np.flatnonzero(np.diff(np.concatenate([[True], active, [True]])))
    for begin, end in edges.reshape(-1, 2).tolist():
        if end - begin > LONGEST_IDLE * _FRAMES:
            kept[begin + _MARGIN : end - _MARGIN] = False
    return kept
