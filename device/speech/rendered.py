"""What all text-to-speech engines share: sentence by sentence, a cache, the house's sample rate, no dead air."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Final

import numpy as np
import soxr

from device.audio.ports import SAMPLE_RATE, Pcm
from device.speech.ports import TtsCapabilities
from device.speech.sentences import speech_parts
from device.speech.tts_cache import PcmCache

CACHE_BYTES: Final = 4 * 1024 * 1024
"""Two minutes of speech."""

_QUIET: Final = 100
"""Amplitude (-50 dB) below which the edges of a sentence count as silence."""

_LEAD: Final = SAMPLE_RATE // 100
_PAUSE: Final = SAMPLE_RATE // 5
"""Silence left before (10 ms) and after (200 ms) a sentence."""


class RenderedTts(ABC):
    """Implements `TtsEngine` for an engine that renders one sentence at a time.

    Args:
        cache_bytes: Bound of the cache of rendered sentences.
    """

    name: str
    capabilities: TtsCapabilities

    def __init__(self, cache_bytes: int = CACHE_BYTES) -> None:
        self._cache = PcmCache(cache_bytes)

    @abstractmethod
    def render(self, sentence: str) -> tuple[Pcm, int]:
        """Render one sentence to int16 PCM of shape [n] and say its sample rate.

        Raises:
            EngineFailed: The engine broke; the next call may succeed.
        """

    def synthesize(self, text: str) -> Iterator[Pcm]:
        """See `TtsEngine.synthesize`; what holds neither letter nor digit is not spoken."""
        for sentence in speech_parts(_speakable(text)):
            pcm = self._cache.get(sentence)
            if pcm is None:
                rendered, rate = self.render(sentence)
                pcm = trim(soxr.resample(rendered, rate, SAMPLE_RATE) if rate != SAMPLE_RATE else rendered)
                self._cache.put(sentence, pcm)
            if len(pcm):
                yield pcm


def trim(pcm: Pcm) -> Pcm:
    """Cut the silence of 16 kHz PCM to 10 ms before and pad or cut it to 200 ms after the sound."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > _QUIET)
    if not len(loud):
        return pcm[:0]
    sound = pcm[max(0, loud[0] - _LEAD) : loud[-1] + 1]
    return np.concatenate([sound, np.zeros(_PAUSE, np.int16)])


def _speakable(text: str) -> str:
    """`text` without control and unassigned characters, which some engines choke on."""
    return "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else " " for c in text)
