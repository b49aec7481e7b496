"""What a report draws: a scenario's sound and what happened in it on one time axis, and a histogram of latencies.

Here everything gets its place; the templates write it down as SVG, so that it follows the page's colours.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.image import imsave
from numpy.typing import NDArray
from scipy.signal import stft

from device.audio.ports import SAMPLE_RATE, Pcm
from firmware_sim.results.timeline import clock_time, duration
from firmware_sim.scenario.excerpt import Excerpt
from firmware_sim.scenario.played import Played

LEFT: Final = 92
"""Width of the lanes' names, in the picture's units."""
WIDTH: Final = 960
"""Width of the time axis."""

_HALF_WAVE: Final = 27.0
_FAINT: Final = 0.1
"""Of full scale: a quieter channel is not enlarged further."""
_SHADES: Final = 24
"""Levels of the spectrogram; noise in more of them would fill the page."""
_RANGE_DB: Final = 66.0
_QUIETEST_DB: Final = -60.0
"""The brightest shade is not for less, or silence would be bright."""
_WINDOW: Final = 512
_HOP: Final = 128
_BAND: Final = 4
"""Neighbouring frequencies that are drawn as one: 125 Hz."""
_LETTER: Final = 6.4
"""Width of a letter, with some room."""
_TICKS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60)
_TICK_ROOM: Final = 80.0
_BINS: Final = 24
_COMPRESSION: Final = 0.95
"""Of 0 to 0.99: 20 kbit/s of speech in babble, at which the waveform still correlates with the original at 0.986."""
_MARKS: Final = {
    "rings": ("ring", "rings"),
    "interrupted": ("cut", "cut short"),
    "trouble": ("trouble", "trouble"),
    "died": ("trouble", "died"),
}


@dataclass(frozen=True, slots=True)
class Band:
    """Something that lasts: where it is drawn, its kind (a class of the page's style), and what it is."""

    x: float
    width: float
    kind: str
    text: str
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at a moment."""

    x: float
    kind: str
    text: str
    title: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A waveform as an outline, and its level."""

    outline: str
    peak: str


@dataclass(frozen=True, slots=True)
class Soundtrack:
    """A scenario's sound and what happened in it, from left to right.

    Attributes:
        seconds: Length of what is shown and heard.
        scale: Picture's units a second.
        note: What was left out; empty if nothing.
        steps: Where steps begin.
        phases: What the devices were doing; several rows where there are several.
        answers: From the last word to the first sound.
        marks: What else happened.
        cuts: Where idle stretches were left out.
        ticks: The time axis.
        microphone: Its waveform.
        speaker: The loudspeaker's.
        spectrogram: Of the microphone, 0 to 8 kHz, as a PNG in base64.
        microphone_mp3: The sound in base64.
        speaker_mp3: The loudspeaker's.
    """

    seconds: float
    scale: float
    note: str
    steps: tuple[Mark, ...]
    phases: tuple[tuple[str, tuple[Band, ...]], ...]
    answers: tuple[Band, ...]
    marks: tuple[Mark, ...]
    cuts: tuple[Mark, ...]
    ticks: tuple[Mark, ...]
    microphone: Channel
    speaker: Channel
    spectrogram: str
    microphone_mp3: str
    speaker_mp3: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """Bars from 0 to 1 of the height, and places from 0 to 1 of the width.

    Attributes:
        bars: Left, width, height, and what is said of it.
        marks: Where a percentile lies, and its name.
        ends: What both ends of the axis say.
    """

    bars: tuple[tuple[float, float, float, str], ...]
    marks: tuple[tuple[float, str], ...]
    ends: tuple[str, str]


def soundtrack(played: Played) -> Soundtrack | None:
    """The sound of a scenario; None where it was not kept or there is none."""
    cut = played.heard
    if cut is None or not len(cut.microphone):
        return None
    scale = WIDTH / cut.seconds
    return Soundtrack(
        cut.seconds,
        scale,
        f"{duration(cut.seconds)} of {duration(cut.whole)} are shown." if cut.cuts else "",
        tuple(_steps(played, cut, scale)),
        tuple(_phases(played, cut, scale)),
        tuple(_answers(played, cut, scale)),
        tuple(_marks(played, cut, scale)),
        tuple(
            Mark(LEFT + place * scale, "cut", f"{duration(seconds)} left out", f"{duration(seconds)} left out")
            for place, seconds in cut.cuts
        ),
        tuple(_ticks(cut, scale)),
        _channel(cut.microphone),
        _channel(cut.speaker),
        _spectrogram(cut.microphone),
        _mp3(cut.microphone),
        _mp3(cut.speaker),
    )


def histogram(answers_ms: Sequence[float], marks: Sequence[tuple[str, float]]) -> Histogram:
    """How latencies are spread, from 0 to a round number above the longest; `marks` are drawn into it."""
    step = next(s for e in range(9) for s in (10**e, 2 * 10**e, 5 * 10**e) if s * _BINS > max(answers_ms))
    bins = max(1, math.ceil((max(answers_ms) + 1e-9) / step))
    counts, edges = np.histogram(answers_ms, bins, (0, bins * step))
    bars = tuple(
        (i / bins, 1 / bins, count / counts.max(), f"{edges[i]:.0f} to {edges[i + 1]:.0f} ms: {count}")
        for i, count in enumerate(counts.tolist())
        if count
    )
    places = tuple((value / (bins * step), f"{name} {value:.0f} ms") for name, value in marks)
    return Histogram(bars, places, ("0 ms", f"{bins * step} ms"))


def _steps(played: Played, cut: Excerpt, scale: float) -> Iterator[Mark]:
    """Steps with as much of their words as there is room for; the one that failed is the last."""
    steps = [record for record in played.records if record.kind == "step"]
    placed = [(n, r, p) for n, r in enumerate(steps, 1) if (p := cut.place(r.at)) is not None]
    ends = [*(place for _, _, place in placed), cut.seconds]
    for (number, record, place), end in zip(placed, ends[1:], strict=True):
        room = int((end - place) * scale / _LETTER) - 3
        failed = bool(played.failures) and number == len(steps)
        action = str(record.data["does"])
        title = f"{clock_time(record.at)}  line {record.data['line']}: {action}"
        yield Mark(LEFT + place * scale, "failed" if failed else "step", _shortened(action, room), title)


def _phases(played: Played, cut: Excerpt, scale: float) -> Iterator[tuple[str, tuple[Band, ...]]]:
    """What each device was doing; idle is blank."""
    phases = [record for record in played.records if record.kind == "phase"]
    for room in dict.fromkeys(str(record.data.get("room", "")) for record in phases):
        own = [record for record in phases if str(record.data.get("room", "")) == room]
        ends = [record.at for record in own[1:]] + [cut.whole]
        bands = []
        for record, end in zip(own, ends, strict=True):
            name = str(record.data["phase"])
            if name == "idle":
                continue
            title = f"{name.replace('_', ' ')}, {clock_time(record.at)} to {clock_time(end)}"
            for first, last in cut.parts(record.at, end):
                bands.append(_band(first, last, scale, name, name.replace("_", " "), title))
        yield room, tuple(bands)


def _answers(played: Played, cut: Excerpt, scale: float) -> Iterator[Band]:
    """Those of several devices may begin at the same time: then the first one's figure is to be read."""
    said, free = "", 0.0
    for record in played.records:
        if record.kind == "turn":
            said = str(record.data["reply"])
        if record.kind != "sound" or (end := cut.place(record.at)) is None:
            continue
        took = float(record.data["after_speech_ms"])
        title = f"{took:.0f} ms from the last word to the first sound of “{said}”"
        begin, x, text = max(0.0, end - took / 1000), LEFT + end * scale, f"{took:.0f} ms"
        yield Band(LEFT + begin * scale, (end - begin) * scale, "answer", text if x > free else "", title)
        free = x + _LETTER * (len(text) + 3)


def _marks(played: Played, cut: Excerpt, scale: float) -> Iterator[Mark]:
    """Each has its sign, and its name where that has room before the next one."""
    placed = [(r, p) for r in played.records if r.kind in _MARKS and (p := cut.place(r.at)) is not None]
    ends = [*(place for _, place in placed), cut.seconds]
    for (record, place), end in zip(placed, ends[1:], strict=True):
        kind, text = _MARKS[record.kind]
        what = " ".join(str(value) for value in record.data.values() if value)
        title = f"{clock_time(record.at)}  {text}  {what}".rstrip()
        yield Mark(LEFT + place * scale, kind, text if (end - place) * scale > _LETTER * (len(text) + 3) else "", title)


def _ticks(cut: Excerpt, scale: float) -> Iterator[Mark]:
    """Round moments of simulated time, far enough apart to be read."""
    step = next((tick for tick in _TICKS if tick * scale >= _TICK_ROOM), _TICKS[-1])
    free = 0.0
    for span in cut.spans:
        for number in range(math.ceil(span.begin / step), math.floor(span.end / step) + 1):
            place = cut.place(number * step)
            text = clock_time(number * step)
            text = text if step < 1 else text.removesuffix(".000")
            if place is not None and place * scale >= free:
                yield Mark(LEFT + place * scale, "tick", text, text)
                free = place * scale + _LETTER * len(text) + 8


def _band(begin: float, end: float, scale: float, kind: str, text: str, title: str) -> Band:
    width = max(1.0, (end - begin) * scale)
    return Band(LEFT + begin * scale, width, kind, text if width > _LETTER * len(text) else "", title)


def _shortened(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    return f"{text[: room - 1].rstrip()}…" if room > 4 else ""


def _channel(pcm: Pcm) -> Channel:
    """Highest and lowest samples of each column, there above and back below."""
    columns = _columns(pcm.astype(np.float64) / 32768, min(WIDTH, len(pcm)))
    highest = np.array([column.max(initial=0.0) for column in columns])
    lowest = np.array([column.min(initial=0.0) for column in columns])
    peak = max(float(highest.max()), -float(lowest.min()))
    scale = _HALF_WAVE / max(peak, _FAINT)
    xs = LEFT + np.arange(len(columns)) * WIDTH / len(columns)
    there = [f"{x:.1f} {-y * scale - 0.3:.1f}" for x, y in zip(xs, highest, strict=True)]
    back = [f"{x:.1f} {-y * scale + 0.3:.1f}" for x, y in zip(xs, lowest, strict=True)]
    return Channel("M" + "L".join(there + back[::-1]) + "Z", f"{20 * math.log10(peak):.0f} dBFS" if peak else "silent")


def _spectrogram(pcm: Pcm) -> str:
    """Levels in decibels, each column the loudest of its time; low frequencies at the bottom."""
    padded = np.pad(pcm.astype(np.float32) / 32768, (0, max(0, _WINDOW - len(pcm))))
    _, _, spectrum = stft(padded, SAMPLE_RATE, "hann", _WINDOW, _WINDOW - _HOP)
    power = np.abs(spectrum[:-1]).reshape(_WINDOW // 2 // _BAND, _BAND, -1).max(1)
    columns = np.stack([column.max(0) for column in _columns(power.T, min(WIDTH, power.shape[1]))], 1)
    levels = 20 * np.log10(columns + 1e-9)
    shades = np.clip((levels - max(float(levels.max()), _QUIETEST_DB)) / _RANGE_DB + 1, 0, 1)
    out = io.BytesIO()
    # By default a PNG names the version of matplotlib, and the same sound would give another page with another one.
    imsave(
        out,
        np.round(shades[::-1] * _SHADES) / _SHADES,
        vmin=0,
        vmax=1,
        cmap="magma",
        metadata={"Software": "Homebody"},
        pil_kwargs={"optimize": True},
    )
    return base64.b64encode(out.getvalue()).decode()


def _columns(values: NDArray[Any], count: int) -> list[NDArray[Any]]:
    """Values cut into so many columns, as even as can be."""
    return np.array_split(values, count)


def _mp3(pcm: Pcm) -> str:
    """Sound as all browsers play it, in base64; a variable rate, since most of it is silence."""
    import soundfile

    out = io.BytesIO()
    soundfile.write(out, pcm, SAMPLE_RATE, format="MP3", compression_level=_COMPRESSION, bitrate_mode="VARIABLE")
    return base64.b64encode(out.getvalue()).decode()
