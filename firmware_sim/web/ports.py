"""The ports of a device whose ears and mouth are a browser: sound comes in pieces, when the network likes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.pace import FRAME_SECONDS, Pacer
from device.audio.ports import FRAME, SAMPLE_RATE, FrameCallback, Pcm
from device.clock import Clock
from device.errors import AudioDeviceMissing, BadInput
from device.lights import Pattern
from firmware_sim.sound.levels import amplitude

PREBUFFER: Final = 4 * FRAME
"""Samples that are collected before the first is delivered, 128 ms: what a browser sends comes in gusts."""

CAPACITY: Final = SAMPLE_RATE // 2
"""Samples that wait at most; older ones are dropped, so that the device never hears long after the person spoke."""

LATENCY: Final = 0.15
"""Seconds from a pull until the browser plays it: the network and the page's own buffer (`static/sound.js`)."""

_NOISE_FRAMES: Final = 300
"""Frames of noise, about ten seconds, which are then repeated."""

_LONGEST: Final = 2 * SAMPLE_RATE
"""Bytes of one message at most: a second of sound."""


class StreamMicrophone:
    """Implements `Microphone` over sound that is fed from outside, in pieces of any length.

    It delivers a frame each 32 ms whether somebody streams or not, nothing but its own noise if nobody does, so that
    the device counts it as alive. Where a stream falters, noise fills the gap until enough is collected again.

    Args:
        clock: Time.
        noise_dbfs: RMS of its own noise, relative to full scale.

    Attributes:
        dropped: Samples that came faster than time and were dropped.
    """

    def __init__(self, clock: Clock, noise_dbfs: float) -> None:
        self.name = "the page's microphone"
        self.dropped = 0
        noise = np.random.default_rng(0).standard_normal((_NOISE_FRAMES, FRAME))
        self._noise: Iterator[NDArray[np.int32]] = itertools.cycle(
            np.rint(amplitude(noise_dbfs) * noise).astype(np.int32)
        )
        self._waiting: Pcm = np.zeros(0, np.int16)
        self._flowing = False
        self._plugged = True
        self._silent = self._off = False
        self._callback: FrameCallback | None = None
        self._pacer = Pacer(clock, self._deliver, first=FRAME_SECONDS)

    @property
    def finished(self) -> bool:
        """Never: a person may speak at any time."""
        return False

    def start(self, callback: FrameCallback) -> None:
        """See `Microphone.start`.

        Raises:
            AudioDeviceMissing: It is unplugged.
        """
        if not self._plugged:
            raise AudioDeviceMissing("The microphone is unplugged.", remedy="Plug it in.")
        self._callback = callback
        self._pacer.start()

    def stop(self) -> None:
        """See `Microphone.stop`; what waits is forgotten."""
        self._pacer.stop()
        self._forget()

    def feed(self, data: bytes) -> None:
        """Add sound as it comes: 16-bit little-endian samples, 16 kHz, mono.

        Raises:
            BadInput: Half a sample, or more than a second in one piece.
        """
        if len(data) % 2 or len(data) > _LONGEST:
            raise BadInput(
                f"{len(data)} bytes are no piece of 16-bit sound.",
                remedy=f"Send whole samples, {_LONGEST} bytes at most.",
            )
        if not self._pacer.running or self._silent or self._off:
            return
        waiting = np.concatenate((self._waiting, np.frombuffer(data, "<i2").astype(np.int16)))
        self.dropped += max(0, len(waiting) - CAPACITY)
        self._waiting = waiting[-CAPACITY:]

    def switch(self, off: bool) -> None:
        """Move the mute switch, which cuts the microphone off before any software: exact zeros."""
        self._off = off
        self._forget()

    def unplug(self) -> None:
        """Deliver nothing from now on; starting fails until `plug`."""
        self._plugged = False
        self.stop()

    def silence(self) -> None:
        """Deliver exact zeros whatever is fed, like a broken capsule, until `plug`."""
        self._silent = True
        self._forget()

    def plug(self) -> None:
        """Undo `unplug` and `silence`. After `unplug` it has to be started again, as a real one."""
        self._plugged = True
        self._silent = False

    def _forget(self) -> None:
        self._waiting = self._waiting[:0]
        self._flowing = False

    def _deliver(self) -> bool:
        if self._callback is not None:
            dead = self._silent or self._off
            self._callback(np.zeros(FRAME, np.int16) if dead else self._next())
        return True

    def _next(self) -> Pcm:
        """The next frame; noise alone while too little has been collected."""
        noise = next(self._noise)
        if len(self._waiting) < (FRAME if self._flowing else PREBUFFER):
            self._flowing = False
            return noise.astype(np.int16)
        self._flowing = True
        frame, self._waiting = self._waiting[:FRAME], self._waiting[FRAME:]
        return (frame + noise).clip(-32768, 32767).astype(np.int16)


class StreamSpeaker:
    """Implements `Speaker`: pulls a frame each 32 ms and hands on those that are not silent."""

    def __init__(self, clock: Clock, send: Callable[[bytes], None]) -> None:
        """`send` takes 16-bit little-endian samples, 16 kHz, mono; it must return at once."""
        self.name = "the page's speaker"
        self.latency = LATENCY
        self._send = send
        self._plugged = True
        self._pull: Callable[[int], Pcm] | None = None
        self._pacer = Pacer(clock, self._tick)

    def start(self, pull: Callable[[int], Pcm]) -> None:
        """See `Speaker.start`.

        Raises:
            AudioDeviceMissing: It is unplugged.
        """
        if not self._plugged:
            raise AudioDeviceMissing("The speaker is unplugged.", remedy="Plug it in.")
        self._pull = pull
        self._pacer.start()

    def stop(self) -> None:
        """See `Speaker.stop`."""
        self._pacer.stop()
        self._pull = None

    def unplug(self) -> None:
        """Take no sound any more, and refuse to start."""
        self._plugged = False
        self._pacer.stop()

    def plug(self) -> None:
        """Let it be started again."""
        self._plugged = True

    def _tick(self) -> bool:
        if self._pull is None:
            return False
        frame = self._pull(FRAME)
        if np.any(frame):
            self._send(frame.astype("<i2").tobytes())
        return True


class PageLight:
    """Implements `Lights`: remembers the pattern and tells the page.

    Attributes:
        pattern: What is shown now.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.pattern = Pattern.OFF
        self._changed = changed

    def show(self, pattern: Pattern) -> None:
        """See `Lights.show`."""
        self.pattern = pattern
        self._changed()
