"""Whether what was heard so far is all that will be said: how long a pause has to last depends on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from device.nlu.pack import IntentSpec
from device.nlu.types import Act, Interpretation
from device.speech.bias.sentences import Sentences


class Completeness(StrEnum):
    """What the words so far are.

    Attributes:
        WHOLE: All of a command, and nothing belongs to it that could follow.
        OPEN: A command, but more may follow: "turn on the light | in the kitchen".
        PART: Only the beginning of something: "set a timer for".
        UNKNOWN: None of these for sure.
    """

    WHOLE = "whole"
    OPEN = "open"
    PART = "part"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SoFar:
    """What was said until now.

    Attributes:
        heard: Words of free decoding, in spoken form.
        believed: Words that are believed to have been said, in spoken form.
        readings: What these mean.
        asked: A question is open.
    """

    heard: Sequence[str]
    believed: Sequence[str]
    readings: Sequence[Interpretation]
    asked: bool


def completeness(said: SoFar, sentences: Sentences, specs: Mapping[str, IntentSpec]) -> Completeness:
    """What the words so far are.

    Free decoding is asked first whether they only begin something: a recognizer that is told what can be said finds a
    whole sentence in half of one.

    Args:
        said: What was said until now.
        sentences: What can be said.
        specs: Intents by full name.
    """
    complete = bool(said.readings) and all(_lacks_nothing(reading, said.asked, specs) for reading in said.readings)
    if sentences.begins(said.heard) and not (complete and said.believed == said.heard):
        return Completeness.PART
    if not complete:
        return Completeness.UNKNOWN
    plain_yes = said.readings[0].act is Act.AFFIRM
    return Completeness.OPEN if sentences.goes_on(said.believed) and not plain_yes else Completeness.WHOLE


def _lacks_nothing(reading: Interpretation, asked: bool, specs: Mapping[str, IntentSpec]) -> bool:
    """Whether every word is a known one, and nothing would be asked back."""
    if reading.confidence < 1.0:
        return False
    if reading.source == "dialogue":  # "no" may go on: "no, the other one"
        return reading.act in (Act.SELECT, Act.CANCEL, Act.REPEAT) or (reading.act is Act.AFFIRM and asked)
    if reading.source != "grammar":
        return False
    required = (name for name, slot in specs[reading.intent].slots.items() if slot.required)
    return all(name in reading.slots for name in required)
