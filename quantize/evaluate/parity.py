"""The gate between a float32 model and its int8 export."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from seqeval.metrics.sequence_labeling import get_entities

from device.errors import DeviceError
from device.nlu.onnx_model import Logits
from device.nlu.types import OOS
from models.labels import LabelSchema
from models.manifest import Calibration
from quantize.data.example import Example
from quantize.evaluate.figures import Figures, figures_of, slot_tags

MAX_LOSS: Final = {"intent_accuracy": 0.5, "slot_f1": 0.7}
"""Points of each figure that quantization may cost."""
NAMED: Final = 5
"""Classes of each kind that a refusal names."""
SHOWN: Final = 2
"""Sentences shown for each of them."""

Kind: TypeAlias = Literal["intent", "slot"]


@dataclass(frozen=True)
class ClassLoss:
    """What quantization cost one intent or slot type.

    Attributes:
        kind: What it is.
        name: Of the intent or slot type.
        of: How often it is meant in the sentences.
        errors: Errors before and after; of a slot type, the spans missed and the spans that are none.
        broken: Sentences that were right before and are wrong now, each with what is found there now.
    """

    kind: Kind
    name: str
    of: int
    errors: tuple[int, int]
    broken: tuple[tuple[str, str], ...]

    @property
    def more(self) -> int:
        """Errors more than before; negative where it is better now."""
        return self.errors[1] - self.errors[0]

    def __str__(self) -> str:
        """One line, and one for each of some broken sentences."""
        before, after = self.errors
        lines = [f"{self.kind} {self.name}: {after} errors instead of {before} in {self.of}"]
        lines += [f'    "{sentence}" -> {found}' for sentence, found in self.broken[:SHOWN]]
        return "\n".join(lines)


class ParityError(DeviceError):
    """An export lost more than it may.

    Attributes:
        losses: Of all classes, worst first.
    """

    def __init__(self, message: str, losses: Sequence[ClassLoss]) -> None:
        super().__init__(
            message,
            remedy="Train the student with fake quantization, or give it 8-bit word embeddings, and export again.",
        )
        self.losses = tuple(losses)


def check_parity(
    examples: Sequence[Example],
    precise: Sequence[Logits],
    exported: Sequence[Logits],
    labels: LabelSchema,
    calibration: Calibration,
) -> Figures:
    """Compare two models on the same sentences.

    Args:
        examples: Held-out sentences.
        precise: Outputs of the float32 model, of one unpadded sentence at a time.
        exported: Outputs of the exported model, likewise.
        labels: Names of the outputs.
        calibration: Of the exported model.

    Returns:
        The float32 model's figures.

    Raises:
        ParityError: Names the figure, its loss, and the classes that lost most, with sentences.
    """
    before = figures_of(examples, precise, labels, calibration)
    after = figures_of(examples, exported, labels, calibration)
    fallen = [
        f"{name} fell by {before[name] - after[name]:.2f} points, from {before[name]} to {after[name]}; allowed {most}"
        for name, most in MAX_LOSS.items()
        if name in before and before[name] - after[name] > most
    ]
    if fallen:
        losses = class_losses(examples, precise, exported, labels)
        worst = [loss for kind in ("intent", "slot") for loss in _worst(losses, kind)]
        raise ParityError("\n".join([*fallen, *map(str, worst)]) + "\n", losses)
    return before


def class_losses(
    examples: Sequence[Example], precise: Sequence[Logits], exported: Sequence[Logits], labels: LabelSchema
) -> list[ClassLoss]:
    """What each intent and slot type lost or won between two models, the greatest loss first.

    Args:
        examples: Sentences.
        precise: Outputs of the model before.
        exported: Outputs of the model after.
        labels: Names of the outputs.
    """
    tallies: dict[tuple[Kind, str], _Tally] = defaultdict(_Tally)
    for example, old, new in zip(examples, precise, exported, strict=True):
        sentence = " ".join(example.words)
        for (kind, name), of, before, after, found in _verdicts(example, old, new, labels):
            tally = tallies[kind, name]
            tally.of += of
            tally.before += before
            tally.after += after
            if after > before:
                tally.broken.append((sentence, found))
    losses = [
        ClassLoss(kind, name, tally.of, (tally.before, tally.after), tuple(tally.broken))
        for (kind, name), tally in tallies.items()
    ]
    return sorted(losses, key=lambda loss: (-loss.more, loss.kind, loss.name))


@dataclass
class _Tally:
    of: int = 0
    before: int = 0
    after: int = 0
    broken: list[tuple[str, str]] = field(default_factory=list)


def _verdicts(
    example: Example, old: Logits, new: Logits, labels: LabelSchema
) -> Iterator[tuple[tuple[Kind, str], int, int, int, str]]:
    """Class, how often it is meant, errors before and after, and what is found now, of one sentence."""
    if example.intent not in (None, OOS):
        before, after = (labels.intents[int(output.intent.argmax())] for output in (old, new))
        yield ("intent", str(example.intent)), 1, before != example.intent, after != example.intent, after
    if example.annotated is None or example.annotated:
        gold, tags = slot_tags(example, old, labels)
        meant, was, now = (set(get_entities(found)) for found in (gold, tags, slot_tags(example, new, labels)[1]))
        for name in sorted({span[0] for span in meant | was | now}):
            errors = [sum(span[0] == name for span in meant ^ found) for found in (was, now)]
            spans = sorted(span for span in now if span[0] == name)
            found = ", ".join(repr(" ".join(example.words[start : end + 1])) for _, start, end in spans)
            yield ("slot", name), sum(span[0] == name for span in meant), errors[0], errors[1], found or "nothing"


def _worst(losses: Sequence[ClassLoss], kind: str) -> list[ClassLoss]:
    return [loss for loss in losses if loss.kind == kind and loss.more > 0][:NAMED]
