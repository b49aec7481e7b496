"""Moonshine tiny (Jeffries et al. 2024, arXiv:2410.15608): the embedded speech-to-text engine.

The model files come with the `moonshine-voice` package, whose own native library is neither loaded nor needed.
A 27 M parameter encoder-decoder whose cost grows with the length of the utterance, unlike Whisper's fixed 30 s.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from device.audio.level import snr_db
from device.audio.ports import SAMPLE_RATE
from device.nlu.text import spoken
from device.speech.bias.beam import search
from device.speech.bias.sentences import Sentences
from device.speech.bias.tokens import Lattice
from device.speech.buffered import BufferedStt
from device.speech.moonshine_model import BOS, EOS, SHIPPED, MoonshineModel, shared
from device.speech.ports import Hypothesis, SttCapabilities, Transcript, VadEngine

MAX_TOKENS_PER_SECOND: Final = 6.5
"""Faster "speech" is a decoder that repeats itself; the limit of the model's authors."""

LETTERS_PER_SECOND: Final = 22
"""Nobody says more: half of the commands of 119 recordings have under 14, none over 20."""

SPARE_TOKENS, SPARE_LETTERS = 4, 8
"""Beyond these rates, for the shortest words."""

MIN_CONFIDENCE: Final = 0.4
"""Mean token probability below which words of free decoding are taken for noise."""

HYPOTHESES: Final = 8
"""Sentences of a bias that are reported."""


class MoonshineStt(BufferedStt):
    """`SttEngine` over Moonshine tiny English, with constrained decoding where it is told what can be said.

    Args:
        threads: Threads of each decoding step.
        encoder: See `MoonshineModel`.
        folder: See `MoonshineModel`.
        vad: See `BufferedStt`.
        width: Hypotheses that are followed at once; 8 take two thirds of the time of 16 and lose two of a hundred
            commands in noise.

    Raises:
        EngineMissing: The package or its model files are not installed.
    """

    name = "moonshine"
    capabilities = SttCapabilities(streaming=False, partials=False, bias=True, language="en")

    def __init__(
        self,
        threads: int = 2,
        encoder: Path = SHIPPED,
        folder: Path | None = None,
        vad: VadEngine | None = None,
        width: int = 16,
    ) -> None:
        super().__init__(vad)
        self._model = MoonshineModel(threads, encoder, folder) if folder else shared(threads, encoder)
        self._width = width
        self._lattices: WeakKeyDictionary[Sentences, Lattice] = WeakKeyDictionary()

    def decode(self, samples: NDArray[np.float32], bias: Sentences | None) -> Transcript:
        """See `BufferedStt.decode`; the confidence is the geometric mean of the token probabilities."""
        seconds = len(samples) / SAMPLE_RATE
        decoded = search(
            self._model.listen(samples, self._width + 1),
            self._lattice(bias) if bias else None,
            bos=BOS,
            eos=EOS,
            width=self._width,
            longest=math.ceil(seconds * MAX_TOKENS_PER_SECOND) + SPARE_TOKENS,
            letters=round(seconds * LETTERS_PER_SECOND) + SPARE_LETTERS,
        )
        confidence = math.exp(decoded.free_score)
        text = self._model.text(decoded.free) if confidence >= MIN_CONFIDENCE else ""
        heard: dict[str, Hypothesis] = {}
        for found in decoded.found[:HYPOTHESES]:
            words = spoken(" ".join(found.words))  # free words may come in pieces: "p", "m"
            heard.setdefault(words, Hypothesis(words, found.likelihood, found.worst, found.free, found.by_word))
        if not text and not heard:
            return Transcript("")
        return Transcript(text, confidence, tuple(heard.values()), snr_db(samples))

    def _lattice(self, bias: Sentences) -> Lattice:
        lattice = self._lattices.get(bias)
        if lattice is None:
            lattice = self._lattices[bias] = Lattice(bias, self._model.vocabulary)
        lattice.trim()
        return lattice
