"""Wake words: microWakeWord models (https://github.com/kahrendt/microWakeWord) through `pymicro_wakeword`.

Several words share one feature front end; two words cost about 3 ms of CPU per second of audio on one x86 core.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import BadInput, EngineMissing
from device.speech.ports import WakeCapabilities

THRESHOLDS: Final[Mapping[str, float]] = {"okay_nabu": 0.85, "hey_jarvis": 0.9, "alexa": 0.85}
"""Mean probability above which each word counts: the lowest, in steps of 0.05, with at most one false accept in two
hours of talk.

Measured by `homebody evaluate wake` on 9.1 hours of recorded talk: actors' dialogue, announcements in four languages,
orders of coffee. The files' own are 0.85, 0.97 and 0.9. Another window than theirs, a gain before them, or a second
network a step of 10 ms behind hear no more people at as many false accepts.
"""

CHECKED: Final[Mapping[str, float]] = {"okay_nabu": 0.3, "hey_jarvis": 0.3, "alexa": 0.3}
"""The same where `device.speech.wake_check` looks again at what woke it: one in some hours is left of many."""

WAKE_WORDS: Final = tuple(THRESHOLDS)
"""Models that come with the package and hold up. Its `hey_mycroft` fires at ordinary speech and is refused."""

REFRACTORY: Final = SAMPLE_RATE
"""Samples after a detection in which none is reported: the averaged probability stays high for a while."""


class MicroWakeWord:
    """`WakeEngine` for one or more of `WAKE_WORDS` at once.

    Args:
        words: Names out of `WAKE_WORDS`; the phrases reported are these with spaces.
        thresholds: Mean probability over the last 150 ms above which each word counts, by name; `THRESHOLDS` unless
            told otherwise.

    Raises:
        BadInput: No words, or an unknown one.
        EngineMissing: The package is not installed, or not for this processor.
    """

    late = 0

    def __init__(self, words: Sequence[str], thresholds: Mapping[str, float] = THRESHOLDS) -> None:
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
        self._thresholds = {word.replace("_", " "): thresholds[word] for word in words}
        self._deaf = 0
        self.capabilities = WakeCapabilities(phrases=tuple(self._models))

    def process(self, frame: Pcm) -> str | None:
        """See `WakeEngine.process`."""
        self._deaf = max(0, self._deaf - len(frame))
        heard: str | None = None
        for means in self.means(frame):
            for phrase, mean in means.items():
                if mean > self._thresholds[phrase] and not self._deaf:
                    heard, self._deaf = phrase, REFRACTORY
        return heard

    def means(self, frame: Pcm) -> Iterator[Mapping[str, float]]:
        """Take the next samples (any length); for each 10 ms of them, the mean probability of each phrase.

        It is a new one each 30 ms, and 0 in between: a network takes three steps of 10 ms at once.
        """
        for features in self._features.process_streaming(frame.tobytes()):
            yield {phrase: model.process_streaming_prob(features) or 0.0 for phrase, model in self._models.items()}

    def reset(self) -> None:
        """See `WakeEngine.reset`."""
        self._features.reset()
        for model in self._models.values():
            model.reset()
        self._deaf = 0
