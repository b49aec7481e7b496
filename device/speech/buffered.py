"""What all non-streaming speech-to-text engines share: collect the utterance, refuse noise, decode once.

Encoder-decoder models write fluent sentences over noise ("thank you for watching"), often with confidence; so
the voice activity detector is asked first, and each model heeds its own signs of doubt in `decode`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import DeviceError, EngineFailed
from device.speech.bias.sentences import Sentences
from device.speech.ports import SttCapabilities, Transcript, VadEngine
from device.speech.vad import SileroVad, holds_speech

MAX_SECONDS: Final = 30
"""Whisper's window; audio of an utterance beyond it is not kept. Commands end at a third of that."""


class BufferedStt(ABC):
    """Implements `SttEngine` for a model that sees the whole utterance at once.

    Args:
        vad: Says whether there is speech at all; Silero by default.
    """

    name: str
    capabilities = SttCapabilities(streaming=False, partials=False, bias=False, language="en")

    def __init__(self, vad: VadEngine | None = None) -> None:
        self._vad = vad or SileroVad()
        self.start()

    @abstractmethod
    def decode(self, samples: NDArray[np.float32], bias: Sentences | None) -> Transcript:
        """Transcribe an utterance.

        Args:
            samples: float32 of shape [n] in -1..1 at 16 kHz.
            bias: What can be said; engines without that capability leave it aside.

        Returns:
            An empty text where nothing was said.
        """

    def start(self, bias: Sentences | None = None) -> None:
        """See `SttEngine.start`."""
        self._bias = bias
        self._chunks: list[Pcm] = []
        self._room = MAX_SECONDS * SAMPLE_RATE

    def feed(self, pcm: Pcm) -> None:
        """See `SttEngine.feed`."""
        taken = pcm[: self._room].copy()
        self._chunks.append(taken)
        self._room -= len(taken)

    def partial(self) -> str:
        """Always empty: nothing is decoded before the end."""
        return ""

    def finish(self) -> Transcript:
        """See `SttEngine.finish`."""
        pcm = np.concatenate([np.empty(0, np.int16), *self._chunks])
        bias = self._bias
        self.start()
        try:
            if not holds_speech(self._vad, pcm):
                return Transcript("")
            return self.decode(pcm.astype(np.float32) / np.float32(32768), bias)
        except DeviceError:
            raise
        except Exception as error:  # native engines raise types of their own
            raise EngineFailed(f"{self.name} could not decode an utterance: {error}.") from error
