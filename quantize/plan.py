"""Everything that decides on a bundle, in one typed tree that is written as TOML or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec

from device.errors import BadInput
from models.labels import LabelSchema
from quantize.data.example import Example
from quantize.data.split import Amounts
from quantize.training.recipe import Positive, Rate, Recipe


@dataclass(frozen=True)
class Sets:
    """Sentences of one run; `unseen` are those of the test set whose kind of request no training sentence has."""

    train: list[Example]
    dev: list[Example]
    test: list[Example]
    labels: LabelSchema
    unseen: list[Example] = field(default_factory=list)


class TeacherPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A teacher: MiniLM-L6, fine-tuned.

    Attributes:
        recipe: Of its fine-tuning.
        seed: Of its heads' first weights, of order and dropout.
        crf: Train the slots under a conditional random field.
    """

    recipe: Recipe
    seed: int = 7
    crf: bool = False


class StudentPlan(TeacherPlan, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The student.

    Attributes:
        layers: Layers that become the student's, from 0: of the first teacher, or without teachers of MiniLM.
        temperature: Of the soft labels.
        label_weight: Weight of the true labels beside the teachers'.
        hidden: Weight of the first teacher's hidden states.
        attention: Weight of its attention.
        aware_epochs: Epochs of fine-tuning at a tenth of the rates, computing with the roundings of the board's int8;
            for when the parity gate refuses.
    """

    layers: tuple[int, ...]
    temperature: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    label_weight: Rate = 0.4
    hidden: Rate = 0.0
    attention: Rate = 0.0
    aware_epochs: Annotated[int, msgspec.Meta(ge=0)] = 0


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A bundle.

    Attributes:
        name: Of the bundle.
        version: Of the bundle.
        seed: Of the data.
        vocabulary: Word pieces to keep.
        teachers: Their opinions are averaged; none is allowed.
        student: What is shipped.
        board: Name of the quantization recipe.
        amounts: How much data is sampled.
        corpus: The one public corpus that a benchmark's student is made of; empty for the corpora and packs together.
        threads: Of the processor. Sums in another order end in other weights, so they belong to the plan.
    """

    name: str
    version: str
    vocabulary: Positive
    teachers: tuple[TeacherPlan, ...]
    student: StudentPlan
    board: str = "x86-avx2"
    seed: int = 7
    amounts: Amounts = Amounts()
    corpus: str = ""
    threads: Positive = 1

    @classmethod
    def read(cls, path: Path) -> Plan:
        """Read a TOML or JSON file.

        Raises:
            BadInput: Not readable, an unknown key, or an impossible value; the message names it.
        """
        try:
            data = path.read_bytes()
            decode = msgspec.json.decode if path.suffix == ".json" else msgspec.toml.decode
            plan: Plan = decode(data, type=cls)
            return plan
        except OSError as error:
            raise BadInput(f"{path} can't be read ({error.strerror}).") from error
        except msgspec.DecodeError as error:
            raise BadInput(f"{path} is not a plan: {error}.") from error

    def must_continue(self, made_by: Path) -> None:
        """Check that results in a run folder were made by this plan.

        Args:
            made_by: The plan that stands there.

        Raises:
            BadInput: Names what differs.
        """
        there, mine = (msgspec.json.decode(msgspec.json.encode(plan)) for plan in (Plan.read(made_by), self))
        if there != mine:
            changes = ", ".join(_differences(there, mine))
            raise BadInput(
                f"{made_by.parent} holds results of another plan ({changes}).",
                remedy="Name another folder for the run, or delete that one.",
            )


def _differences(there: Any, mine: Any, at: str = "") -> Iterator[str]:
    if isinstance(there, dict) and isinstance(mine, dict):
        for key in sorted(there.keys() | mine.keys()):
            yield from _differences(there.get(key), mine.get(key), f"{at}.{key}" if at else key)
    elif isinstance(there, list) and isinstance(mine, list) and len(there) == len(mine):
        for index, (one, other) in enumerate(zip(there, mine, strict=True), 1):
            yield from _differences(one, other, f"{at}.{index}")
    elif there != mine:
        yield f"{at} was {there}, is {mine}"
