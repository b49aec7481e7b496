"""What sounds where a microphone stands: noise, people, beds of sound, the loudspeaker's echo, on one time line.

Most of the time nothing but noise is heard, which costs a slice of a loop that was made beforehand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from firmware_sim.sound.acoustics import Response, reverberate
from firmware_sim.sound.levels import Samples, amplitude, rms, scaled
from firmware_sim.sound.speaker import SimulatedSpeaker

_LOOP_SECONDS: Final = 10
"""Length of the white noise, which is then repeated."""


@dataclass(frozen=True, slots=True)
class Bed:
    """Sound that goes on in the room behind what is said, repeated from its begin to its end.

    Attributes:
        pcm: The sound, not empty.
        dbfs: Its RMS at the microphone, pauses not counted, relative to full scale.
        begin: Monotonic seconds at which it begins.
        end: Monotonic seconds at which it ends.
        through: The way from its source to the microphone.
    """

    pcm: Pcm = field(repr=False)
    dbfs: float
    begin: float = 0.0
    end: float = math.inf
    through: Response | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Sound:
    """Samples from `begin` to `end`; `period` is their number where they are repeated."""

    samples: Samples
    begin: int
    end: float
    rms: float
    period: int | None = None

    def add_to(self, room: Samples, at: int) -> None:
        """Mix into a frame that begins at sample `at`."""
        first = max(self.begin - at, 0)
        last = int(min(self.end - at, FRAME))
        if first >= last:
            return
        offset = at + first - self.begin
        if self.period is not None:
            offset %= self.period
        room[first:last] += self.samples[offset : offset + last - first]


class Air:
    """The sound at one point of a room, the same for the same seed.

    Args:
        seed: Of the noise.
        noise_dbfs: RMS of the room's noise, relative to full scale.
        noise: A recorded one, repeated and scaled to `noise_dbfs`; white noise without one.
        self_noise_dbfs: RMS of the microphone's own noise, white; none without.
        speaker: The loudspeaker of which an echo may come back.
    """

    def __init__(
        self,
        seed: int,
        noise_dbfs: float,
        noise: Pcm | None,
        self_noise_dbfs: float | None,
        speaker: SimulatedSpeaker | None,
    ) -> None:
        rng = np.random.default_rng(seed)
        size = _LOOP_SECONDS * SAMPLE_RATE
        loop: Samples = rng.standard_normal(size) if noise is None else noise.astype(np.float64)
        loop = loop * (amplitude(noise_dbfs) / max(rms(loop), 1e-9))
        if self_noise_dbfs is not None:
            loop = np.tile(loop, math.ceil(size / len(loop)))
            loop += amplitude(self_noise_dbfs) * rng.standard_normal(len(loop))
        self._period = len(loop)
        self._floor = _wrapped(loop)
        self._rms = rms(loop)
        self._speaker = speaker
        self._echo: Response | None = None
        self._spectrum: NDArray[np.complex128] | None = None
        self._echo_delay = 0.0
        self._sounds: list[_Sound] = []
        self._begins = self._ends = math.inf

    @property
    def floor(self) -> Samples:
        """The noise, a frame longer than its period: shape [period + FRAME]."""
        return self._floor

    def phase(self, at: int) -> int:
        """Where in `floor` the frame that begins at sample `at` lies."""
        return at % self._period

    def background(self, at: int) -> float:
        """RMS of the noise and the beds that sound at sample `at`, on the scale of int16."""
        beds = (s.rms for s in self._sounds if s.period is not None and s.begin <= at < s.end)
        return math.hypot(self._rms, *beds)

    def add(self, samples: Samples, begin: int) -> None:
        """Lay a sound onto the time line, from sample `begin` on."""
        self._keep(_Sound(samples, begin, begin + len(samples), rms(samples)))

    def lay(self, bed: Bed) -> None:
        """Lay a bed onto it.

        Raises:
            ValueError: Its sound is empty.
        """
        if not len(bed.pcm):
            raise ValueError("a bed needs a sound")
        sound = bed.pcm.astype(np.float64) if bed.through is None else _arrived(bed.pcm, bed.through)
        sound = scaled(sound, amplitude(bed.dbfs))
        begin, end = round(bed.begin * SAMPLE_RATE), bed.end * SAMPLE_RATE
        self._keep(_Sound(_wrapped(sound), begin, end, amplitude(bed.dbfs), len(sound)))

    def echo(self, response: Response, delay: float = 0.0) -> None:
        """Let the loudspeaker come back by this way, `delay` seconds late.

        Raises:
            ValueError: There is no loudspeaker, or `delay` is negative.
        """
        if self._speaker is None or delay < 0:
            raise ValueError("an echo needs a speaker and a delay of at least 0")
        self._echo = response if np.any(response) else None
        self._spectrum = np.fft.rfft(response, _fft_size(len(response)))
        self._echo_delay = delay

    def frame(self, at: int) -> Samples | None:
        """The frame from sample `at` on, shape [FRAME]; None where nothing but the floor sounds."""
        room: Samples | None = None
        if at + FRAME > self._begins:
            if at >= self._ends:
                self._forget(at)
            if self._sounds:
                room = self._silent(at)
                for sound in self._sounds:
                    sound.add_to(room, at)
        echo = self._echoed(at)
        if echo is not None:
            room = self._silent(at) if room is None else room
            room += echo
        return room

    def _silent(self, at: int) -> Samples:
        phase = at % self._period
        return self._floor[phase : phase + FRAME].copy()

    def _echoed(self, at: int) -> Samples | None:
        if self._echo is None or self._spectrum is None or self._speaker is None:
            return None
        before = len(self._echo) - 1
        begin = at / SAMPLE_RATE - self._echo_delay
        if begin - before / SAMPLE_RATE >= self._speaker.ended:
            return None
        played = self._speaker.between(begin - before / SAMPLE_RATE, before + FRAME)
        if not before:
            return played.astype(np.float64) * float(self._echo[0])
        size = _fft_size(len(self._echo))
        echo = np.fft.irfft(np.fft.rfft(played, size) * self._spectrum, size)
        return np.asarray(echo[before : before + FRAME], np.float64)

    def _keep(self, sound: _Sound) -> None:
        self._sounds.append(sound)
        self._begins = min(self._begins, sound.begin)
        self._ends = min(self._ends, sound.end)

    def _forget(self, at: int) -> None:
        """Let go of what has ended before sample `at`."""
        self._sounds = [sound for sound in self._sounds if sound.end > at]
        self._begins = min((sound.begin for sound in self._sounds), default=math.inf)
        self._ends = min((sound.end for sound in self._sounds), default=math.inf)


def _wrapped(loop: Samples) -> Samples:
    """The loop with its first frame once more at its end, so that every frame of it is one slice."""
    return np.concatenate((loop, np.resize(loop, FRAME)))


def _arrived(pcm: NDArray[Any], response: Response) -> Samples:
    """A sound that is repeated, after its way: the tail of the end rings into the beginning."""
    full = reverberate(pcm, response)
    around = np.zeros(math.ceil(len(full) / len(pcm)) * len(pcm))
    around[: len(full)] = full
    return np.asarray(around.reshape(-1, len(pcm)).sum(axis=0), np.float64)


def _fft_size(response: int) -> int:
    """Enough for one frame and what came before it, without wrapping round in the frame itself."""
    return int(2 ** math.ceil(math.log2(response - 1 + FRAME)))
