"""Golden commands: what was understood before must be understood by every later model.

A new bundle is measured against the one that it replaces, not against perfection: only what the old one had wholly
right, intent, acceptance and every slot, can be broken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct

from device.errors import BadInput, DeviceError
from device.nlu.onnx_model import Prediction, SlotSpan
from device.nlu.report import Label
from device.nlu.text import words
from device.nlu.types import OOS, Act
from models.labels import Name
from quantize.data.example import Example, Span
from quantize.data.mapping import INTENT_ACTS

Predict: TypeAlias = Callable[[Sequence[str]], Prediction]
"""Spoken words to a prediction; `device.nlu.onnx_model.JointModel.predict` is one."""

_SHOWN: Final = 20


class Golden(Struct, frozen=True, forbid_unknown_fields=True):
    """One command that must be understood.

    Attributes:
        text: As a person types it.
        intent: `skill.intent`, or `oos` for what must be refused.
        slots: Slot type to its words in spoken form, or to several of them.
    """

    text: Annotated[str, Meta(min_length=1, max_length=400)]
    intent: Label
    slots: dict[Name, str | list[str]] = {}


class RegressionError(DeviceError):
    """A new model fails golden commands that the old one understood."""


@dataclass(frozen=True)
class Broken:
    """A golden command that is no longer understood; `before` and `after` say how the two models read it."""

    text: str
    before: str
    after: str


def read_golden(path: Path) -> list[Golden]:
    """Read golden commands, one JSON object a line.

    Raises:
        BadInput: It can't be read, a line is no golden command, or a sentence stands there twice.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}.") from error
    decoder = msgspec.json.Decoder(Golden)
    found: dict[str, Golden] = {}
    for number, line in enumerate(lines, 1):
        try:
            golden = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadInput(f"{path}, line {number}: {error}.") from error
        if golden.text in found:
            raise BadInput(f"{path}, line {number}: “{golden.text}” stands there twice.")
        found[golden.text] = golden
    return list(found.values())


def broken(golden: Sequence[Golden], predict_before: Predict, predict_after: Predict) -> list[Broken]:
    """Commands that the old model understands wholly and the new one does not, in their order."""
    found = []
    for command in golden:
        said = words(command.text)
        before = reading(said, predict_before(said))
        if before == _expected(command):
            after = reading(said, predict_after(said))
            if after != before:
                found.append(Broken(command.text, _shown(before), _shown(after)))
    return found


def check(golden: Sequence[Golden], predict_before: Predict, predict_after: Predict) -> None:
    """The gate that a new bundle has to pass.

    Raises:
        RegressionError: It breaks a golden command; names them.
    """
    found = broken(golden, predict_before, predict_after)
    if found:
        lines = [f"\n  “{one.text}”: was {one.before}, is {one.after}" for one in found[:_SHOWN]]
        more = [f"\n  and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        raise RegressionError(
            f"The new model breaks {len(found)} of {len(golden)} golden commands:{''.join([*lines, *more])}",
            remedy="Add sentences like these to the packs or to the reviewed feedback, and train again.",
        )


def lesson(command: Golden) -> Example:
    """A golden command as a training sentence.

    Raises:
        BadInput: A slot's words do not stand in it.
    """
    said, spans = words(command.text), []
    for type_, values in _expected(command)[1].items():
        at = 0
        for value in values:
            wanted = tuple(value.split())
            starts = [i for i in range(at, len(said)) if said[i : i + len(wanted)] == wanted]
            if not starts:
                raise BadInput(f"“{value}” does not stand in the golden command “{command.text}”.")
            at = starts[0] + len(wanted)
            spans.append(Span(type_, starts[0], at))
    spans.sort(key=lambda span: span.start)
    return Example(said, command.intent, INTENT_ACTS.get(command.intent, Act.COMMAND), tuple(spans), source="golden")


Reading: TypeAlias = tuple[str, dict[str, list[str]]]
"""Intent, and slot type to the words of its slots in order."""


def reading(said: Sequence[str], prediction: Prediction) -> Reading:
    """What a prediction comes to on the device: a rejected sentence is `oos` and has no slots."""
    if not prediction.accepted:
        return OOS, {}
    return prediction.intents[0][0], _slots(said, prediction.slots)


def _slots(said: Sequence[str], spans: Sequence[SlotSpan]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for span in spans:
        found[span.type].append(" ".join(said[span.start : span.end]))
    return dict(found)


def _expected(command: Golden) -> Reading:
    slots = {type_: [said] if isinstance(said, str) else said for type_, said in command.slots.items()}
    return command.intent, slots


def _shown(read: Reading) -> str:
    intent, slots = read
    inside = ", ".join(f"{type_}: {' | '.join(said)}" for type_, said in sorted(slots.items()))
    return f"{intent} ({inside})" if inside else intent
