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

from device.nlu.phonemes import Sounds
from device.nlu.phonetics import distance
from device.nlu.text import spoken
from device.speech.ports import Transcript

Weights: TypeAlias = tuple[float, ...]
"""Of the log-odds that the best sentence was said: the constant, then one for each of `features`."""

Pronounce: TypeAlias = Callable[[Sequence[str]], Sequence[Sounds]]
"""Phonemes of each of some words."""

FEATURES: Final = (
    "score", "free decoding", "worst token", "SNR", "words", "breadth", "silence", "words more", "words fewer",
    "lead", "difference in sound",
)  # fmt: skip

CLOSED: Final[Weights] = (14.1, 2.81, -4.1, 0.795, -0.0426, -0.163, -0.708, -0.586, 0.0847, -0.576, 0.284, -1.15)
"""For sentences of which every word is in the grammar."""

FREE: Final[Weights] = (5.55, 3.31, -1.3, 0.306, 0.016, -0.43, 0.0, 3.33, 0.158, -1.03, 2.32, 0.0667)
"""For sentences with free words: these fit anything, so that less can be told."""

BELIEVED: Final = (0.08, 0.48)
"""Probabilities from which the sentence is taken, where noise is as loud as `LOUD` and where it is as faint as `FAINT`.
In loud noise it is more often a command that is in doubt than anything else, and who is turned away there is so again.
"""

LOUD, FAINT = 18.0, 23.0
"""dB of estimated signal-to-noise ratio: what is mixed at 6 dB, and at 12 dB, since pauses of speech count as noise."""

MAX_SNR: Final = 30.0
"""dB above which less noise makes no difference."""

MAX_MORE: Final = 5.0
"""Words of difference between the two above which more make no difference."""

MAX_APART: Final = 3.0
"""Wrong phonemes above which more make no difference; "ice smoker" is one from "iced mocha"."""

MAX_LEAD: Final = 3.0
"""Lead of the best sentence's score over the next above which more makes no difference; so does a next that is none."""

MAX_WORDS: Final = 8.0
"""Words above which a longer sentence makes no difference."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is believed.

    Attributes:
        text: Its words; as the recognizer writes them where both are the same.
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
        pronounce: How words sound.
    """
    if not heard.hypotheses:
        return Choice(heard.text, False, 0.0)
    best = heard.hypotheses[0]
    if best.text == spoken(heard.text):
        return Choice(heard.text, True, 1.0)
    weights = FREE if best.free else CLOSED
    probability = 1.0 / (1.0 + math.exp(-log_odds(features(heard, breadth, pronounce), weights)))
    sentence = probability >= believed(heard.snr_db)
    return Choice(best.text if sentence else heard.text, sentence, probability)


def believed(snr_db: float | None) -> float:
    """Probability from which a sentence is taken, at an estimated signal-to-noise ratio; None for no noise."""
    share = 1.0 if snr_db is None else min(1.0, max(0.0, (snr_db - LOUD) / (FAINT - LOUD)))
    return BELIEVED[0] + share * (BELIEVED[1] - BELIEVED[0])


def features(heard: Transcript, breadth: int, pronounce: Pronounce) -> tuple[float, ...]:
    """What the weights weigh, of a transcript with hypotheses, as `FEATURES` names it."""
    best = heard.hypotheses[0]
    free = math.log(heard.confidence) if heard.confidence else best.score
    snr = MAX_SNR if heard.snr_db is None else min(MAX_SNR, heard.snr_db)
    words = len(best.text.split())
    more = len(spoken(heard.text).split()) - words  # a near miss leaves a word out, noise changes some
    doubt = best.score, free, max(best.worst, -20.0), snr
    apart = float(not heard.text), min(MAX_MORE, max(0.0, more)), min(MAX_MORE, max(0.0, -more))
    lead = min(MAX_LEAD, best.score - heard.hypotheses[1].score) if len(heard.hypotheses) > 1 else MAX_LEAD
    sounds = (tuple(chain(*pronounce(spoken(text).split()))) for text in (heard.text, best.text))
    return *doubt, min(MAX_WORDS, words), math.log(max(1, breadth)), *apart, lead, min(MAX_APART, distance(*sounds))


def log_odds(values: tuple[float, ...], weights: Weights) -> float:
    """Log-odds that the best hypothesis was said."""
    constant, *others = weights
    return max(-50.0, constant + sum(weight * value for weight, value in zip(others, values, strict=True)))
