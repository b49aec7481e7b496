"""Plays the local library through the mixer, decoded block by block."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from device.audio.mixer import Mixer
from device.audio.playback import Playback
from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import AudioFormatError, DeviceError, SkillError
from device.skills.library import Library
from device.skills.ports import Json, Track
from device.workers import Workers

WORKER: Final = "media"
"""The worker on which files are read; an open file belongs to it."""

_BLOCK: Final = 1.0
"""Seconds decoded at a time."""

_DEADLINE: Final = 10.0
"""Seconds after which a file system counts as hung."""

_log = logging.getLogger(__name__)


class Reader:
    """An open audio file, read as 16 kHz mono.

    Args:
        path: The file.
        start: Samples at 16 kHz to skip.

    Raises:
        AudioFormatError: libsndfile can't read it.
    """

    def __init__(self, path: Path, start: int = 0) -> None:
        import soundfile
        import soxr

        try:
            self._file = soundfile.SoundFile(path)
            rate = self._file.samplerate
            self._file.seek(min(start * rate // SAMPLE_RATE, self._file.frames))
        except (soundfile.LibsndfileError, TypeError) as error:
            raise AudioFormatError(f"{path} can't be played: {error}.", remedy="Convert it to FLAC.") from error
        self._block = round(_BLOCK * rate)
        self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        self._ended = False

    def read(self) -> Pcm:
        """About a second of samples, shape [n]; empty at the end."""
        while not self._ended:
            block = self._file.read(self._block, dtype="float32", always_2d=True)
            self._ended = len(block) < self._block
            pcm = self._resampler.resample_chunk(block.mean(axis=1), last=self._ended)
            if len(pcm):
                samples: Pcm = np.rint(np.clip(pcm, -1.0, 1.0) * 32767.0).astype(np.int16)
                return samples
        return np.zeros(0, np.int16)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class LocalPlayer:
    """Implements `device.skills.ports.Player`. All methods belong to the loop.

    Args:
        library: What can be played.
        workers: Where files are decoded.
        random: Of the order in which a shuffled queue is played.

    Attributes:
        mixer: Where it sounds; None until the device has a speaker, and then nothing can be played.
    """

    def __init__(self, library: Library, workers: Workers, random: Random | None = None) -> None:
        self.mixer: Mixer | None = None
        self._library = library
        self._workers = workers
        self._random = random or Random()
        self._queue: list[Track] = []
        self._position = 0
        self._shuffle = self._repeat = False
        self._task: asyncio.Task[None] | None = None
        self._playback: Playback | None = None
        self._paused_at: int | None = None
        self._started_at = 0

    def library(self) -> Sequence[Track]:
        """See `Player.library`."""
        return self._library.tracks()

    def state(self) -> Mapping[str, Json]:
        """See `Player.state`."""
        track = self._queue[self._position] if self._queue else None
        return {
            "playing": self._task is not None,
            "paused": self._paused_at is not None,
            "track": track.id if track else None,
            "title": track.title if track else "",
            "artist": track.artist if track else "",
            "shuffle": self._shuffle,
            "repeat": self._repeat,
            "queue": [track.id for track in self._queue],
        }

    async def play(self, tracks: Sequence[Track]) -> None:
        """See `Player.play`.

        Raises:
            SkillError: There is no speaker.
        """
        await self.stop()
        self._queue = list(tracks)
        if self._shuffle:
            self._random.shuffle(self._queue)
        if self._queue:
            self._begin()

    async def pause(self) -> None:
        """See `Player.pause`."""
        if self._task:
            position = self._playback.position if self._playback else 0
            await self._halt()
            self._paused_at = self._started_at + position

    async def resume(self) -> None:
        """See `Player.resume`."""
        if self._paused_at is not None:
            self._begin(self._paused_at)

    async def stop(self) -> None:
        """See `Player.stop`."""
        await self._halt()
        self._queue, self._position, self._paused_at = [], 0, None

    async def skip(self, step: int) -> bool:
        """See `Player.skip`; a queue that repeats goes round."""
        target = self._target(step)
        if target is None:
            return False
        await self._halt()
        self._position = target
        self._begin()
        return True

    async def set_mode(self, *, shuffle: bool | None = None, repeat: bool | None = None) -> None:
        """See `Player.set_mode`; shuffling mixes what is still to come."""
        if repeat is not None:
            self._repeat = repeat
        if shuffle is not None:
            if shuffle and not self._shuffle:
                rest = self._queue[self._position + 1 :]
                self._random.shuffle(rest)
                self._queue[self._position + 1 :] = rest
            self._shuffle = shuffle

    def _begin(self, start: int = 0) -> None:
        if self.mixer is None:
            self._queue = []
            raise SkillError("Nothing can be played: no speaker is open.", remedy="Use `homebody talk`.")
        self._paused_at = None
        self._task = asyncio.get_running_loop().create_task(self._run(self.mixer, start))

    async def _halt(self) -> None:
        task, self._task = self._task, None
        if task:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self, mixer: Mixer, start: int) -> None:
        """Play the queue from the present track on; what can't be read is passed over, all of it only once."""
        unreadable = 0
        while unreadable < len(self._queue):
            track = self._queue[self._position]
            try:
                await self._play(mixer, track, start)
                unreadable = 0
            except DeviceError as error:
                _log.warning("%s", error)
                unreadable += 1
            following = self._target(1)
            if following is None:
                break
            self._position, start = following, 0
        self._task, self._queue, self._position = None, [], 0

    async def _play(self, mixer: Mixer, track: Track, start: int) -> None:
        """Play one track to its end."""
        path = self._library.path(track)
        reader = await self._workers.run(WORKER, Reader, path, start, deadline=_DEADLINE)
        self._started_at = start
        self._playback = playback = mixer.play(kind="media")
        try:
            while len(pcm := await self._workers.run(WORKER, reader.read, deadline=_DEADLINE)):
                playback.feed(pcm)
                await playback.room()
            playback.end()
            await playback.wait()
        finally:
            playback.stop()
            # On the worker: a block that was being read when this was cancelled must be done with the file.
            with contextlib.suppress(RuntimeError):  # the workers are closed: so is the device
                await self._workers.run(WORKER, reader.close)

    def _target(self, step: int) -> int | None:
        """Position after a step; None beyond the queue."""
        target = self._position + step
        if self._repeat and self._queue:
            return target % len(self._queue)
        return target if 0 <= target < len(self._queue) else None
