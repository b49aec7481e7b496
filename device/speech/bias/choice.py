"""Which of the two a person said: a sentence that can be said, or the words of free decoding.

A recognizer finds the nearest of the sentences that can be said whatever was said; how likely it finds it tells the one
case from the other. The weights are those of logistic regressions over commands, near misses and foreign speech, clean
and in noise: `homebody evaluate choice` fits them anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple, TypeAlias

from device.nlu.phonemes import Sounds
from device.nlu.phonetics import distances
from device.nlu.text import spoken
from device.speech.ports import Transcript

Weights: TypeAlias = tuple[float, ...]
"""Of the log-odds that the best sentence was said: the constant, then one for each of `features`."""

FEATURES: Final = (
    "score", "free decoding", "worst token", "SNR", "words", "breadth", "silence", "words more", "words fewer",
    "lead", "slots in sound", "others in sound", "worst of slots", "worst of others",
)  # fmt: skip

CLOSED: Final[Weights] = (
    14.3, 3.06, -2.34, 0.851, -0.0831, -0.302, -0.936, 0.823, -0.206, -0.501, 0.648, -0.256, -0.0891, 0.0649, -0.345
)  # fmt: skip
"""For sentences of which every word is in the grammar."""

FREE: Final[Weights] = (5.55, 3.31, -1.3, 0.306, 0.016, -0.43, 0.0, 3.33, 0.158, -1.03, 2.32, 0.0667, 0.0667, 0.0, 0.0)
"""For sentences with free words: these fit anything, so that less can be told."""

BELIEVED: Final = (0.08, 0.5)
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


MIN_WORST: Final = -20.0
"""Log-probability of a token below which less makes no difference."""


class Known(NamedTuple):
    """What can be said, as far as the choice asks.

    Attributes:
        breadth: `Sentences.breadth`.
        pronounce: Phonemes of each of some words.
        slots: Positions of the words of a sentence that fill slots.
    """

    breadth: int
    pronounce: Callable[[Sequence[str]], Sequence[Sounds]]
    slots: Callable[[Sequence[str]], Container[int]]


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


def choose(heard: Transcript, known: Known) -> Choice:
    """Choose between the best hypothesis and free decoding.

    Args:
        heard: With hypotheses, if there are any.
        known: What can be said.
    """
    if not heard.hypotheses:
        return Choice(heard.text, False, 0.0)
    best = heard.hypotheses[0]
    if best.text == spoken(heard.text):
        return Choice(heard.text, True, 1.0)
    weights = FREE if best.free else CLOSED
    probability = 1.0 / (1.0 + math.exp(-log_odds(features(heard, known), weights)))
    sentence = probability >= believed(heard.snr_db)
    return Choice(best.text if sentence else heard.text, sentence, probability)


def believed(snr_db: float | None) -> float:
    """Probability from which a sentence is taken, at an estimated signal-to-noise ratio; None for no noise."""
    share = 1.0 if snr_db is None else min(1.0, max(0.0, (snr_db - LOUD) / (FAINT - LOUD)))
    return BELIEVED[0] + share * (BELIEVED[1] - BELIEVED[0])


def features(heard: Transcript, known: Known) -> tuple[float, ...]:
    """What the weights weigh, of a transcript with hypotheses, as `FEATURES` names it."""
    best = heard.hypotheses[0]
    free = math.log(heard.confidence) if heard.confidence else best.score
    snr = MAX_SNR if heard.snr_db is None else min(MAX_SNR, heard.snr_db)
    words = best.text.split()
    more = len(spoken(heard.text).split()) - len(words)  # a near miss leaves a word out, noise changes some
    lead = min(MAX_LEAD, best.score - heard.hypotheses[1].score) if len(heard.hypotheses) > 1 else MAX_LEAD
    return (
        *(
            best.score,
            free,
            max(best.worst, MIN_WORST),
            snr,
            min(MAX_WORDS, len(words)),
            math.log(max(1, known.breadth)),
        ),
        *(float(not heard.text), min(MAX_MORE, max(0.0, more)), min(MAX_MORE, max(0.0, -more)), lead),
        *_slots_and_others(heard, known),
    )


def _slots_and_others(heard: Transcript, known: Known) -> tuple[float, ...]:
    """Where doubts lie: a near miss has them in a slot alone, a wrong word of the phrase itself changes nothing."""
    best = heard.hypotheses[0]
    words = best.text.split()
    slots = known.slots(words)
    meant = [(sound, place in slots) for place, sounds in enumerate(known.pronounce(words)) for sound in sounds]
    said = tuple(chain(*known.pronounce(spoken(heard.text).split())))
    apart = distances(said, [sound for sound, _ in meant], [slot for _, slot in meant])
    worst = [0.0, 0.0]
    for place, scores in enumerate(best.by_word):
        kind = 0 if place in slots else 1
        worst[kind] = min((worst[kind], *scores))
    return *(min(MAX_APART, each) for each in apart), *(max(MIN_WORST, each) for each in worst)


def log_odds(values: tuple[float, ...], weights: Weights) -> float:
    """Log-odds that the best hypothesis was said."""
    constant, *others = weights
    return max(-50.0, constant + sum(weight * value for weight, value in zip(others, values, strict=True)))
