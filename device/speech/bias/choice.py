"""Which of the two a person said: a sentence that can be said, or the words of free decoding.

A recognizer finds the nearest of the sentences that can be said whatever was said; how likely it finds it tells the one
case from the other. The weights are those of logistic regressions over commands, near misses and foreign speech, clean
and in noise: `homebody evaluate choice` fits them anew.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

from device.nlu.text import spoken
from device.speech.ports import Transcript

Weights: TypeAlias = tuple[float, ...]
"""Of the log-odds that the best sentence was said: the constant, then one for each of `features`."""

FEATURES: Final = ("score", "free decoding", "worst token", "SNR", "words", "breadth")

CLOSED: Final[Weights] = (13.5, 4.08, -0.06, 0.557, -0.071, -0.101, -0.737)
"""For sentences of which every word is in the grammar."""

FREE: Final[Weights] = (9.27, 4.39, -0.7, 0.08, 0.015, -0.89, 0.0)
"""For sentences with free words: these fit anything, so that less can be told."""

BELIEVED: Final = 0.35
"""Probability from which the sentence is taken: to turn a command away is worse than to hear free words as one. In the
data of the regression 4 % of near misses are taken at 12 dB, 1 % of foreign speech, and 1 % of commands is not."""

MAX_SNR: Final = 30.0
"""dB above which less noise makes no difference."""

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


def choose(heard: Transcript, breadth: int) -> Choice:
    """Choose between the best hypothesis and free decoding.

    Args:
        heard: With hypotheses, if there are any.
        breadth: Of the sentences that can be said, `Sentences.breadth`.
    """
    if not heard.hypotheses:
        return Choice(heard.text, False, 0.0)
    best = heard.hypotheses[0]
    if best.text == spoken(heard.text):
        return Choice(best.text, True, 1.0)
    weights = FREE if best.free else CLOSED
    probability = 1.0 / (1.0 + math.exp(-log_odds(features(heard, breadth), weights)))
    return Choice(best.text, True, probability) if probability >= BELIEVED else Choice(heard.text, False, probability)


def features(heard: Transcript, breadth: int) -> tuple[float, ...]:
    """What the weights weigh, of a transcript with hypotheses, as `FEATURES` names it."""
    best = heard.hypotheses[0]
    free = math.log(heard.confidence) if heard.confidence else best.score
    snr = MAX_SNR if heard.snr_db is None else min(MAX_SNR, heard.snr_db)
    words = min(MAX_WORDS, len(best.text.split()))
    return best.score, free, max(best.worst, -20.0), snr, float(words), math.log(max(1, breadth))


def log_odds(values: tuple[float, ...], weights: Weights) -> float:
    """Log-odds that the best hypothesis was said."""
    constant, *others = weights
    return max(-50.0, constant + sum(weight * value for weight, value in zip(others, values, strict=True)))
