"""Takes the device's own voice out of what the microphone hears, so that "stop" can be heard while it speaks.

WebRTC's AEC3 through `pywebrtc-audio`; it finds the delay between speaker and microphone by itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from device.audio.ports import SAMPLE_RATE, Pcm

_BLOCK: Final = SAMPLE_RATE // 100
"""AEC3 works on 10 ms; other lengths would be padded with silence, which it would take for sound."""


class EchoCanceller:
    """Streaming echo cancellation; frames of any length, output of the same length, up to 10 ms late."""

    def __init__(self, delay_ms: int = 0) -> None:
        from pywebrtc_audio import AudioProcessor

        self._processor = AudioProcessor(sample_rate=SAMPLE_RATE, echo_cancellation=True, stream_delay_ms=delay_ms)
        self._near = np.zeros(0, np.int16)
        self._far = np.zeros(0, np.int16)
        self._ready = np.zeros(_BLOCK, np.int16)

    def process(self, near: Pcm, far: Pcm) -> Pcm:
        """Clean the next samples.

        Args:
            near: From the microphone, shape [n].
            far: What the speaker was given meanwhile, shape [n].

        Returns:
            Shape [n], int16.
        """
        self._near = np.concatenate([self._near, near])
        self._far = np.concatenate([self._far, far])
        whole = len(self._near) // _BLOCK * _BLOCK
        if whole:
            cleaned: Pcm = self._processor.process(self._near[:whole], self._far[:whole])
            self._ready = np.concatenate([self._ready, cleaned])
            self._near, self._far = self._near[whole:], self._far[whole:]
        out, self._ready = self._ready[: len(near)], self._ready[len(near) :]
        return out
