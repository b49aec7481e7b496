"""A quick update: a model learns reviewed sentences in minutes, and is held to what it thought of all others.

Rehearsal with the old model's own outputs as soft labels (Li and Hoiem 2018, "Learning without Forgetting", arXiv
1606.09282; Robins 1995, "Catastrophic Forgetting, Rehearsal and Pseudorehearsal"). It is a stopgap between full
trainings, which take the same reviewed sentences among all others; the golden commands guard both.
"""

from __future__ import annotations

import copy
import logging
import math
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

_log = logging.getLogger(__name__)


class Pace(NamedTuple):
    """Numbers of an update.

    Attributes:
        steps: How many.
        new: Reviewed sentences a step.
        old: Rehearsed sentences a step.
        shaken: Of these, so many are the ones whose opinion has moved most.
        rate: Peak learning rate of AdamW; rises over a tenth of the steps, then falls linearly.
        hold: Weight of the rehearsal beside the reviewed sentences (1).
        sure: Probability that each reviewed sentence's intent shall have, and share of its words with the right label.
    """

    steps: int = 60
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
_AVERAGE: Final = 0.9
"""Share of the average that stays at each step."""


def updated(
    model: JointModel, reviewed: Sequence[Row], rehearsal: Sequence[Row], pace: Pace = PACE, seed: int = 7
) -> JointModel:
    """A copy of a model that has learnt reviewed sentences and thinks of others as before.

    Dropout is off, so that before the first step the rehearsal asks for no change at all. Those sentences that a part
    of the rehearsal shows to be shaken most are rehearsed most (Aljundi et al. 2019, "Online Continual Learning with
    Maximally Interfered Retrieval", arXiv 1908.04742). What comes out is a moving average of the weights (Polyak and
    Juditsky 1992, "Acceleration of Stochastic Approximation by Averaging"), taken where it has learnt the lessons and
    drifted least; if it never has, which is logged, the last one.

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
    mean = copy.deepcopy(new)
    even = torch.ones(new.intent_head.out_features)
    lessons = collate(reviewed)
    looked_at = chance.sample(rehearsal, min(_LOOKED_AT, len(rehearsal)))
    best, least = mean, math.inf
    for step in range(1, pace.steps + 1):
        if step % _LOOK == 1:
            shaken = _shaken(old, new, chance.sample(rehearsal, len(looked_at)), pace.shaken)
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
        with torch.no_grad():
            for average, weight in zip(mean.parameters(), new.parameters(), strict=True):
                average.lerp_(weight, 1 - _AVERAGE)
        if step % _LOOK == 0 and _has_learnt(mean, lessons, pace.sure):
            drift = _drift_of(old, mean, looked_at).mean().item()
            if drift < least:
                best, least = copy.deepcopy(mean), drift
    if least == math.inf:
        _log.warning("not every reviewed sentence was learnt in %d steps; do some contradict others?", pace.steps)
    return best


def _has_learnt(model: JointModel, lessons: Batch, sure: float) -> bool:
    """Whether each intent is as probable as that, and such a share of the words has its label."""
    with torch.no_grad():
        output = _run(model, lessons)
    known = lessons.intent != IGNORED
    intents = output.intent_logits.softmax(-1)[known, lessons.intent[known]]
    words = lessons.slots >= 0
    right = (lessons.of_words(output.slot_logits).argmax(-1) == lessons.slots)[words]
    return bool((intents >= sure).all() and right.float().sum() >= sure * right.numel())


def _shaken(old: JointModel, new: JointModel, data: Sequence[Row], count: int) -> list[Row]:
    """The sentences of which the new model thinks most differently."""
    return [data[i] for i in _drift_of(old, new, data).topk(min(count, len(data))).indices.tolist()]


def _drift_of(old: JointModel, new: JointModel, data: Sequence[Row]) -> Tensor:
    batch = collate(data)
    with torch.no_grad():
        return _drift(_run(new, batch), _run(old, batch), batch)


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
