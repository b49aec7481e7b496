"""Protocols of the speech engines, each with its capabilities.

Engines are synchronous and not thread-safe: each is owned by one worker. All audio is 16 kHz mono int16.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from device.audio.ports import Pcm
from device.speech.bias.sentences import Sentences


@dataclass(frozen=True, slots=True)
class WakeCapabilities:
    """What a wake engine can do. `phrases` are the spoken wake words it knows."""

    phrases: tuple[str, ...]


class WakeEngine(Protocol):
    """Listens for one or more wake words."""

    capabilities: WakeCapabilities

    @property
    def late(self) -> int:
        """Samples that the last phrase had been heard before it was reported, where it was looked at once more."""

    def process(self, frame: Pcm) -> str | None:
        """Take the next samples (any length); return the wake phrase that was just completed, if any."""

    def reset(self) -> None:
        """Forget the past, so that old audio can't wake it."""


class WakeCheck(Protocol):
    """Looks again at what woke a wake engine."""

    def confirms(self, phrase: str, pcm: Pcm) -> bool:
        """Whether the phrase was said at the end of these samples (at most a few seconds)."""


class VadEngine(Protocol):
    """Estimates whether a frame holds speech."""

    def process(self, frame: Pcm) -> float:
        """Probability of speech, 0 to 1, in the next frame of exactly `FRAME` samples."""

    def reset(self) -> None:
        """Forget the past."""


@dataclass(frozen=True, slots=True)
class SttCapabilities:
    """What an STT engine can do.

    Attributes:
        streaming: It decodes while audio arrives, so that `finish` is cheap.
        partials: `partial` says what was understood so far.
        bias: `start(bias=...)` tells it what can be said, and it finds sentences of that.
        language: BCP 47 tag.
    """

    streaming: bool
    partials: bool
    bias: bool
    language: str


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A sentence of what can be said that may have been said.

    Attributes:
        text: Spoken form.
        score: Mean natural log-probability of its tokens, at most 0; 0 is certain.
        worst: Natural log-probability of its least likely token.
        free: It holds words that may be any.
        by_word: Natural log-probabilities of the tokens of each word; empty where the engine can't tell.
    """

    text: str
    score: float
    worst: float
    free: bool = False
    by_word: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard.

    Attributes:
        text: Lower- or mixed-case words as the engine writes them, whatever can be said; empty if nothing was heard.
        confidence: 0 to 1, or None where the engine has none.
        hypotheses: Sentences of what can be said, best first (by more than their score); empty without a bias.
        snr_db: How far the speech stands above the noise; None where it was not measured.
    """

    text: str
    confidence: float | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    snr_db: float | None = None


class SttEngine(Protocol):
    """Turns one utterance into text: `start`, `feed` any number of times, `finish`."""

    name: str
    capabilities: SttCapabilities

    def start(self, bias: Sentences | None = None) -> None:
        """Begin an utterance, dropping any unfinished one.

        Args:
            bias: What can be said, for engines that can make use of it. Free speech is still transcribed.
        """

    def feed(self, pcm: Pcm) -> None:
        """Add audio of any length."""

    def partial(self) -> str:
        """What was understood so far; empty where partials are not supported."""

    def finish(self) -> Transcript:
        """End the utterance and return the result.

        Raises:
            EngineFailed: The engine broke; it can be used again after `start`.
        """


@dataclass(frozen=True, slots=True)
class TtsCapabilities:
    """What a TTS engine can do. `language` is a BCP 47 tag, `voices` the names `synthesize` accepts."""

    language: str
    voices: tuple[str, ...]


class TtsEngine(Protocol):
    """Renders text to PCM; never owns an output."""

    name: str
    capabilities: TtsCapabilities

    def synthesize(self, text: str) -> Iterator[Pcm]:
        """Yield 16 kHz PCM sentence by sentence, so that the first sound need not wait for the last.

        Raises:
            EngineFailed: The engine broke; the next call may succeed.
        """


def render(tts: TtsEngine, text: str) -> Pcm:
    """The whole text at once, shape [n], for files; a device speaks sentence by sentence.

    Raises:
        EngineFailed: The engine broke.
    """
    return np.concatenate([np.zeros(0, np.int16), *tts.synthesize(text)])
