"""What understanding produces: interpretations that carry their reasons.

Plain frozen data, no behaviour; everything downstream (dialogue, skills, JSON) reads these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Literal, TypeAlias

OOS = "oos"
"""Intent of everything that the device can't do."""


class Act(StrEnum):
    """What an utterance does in the dialogue; labels of the model's act head, in this order."""

    COMMAND = "command"
    INFORM = "inform"
    AFFIRM = "affirm"
    DENY = "deny"
    CORRECT = "correct"
    CANCEL = "cancel"
    REPEAT = "repeat"
    SELECT = "select"


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A clock time as spoken; `ambiguous` when "seven" could be morning or evening."""

    time: time
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class DateValue:
    """A calendar day, or an inclusive span of days ("this weekend")."""

    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Moment:
    """An offset from now ("in ten minutes"), used where a time or date slot holds one."""

    offset: timedelta


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A repetition as an RFC 5545 rule without DTSTART, such as `FREQ=WEEKLY;BYDAY=MO,TU`.

    `time` is set when the words held one ("every weekday at half past six").
    """

    rrule: str
    time: TimeOfDay | None = None


@dataclass(frozen=True, slots=True)
class Color:
    """A colour by its English name and sRGB value `#rrggbb`."""

    name: str
    rgb: str


@dataclass(frozen=True, slots=True)
class Temperature:
    """Degrees; `unit` is "C", "F" or "" when not said."""

    degrees: float
    unit: Literal["C", "F", ""]


@dataclass(frozen=True, slots=True)
class Percent:
    """0 to 100 (or beyond, when that was said)."""

    percent: float


Value: TypeAlias = (
    str | float | int | timedelta | TimeOfDay | DateValue | Moment | Recurrence | Color | Temperature | Percent
)
"""A resolved slot. Numbers are float or int, durations timedelta, names and free text str."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One filled slot.

    Attributes:
        text: The words as heard.
        value: Resolved value; None when the words could not be resolved.
    """

    text: str
    value: Value | None = None


Slots: TypeAlias = Mapping[str, Slot]

Source: TypeAlias = Literal["grammar", "sound", "model", "dialogue"]


@dataclass(frozen=True, slots=True)
class Interpretation:
    """One way to understand one command.

    Attributes:
        intent: `skill.intent`, or `oos`.
        slots: Slot name to slot.
        confidence: 0 to 1, calibrated for `model`, 1 for an exact grammar match.
        source: Who said so: exact grammar, nearest by sound, the model, or the dialogue's own state.
        act: What the utterance does in the dialogue.
        text: The words of this command.
        reasons: Short sentences that explain the decision, best first.
    """

    intent: str
    slots: Slots = field(default_factory=dict)
    confidence: float = 1.0
    source: Source = "model"
    act: Act = Act.COMMAND
    text: str = ""
    reasons: tuple[str, ...] = ()
