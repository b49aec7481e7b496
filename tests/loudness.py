"""Engines that go by loudness: whatever is loud is speech, and its level says what was said."""

from collections.abc import Callable

import numpy as np

from device.audio.ports import Pcm
from device.speech.bias.sentences import Sentences
from device.speech.ports import SttCapabilities, Transcript


class LevelVad:
    """Implements `VadEngine`."""

    def process(self, frame: Pcm) -> float:
        return float(np.abs(frame.astype(int)).max() > 500)

    def reset(self) -> None:
        pass


class LevelStt:
    """Implements `SttEngine`.

    Args:
        transcript: What is heard at a level, 0 for silence, by whom is told what can be said.
    """

    name = "level"
    capabilities = SttCapabilities(streaming=False, partials=False, bias=True, language="en")

    def __init__(self, transcript: Callable[[int, Sentences | None], Transcript]) -> None:
        self._transcript = transcript

    def start(self, bias: Sentences | None = None) -> None:
        self._level, self._bias = 0, bias

    def feed(self, pcm: Pcm) -> None:
        self._level = max(self._level, int(pcm.max()))

    def partial(self) -> str:
        return ""

    def finish(self) -> Transcript:
        return self._transcript(self._level, self._bias)
