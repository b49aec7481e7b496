"""Anyone's labelled sentences, one JSON object a line, scored by a bundle as the device would answer them.

    {"text": "Turn on the lights in the kitchen", "intent": "light.on", "slots": {"room": "kitchen"}}

`intent` is one of the bundle's, or `oos` for what it should refuse. `slots` may be left out (then they are not
scored); it maps a slot's type, or its name in the pack, to the words that fill it, or to a list of such, or is a list
of `{"type", "value"}`. Slots that can't be found in the text are not scored, and are named.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from device.errors import BadInput
from device.nlu.onnx_model import JointModel
from device.nlu.text import words
from device.nlu.types import Act
from models.labels import LabelSchema
from quantize.data.example import Example, Span
from quantize.evaluate.measures import percent, scope_figures, slot_figures
from quantize.evaluate.outcomes import Outcome, answers

_REMEDY = "Correct the line, or give --skip-bad to leave such lines out and have them counted."


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One slot, as `{"type": "room", "value": "kitchen"}`."""

    type: str
    value: str | float


class Sentence(msgspec.Struct, frozen=True):
    """One line; fields that are not named here are ignored."""

    text: str
    intent: str
    slots: dict[str, str | float | list[str]] | list[Value] | None = None


class Sentences(NamedTuple):
    """What was read.

    Attributes:
        texts: As they were written.
        examples: The same in spoken form, with labels.
        bad: What was wrong with the lines left out.
        unscored: Why the slots of a line are not scored.
    """

    texts: list[str]
    examples: list[Example]
    bad: list[str]
    unscored: list[str]


def read_sentences(
    path: Path, labels: LabelSchema, skip_bad: bool = False, names: Mapping[tuple[str, str], str] | None = None
) -> Sentences:
    """Read labelled sentences.

    Args:
        path: JSON lines, UTF-8; empty lines are passed over.
        labels: Of the bundle that will be asked.
        skip_bad: Leave bad lines out instead of refusing the file.
        names: Intent and name of a slot to the slot's type.

    Raises:
        BadInput: The file can't be read or holds no sentence; or, unless `skip_bad`, a line is no JSON object, has no
            text or intent, or names an intent that the bundle doesn't know. The message names the line.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadInput(f"{path} can't be read ({error.strerror}).", remedy="Give a file of JSON lines.") from error
    found = Sentences([], [], [], [])
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            sentence = msgspec.json.decode(line, type=Sentence)
            said = _said(sentence, labels)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            found.bad.append(f"line {number}: {error}")
            continue
        spans: tuple[Span, ...] | None = None
        try:
            spans = _spans(sentence, said, labels, names or {})
        except ValueError as error:
            found.unscored.append(f"line {number}: {error}")
        marked = None if spans is not None else frozenset[str]()
        found.texts.append(sentence.text)
        found.examples.append(Example(said, sentence.intent, Act.COMMAND, spans or (), marked, source="sentences"))
    if found.bad and not skip_bad:
        more = f" ({len(found.bad) - 1} more lines are bad)" if len(found.bad) > 1 else ""
        raise BadInput(f"{path}, {found.bad[0]}{more}.", remedy=_REMEDY)
    if not found.examples:
        raise BadInput(f"{path} holds no sentence that can be scored.", remedy="See `homebody evaluate --help`.")
    return found


def score(model: JointModel, sentences: Sentences) -> tuple[dict[str, Any], list[Outcome]]:
    """Ask the model about each sentence and compare.

    Returns:
        The figures, and the outcomes that they are made of. Figures: `n`; `accuracy`, answers with the right intent,
        rejections included; `intent_accuracy`, in-scope sentences accepted with the right intent; those of slots and
        scope where there are any; `misses`: `text`, `expected`, `predicted` (`oos` where rejected); `slot_misses`:
        the same of slots, where the intent is right; `skipped` and `skipped_lines`; `unscored_slots`.
    """
    outcomes = answers(model, sentences.examples)
    inside = [outcome.answered for outcome in outcomes if outcome.inside]
    found: dict[str, Any] = {
        "n": len(outcomes),
        "accuracy": percent(np.mean([outcome.answered for outcome in outcomes])),
    }
    if inside:
        found["intent_accuracy"] = percent(np.mean(inside))
    found |= {k: v for k, v in slot_figures(outcomes).items() if k != "sentence_accuracy"}
    found |= {k: v for k, v in scope_figures(outcomes).items() if k in ("in_scope_rejected", "oos_rejected", "auroc")}
    said = list(zip(sentences.texts, outcomes, strict=True))
    found["misses"] = [
        {"text": text, "expected": o.expected, "predicted": o.answer} for text, o in said if not o.answered
    ]
    found["slot_misses"] = [
        {"text": text, "expected": _values(o, o.spans), "predicted": _values(o, o.found)}
        for text, o in said
        if o.marked and o.answered and not o.slots_right
    ]
    found |= {"skipped": len(sentences.bad), "skipped_lines": sentences.bad, "unscored_slots": sentences.unscored}
    return found, outcomes


def _said(sentence: Sentence, labels: LabelSchema) -> tuple[str, ...]:
    """Raises: ValueError, with what is wrong."""
    said = words(sentence.text)
    if not said:
        raise ValueError("`text` holds no words")
    if sentence.intent not in labels.intents:
        raise ValueError(_unknown("intent", sentence.intent, labels.intents))
    return said


def _spans(
    sentence: Sentence, said: tuple[str, ...], labels: LabelSchema, names: Mapping[tuple[str, str], str]
) -> tuple[Span, ...] | None:
    """None, if no slots were given. Raises: ValueError, with what is wrong."""
    if sentence.slots is None:
        return None
    spans: list[Span] = []
    for name, value in _pairs(sentence.slots):
        kind = names.get((sentence.intent, name), name)
        if kind not in labels.slot_types:
            raise ValueError(_unknown("slot type", name, labels.slot_types))
        spans.append(_located(kind, words(value), said, spans))
    return tuple(sorted(spans, key=lambda span: span.start))


def _pairs(slots: dict[str, str | float | list[str]] | list[Value]) -> Iterable[tuple[str, str]]:
    """Types and values; a number is as it would be written."""
    if isinstance(slots, list):
        return [(slot.type, _written(slot.value)) for slot in slots]
    return [
        (name, _written(value))
        for name, values in slots.items()
        for value in (values if isinstance(values, list) else [values])
    ]


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _located(kind: str, value: tuple[str, ...], said: tuple[str, ...], taken: Sequence[Span]) -> Span:
    for start in range(len(said) - len(value) + 1):
        free = all(start >= span.end or start + len(value) <= span.start for span in taken)
        if value and free and said[start : start + len(value)] == value:
            return Span(kind, start, start + len(value))
    raise ValueError(f"the words of `{kind}`, {' '.join(value)!r}, are not in the text {' '.join(said)!r}")


def _unknown(what: str, name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 3)
    hint = f"; did you mean {', '.join(near)}?" if near else f", which has {len(known)}, such as {', '.join(known[:4])}"
    return f"the bundle has no {what} {name!r}{hint}"


def _values(outcome: Outcome, spans: Iterable[Span]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for span in spans:
        found.setdefault(span.type, []).append(" ".join(outcome.words[span.start : span.end]))
    return found
