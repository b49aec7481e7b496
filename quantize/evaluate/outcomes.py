"""What a model answered to each sentence: the one table that every figure, slice, picture and comparison is made of.

It is written as `predictions.jsonl`, so that two runs can be compared sentence by sentence later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from device.errors import BadInput
from device.nlu.onnx_model import JointModel, Logits, decode_spans
from device.nlu.reject import in_scope, log_sum_exp
from device.nlu.types import OOS
from models.labels import LabelSchema
from models.manifest import Calibration
from quantize.data.example import Example, Span


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One sentence and what was made of it.

    Attributes:
        words: The sentence.
        expected: Its intent, or None if it has none of its own.
        predicted: The likeliest intent but `oos`.
        likeliest: The likeliest intent of all, `oos` included.
        accepted: P(in scope) reaches the bundle's threshold.
        scope: P(in scope).
        confidence: P(`predicted` | in scope) at the bundle's temperature.
        raw_confidence: The same at temperature 1.
        brier: Squared distance of the calibrated probabilities to the truth, 0 to 2; None out of scope.
        spans: True slots, of the types that the source marks.
        found: The model's slots, of the same types.
        marked: The source marks slots in this sentence.
        act_right: The dialogue act is right.
        source: Corpus or generator.
        part: Run that it belongs to, such as `hwu64.3`.
    """

    words: tuple[str, ...]
    expected: str | None
    predicted: str
    likeliest: str
    accepted: bool
    scope: float
    confidence: float
    raw_confidence: float
    brier: float | None = None
    spans: tuple[Span, ...] = ()
    found: tuple[Span, ...] = ()
    marked: bool = True
    act_right: bool = True
    source: str = ""
    part: str = ""

    @property
    def inside(self) -> bool:
        """The sentence has an intent, and it is not `oos`."""
        return self.expected is not None and self.expected != OOS

    @property
    def answer(self) -> str:
        """What the device would go by: the likeliest intent, or `oos` below the threshold."""
        return self.predicted if self.accepted else OOS

    @property
    def named(self) -> bool:
        """The intent is right where it is known that there is one (the benchmarks' measure)."""
        return self.expected == self.predicted

    @property
    def answered(self) -> bool:
        """The answer is right, rejection included (the device's measure)."""
        return self.expected == self.answer

    @property
    def slots_right(self) -> bool:
        """All slots are right and there is none too many."""
        return set(self.spans) == set(self.found)

    @property
    def text(self) -> str:
        """The sentence, words between spaces."""
        return " ".join(self.words)


class Judge(Protocol):
    """Whether an outcome is right: `named` or `answered`."""

    def __call__(self, outcome: Outcome, /) -> bool:
        """True if it is."""


def named(outcome: Outcome) -> bool:
    """`Outcome.named`, as a `Judge`."""
    return outcome.named


def answered(outcome: Outcome) -> bool:
    """`Outcome.answered`, as a `Judge`."""
    return outcome.answered


def outcomes_of(
    examples: Sequence[Example],
    outputs: Sequence[Logits],
    labels: LabelSchema,
    calibration: Calibration,
    part: str = "",
) -> list[Outcome]:
    """Decode and judge raw outputs.

    Args:
        examples: Sentences.
        outputs: The model's, in the same order.
        labels: Names of the outputs.
        calibration: Temperature and threshold that the device applies.
        part: Name of the run.
    """
    if not examples:
        return []
    oos = labels.intents.index(OOS)
    names = [name for name in labels.intents if name != OOS]
    logits = np.stack([output.intent for output in outputs])
    inside = np.delete(logits, oos, axis=1)
    best = inside.argmax(1)
    calm, raw = _softmax(inside / np.float32(calibration.temperature)), _softmax(inside)
    scope = in_scope(logits, oos, np.array(calibration.scope_weights, np.float32), calibration.scope_bias)
    found: list[Outcome] = []
    for i, (example, output) in enumerate(zip(examples, outputs, strict=True)):
        guessed = (Span(s.type, s.start, s.end) for s in decode_spans(output.slots, labels.slot_types))
        known = example.intent in names
        truth = np.array([name == example.intent for name in names], np.float32)
        found.append(
            Outcome(
                words=example.words,
                expected=example.intent,
                predicted=names[best[i]],
                likeliest=labels.intents[int(logits[i].argmax())],
                accepted=bool(scope[i] >= calibration.threshold),
                scope=float(scope[i]),
                confidence=float(calm[i, best[i]]),
                raw_confidence=float(raw[i, best[i]]),
                brier=float(((calm[i] - truth) ** 2).sum()) if known else None,
                spans=_marked(example, example.spans),
                found=_marked(example, guessed),
                marked=example.annotated is None or bool(example.annotated),
                act_right=labels.acts[int(output.act.argmax())] == example.act,
                source=example.source,
                part=part,
            )
        )
    return found


def answers(model: JointModel, examples: Sequence[Example], part: str = "") -> list[Outcome]:
    """Ask a bundle, one unpadded sentence at a time, as the device does."""
    outputs = [model.logits(example.words, example.context) for example in examples]
    return outcomes_of(examples, outputs, model.labels, model.manifest.calibration, part)


def write_outcomes(path: Path, outcomes: Iterable[Outcome]) -> None:
    """Write one JSON object a line."""
    encoder = msgspec.json.Encoder()
    path.write_bytes(b"".join(encoder.encode(outcome) + b"\n" for outcome in outcomes))


def read_outcomes(path: Path) -> list[Outcome]:
    """Read what `write_outcomes` wrote.

    Raises:
        BadInput: The file can't be read, or a line is not an outcome (it is named).
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadInput(
            f"{path} can't be read ({error.strerror}).", remedy="Evaluate with --out: it is written beside result.json."
        ) from error
    decoder = msgspec.json.Decoder(Outcome)
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(decoder.decode(line))
        except msgspec.DecodeError as error:
            raise BadInput(f"{path}, line {number}: {error}.", remedy="Evaluate again with --out.") from error
    return found


def _marked(example: Example, spans: Iterable[Span]) -> tuple[Span, ...]:
    return tuple(span for span in spans if example.annotated is None or span.type in example.annotated)


def _softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    result: npt.NDArray[np.float32] = np.exp(logits - log_sum_exp(logits)[:, None])
    return result
