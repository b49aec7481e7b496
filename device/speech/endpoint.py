"""Where a command begins and ends: a four-state machine over the probabilities of speech, one a frame.

Pure: no audio, no clock; time is counted in samples. Two thresholds (hysteresis) keep it from fluttering, a
minimum of speech keeps clicks out, and a pause must last before it counts as the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from device.audio.ports import FRAME, SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """When speech counts as begun and ended; times in seconds.

    Attributes:
        start_threshold: Probability from which a frame may begin (or go on with) speech.
        stop_threshold: Probability below which a frame may end it; at most `start_threshold`.
        min_speech_s: Speech shorter than this is a click.
        pause_s: A pause this long may be the end: decoding may begin, in the hope that nothing follows.
        trailing_silence_s: A pause this long is the end, unless `Endpoint.hold` gives it another length.
        max_s: Longest speech; it is cut there (a pause at its end is not counted).
        no_speech_timeout_s: How long to wait for speech; None waits for ever.
    """

    start_threshold: float = 0.5
    stop_threshold: float = 0.35
    min_speech_s: float = 0.1
    pause_s: float = 0.125
    trailing_silence_s: float = 0.7
    max_s: float = 12.0
    no_speech_timeout_s: float | None = 6.0

    def __post_init__(self) -> None:
        """Raises: ValueError, for thresholds in the wrong order or times that can't be met."""
        if not 0 <= self.stop_threshold <= self.start_threshold <= 1:
            raise ValueError("thresholds must satisfy 0 <= stop <= start <= 1")
        if not 0 <= self.min_speech_s < self.max_s or self.trailing_silence_s <= 0:
            raise ValueError("times must satisfy 0 <= min_speech < max and 0 < trailing_silence")


class EndpointState(StrEnum):
    """Where the machine stands."""

    SILENCE = "silence"
    MAYBE_SPEECH = "maybe_speech"
    SPEECH = "speech"
    MAYBE_SILENCE = "maybe_silence"


@dataclass(frozen=True, slots=True)
class Started:
    """Speech began at sample `at` (known only `min_speech_s` later)."""

    at: int


@dataclass(frozen=True, slots=True)
class Paused:
    """Speech paused at sample `at`; reported once a pause. If nothing follows, `Ended` has the same `at`."""

    at: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Speech ended at sample `at`: where the pause began, or where it was cut."""

    at: int
    reason: Literal["silence", "max_length"]


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nobody spoke in `no_speech_timeout_s`; the wait begins anew."""

    at: int


EndpointEvent: TypeAlias = Started | Paused | Ended | TimedOut


class Endpoint:
    """The machine. Samples are counted from `start`, which is the position of the first frame to be pushed."""

    def __init__(self, config: EndpointConfig, start: int = 0) -> None:
        self._config = config
        self.state = EndpointState.SILENCE
        self._now = start
        self._waiting_since = start
        self._onset = start
        self._pause = start
        self._patience = config.trailing_silence_s
        self._pause_told = False

    def push(self, probability: float) -> EndpointEvent | None:
        """Take the probability of speech in the next `FRAME` samples."""
        begin = self._now
        self._now += FRAME
        self._move(probability, begin)
        match self.state:
            case EndpointState.SILENCE:
                timeout = self._config.no_speech_timeout_s
                if timeout is not None and self._lasted(self._waiting_since, timeout):
                    return self._finish(TimedOut(self._now))
            case EndpointState.MAYBE_SPEECH:
                if self._lasted(self._onset, self._config.min_speech_s):
                    self.state = EndpointState.SPEECH
                    return Started(self._onset)
            case EndpointState.SPEECH:
                if self._lasted(self._onset, self._config.max_s):
                    return self._finish(Ended(self._now, "max_length"))
            case EndpointState.MAYBE_SILENCE:
                if self._lasted(self._pause, self._patience):
                    return self._finish(Ended(self._pause, "silence"))
                if not self._pause_told and self._lasted(self._pause, self._config.pause_s):
                    self._pause_told = True
                    return Paused(self._pause)
        return None

    def hold(self, at: int, seconds: float) -> None:
        """Let the pause that began at sample `at` be the end once it has lasted `seconds`.

        What was said so far tells how long that should be; once more is said, it has no effect.
        """
        if self.state is EndpointState.MAYBE_SILENCE and self._pause == at:
            self._patience = seconds

    def _move(self, probability: float, begin: int) -> None:
        """Change the state by the two thresholds; between them it stays."""
        if probability >= self._config.start_threshold:
            if self.state is EndpointState.SILENCE:
                self.state, self._onset = EndpointState.MAYBE_SPEECH, begin
            elif self.state is EndpointState.MAYBE_SILENCE:
                self.state = EndpointState.SPEECH
        elif probability < self._config.stop_threshold:
            if self.state is EndpointState.MAYBE_SPEECH:
                self.state = EndpointState.SILENCE
            elif self.state is EndpointState.SPEECH:
                self.state, self._pause, self._pause_told = EndpointState.MAYBE_SILENCE, begin, False
                self._patience = self._config.trailing_silence_s

    def _lasted(self, since: int, seconds: float) -> bool:
        return self._now - since >= seconds * SAMPLE_RATE

    def _finish(self, event: EndpointEvent) -> EndpointEvent:
        self.state, self._waiting_since = EndpointState.SILENCE, self._now
        return event
