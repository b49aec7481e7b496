"""A loudspeaker in virtual time that remembers what was heard and when."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device.audio.files import write_wav
from device.audio.level import Level, measure
from device.audio.pace import FRAME_SECONDS, Pacer
from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.clock import Clock
from device.errors import AudioDeviceMissing


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch of sound without a silent frame: it began at `at` (monotonic seconds)."""

    at: float
    pcm: Pcm

    @property
    def level(self) -> Level:
        """How loud it was."""
        return measure(self.pcm)


class SimulatedSpeaker:
    """Implements `Speaker`: pulls a frame each 32 ms of the clock and keeps the frames that are not silent.

    Attributes:
        ended: Monotonic seconds at which the last sound so far ended; minus infinity before the first.
    """

    def __init__(self, clock: Clock) -> None:
        self.name = "simulated speaker"
        self.latency = 0.0
        self.ended = float("-inf")
        self._clock = clock
        self._times: list[float] = []
        self._begins: list[int] = []
        self._frames: list[Pcm] = []
        self._runs: list[int] = []
        self._closed: list[Heard] = []
        self._pull: Callable[[int], Pcm] | None = None
        self._plugged = True
        self._wanted = False
        self._pacer = Pacer(clock, self._tick)

    def start(self, pull: Callable[[int], Pcm]) -> None:
        """See `Speaker.start`.

        Raises:
            AudioDeviceMissing: It is unplugged.
        """
        if not self._plugged:
            raise AudioDeviceMissing("The simulated speaker is unplugged.", remedy="Plug it in.")
        self._pull, self._wanted = pull, True
        self._pacer.start()

    def stop(self) -> None:
        """See `Speaker.stop`."""
        self._wanted = False
        self._pacer.stop()

    def unplug(self) -> None:
        """Pull nothing any more, and refuse to start."""
        self._plugged = False
        self._pacer.stop()

    def plug(self) -> None:
        """Pull again if it was started, as amplifiers do; otherwise let it be started."""
        if self._wanted and not self._plugged:
            self._pacer.start()
        self._plugged = True

    @property
    def heard(self) -> tuple[Heard, ...]:
        """All sounds so far, in order; frames that follow each other are one sound."""
        for begin, end in zip(self._runs[len(self._closed) :], self._runs[len(self._closed) + 1 :], strict=False):
            self._closed.append(self._run(begin, end))
        last = [self._run(self._runs[-1], len(self._frames))] if self._runs else []
        return (*self._closed, *last)

    def between(self, start: float, count: int) -> Pcm:
        """What was heard in the `count` samples from `start` (monotonic seconds), silence included."""
        out = np.zeros(count, np.int16)
        origin = round(start * SAMPLE_RATE)
        for index in range(bisect_right(self._begins, origin - FRAME), len(self._begins)):
            offset = self._begins[index] - origin
            if offset >= count:
                break
            frame = self._frames[index][max(0, -offset) : count - offset]
            out[max(0, offset) : max(0, offset) + len(frame)] = frame
        return out

    def level(self, start: float, seconds: float) -> Level:
        """How loud it was from `start` (monotonic seconds) on, pauses included."""
        return measure(self.between(start, round(seconds * SAMPLE_RATE)))

    def peak(self, start: float) -> int:
        """The largest sample that was heard from `start` (monotonic seconds) on; 0 for silence."""
        frames = self._frames[bisect_left(self._times, start) :]
        return max((int(np.abs(frame.astype(np.int32)).max()) for frame in frames), default=0)

    def recording(self) -> Pcm:
        """From the first sound to the end of the last one, with the pauses between."""
        if not self._times:
            return np.zeros(0, np.int16)
        return self.between(self._times[0], self._begins[-1] + FRAME - self._begins[0])

    def write(self, path: Path) -> None:
        """Write `recording` as WAV.

        Raises:
            BadInput: See `write_wav`.
            StorageError: See `write_wav`.
        """
        write_wav(path, self.recording())

    def _run(self, begin: int, end: int) -> Heard:
        return Heard(self._times[begin], np.concatenate(self._frames[begin:end]))

    def _tick(self) -> bool:
        if self._pull is None:
            return False
        frame = self._pull(FRAME)
        if frame.any():
            at = self._clock.monotonic()
            begin = round(at * SAMPLE_RATE)
            if not self._begins or begin != self._begins[-1] + FRAME:
                self._runs.append(len(self._frames))
            self._times.append(at)
            self._begins.append(begin)
            self._frames.append(frame)
            self.ended = at + FRAME_SECONDS
        return True
