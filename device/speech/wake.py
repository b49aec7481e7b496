"""Wake words: microWakeWord models (https://github.com/kahrendt/microWakeWord) through `pymicro_wakeword`.

Several words share one feature front end; two words cost about 3 ms of CPU per second of audio on one x86 core.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import BadInput, EngineMissing
from device.speech.ports import WakeCapabilities

WAKE_WORDS: Final = ("okay_nabu", "hey_jarvis", "alexa")
"""Models that come with the package and hold up. Its `hey_mycroft` fires at ordinary speech and is refused."""

REFRACTORY: Final = SAMPLE_RATE
"""Samples after a detection in which none is reported: the averaged probability stays high for a while."""


class MicroWakeWord:
    """`WakeEngine` for one or more of `WAKE_WORDS` at once.

    Args:
        words: Names out of `WAKE_WORDS`; the phrases reported are these with spaces.
        threshold: Mean probability over the last 150 ms above which a word counts; None for each model's own.

    Raises:
        BadInput: No words, or an unknown one.
        EngineMissing: The package is not installed, or not for this processor.
    """

    def __init__(self, words: Sequence[str], threshold: float | None = None) -> None:
        unknown = [word for word in words if word not in WAKE_WORDS]
        if unknown or not words:
            raise BadInput(
                f"There is no wake word {', '.join(unknown)}." if unknown else "No wake word was given.",
                remedy=f"Choose from: {', '.join(WAKE_WORDS)}.",
            )
        try:
            import pymicro_wakeword as micro
        except (ImportError, OSError) as error:
            raise EngineMissing(
                "The wake word engine is not installed.", remedy="Run: pip install pymicro-wakeword"
            ) from error
        self._features = micro.MicroWakeWordFeatures()
        self._models = {word.replace("_", " "): micro.MicroWakeWord.from_builtin(micro.Model(word)) for word in words}
        self._threshold = threshold
        self._deaf = 0
        self.capabilities = WakeCapabilities(phrases=tuple(self._models))

    def process(self, frame: Pcm) -> str | None:
        """See `WakeEngine.process`."""
        self._deaf = max(0, self._deaf - len(frame))
        heard: str | None = None
        for features in self._features.process_streaming(frame.tobytes()):
            for phrase, model in self._models.items():
                probability = model.process_streaming_prob(features)
                threshold = model.probability_cutoff if self._threshold is None else self._threshold
                if probability is not None and probability > threshold and not self._deaf:
                    heard, self._deaf = phrase, REFRACTORY
        return heard

    def reset(self) -> None:
        """See `WakeEngine.reset`."""
        self._features.reset()
        for model in self._models.values():
            model.reset()
        self._deaf = 0
