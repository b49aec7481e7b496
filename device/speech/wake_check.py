"""A second look at a wake word: does a recognizer that knows all words hear this one in its sound, too?

The small networks that listen all the time know nothing but their words, and take "okay, Joe" for "okay Nabu". A check
costs nothing until one of them wakes, so that they may be set to wake sooner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.nlu.grammar import Grammar
from device.nlu.text import spoken
from device.speech.bias.beam import search
from device.speech.bias.sentences import Sentences
from device.speech.bias.tokens import Lattice
from device.speech.moonshine_model import BOS, EOS, PACKAGED, packaged_folder, shared
from device.speech.ports import WakeCapabilities, WakeCheck, WakeEngine

SECONDS: Final = 1.5
"""How much is looked at: "hey Jarvis" takes 0.8 s, and what was said before it does little harm."""

LOOKS: Final = (4 * FRAME, 12 * FRAME)
"""Samples after which is looked, 128 and 384 ms; later only at what was refused before.

Networks that are set to wake sooner do so within the word: of 129 people, those that wake at a mean of 0.3 do so 90 to
120 ms before it is 0.9. Of 854 recordings of them, clean and in noise, one look refuses 22, the second all but 6 of
these.
"""

LEAST: Final = -3.2
"""Mean log-probability of the phrase's tokens from which on it may have been said."""

SURE: Final = -0.6
"""Mean log-probability of other words from which on they count: noise makes words as well, but none that are likely."""

MARGIN: Final = 1.5
"""By how much other words that count may be likelier: "Alexei" may be "Alexa" in a strange accent, "election" not.

The three were chosen on these recordings, on 188 mistakes of the networks in 11.5 hours of talk, of which 6 are left,
and on 125 words that sound alike, of which 35 are left.
"""

_WIDTH: Final = 4
"""Hypotheses that are followed at once: ways to cut one phrase into tokens."""

_LONGEST: Final = 12
_LETTERS: Final = 40
"""Tokens and letters of a phrase."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a recognizer makes of a piece of sound.

    Attributes:
        score: Mean natural log-probability of the phrase's tokens, at most 0; minus infinity if it can't be written.
        free: That of the likeliest words.
        words: The likeliest words, in spoken form.
        phrase: What is looked for.
    """

    score: float
    free: float
    words: str
    phrase: str

    @property
    def confirms(self) -> bool:
        """Whether the phrase was said."""
        if self.score < LEAST:
            return False
        other = f" {self.phrase} " not in f" {self.words} "
        return not (other and self.free >= SURE and self.score < self.free - MARGIN)


class MoonshineCheck:
    """`WakeCheck` by the likelihood of the phrase, and of other words, under Moonshine tiny.

    A look takes 25 ms of CPU on one x86 core. Its encoder is the packaged one, not that of speech-to-text, which makes
    other words likelier, too: of 129 people in kitchen noise at 5 dB 98.1 % are heard with the one, 96.9 with that.

    Args:
        threads: See `device.speech.moonshine_model.shared`.

    Raises:
        EngineMissing: The package or its model files are not installed.
    """

    def __init__(self, threads: int = 2) -> None:
        self._model = shared(threads, packaged_folder() / PACKAGED)
        self._lattices: dict[str, Lattice] = {}

    def confirms(self, phrase: str, pcm: Pcm) -> bool:
        """See `WakeCheck.confirms`."""
        return self.look(phrase, pcm).confirms

    def look(self, phrase: str, pcm: Pcm) -> Look:
        """Compare a phrase in spoken form with 16 kHz mono sound, at the end of which it may have been said."""
        if phrase not in self._lattices:
            self._lattices[phrase] = Lattice(Sentences(Grammar({}, {}), phrases=[phrase]), self._model.vocabulary)
        decoded = search(
            self._model.listen(pcm.astype(np.float32) / np.float32(32768), _WIDTH + 1),
            self._lattices[phrase],
            bos=BOS,
            eos=EOS,
            width=_WIDTH,
            longest=_LONGEST,
            letters=_LETTERS,
        )
        score = max((found.likelihood for found in decoded.found), default=-np.inf)
        return Look(score, decoded.free_score, spoken(self._model.text(decoded.free)), phrase)


class CheckedWake:
    """`WakeEngine` that says only what a check confirms, a little later, see `LOOKS`.

    Args:
        engine: Hears words.
        check: Looks at them again.
    """

    def __init__(self, engine: WakeEngine, check: WakeCheck) -> None:
        self._engine = engine
        self._check = check
        self.capabilities: WakeCapabilities = engine.capabilities
        self._recent: Pcm = np.zeros(0, np.int16)
        self._phrase: str | None = None
        self._since = 0

    @property
    def late(self) -> int:
        """See `WakeEngine.late`. The first look is none too late: at the thresholds of `CHECKED` networks wake sooner.

        By 90 ms in the median of 71 recordings and voices, against 128 ms that it takes.
        """
        return max(0, self._since - LOOKS[0])

    def process(self, frame: Pcm) -> str | None:
        """See `WakeEngine.process`; the check is made before it returns."""
        heard: str | None = None
        for begin in range(0, len(frame), FRAME):
            heard = self._step(frame[begin : begin + FRAME]) or heard
        return heard

    def reset(self) -> None:
        """See `WakeEngine.reset`."""
        self._engine.reset()
        self._recent = self._recent[:0]
        self._phrase = None

    def _step(self, frame: Pcm) -> str | None:
        """Take at most `FRAME` samples."""
        self._recent = np.concatenate([self._recent, frame])[-round(SECONDS * SAMPLE_RATE) :]
        heard = self._engine.process(frame)
        if self._phrase is None:
            if heard:
                self._phrase, self._since = heard, 0
            return None
        before, self._since = self._since, self._since + len(frame)
        if not any(before < look <= self._since for look in LOOKS):
            return None
        phrase = self._phrase
        confirmed = self._check.confirms(phrase, self._recent)
        if confirmed or self._since >= LOOKS[-1]:
            self._phrase = None
        return phrase if confirmed else None
