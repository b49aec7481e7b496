"""A loudspeaker in virtual time that remembers what was heard and when."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device.audio.files import write_wav
from device.audio.pace import Pacer
from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.clock import Clock
from device.errors import AudioDeviceMissing


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch of sound without a silent frame: it began at `at` (monotonic seconds)."""

    at: float
    pcm: Pcm


class SimulatedSpeaker:
    """Implements `Speaker`: pulls a frame each 32 ms of the clock and keeps the frames that are not silent."""

    def __init__(self, clock: Clock) -> None:
        self.name = "simulated speaker"
        self._clock = clock
        self._times: list[float] = []
        self._frames: list[Pcm] = []
        self._pull: Callable[[int], Pcm] | None = None
        self._plugged = True
        self._pacer = Pacer(clock, self._tick)

    def start(self, pull: Callable[[int], Pcm]) -> None:
        """See `Speaker.start`.

        Raises:
            AudioDeviceMissing: It is unplugged.
        """
        if not self._plugged:
            raise AudioDeviceMissing("The simulated speaker is unplugged.", remedy="Plug it in.")
        self._pull = pull
        self._pacer.start()

    def stop(self) -> None:
        """See `Speaker.stop`."""
        self._pacer.stop()

    def unplug(self) -> None:
        """Pull nothing any more, and refuse to start."""
        self._plugged = False
        self._pacer.stop()

    def plug(self) -> None:
        """Let it be started again."""
        self._plugged = True

    @property
    def heard(self) -> tuple[Heard, ...]:
        """All sounds so far, in order; frames that follow each other are one sound."""
        sounds: list[Heard] = []
        begin = 0
        for index in range(1, len(self._times) + 1):
            if index == len(self._times) or self._index(index) != self._index(index - 1) + FRAME:
                sounds.append(Heard(self._times[begin], np.concatenate(self._frames[begin:index])))
                begin = index
        return tuple(sounds)

    def between(self, start: float, count: int) -> Pcm:
        """What was heard in the `count` samples from `start` (monotonic seconds), silence included."""
        out = np.zeros(count, np.int16)
        origin = round(start * SAMPLE_RATE)
        first = max(0, bisect_right(self._times, start) - 1)
        for index in range(first, len(self._times)):
            offset = self._index(index) - origin
            if offset >= count:
                break
            frame = self._frames[index][max(0, -offset) : count - offset]
            out[max(0, offset) : max(0, offset) + len(frame)] = frame
        return out

    def recording(self) -> Pcm:
        """From the first sound to the end of the last one, with the pauses between."""
        if not self._times:
            return np.zeros(0, np.int16)
        return self.between(self._times[0], self._index(-1) + FRAME - self._index(0))

    def write(self, path: Path) -> None:
        """Write `recording` as WAV.

        Raises:
            BadInput: See `write_wav`.
            StorageError: See `write_wav`.
        """
        write_wav(path, self.recording())

    def _index(self, frame: int) -> int:
        return round(self._times[frame] * SAMPLE_RATE)

    def _tick(self) -> bool:
        if self._pull is None:
            return False
        frame = self._pull(FRAME)
        if np.any(frame):
            self._times.append(self._clock.monotonic())
            self._frames.append(frame)
        return True
