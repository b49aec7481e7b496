"""One sound on its way through the mixer: fed from a worker, pulled by the speaker, awaited by the turn."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE, Pcm
from device.audio.volume import SoundKind
from device.clock import Clock

Ending: TypeAlias = Literal["finished", "stopped"]

FADE: Final = SAMPLE_RATE // 100
"""Samples of the fade-out of a stopped sound (10 ms): short enough to obey at once, long enough not to click."""

SLEW: Final = 1.0 / (0.1 * SAMPLE_RATE)
"""Largest change of a gain per sample: from silence to full scale takes 100 ms, which is heard as smooth."""

LOW_WATER: Final = 1 * SAMPLE_RATE
"""`Playback.room` returns when fewer samples than this wait."""

MAX_BUFFER: Final = 600 * SAMPLE_RATE
"""Samples that may wait to be played; what is fed beyond is dropped and counted."""


class Playback:
    """A stream of the mixer. `feed`, `end` and `stop` may be called from any thread, the rest on the loop.

    Attributes:
        kind: What the sound is.
        started: Set when the speaker has pulled the first sample.
        started_at: `clock.monotonic()` at which that sample leaves the speaker, once `started` is set.
        position: Samples pulled so far.
        underruns: Times that the speaker wanted more than had been fed, in the middle of the sound.
        dropped: Samples that were fed although `MAX_BUFFER` was full or the sound was over.
    """

    def __init__(self, pcm: Pcm | None, kind: SoundKind, gain: float, clock: Clock, lock: threading.Lock) -> None:
        """Made by `Mixer.play`, whose `lock` guards the samples. `pcm` is the whole sound, None one to be fed."""
        self.kind: SoundKind = kind
        self.gain = gain
        self.started = asyncio.Event()
        self.started_at: float | None = None
        self.position = 0
        self.underruns = 0
        self.dropped = 0
        self._clock = clock
        self._lock = lock
        self._loop = asyncio.get_running_loop()
        self._ending: asyncio.Future[Ending] = self._loop.create_future()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._chunks: deque[Pcm] = deque(() if pcm is None else (pcm,))
        self._buffered = 0 if pcm is None else len(pcm)
        self._complete = pcm is not None
        self._over = False
        self._fading = False
        self._starving = False
        self._applied: float | None = None
        self._heard_until = clock.monotonic()
        if self._complete and not self._buffered:
            self._finish()

    @property
    def over(self) -> bool:
        """True when the mixer needs it no more: everything was pulled, or it was stopped and has faded."""
        return self._over

    @property
    def buffered(self) -> float:
        """Seconds that were fed and not yet pulled."""
        return self._buffered / SAMPLE_RATE

    def feed(self, pcm: Pcm) -> bool:
        """Append samples; never waits.

        Returns:
            False when nothing more is wanted: the sound was ended or stopped, or `MAX_BUFFER` is full.
        """
        with self._lock:
            if self._complete or self._buffered + len(pcm) > MAX_BUFFER:
                self.dropped += len(pcm)
                return False
            if len(pcm):
                self._chunks.append(pcm)
                self._buffered += len(pcm)
            if self._buffered >= LOW_WATER:
                self._has_room.clear()
            return True

    def end(self) -> None:
        """Say that nothing more will be fed."""
        with self._lock:
            self._complete = True
            if not self._buffered and not self._over:
                self._finish()

    def stop(self) -> None:
        """Fade out within 10 ms and drop the rest; `wait` returns "stopped" at once, and nothing can be fed."""
        with self._lock:
            self._complete = True
            if not self._over:
                audible = self.position > 0 and self._buffered > 0
                if audible and not self._fading:
                    rest = self._take(FADE)
                    self._chunks = deque([_fade_out(rest)])
                    self._buffered = len(rest)
                    self._fading = True
                elif not audible:
                    self._chunks.clear()
                    self._buffered = 0
                    self._over = True
        self._post(partial(self._settle, "stopped"))

    async def wait(self) -> Ending:
        """Wait until the last sample has left the speaker ("finished") or `stop` was called ("stopped")."""
        return await asyncio.shield(self._ending)

    async def room(self) -> None:
        """Wait until less than a second is buffered, or the sound is over: for sources faster than real time."""
        await self._has_room.wait()

    def mix_into(self, total: NDArray[np.int32], target: float, now: float, latency: float) -> None:
        """Add the next samples to `total`, shape [n]; called by the mixer, which holds the lock.

        The gain moves to `target` by at most `SLEW` a sample. `now` is the time of the pull, `latency` the
        seconds until its first sample leaves the speaker.
        """
        wanted = len(total)
        pcm = self._take(wanted)
        if len(pcm):
            total[: len(pcm)] += np.rint(pcm * self._gains(len(pcm), target)).astype(np.int32)
            if not self.position:
                self.started_at = now + latency
                self._post(self.started.set)
            self.position += len(pcm)
            self._heard_until = now + latency + len(pcm) / SAMPLE_RATE
            self._starving = False
        if self._buffered < LOW_WATER and not self._has_room.is_set():
            self._post(self._has_room.set)
        if self._complete and not self._buffered:
            self._finish()
        elif len(pcm) < wanted and self.position and not self._starving:
            self._starving = True
            self.underruns += 1

    def _take(self, wanted: int) -> Pcm:
        """Up to `wanted` of the buffered samples."""
        parts: list[Pcm] = []
        while wanted and self._chunks:
            chunk = self._chunks.popleft()
            parts.append(chunk[:wanted])
            if len(chunk) > wanted:
                self._chunks.appendleft(chunk[wanted:])
            wanted -= len(parts[-1])
            self._buffered -= len(parts[-1])
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)

    def _gains(self, count: int, target: float) -> NDArray[np.float64] | float:
        """Gain of each of the next `count` samples."""
        current = target if self._applied is None else self._applied
        if current == target:
            self._applied = target
            return target
        low, high = sorted((current, target))
        step = SLEW if target > current else -SLEW
        gains: NDArray[np.float64] = np.clip(current + step * np.arange(1, count + 1), low, high)
        self._applied = float(gains[-1])
        return gains

    def _finish(self) -> None:
        self._over = True
        self._post(partial(self._clock.call_at, self._heard_until, partial(self._settle, "finished")))

    def _settle(self, ending: Ending) -> None:
        self._has_room.set()
        if not self._ending.done():
            self._ending.set_result(ending)

    def _post(self, call: Callable[[], object]) -> None:
        # A loop that was closed meanwhile has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)


def _fade_out(pcm: Pcm) -> Pcm:
    ramp = 1.0 - np.arange(1, len(pcm) + 1) / len(pcm)
    return np.rint(pcm * ramp).astype(np.int16)
