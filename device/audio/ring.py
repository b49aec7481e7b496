"""The bounded ring between a microphone's callback and the loop, with a pre-roll of what was already read."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque

import numpy as np

from device.audio.ports import SAMPLE_RATE, Pcm
from device.clock import Clock


class Ring:
    """One producer (any thread) pushes frames, one consumer (the loop) reads them in the same cut.

    `push` never waits for the consumer: when the ring is full the oldest unread frames go, and `dropped` counts
    their samples. The lock is held only for a few operations on a deque.

    Attributes:
        dropped: Samples that were overwritten before they were read.
        last_push: `clock.monotonic()` of the last push (or of the construction): the microphone's heartbeat.
        last_signal: The same of the last frame whose samples were not all equal; every working input has some noise.
    """

    def __init__(self, clock: Clock, *, seconds: float = 4.0, preroll: float = 2.0) -> None:
        """`seconds` of unread sound are kept at most, and `preroll` seconds of sound that was read."""
        self._clock = clock
        self._capacity = round(seconds * SAMPLE_RATE)
        self._history_capacity = round(preroll * SAMPLE_RATE)
        self._frames: deque[Pcm] = deque()
        self._pending = 0
        self._history: deque[Pcm] = deque()
        self._history_size = 0
        self._lock = threading.Lock()
        self._waiter: asyncio.Future[None] | None = None
        self._waits_since = 0.0
        self.dropped = 0
        self.last_push = self.last_signal = clock.monotonic()

    @property
    def pending(self) -> int:
        """Samples that wait to be read."""
        return self._pending

    @property
    def unread_for(self) -> float:
        """Seconds for which frames have been waiting without any being read; 0 while none waits."""
        with self._lock:
            return self._clock.monotonic() - self._waits_since if self._frames else 0.0

    def push(self, frame: Pcm) -> None:
        """Add a copy of the frame; from any thread, never waits. A frame larger than the ring keeps its end."""
        copy = np.array(frame[-self._capacity :], dtype=np.int16)
        signal = bool((copy != copy[:1]).any())
        with self._lock:
            self.dropped += len(frame) - len(copy)
            self.last_push = self._clock.monotonic()
            if signal:
                self.last_signal = self.last_push
            if not len(copy):
                return
            if not self._frames:
                self._waits_since = self.last_push
            self._frames.append(copy)
            self._pending += len(copy)
            while self._pending > self._capacity:
                lost = len(self._frames.popleft())
                self._pending -= lost
                self.dropped += lost
            waiter, self._waiter = self._waiter, None
        if waiter is not None:
            # A loop that was closed meanwhile has no reader to wake.
            with contextlib.suppress(RuntimeError):
                waiter.get_loop().call_soon_threadsafe(_wake, waiter)

    async def read(self) -> Pcm:
        """The oldest unread frame; waits for one. Cancelling it loses nothing."""
        while True:
            with self._lock:
                if self._frames:
                    frame = self._frames.popleft()
                    self._pending -= len(frame)
                    self._waits_since = self._clock.monotonic()
                    self._remember(frame)
                    return frame
                waiter = self._waiter = asyncio.get_running_loop().create_future()
            await waiter

    def preroll(self, seconds: float) -> Pcm:
        """The last `seconds` that were read (less at the beginning, at most what the ring was made for)."""
        wanted = min(round(seconds * SAMPLE_RATE), self._history_capacity)
        if wanted <= 0 or not self._history:
            return np.zeros(0, np.int16)
        return np.concatenate(self._history)[-wanted:]

    def _remember(self, frame: Pcm) -> None:
        self._history.append(frame)
        self._history_size += len(frame)
        while self._history and self._history_size - len(self._history[0]) >= self._history_capacity:
            self._history_size -= len(self._history.popleft())


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
