"""Everything audible goes through here: streams with gains of their own, ducking, one sum for the speaker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
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
"""Length of what `Mixer.reference` remembers."""

_FULL_SCALE: Final = 32_767


class Mixer:
    """Mixes streams into what the speaker pulls.

    `play` and `duck` are called on the loop; `pull` from the speaker's thread. The lock that they share is held
    for the mixing of one block at most, and no engine runs inside.

    Attributes:
        latency: Seconds from a pull until its first sample leaves the speaker; set it from the speaker's own
            figure after it was started.
    """

    def __init__(self, clock: Clock, volume: DeviceVolume) -> None:
        """`volume` gives the user's gain of each kind of sound."""
        self.latency = 0.0
        self._clock = clock
        self._volume = volume
        self._lock = threading.Lock()
        self._streams: list[Playback] = []
        self._holds = 0
        self._reference = np.zeros(round(REFERENCE_SECONDS * SAMPLE_RATE), np.int16)

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
        now = self._clock.monotonic()
        total = np.zeros(count, np.int32)
        with self._lock:
            media_gain = DUCKED if self.ducked else 1.0
            for stream in self._streams:
                if not stream.over:
                    own = stream.gain * (media_gain if stream.kind == "media" else 1.0)
                    stream.mix_into(total, own * self._volume.gain(stream.kind), now, self.latency)
            self._streams = [stream for stream in self._streams if not stream.over]
            mixed = saturate(total)
            self._reference = np.concatenate((self._reference, mixed))[-len(self._reference) :]
        return mixed

    def reference(self, count: int) -> Pcm:
        """The last `count` samples that the speaker pulled (at most `REFERENCE_SECONDS`): the echo's origin."""
        with self._lock:
            return self._reference[len(self._reference) - count :].copy()


def saturate(total: NDArray[np.int32]) -> Pcm:
    """Hold a sum, shape [n], to int16: exact up to `KNEE`, a tanh curve above it, never wrapping round."""
    if not np.any(np.abs(total) > KNEE):
        return total.astype(np.int16)
    head = _FULL_SCALE - KNEE
    bent = KNEE + head * np.tanh((np.abs(total) - KNEE) / head)
    return np.where(np.abs(total) > KNEE, np.sign(total) * np.rint(bent), total).astype(np.int16)
