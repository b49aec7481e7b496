"""A quick update: a model learns reviewed sentences in minutes, and is held to what it thought of all others.

Rehearsal with the old model's own outputs as soft labels (Li and Hoiem 2018, "Learning without Forgetting", arXiv
1606.09282; Robins 1995, "Catastrophic Forgetting, Rehearsal and Pseudorehearsal"). It is a stopgap between full
trainings, which take the same reviewed sentences among all others; the golden commands guard both.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import kl_div

from device.errors import BadInput
from models.joint import JointModel, JointOutput
from quantize.training.batches import IGNORED, Batch, Row, collate
from quantize.training.losses import WORDS, label_losses


class Pace(NamedTuple):
    """Numbers of an update.

    Attributes:
        steps: At most so many.
        new: Reviewed sentences a step.
        old: Rehearsed sentences a step.
        shaken: Of these, so many are the ones whose opinion has moved most.
        rate: Peak learning rate of AdamW; rises over a tenth of the steps, then falls linearly.
        hold: Weight of the rehearsal beside the reviewed sentences (1).
        sure: It ends when each reviewed sentence has its intent with this probability.
    """

    steps: int = 150
    new: int = 16
    old: int = 64
    shaken: int = 32
    rate: float = 5e-5
    hold: float = 10.0
    sure: float = 0.9


PACE: Final = Pace()
_LOOK: Final = 10
"""Steps between two looks at all reviewed sentences, and at a part of the others."""
_LOOKED_AT: Final = 512


def updated(
    model: JointModel, reviewed: Sequence[Row], rehearsal: Sequence[Row], pace: Pace = PACE, seed: int = 7
) -> JointModel:
    """A copy of a model that has learnt reviewed sentences and thinks of others as before.

    Dropout is off, so that before the first step the rehearsal asks for no change at all. Those sentences that a part
    of the rehearsal shows to be shaken most are rehearsed most (Aljundi et al. 2019, "Online Continual Learning with
    Maximally Interfered Retrieval", arXiv 1908.04742).

    Args:
        model: Float weights; not changed.
        reviewed: Sentences with their right labels.
        rehearsal: Sentences as the model was trained on, a few thousand; only the model's opinion of them counts.
        pace: Numbers.
        seed: Of the order.

    Raises:
        BadInput: There is nothing to learn or nothing to rehearse.
    """
    if not reviewed or not rehearsal:
        raise BadInput(
            "There are no reviewed sentences." if not reviewed else "There are no sentences to rehearse.",
            remedy="`homebody feedback review` makes reviewed sentences; the run folder of the model has the others.",
        )
    chance = random.Random(seed)
    old, new = model.eval(), copy.deepcopy(model).eval()
    optimizer = torch.optim.AdamW(new.parameters(), lr=pace.rate, weight_decay=0.0)
    rising = max(1, pace.steps // 10)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / rising, max(0.05, 1 - step / pace.steps))
    )
    even = torch.ones(new.intent_head.out_features)
    lessons = collate(reviewed)
    shaken: list[Row] = []
    for step in range(pace.steps):
        if step % _LOOK == 0:
            if _least_sure(new, lessons) >= pace.sure:
                break
            looked_at = chance.sample(rehearsal, min(_LOOKED_AT, len(rehearsal)))
            shaken = _shaken(old, new, looked_at, pace.shaken)
        learning = collate(chance.sample(reviewed, min(pace.new, len(reviewed))))
        held = collate([*shaken, *chance.sample(rehearsal, min(pace.old - len(shaken), len(rehearsal)))])
        with torch.no_grad():
            before = _run(old, held)
        loss = label_losses(new, _run(new, learning), learning, even).mean()
        loss = loss + pace.hold * _drift(_run(new, held), before, held).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(new.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return new


def _least_sure(model: JointModel, batch: Batch) -> float:
    """The lowest probability that a sentence's right intent has; sentences without one do not count."""
    with torch.no_grad():
        probability = _run(model, batch).intent_logits.softmax(-1)
    right = batch.intent != IGNORED
    return probability[right, batch.intent[right]].min().item() if right.any() else 1.0


def _shaken(old: JointModel, new: JointModel, data: Sequence[Row], count: int) -> list[Row]:
    """The sentences of which the new model thinks most differently."""
    batch = collate(data)
    with torch.no_grad():
        drift = _drift(_run(new, batch), _run(old, batch), batch)
    return [data[i] for i in drift.topk(min(count, len(data))).indices.tolist()]


def _drift(output: JointOutput, before: JointOutput, batch: Batch) -> Tensor:
    """How far the opinions are from those of before, [B], as Kullback-Leibler divergences of the heads."""
    words = _divergence(batch.of_words(output.slot_logits), batch.of_words(before.slot_logits))
    return (
        _divergence(output.intent_logits, before.intent_logits)
        + _divergence(output.act_logits, before.act_logits)
        + (words * batch.words).sum(1) / WORDS
    )


def _divergence(new: Tensor, old: Tensor) -> Tensor:
    return kl_div(new.log_softmax(-1), old.log_softmax(-1), log_target=True, reduction="none").sum(-1)


def _run(model: JointModel, batch: Batch) -> JointOutput:
    output: JointOutput = model(batch.input_ids, batch.attention_mask, batch.token_type_ids)
    return output
