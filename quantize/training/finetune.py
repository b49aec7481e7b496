"""Fine-tuning of the joint model: one loop, for the teacher and, with another loss, for the student."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from models.joint import JointModel, JointOutput
from quantize.training.batches import IGNORED, UNMARKED, Batch, Row, batches

_log = logging.getLogger(__name__)

Loss: TypeAlias = Callable[[JointModel, Batch], Tensor]


class Recipe(NamedTuple):
    """Numbers of one training.

    Attributes:
        epochs: Passes over the data.
        batch: Sentences a step.
        body_rate: Peak learning rate of the encoder.
        head_rate: Peak learning rate of the heads.
        warmup: Share of the steps in which the rate rises from zero; then it falls linearly to zero.
        decay: Weight decay (AdamW, Loshchilov and Hutter 2019, arXiv 1711.05101).
        clip: Largest norm of the gradient.
        seed: Of order and dropout.
    """

    epochs: int
    batch: int = 48
    body_rate: float = 8e-5
    head_rate: float = 8e-4
    warmup: float = 0.08
    decay: float = 0.01
    clip: float = 1.0
    seed: int = 7


def train(
    model: JointModel, data: Sequence[Row], recipe: Recipe, loss: Loss, after_epoch: Callable[[int], None]
) -> None:
    """Train in place, in bfloat16 where the processor has it.

    Args:
        model: Updated.
        data: Training rows.
        recipe: Numbers.
        loss: Of a batch, to be minimised.
        after_epoch: Told the number of the epoch that is done, from 1.
    """
    torch.manual_seed(recipe.seed)
    chance = random.Random(recipe.seed)
    body = list(model.encoder.parameters())
    inside = {id(parameter) for parameter in body}
    heads = [parameter for parameter in model.parameters() if id(parameter) not in inside]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": recipe.body_rate}, {"params": heads, "lr": recipe.head_rate}],
        weight_decay=recipe.decay,
        fused=True,
    )
    steps = recipe.epochs * math.ceil(len(data) / recipe.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps, recipe.warmup))
    fast = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    for epoch in range(1, recipe.epochs + 1):
        model.train()
        started, total = monotonic(), 0.0
        for batch in batches(data, recipe.batch, chance):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast):
                value = loss(model, batch)
            optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            optimizer.step()
            schedule.step()
            total += value.item() * len(batch.intent)
        _log.info("epoch %d: loss %.4f, %.0f s", epoch, total / len(data), monotonic() - started)
        model.eval()
        after_epoch(epoch)


def supervised(intent_weights: Tensor) -> Loss:
    """Cross entropy of the labels, the three heads weighted equally.

    Args:
        intent_weights: [intents], see `class_weights`.
    """

    def loss(model: JointModel, batch: Batch) -> Tensor:
        output = model(batch.input_ids, batch.attention_mask, batch.token_type_ids)
        return label_loss(output, batch, intent_weights)

    return loss


def label_loss(output: JointOutput, batch: Batch, intent_weights: Tensor) -> Tensor:
    """Sum of the heads' mean cross entropies."""
    total = cross_entropy(output.act_logits.float(), batch.act)
    if (batch.intent != IGNORED).any():
        total = total + cross_entropy(output.intent_logits.float(), batch.intent, intent_weights, ignore_index=IGNORED)
    if batch.first.any():
        total = total + slot_loss(output.slot_logits.float(), batch)
    return total


def slot_loss(slot_logits: Tensor, batch: Batch) -> Tensor:
    """Mean negative log likelihood of what is known of the words' labels.

    A corpus marks some types only. Where it marks nothing the word may still fill a slot of another type: the
    likelihood is then the sum over all labels that the corpus would not have marked (Greenberg et al. 2018,
    "Marginal Likelihood Training of BiLSTM-CRF for Biomedical Named Entity Recognition from Disjoint Label Sets").
    """
    words = batch.first
    targets = batch.slots[words]
    log_probability = slot_logits[words].log_softmax(-1)
    known = log_probability.gather(1, targets.clamp(min=0).unsqueeze(1)).squeeze(1)
    of_sentence = batch.marked.unsqueeze(1).expand(-1, words.shape[1], -1)[words]
    possible = log_probability.masked_fill(of_sentence, -torch.inf).logsumexp(-1)
    telling = (targets != UNMARKED) | of_sentence.any(-1)
    return -torch.where(targets == UNMARKED, possible, known).sum() / telling.sum().clamp(min=1)


def class_weights(data: Sequence[Row], intents: int, power: float = 0.3) -> Tensor:
    """Mild weights against imbalance: inverse frequency to a small power, with mean 1 over the sentences."""
    counts = torch.bincount(torch.tensor([row.intent for row in data if row.intent != IGNORED]), minlength=intents)
    weights = counts.clamp(min=1).float() ** -power
    return weights * counts.sum() / (weights * counts).sum()


def _rate(step: int, steps: int, warmup: float) -> float:
    rising = max(1, int(steps * warmup))
    return min((step + 1) / rising, max(0.0, (steps - step) / max(1, steps - rising)))
