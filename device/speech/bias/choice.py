"""Which of the two a person said: a sentence that can be said, or the words of free decoding.

A recognizer finds the nearest of the sentences that can be said whatever was said; how likely it finds it tells the one
case from the other. The weights are those of logistic regressions over commands, near misses and foreign speech, clean
and in noise: `homebody evaluate choice` fits them anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeAlias

from device.nlu.phonetics import Sounds, differences
from device.nlu.text import spoken
from device.speech.ports import Transcript

Weights: TypeAlias = tuple[float, ...]
"""Of the log-odds that the best sentence was said: the constant, then one for each of `features`."""

Pronounce: TypeAlias = Callable[[Sequence[str]], Sequence[Sounds]]
"""Phonemes of each of some words."""

FEATURES: Final = ("score", "free decoding", "worst token", "SNR", "words", "breadth", "differences", "densest")

CLOSED: Final[Weights] = (10.2, 3.08, -5.31, 0.875, -0.0754, 0.0181, -0.13, -0.408, -0.438)
"""For sentences of which every word is in the grammar."""

FREE: Final[Weights] = (8.39, 4.11, -2.07, 0.0153, -0.0115, -0.707, 0.0, -0.256, 0.507)
"""For sentences with free words: these fit anything, so that less can be told."""

BELIEVED: Final = 0.38
"""Probability from which the sentence is taken: to turn a command away is worse than to hear free words as one. In the
data of the regression 4 % of near misses are taken at 12 dB, 1 % of foreign speech, and 1 % of commands is not."""

MAX_SNR: Final = 30.0
"""dB above which less noise makes no difference."""

MAX_APART: Final = 12.0
"""Weighted phonemes above which a greater difference makes no difference."""

USUAL: Final = 0.4
"""Difference of a phoneme that noise makes, too."""

MAX_WORDS: Final = 8
"""Words above which a longer sentence makes no difference."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is believed.

    Attributes:
        text: Its words.
        sentence: It is a sentence that can be said.
        probability: That the best of these was said, 0 to 1; 0 where there was none.
    """

    text: str
    sentence: bool
    probability: float


def choose(heard: Transcript, breadth: int, pronounce: Pronounce) -> Choice:
    """Choose between the best hypothesis and free decoding.

    Args:
        heard: With hypotheses, if there are any.
        breadth: Of the sentences that can be said, `Sentences.breadth`.
        pronounce: How the two sound.
    """
    if not heard.hypotheses:
        return Choice(heard.text, False, 0.0)
    best = heard.hypotheses[0]
    if best.text == spoken(heard.text):
        return Choice(best.text, True, 1.0)
    weights = FREE if best.free else CLOSED
    probability = 1.0 / (1.0 + math.exp(-log_odds(features(heard, breadth, pronounce), weights)))
    return Choice(best.text, True, probability) if probability >= BELIEVED else Choice(heard.text, False, probability)


def features(heard: Transcript, breadth: int, pronounce: Pronounce) -> tuple[float, ...]:
    """What the weights weigh, of a transcript with hypotheses, as `FEATURES` names it."""
    best = heard.hypotheses[0]
    apart = differences(*(tuple(chain(*pronounce(spoken(text).split()))) for text in (heard.text, best.text)))
    free = math.log(heard.confidence) if heard.confidence else best.score
    snr = MAX_SNR if heard.snr_db is None else min(MAX_SNR, heard.snr_db)
    words = min(MAX_WORDS, len(best.text.split()))
    doubt = best.score, free, max(best.worst, -20.0), snr, float(words), math.log(max(1, breadth))
    return *doubt, min(MAX_APART, sum(apart)), min(MAX_APART, densest(apart))


def densest(apart: Sequence[float]) -> float:
    """The most that differs in one place: another word, where noise differs a little all over.

    Args:
        apart: Costs of the steps of an alignment, see `device.nlu.phonetics.differences`.

    Returns:
        Largest sum of neighbouring steps, each less `USUAL` (Kadane's algorithm); 0 at least.
    """
    most = here = 0.0
    for each in apart:
        here = max(0.0, here + each - USUAL)
        most = max(most, here)
    return most


def log_odds(values: tuple[float, ...], weights: Weights) -> float:
    """Log-odds that the best hypothesis was said."""
    constant, *others = weights
    return max(-50.0, constant + sum(weight * value for weight, value in zip(others, values, strict=True)))
