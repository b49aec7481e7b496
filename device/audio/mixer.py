"""Everything audible goes through here: streams with gains of their own, ducking, one sum for the speaker."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.playback import Playback
from device.audio.ports import SAMPLE_RATE, Pcm
from device.audio.volume import DeviceVolume, SoundKind
from device.clock import Clock

DUCKED: Final = 0.2
"""Stream gain of media while somebody speaks (-14 dB): still there, no longer in the way."""

KNEE: Final = 29_000
"""Sample value up to which the sum is exact; beyond it bends softly into full scale (-1.1 dBFS)."""

REFERENCE_SECONDS: Final = 1.0
"""How much of what was pulled is remembered for `EchoReference`."""

LARGEST_LAG: Final = 0.25
"""Seconds by which an `EchoReference` may fall behind before it jumps to the present."""

_REMEMBERED: Final = round(REFERENCE_SECONDS * SAMPLE_RATE)
_FULL_SCALE: Final = 32_767


class Mixer:
    """Mixes streams into what the speaker pulls.

    `play` and `duck` are called on the loop; `pull` from the speaker's thread. The lock that they share is held
    for the mixing of one block at most, and no engine runs inside.

    Attributes:
        latency: Seconds from a pull until its first sample leaves the speaker; set it from the speaker's own
            figure after it was started.
        last_pull: `clock.monotonic()` of the last pull (or of the construction): the speaker's heartbeat.
    """

    def __init__(self, clock: Clock, volume: DeviceVolume) -> None:
        """`volume` gives the user's gain of each kind of sound."""
        self.latency = 0.0
        self.last_pull = clock.monotonic()
        self._clock = clock
        self._volume = volume
        self._lock = threading.Lock()
        self._streams: list[Playback] = []
        self._holds = 0
        self._past = deque([np.zeros(_REMEMBERED, np.int16)])
        self._past_size = _REMEMBERED
        self._pulled = 0

    def play(self, pcm: Pcm | None = None, *, kind: SoundKind, gain: float = 1.0) -> Playback:
        """Begin a sound with the speaker's next pull.

        Args:
            pcm: The whole sound, or None for one that is fed piece by piece with `Playback.feed` and `end`.
            kind: What it is; speech and alarms duck media from now until they are over.
            gain: The stream's own gain, multiplied with the user's volume.
        """
        playback = Playback(pcm, kind, gain, self._clock, self._lock)
        with self._lock:
            self._streams = [stream for stream in (*self._streams, playback) if not stream.over]
        return playback

    @contextmanager
    def duck(self) -> Iterator[None]:
        """Hold media down while the context lasts: while the device listens."""
        with self._lock:
            self._holds += 1
        try:
            yield
        finally:
            with self._lock:
                self._holds -= 1

    @property
    def ducked(self) -> bool:
        """True while media is held down."""
        return self._holds > 0 or any(s.kind in ("speech", "alarm") and not s.over for s in self._streams)

    def playing(self, kind: SoundKind | None = None) -> bool:
        """True while a sound (of that kind) has samples to come."""
        return any(not s.over for s in self._streams if kind in (None, s.kind))

    def pull(self, count: int) -> Pcm:
        """The next `count` samples of the sum; silence when nothing plays. Never waits for a source."""
        self.last_pull = self._clock.monotonic()
        with self._lock:
            mixed = self._mix(count) if self._streams else np.zeros(count, np.int16)
            self._remember(mixed)
        return mixed

    def reference(self) -> EchoReference:
        """A reader of what the speaker pulls from now on: the echo's origin."""
        return EchoReference(self.pulled)

    def pulled(self, since: int) -> tuple[Pcm, int]:
        """What the speaker pulled after its first `since` samples, as far as it is remembered, and the count of all."""
        with self._lock:
            past = np.concatenate(self._past)
            fresh = min(max(self._pulled - since, 0), _REMEMBERED)
            return past[len(past) - fresh :], self._pulled

    def _mix(self, count: int) -> Pcm:
        """The sum of all streams; the lock is held."""
        now = self._clock.monotonic()
        total = np.zeros(count, np.int32)
        media_gain = DUCKED if self.ducked else 1.0
        for stream in self._streams:
            if not stream.over:
                own = stream.gain * (media_gain if stream.kind == "media" else 1.0)
                stream.mix_into(total, own * self._volume.gain(stream.kind), now, self.latency)
        self._streams = [stream for stream in self._streams if not stream.over]
        return saturate(total)

    def _remember(self, mixed: Pcm) -> None:
        """Keep what was pulled, `REFERENCE_SECONDS` and less than a block more; the lock is held."""
        self._past.append(mixed)
        self._past_size += len(mixed)
        self._pulled += len(mixed)
        while self._past_size - len(self._past[0]) >= _REMEMBERED:
            self._past_size -= len(self._past.popleft())


class EchoReference:
    """Reads what the speaker pulled in order, without repeating or skipping, however unevenly frames arrive.

    Microphone and speaker deliver in blocks of their own. An echo canceller needs the far signal at a steady
    distance from the near one; it finds the distance by itself, and an occasional change of it.

    Args:
        pulled: `Mixer.pulled`.
    """

    def __init__(self, pulled: Callable[[int], tuple[Pcm, int]]) -> None:
        self._pulled = pulled
        self._position: int | None = None

    def read(self, count: int) -> Pcm:
        """The next `count` samples, shape [count].

        The first call gives the latest. Where the speaker has not pulled enough yet, the rest is silence, after
        which the reader lags by as much; a reader too far behind jumps to the present.
        """
        if self._position is None:
            self._position = self._pulled(0)[1] - count
        fresh, total = self._pulled(self._position)
        if len(fresh) > count + LARGEST_LAG * SAMPLE_RATE:
            fresh = fresh[-count:]
        read = fresh[:count]
        self._position = total - len(fresh) + len(read)
        return np.concatenate((read, np.zeros(count - len(read), np.int16)))


def saturate(total: NDArray[np.int32]) -> Pcm:
    """Hold a sum, shape [n], to int16: exact up to `KNEE`, a tanh curve above it, never wrapping round."""
    if not np.any(np.abs(total) > KNEE):
        return total.astype(np.int16)
    head = _FULL_SCALE - KNEE
    bent = KNEE + head * np.tanh((np.abs(total) - KNEE) / head)
    return np.where(np.abs(total) > KNEE, np.sign(total) * np.rint(bent), total).astype(np.int16)
