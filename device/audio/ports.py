"""The two ports through which sound passes, and the one format inside the house."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE: Final = 16_000
"""Samples a second of all PCM inside the device (mono)."""

FRAME: Final = 512
"""Samples in one frame, 32 ms: the chunk that Silero VAD requires."""

Pcm: TypeAlias = NDArray[np.int16]
"""Mono 16 kHz PCM, shape [n_samples], int16."""

FrameCallback: TypeAlias = Callable[[Pcm], None]


class Microphone(Protocol):
    """Delivers frames of `FRAME` samples to a callback until stopped.

    The callback may be called from a foreign thread and must only copy. A file microphone also ends by itself;
    `finished` is then True.
    """

    name: str

    @property
    def finished(self) -> bool:
        """True once a finite source has delivered everything."""

    def start(self, callback: FrameCallback) -> None:
        """Begin to deliver.

        Raises:
            AudioDeviceMissing: No such device, or no audio system on this machine.
        """

    def stop(self) -> None:
        """Stop delivering; may be started again."""


class Speaker(Protocol):
    """Pulls PCM from a source at its own pace.

    `start(pull)` calls `pull(n)` for exactly `n` samples whenever it needs some (possibly from a foreign
    thread); the mixer answers with silence when nothing plays.

    Attributes:
        name: What it is called.
        latency: Seconds from a pull until its first sample is heard; known once it was started.
    """

    name: str
    latency: float

    def start(self, pull: Callable[[int], Pcm]) -> None:
        """Begin to pull.

        Raises:
            AudioDeviceMissing: No such device, or no audio system on this machine.
        """

    def stop(self) -> None:
        """Stop pulling; may be started again."""
