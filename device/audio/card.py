"""Sound cards through PortAudio: any rate and any number of channels outside, 16 kHz mono inside."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from device.audio.devices import find_device, list_devices, open_stream, start_stream
from device.audio.ports import FRAME, SAMPLE_RATE, FrameCallback, Pcm
from device.errors import AudioDeviceMissing

_QUEUE_BLOCKS: Final = 64
"""Blocks (2 s) that may wait between PortAudio's callback and the thread that converts them."""

_Blocks: TypeAlias = "queue.Queue[NDArray[np.int16] | None]"


def to_mono(block: NDArray[np.int16]) -> Pcm:
    """One channel of a block, shape [n, channels]: the mean of two, otherwise the first.

    The further channels of microphone arrays are raw capsules and the loudspeaker's own signal, which must not
    be mixed in.
    """
    if block.shape[1] == 2:
        mean: Pcm = np.rint(block.mean(axis=1, dtype=np.float32)).astype(np.int16)
        return mean
    return np.array(block[:, 0])


class _Resampler:
    """A stream of mono int16 from one rate to another (soxr, quality HQ); passes through when they are equal."""

    def __init__(self, source: int, target: int) -> None:
        self._stream: Any = None
        if source != target:
            import soxr

            self._stream = soxr.ResampleStream(source, target, 1, dtype="int16")

    def process(self, pcm: Pcm) -> Pcm:
        return pcm if self._stream is None else np.asarray(self._stream.resample_chunk(pcm), dtype=np.int16)


class SoundCardMicrophone:
    """Implements `Microphone` on a sound card. PortAudio's callback copies; a thread converts and delivers.

    Attributes:
        name: The device's name once started; before, what was asked for.
        overflows: Times that samples were lost, in the card's buffer or in ours.
    """

    def __init__(self, device: str = "") -> None:
        """`device`: part of a device's name; empty for the default one."""
        self.name = device or "default microphone"
        self.overflows = 0
        self._wanted = device
        self._stream: Any = None
        self._blocks: _Blocks = queue.Queue(_QUEUE_BLOCKS)
        self._thread: threading.Thread | None = None

    @property
    def finished(self) -> bool:
        """Never."""
        return False

    def start(self, callback: FrameCallback) -> None:
        """See `Microphone.start`; the callback runs in a thread of its own.

        Raises:
            AudioDeviceMissing: No PortAudio, no such device, or it can't be opened.
        """
        self.stop()
        device = find_device(list_devices(), self._wanted, "input")
        blocks: _Blocks = queue.Queue(_QUEUE_BLOCKS)

        def copy(indata: NDArray[np.int16], frames: int, time: object, status: Any) -> None:
            if status.input_overflow:
                self.overflows += 1
            try:
                blocks.put_nowait(indata.copy())
            except queue.Full:
                self.overflows += 1

        self._stream, rate = open_stream(device, "input", copy)
        self._blocks = blocks
        self._thread = threading.Thread(
            target=_deliver, args=(blocks, rate, callback), name="homebody-microphone", daemon=True
        )
        self._thread.start()
        try:
            start_stream(self._stream, device)
        except AudioDeviceMissing:
            self.stop()
            raise
        self.name = device.name

    def stop(self) -> None:
        """See `Microphone.stop`; no frame is delivered after it returns."""
        if self._stream is not None:
            self._stream.abort()
            self._stream.close()
            self._stream = None
        if self._thread is not None:
            # Nobody wants the blocks that still wait, and without them there is room for the end mark.
            with contextlib.suppress(queue.Empty):
                while True:
                    self._blocks.get_nowait()
            self._blocks.put_nowait(None)
            self._thread.join()
            self._thread = None


def _deliver(blocks: _Blocks, rate: int, callback: FrameCallback) -> None:
    """Body of the microphone's thread: blocks as recorded in, frames of the house out."""
    resampler = _Resampler(rate, SAMPLE_RATE)
    rest = np.zeros(0, np.int16)
    while (block := blocks.get()) is not None:
        rest = np.concatenate((rest, resampler.process(to_mono(block))))
        while len(rest) >= FRAME:
            callback(rest[:FRAME])
            rest = rest[FRAME:]


class SoundCardSpeaker:
    """Implements `Speaker` on a sound card.

    Attributes:
        name: The device's name once started; before, what was asked for.
        underflows: Times that the card had nothing to play.
        latency: Seconds from a pull until its first sample leaves the card; 0 before the start.
    """

    def __init__(self, device: str = "") -> None:
        """`device`: part of a device's name; empty for the default one."""
        self.name = device or "default speaker"
        self.underflows = 0
        self.latency = 0.0
        self._wanted = device
        self._stream: Any = None

    def start(self, pull: Callable[[int], Pcm]) -> None:
        """See `Speaker.start`; `pull` is called in PortAudio's thread.

        Raises:
            AudioDeviceMissing: No PortAudio, no such device, or it can't be opened.
        """
        self.stop()
        device = find_device(list_devices(), self._wanted, "output")
        rest = np.zeros(0, np.int16)

        def fill(outdata: NDArray[np.int16], frames: int, time: object, status: Any) -> None:
            nonlocal rest
            if status.output_underflow:
                self.underflows += 1
            while len(rest) < frames:
                rest = np.concatenate((rest, resampler.process(pull(FRAME))))
            # One column is copied into every channel.
            outdata[:] = rest[:frames, np.newaxis]
            rest = rest[frames:]

        self._stream, rate = open_stream(device, "output", fill)
        resampler = _Resampler(SAMPLE_RATE, rate)
        try:
            start_stream(self._stream, device)
        except AudioDeviceMissing:
            self.stop()
            raise
        self.name = device.name
        self.latency = float(self._stream.latency)

    def stop(self) -> None:
        """See `Speaker.stop`."""
        if self._stream is not None:
            self._stream.abort()
            self._stream.close()
            self._stream = None
