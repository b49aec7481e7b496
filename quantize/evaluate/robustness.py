"""How much accuracy small changes of a sentence cost: typing errors, casing, fillers, what a recogniser mishears."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from device.nlu.onnx_model import JointModel
from quantize.data.example import Example
from quantize.evaluate.outcomes import Judge, Outcome, answers
from quantize.evaluate.slices import row

Perturbation: TypeAlias = Callable[[Example, random.Random], Example]
"""A changed copy of an example: other words, spans moved with them, the same intent."""


def robustness(
    model: JointModel,
    examples: Sequence[Example],
    clean: Sequence[Outcome],
    perturbations: Mapping[str, Perturbation],
    judge: Judge,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Accuracy on changed in-scope sentences, against the same sentences unchanged.

    A sentence that a perturbation leaves as it is (no number to misspell, say) is not counted in its row.

    Args:
        model: The bundle.
        examples: A test set.
        clean: The model's outcomes of it, in the same order.
        perturbations: By name.
        judge: What counts as right.
        seed: Of the changes.

    Returns:
        `name`, `n`, `accuracy`, `interval`; and `clean`, the accuracy of the same sentences unchanged; `loss`, the
        points that the change cost.
    """
    rows = []
    for name, change in perturbations.items():
        chance = random.Random(f"{seed} {name}")
        changed = [(change(e, chance), before) for e, before in zip(examples, clean, strict=True) if before.inside]
        pairs = [(e, before) for e, before in changed if e.words and e.words != before.words]
        after = answers(model, [e for e, _ in pairs])
        noisy = row(name, [judge(o) for o in after])
        before = row(name, [judge(o) for _, o in pairs])
        loss = round(before["accuracy"] - noisy["accuracy"], 2) if pairs else None
        rows.append({**noisy, "clean": before["accuracy"], "loss": loss})
    return rows


def noisy_slices(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a recogniser mishears and other spellings, as rows of `slices`: corpora have hardly any by nature."""
    names = {"misheard": "ASR noise: with misheard words", "dialect": "put into British words and spellings"}
    return [
        {"name": names[r["name"]], "n": r["n"], "accuracy": r["accuracy"], "interval": r["interval"]}
        for r in rows
        if r["name"] in names
    ]
