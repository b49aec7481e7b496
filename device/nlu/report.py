"""What a device may tell the factory about one utterance: redacted words, what was understood, what was meant.

The one format of both sides. Who reads it trusts nothing: lengths, characters and choices are part of the types.
There is no time, no number of a device and no order in it.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from device.nlu.types import Source
from models.labels import Intent, Name

FORMAT: Final = 1

LONGEST: Final = 24
"""Words of a text; nobody gives a command that is longer, and talk is nobody's business."""

WITHHELD: Final = "withheld"
"""Stands for words that may be private and are of no known slot type."""

_PART = r"(?:[a-z][a-z']{0,39}|\{[a-z][a-z0-9_]{0,39}\})"
Words: TypeAlias = Annotated[str, Meta(pattern=rf"^{_PART}(?: {_PART})*\Z", max_length=400)]
"""Spoken form; `{room}` stands for the words of a slot of that type."""

Label: TypeAlias = Annotated[Intent, Meta(max_length=60)]
Sha256: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Line: TypeAlias = Annotated[str, Meta(max_length=80)]
Verdict: TypeAlias = Literal["wrong", "confirmed", "none"]
How: TypeAlias = Literal["corrected", "again", "taught"]
"""By "no, I meant ...", by saying it in other words, or by teaching a phrase."""


class Understood(Struct, frozen=True, forbid_unknown_fields=True):
    """What the device made of it.

    Attributes:
        intent: `skill.intent` or `oos`.
        slots: Types of the slots that were filled, sorted.
        route: What decided: exact grammar, the model, or nearest by sound.
        probability: 0 to 1, as `Interpretation.confidence`.
    """

    intent: Label
    slots: Annotated[tuple[Name, ...], Meta(max_length=20)]
    route: Source
    probability: Annotated[float, Meta(ge=0, le=1)]


class Meant(Struct, frozen=True, forbid_unknown_fields=True):
    """What the person wanted, as far as the next turns tell: a weak label.

    Attributes:
        intent: Of the command that succeeded in the end.
        text: Its words, redacted.
        how: How it is known.
    """

    intent: Label
    text: Words
    how: How


class UsedModel(Struct, frozen=True, forbid_unknown_fields=True):
    """The model bundle that a turn was understood with; `sha256` is that of its `model.onnx`."""

    name: Line
    version: Line
    sha256: Sha256


class Report(Struct, frozen=True, forbid_unknown_fields=True):
    """One utterance.

    Attributes:
        format: Of this layout.
        text: Its words, redacted.
        understood: What was made of it.
        failed: It was not understood, or could not be done.
        verdict: What the person said of it; a correction says "wrong".
        meant: What was wanted instead.
        model: None where the turn was taken without one.
    """

    format: Literal[1]
    text: Words
    understood: Understood
    failed: bool
    verdict: Verdict
    meant: Meant | None = None
    model: UsedModel | None = None


def encode(report: Report) -> bytes:
    """One line of a file, with its line feed."""
    return msgspec.json.encode(report) + b"\n"
