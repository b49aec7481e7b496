"""How alike two phonemes sound: articulatory features, weighted.

Feature values and their relative weights are those of ALINE (Kondrak 2002, "Algorithms for Language
Reconstruction", tables 4.28 to 4.30), which takes them from the IPA chart and Ladefoged. Scale, costs of left-out
and added phonemes, and the few pairs across classes were set on speech recognizers' errors on recorded commands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Costs = npt.NDArray[np.float32]


class _Consonant(NamedTuple):
    """Place 1 (lips) to 0 (glottis), manner 1 (stop) to 0.6 (approximant); the rest 0 or 1."""

    place: float
    manner: float
    voice: float = 0.0
    nasal: float = 0.0
    lateral: float = 0.0
    retroflex: float = 0.0


class _Vowel(NamedTuple):
    """High 1 to low 0, front 1 to back 0; rounded, retroflex (r-coloured)."""

    high: float
    back: float
    round: float = 0.0
    retroflex: float = 0.0


_CONSONANT_WEIGHTS: Final = np.array([40, 50, 10, 10, 10, 10])
_VOWEL_WEIGHTS: Final = np.array([5, 5, 5, 10])
_CONSONANT_SCALE: Final = 40.0
_VOWEL_SCALE: Final = 15.0

_CONSONANTS: Final = {
    "p": _Consonant(1.0, 1.0), "b": _Consonant(1.0, 1.0, 1), "m": _Consonant(1.0, 1.0, 1, nasal=1),
    "f": _Consonant(0.95, 0.8), "v": _Consonant(0.95, 0.8, 1), "θ": _Consonant(0.9, 0.8), "ð": _Consonant(0.9, 0.8, 1),
    "t": _Consonant(0.85, 1.0), "d": _Consonant(0.85, 1.0, 1), "n": _Consonant(0.85, 1.0, 1, nasal=1),
    "s": _Consonant(0.85, 0.8), "z": _Consonant(0.85, 0.8, 1), "l": _Consonant(0.85, 0.6, 1, lateral=1),
    "ɹ": _Consonant(0.8, 0.6, 1, retroflex=1), "tʃ": _Consonant(0.75, 0.9), "dʒ": _Consonant(0.75, 0.9, 1),
    "ʃ": _Consonant(0.75, 0.8), "ʒ": _Consonant(0.75, 0.8, 1), "j": _Consonant(0.7, 0.6, 1),
    "k": _Consonant(0.6, 1.0), "ɡ": _Consonant(0.6, 1.0, 1), "ŋ": _Consonant(0.6, 1.0, 1, nasal=1),
    "w": _Consonant(0.8, 0.6, 1), "h": _Consonant(0.1, 0.8),
}  # fmt: skip
_VOWELS: Final = {
    "i": _Vowel(1.0, 1.0), "ɪ": _Vowel(0.9, 0.9), "ɛ": _Vowel(0.5, 1.0), "æ": _Vowel(0.0, 1.0), "ə": _Vowel(0.5, 0.5),
    "ʌ": _Vowel(0.4, 0.4), "ɚ": _Vowel(0.5, 0.5, retroflex=1), "ɑ": _Vowel(0.0, 0.0), "ɔ": _Vowel(0.4, 0.0, 1),
    "ʊ": _Vowel(0.9, 0.1, 1), "u": _Vowel(1.0, 0.0, 1),
}  # fmt: skip
_DIPHTHONGS: Final = {"aɪ": ("ɑ", "ɪ"), "eɪ": ("ɛ", "ɪ"), "oʊ": ("ɔ", "ʊ"), "aʊ": ("ɑ", "ʊ"), "ɔɪ": ("ɔ", "ɪ")}

PHONEMES: Final = (*_CONSONANTS, *_VOWELS, *_DIPHTHONGS)
"""The inventory of General American as used here; length and stress are left out."""
INDEX: Final = {phoneme: i for i, phoneme in enumerate(PHONEMES)}

_ALIKE: Final = {
    "r": "ɹ", "ɜ": "ɚ", "ɝ": "ɚ", "ɐ": "ə", "ᵻ": "ɪ", "ɾ": "d", "ʔ": "t", "a": "ɑ", "e": "eɪ", "o": "oʊ", "ɒ": "ɑ",
    "x": "k", "ʲ": "j", "y": "u", "ø": "ɚ", "g": "ɡ", "ɫ": "l", "ɬ": "l", "ɲ": "n", "ç": "ʃ",
}  # fmt: skip
"""Allophones and foreign sounds to the phoneme that speech recognizers hear them as."""
_SYMBOL: Final = re.compile("|".join(sorted({*PHONEMES, *_ALIKE}, key=len, reverse=True)))
_SWITCH: Final = re.compile(r"\([a-z-]+\)")  # espeak-ng marks words of another language as (fr)…(en)

_ACROSS: Final = {
    ("w", "u"): 0.3, ("w", "ʊ"): 0.3, ("j", "i"): 0.3, ("j", "ɪ"): 0.3, ("ɹ", "ɚ"): 0.3, ("l", "ʊ"): 0.5,
}  # fmt: skip
"""Consonants and vowels that are heard for each other; all other such pairs cost 1."""
_CONSONANT_INDEL: Final = 0.5
_VOWEL_INDEL: Final = 0.7
_WEAK_INDEL: Final = {
    "ə": 0.25, "t": 0.3, "d": 0.3, "h": 0.3, "ɪ": 0.35, "j": 0.35, "w": 0.4, "ɹ": 0.4, "l": 0.45, "n": 0.45,
}  # fmt: skip
"""Cost of a phoneme too many or too few: a full vowel is a syllable, weak sounds and final stops get lost easily."""


def phonemes(ipa: str) -> tuple[str, ...]:
    """Phonemes of the inventory in an IPA string; stress, length and unknown marks are dropped."""
    symbols = _SYMBOL.findall(_SWITCH.sub("", ipa))
    return tuple(_ALIKE.get(symbol, symbol) for symbol in symbols)


@lru_cache(maxsize=1)
def costs() -> tuple[Costs, Costs]:
    """Substitution costs and costs of a phoneme too many or too few.

    Returns:
        Symmetric matrix of shape (len(PHONEMES), len(PHONEMES)), 0 on the diagonal, at most 1; vector of shape
        (len(PHONEMES),). Both read-only.
    """
    count = len(PHONEMES)
    table = np.ones((count, count), np.float32)
    for a, first in enumerate(PHONEMES):
        for b, second in enumerate(PHONEMES):
            if first in _CONSONANTS and second in _CONSONANTS:
                difference = np.abs(np.subtract(_CONSONANTS[first], _CONSONANTS[second]))
                table[a, b] = min(1.0, float(_CONSONANT_WEIGHTS @ difference) / _CONSONANT_SCALE)
            elif first not in _CONSONANTS and second not in _CONSONANTS:
                difference = np.abs(_glide(first) - _glide(second)).mean(axis=0)
                table[a, b] = min(1.0, float(_VOWEL_WEIGHTS @ difference) / _VOWEL_SCALE)
    for (first, second), cost in _ACROSS.items():
        table[INDEX[first], INDEX[second]] = table[INDEX[second], INDEX[first]] = cost
    usual = [_CONSONANT_INDEL if phoneme in _CONSONANTS else _VOWEL_INDEL for phoneme in PHONEMES]
    indel = np.array(
        [_WEAK_INDEL.get(phoneme, cost) for phoneme, cost in zip(PHONEMES, usual, strict=True)], np.float32
    )
    table.setflags(write=False)
    indel.setflags(write=False)
    return table, indel


def distance(first: tuple[str, ...], second: tuple[str, ...]) -> float:
    """Weighted edit distance of two phoneme sequences (Wagner and Fischer 1974)."""
    return sum(distances(first, second, [False] * len(second)))


def distances(heard: Sequence[str], meant: Sequence[str], marked: Sequence[bool]) -> tuple[float, float]:
    """The weighted edit distance, as it falls on two kinds of phonemes.

    Args:
        heard: A phoneme sequence.
        meant: What it is compared with.
        marked: Of each phoneme of `meant` whether it is of the first kind.

    Returns:
        Cost at those that are marked, and at the others; a phoneme too many counts with the one before it.
    """
    table, indel = costs()
    kinds = [0 if mark else 1 for mark in marked]
    row: list[tuple[float, float, float]] = [(0.0, 0.0, 0.0)]  # the sum, and its two parts
    for phoneme, kind in zip(meant, kinds, strict=True):
        row.append(_plus(row[-1], float(indel[INDEX[phoneme]]), kind))
    for phoneme in heard:
        i = INDEX[phoneme]
        extra = float(indel[i])
        following = [_plus(row[0], extra, kinds[0] if kinds else 1)]
        for j, other in enumerate(meant):
            o, kind = INDEX[other], kinds[j]
            ways = (
                _plus(row[j], float(table[i, o]), kind),
                _plus(row[j + 1], extra, kind),
                _plus(following[j], float(indel[o]), kind),
            )
            following.append(min(ways))
        row = following
    return row[-1][1:]


def _plus(cost: tuple[float, float, float], more: float, kind: int) -> tuple[float, float, float]:
    total, marked, other = cost
    return (total + more, marked, other + more) if kind else (total + more, marked + more, other)


def _glide(vowel: str) -> npt.NDArray[np.float64]:
    """Where a vowel begins and ends, shape (2, 4)."""
    begin, end = _DIPHTHONGS.get(vowel, (vowel, vowel))
    return np.array([_VOWELS[begin], _VOWELS[end]], np.float64)
