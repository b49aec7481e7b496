"""Which of the two a person said: a sentence that can be said, or the words of free decoding.

The recognizer prefers free words, if only by a little, whatever was said; how much it prefers them tells the one case
from the other, and noise makes everything less likely. The weights are those of a logistic regression.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from device.nlu.text import spoken
from device.speech.ports import Transcript


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the log-odds that the best sentence was said.

    Attributes:
        bias: Log-odds where all else is zero.
        score: Of the sentence's mean log-probability a token.
        gap: Of how much that is below free decoding's; 0 or less.
        snr: Of the signal-to-noise ratio in dB, at most `MAX_SNR`.
    """

    bias: float
    score: float
    gap: float
    snr: float


MAX_SNR: Final = 30.0
"""dB above which less noise makes no difference."""

WEIGHTS: Final = Weights(bias=6.0, score=1.0, gap=4.0, snr=-0.08)


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


def choose(heard: Transcript, weights: Weights = WEIGHTS) -> Choice:
    """Choose between the best hypothesis and free decoding."""
    if not heard.hypotheses:
        return Choice(heard.text, False, 0.0)
    best = heard.hypotheses[0]
    if best.text == spoken(heard.text):
        return Choice(best.text, True, 1.0)
    probability = _logistic(log_odds(heard, weights))
    return Choice(best.text, True, probability) if probability >= 0.5 else Choice(heard.text, False, probability)


def features(heard: Transcript) -> tuple[float, float, float]:
    """Score, gap and SNR of a transcript with hypotheses, as `Weights` weighs them."""
    score = heard.hypotheses[0].score
    free = math.log(heard.confidence) if heard.confidence else score
    return score, score - free, min(MAX_SNR, heard.snr_db if heard.snr_db is not None else MAX_SNR)


def log_odds(heard: Transcript, weights: Weights = WEIGHTS) -> float:
    """Log-odds that the best hypothesis was said."""
    score, gap, snr = features(heard)
    return weights.bias + weights.score * score + weights.gap * gap + weights.snr * snr


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))
