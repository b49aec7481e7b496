"""Speech engines for a world in which every word is a tone: milliseconds of CPU, and they hear what really sounds.

`ToneTts` speaks each word as a pure tone of its own pitch, `ToneStt` reads the pitches back out of whatever reaches
the microphone. So a scenario is exact and repeatable, and a first word that was cut off, or a device that hears
itself, shows in the transcript as it would with real engines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.errors import BadInput
from device.nlu.text import words
from device.speech.bias.sentences import Sentences
from device.speech.buffered import BufferedStt
from device.speech.ports import SttCapabilities, Transcript, TtsCapabilities, WakeCapabilities
from device.speech.rendered import RenderedTts

WAKE_PHRASES: Final = ("hey jarvis", "okay nabu", "alexa")
"""Those of the real wake words, each of which is one tone."""

LANGUAGE: Final = "art-x-tones"
"""BCP 47 tag: an artificial language."""

_WAKE_HERTZ: Final = dict(zip(WAKE_PHRASES, (300.0, 400.0, 500.0), strict=True))
"""Pitches of the wake phrases, far enough from each other and from all words to be told apart in one frame."""

_LOWEST: Final = 600.0
_STEP: Final = 2.5
_HIGHEST: Final = 7600.0
"""Pitches in Hz of the words, a step apart: 2801 of them."""

_LOW: Final = 501
_STRIDE: Final = 310
"""The first 501 words lie below 1.9 kHz, each by the golden ratio of them away from the one before it.

An echo canceller bends a tone by some Hz, and it is below 1.9 kHz that WebRTC's looks for people who speak over its own
sound (`DominantNearendDetector`).
"""

_OFF: Final = 8.0
"""Hz by which a word may be off, where no other is nearer."""

_WORD: Final = 0.16
_WAKE: Final = 0.4
_GAP: Final = 0.04
"""Seconds that a word and the wake phrase sound, and of silence after each."""

_SHORTEST: Final = 0.07
"""Seconds of a tone that can still be recognized; a shorter rest of a word is not heard."""

_AFTER_WAKE: Final = 0.15
"""Seconds after its end at which the wake phrase is recognized, as long as real engines take."""

_AMPLITUDE: Final = 8000
_HOP: Final = SAMPLE_RATE // 200
_AUDIBLE: Final = 600.0
"""RMS below which a tone is too quiet: an echo, a neighbour."""

_COARSE: Final = 8 * FRAME
_FINE: Final = 16 * FRAME
"""Sizes of the Fourier transform for a frame, and for a whole word, whose pitch has to be known to less than 1 Hz."""

_NEAR: Final = 20.0
"""Hz by which a wake phrase may be off in one frame."""

_PURE: Final = 0.5
"""Share of a sound's energy that its strongest pitch holds; noise has far less."""


class ToneLanguage:
    """The pitch of each word, given out when it is first spoken; speaker and listener share one.

    Raises:
        ValueError: From `pitch`, when all pitches are given out.
    """

    def __init__(self) -> None:
        self._words: list[str] = []
        self._pitches = dict(_WAKE_HERTZ)

    def tokens(self, text: str) -> list[str]:
        """Words as they are spoken, a wake phrase as one."""
        joined = " ".join(words(text))
        for phrase in WAKE_PHRASES:
            joined = re.sub(rf"\b{phrase}\b", phrase.replace(" ", "_"), joined)
        return [token.replace("_", " ") for token in joined.split()]

    def pitch(self, word: str) -> float:
        """Hz of a word."""
        if word not in self._pitches:
            count = round((_HIGHEST - _LOWEST) / _STEP) + 1
            if len(self._words) == count:
                raise ValueError("this language has no pitch left for another word")
            index = len(self._words)
            self._pitches[word] = _LOWEST + _STEP * (index * _STRIDE % _LOW if index < _LOW else index)
            self._words.append(word)
        return self._pitches[word]

    def word(self, hertz: float) -> str | None:
        """The word of a pitch."""
        for phrase, pitch in _WAKE_HERTZ.items():
            if abs(hertz - pitch) < _NEAR:
                return phrase
        nearest = min(self._words, key=lambda word: abs(hertz - self._pitches[word]), default=None)
        return nearest if nearest is not None and abs(hertz - self._pitches[nearest]) < _OFF else None


class ToneTts(RenderedTts):
    """Implements `TtsEngine`."""

    name = "tones"
    capabilities = TtsCapabilities(language=LANGUAGE, voices=("sine",))

    def __init__(self, language: ToneLanguage) -> None:
        super().__init__()
        self._language = language

    def render(self, sentence: str) -> tuple[Pcm, int]:
        """See `RenderedTts.render`."""
        sounds = [self._tone(word) for word in self._language.tokens(sentence)]
        return np.concatenate([np.zeros(0, np.int16), *sounds]), SAMPLE_RATE

    def _tone(self, word: str) -> Pcm:
        count = round((_WAKE if word in _WAKE_HERTZ else _WORD) * SAMPLE_RATE)
        tone = np.sin(2 * np.pi * self._language.pitch(word) * np.arange(count) / SAMPLE_RATE)
        pcm: Pcm = np.rint(_AMPLITUDE * np.pad(tone, (0, round(_GAP * SAMPLE_RATE)))).astype(np.int16)
        return pcm


class ToneVad:
    """Implements `VadEngine`: speech is what has a pitch and is loud enough."""

    def process(self, frame: Pcm) -> float:
        """See `VadEngine.process`.

        Raises:
            ValueError: The frame is not `FRAME` samples long.
        """
        if len(frame) != FRAME:
            raise ValueError(f"a frame has {FRAME} samples, not {len(frame)}")
        return _pitch(frame.astype(np.float64), _COARSE)[1]

    def reset(self) -> None:
        """See `VadEngine.reset`; it remembers nothing."""


class ToneStt(BufferedStt):
    """Implements `SttEngine`."""

    name = "tones"
    capabilities = SttCapabilities(streaming=False, partials=False, bias=False, language=LANGUAGE)

    def __init__(self, language: ToneLanguage) -> None:
        super().__init__(ToneVad())
        self._language = language

    def decode(self, samples: NDArray[np.float32], bias: Sentences | None) -> Transcript:
        """See `BufferedStt.decode`."""
        heard = [self._language.word(hertz) for hertz in _pitches(samples.astype(np.float64) * 32768)]
        known = [word for word in heard if word is not None]
        return Transcript(" ".join(known), len(known) / len(heard)) if known else Transcript("")


class ToneWake:
    """Implements `WakeEngine`: wakes a moment after a wake phrase has ended.

    Args:
        phrases: What it listens for, out of `WAKE_PHRASES`; the names of the configured wake words do as well.

    Raises:
        BadInput: None, or unknown ones.
    """

    late = 0

    def __init__(self, phrases: Sequence[str] = ("hey jarvis",)) -> None:
        spoken = tuple(phrase.replace("_", " ") for phrase in phrases)
        unknown = [phrase for phrase in spoken if phrase not in _WAKE_HERTZ]
        if unknown or not spoken:
            raise BadInput(
                f"There is no wake phrase {', '.join(unknown)}." if unknown else "No wake phrase was given.",
                remedy=f"Choose from: {', '.join(WAKE_PHRASES)}.",
            )
        self.capabilities = WakeCapabilities(phrases=spoken)
        self._pending: Pcm = np.zeros(0, np.int16)
        self.reset()

    def process(self, frame: Pcm) -> str | None:
        """See `WakeEngine.process`."""
        if len(frame) == FRAME and not len(self._pending):
            return self._step(frame)
        self._pending = np.concatenate([self._pending, frame])
        heard = None
        while len(self._pending) >= FRAME:
            block, self._pending = self._pending[:FRAME], self._pending[FRAME:]
            heard = self._step(block) or heard
        return heard

    def reset(self) -> None:
        """See `WakeEngine.reset`."""
        self._pending = self._pending[:0]
        self._sounding: str | None = None
        self._sounded = 0.0
        self._heard: str | None = None
        self._since = 0.0

    def _step(self, block: Pcm) -> str | None:
        seconds = FRAME / SAMPLE_RATE
        sounds = self._phrase(block)
        if sounds is not None and sounds == self._sounding:
            self._sounded += seconds
            return None
        if self._sounded > _WAKE / 2:
            self._heard, self._since = self._sounding, 0.0
        self._sounding, self._sounded = sounds, 0.0 if sounds is None else seconds
        if self._heard is None or sounds is not None:
            return None
        self._since += seconds
        if self._since < _AFTER_WAKE:
            return None
        heard, self._heard = self._heard, None
        return heard

    def _phrase(self, block: Pcm) -> str | None:
        """The phrase that sounds in a frame, of those that are listened for."""
        hertz, purity = _pitch(block.astype(np.float64), _COARSE)
        if purity <= _PURE:
            return None
        near = (phrase for phrase in self.capabilities.phrases if abs(hertz - _WAKE_HERTZ[phrase]) < _NEAR)
        return next(near, None)


def _pitch(samples: NDArray[np.float64], size: int) -> tuple[float, float]:
    """The strongest pitch in Hz and the share of energy about it; nothing in what is too quiet.

    `size` is that of the Fourier transform. The pitch lies between its bins, where the logarithm of the window's main
    lobe, which is nearly a parabola, has its top.
    """
    if len(samples) < 2 or np.dot(samples, samples) < len(samples) * _AUDIBLE**2:
        return 0.0, 0.0
    spectrum = np.square(np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size)))
    best = int(np.argmax(spectrum))
    lobe = 2 * size // len(samples)  # half the width of the window's main lobe, in bins
    around = spectrum[max(0, best - lobe) : best + lobe + 1]
    top = float(best)
    if 0 < best < len(spectrum) - 1:
        before, at, after = np.log(spectrum[best - 1 : best + 2] + 1e-9)
        top += float((before - after) / (2 * (before - 2 * at + after)))
    return top * SAMPLE_RATE / size, float(np.sum(around) / np.sum(spectrum))


def _pitches(samples: NDArray[np.float64]) -> list[float]:
    """The pitch of each tone, in order."""
    whole = len(samples) // _HOP
    level = np.sqrt(np.mean(np.square(samples[: whole * _HOP].reshape(whole, _HOP)), axis=1))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], level > _AUDIBLE, [False]]).astype(np.int8)))
    sounds = [samples[begin * _HOP : end * _HOP] for begin, end in edges.reshape(-1, 2)]
    long = [sound for sound in sounds if len(sound) >= _SHORTEST * SAMPLE_RATE]
    heard = [_pitch(sound, _FINE) for sound in long]
    return [hertz for hertz, purity in heard if purity > _PURE]
