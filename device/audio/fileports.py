"""A microphone that plays a recording and a speaker that keeps what it is given: the device without a card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from device.audio.files import read_audio, write_wav
from device.audio.pace import FRAME_SECONDS, Pacer
from device.audio.ports import FRAME, SAMPLE_RATE, FrameCallback, Pcm
from device.clock import Clock


class FileMicrophone:
    """Delivers a recording frame by frame, each when its last sample would have been spoken.

    In real time under the system's clock, as fast as the machine can under a virtual one. `tail_silence` seconds
    of zeros follow the recording, so that its last word can be endpointed. `finished` turns True just before the
    last frame is delivered, so that who reads that frame knows that none follows. Stopped and started again, it
    goes on where it was.
    """

    def __init__(self, source: Pcm | Path, clock: Clock, *, tail_silence: float = 1.0) -> None:
        """Take PCM as it is, or read a file.

        Raises:
            BadInput: See `read_audio`.
            AudioFormatError: See `read_audio`.
        """
        self.name = str(source) if isinstance(source, Path) else "recording"
        pcm = read_audio(source) if isinstance(source, Path) else source
        total = len(pcm) + round(tail_silence * SAMPLE_RATE)
        self._pcm = np.zeros(-(-total // FRAME) * FRAME, np.int16)
        self._pcm[: len(pcm)] = pcm
        self._position = 0
        self._callback: FrameCallback | None = None
        self._pacer = Pacer(clock, self._deliver, first=FRAME_SECONDS)

    @property
    def finished(self) -> bool:
        """See `Microphone.finished`."""
        return self._position >= len(self._pcm)

    def start(self, callback: FrameCallback) -> None:
        """See `Microphone.start`; never raises."""
        self._callback = callback
        if not self.finished:
            self._pacer.start()

    def stop(self) -> None:
        """See `Microphone.stop`."""
        self._pacer.stop()
        self._callback = None

    def _deliver(self) -> bool:
        frame = self._pcm[self._position : self._position + FRAME]
        self._position += FRAME
        if self._callback is not None:
            self._callback(frame)
        return not self.finished


class FileSpeaker:
    """Pulls one frame each 32 ms by the clock, keeps it, and writes a WAV file when stopped.

    At most `max_seconds` are kept; afterwards it goes on pulling, and `truncated` is True.
    """

    def __init__(self, clock: Clock, path: Path | None = None, *, max_seconds: float = 600.0) -> None:
        """Without a `path` nothing is written; `played` has the sound."""
        self.name = str(path) if path else "recorder"
        self.latency = 0.0
        self.truncated = False
        self._path = path
        self._room = round(max_seconds * SAMPLE_RATE)
        self._parts: list[Pcm] = []
        self._pull: Callable[[int], Pcm] | None = None
        self._pacer = Pacer(clock, self._tick)

    @property
    def played(self) -> Pcm:
        """All that was pulled so far, silence included."""
        return np.concatenate(self._parts) if self._parts else np.zeros(0, np.int16)

    def start(self, pull: Callable[[int], Pcm]) -> None:
        """See `Speaker.start`; never raises."""
        self._pull = pull
        self._pacer.start()

    def stop(self) -> None:
        """Stop pulling and write the file, if one was asked for.

        Raises:
            BadInput: See `write_wav`.
            StorageError: See `write_wav`.
        """
        self._pacer.stop()
        self._pull = None
        if self._path is not None:
            write_wav(self._path, self.played)

    def _tick(self) -> bool:
        if self._pull is None:
            return False
        frame = self._pull(FRAME)
        if self._room >= FRAME:
            self._parts.append(frame)
            self._room -= FRAME
        else:
            self.truncated = True
        return True
