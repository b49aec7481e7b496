"""The data of the model that ships: packs, dialogue answers and corpora, under the packs' labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from device.nlu.pack import Pack
from device.nlu.types import Act
from models.labels import LabelSchema
from quantize.data.formats import read
from quantize.data.split import build
from quantize.plan import Plan, Sets

PLAN: Final = Path(__file__).parent / "plans" / "homebody-en.toml"


def ontology(packs: Sequence[Pack]) -> LabelSchema:
    """Labels of all that some packs understand."""
    return LabelSchema.of(
        (name for pack in packs for name in pack.intent_names()),
        (spec.slot_type(slot) for pack in packs for spec in pack.intents.values() for slot in spec.slots),
        tuple(Act),
    )


def sets(data_dir: Path, packs: Sequence[Pack], plan: Plan, extra: Sequence[Path]) -> Sets:
    """Read the corpora, sample the packs.

    Args:
        data_dir: Folder of the corpora.
        packs: Skill packs.
        plan: How much, and the seed.
        extra: Files of further training sentences, in a format of `quantize.data.formats`.

    Raises:
        BadInput: A corpus is missing, or a file of sentences can't be used.
        PackError: A template can't be parsed.
    """
    made = build(data_dir, packs, plan.seed, plan.amounts)
    labels = ontology(packs)
    mine = [example for path in extra for example in read(path, labels=labels).examples]
    return Sets([*made.train, *mine], made.dev, made.test, labels, made.unseen)
