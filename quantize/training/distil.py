"""Distillation: a student with fewer layers learns the teacher's logits and hidden states.

Soft targets after Hinton et al. 2015 (arXiv 1503.02531), hidden states after Jiao et al. 2020 (TinyBERT,
arXiv 1909.10351). The teacher's soft slot labels also teach words about which the corpora say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import kl_div, log_softmax, mse_loss

from models.joint import JointModel
from quantize.training.batches import Batch
from quantize.training.finetune import Loss, label_loss

TEMPERATURE: Final = 2.0
LABEL_WEIGHT: Final = 0.4
"""Weight of the true labels beside the teacher's (1)."""
HIDDEN_WEIGHT: Final = 1.0


def distilled(teacher: JointModel, layers: Sequence[int], intent_weights: Tensor) -> Loss:
    """Loss of a student.

    Args:
        teacher: Fine-tuned, not changed.
        layers: Teacher layer, from 0, that each student layer shall reproduce.
        intent_weights: [intents], for the true labels.
    """
    teacher.eval()

    def loss(student: JointModel, batch: Batch) -> Tensor:
        inputs = batch.input_ids, batch.attention_mask, batch.token_type_ids
        with torch.no_grad():
            taught = teacher.hidden_states(*inputs)
            target = teacher.heads(taught[-1], *inputs[1:])
        learnt = student.hidden_states(*inputs)
        output = student.heads(learnt[-1], *inputs[1:])
        words = batch.first
        total = _soft(output.intent_logits, target.intent_logits) + _soft(output.act_logits, target.act_logits)
        total = total + _soft(output.slot_logits[words], target.slot_logits[words])
        seen = batch.attention_mask.bool()
        for mine, theirs in zip(learnt[1:], layers, strict=True):
            total = total + HIDDEN_WEIGHT * mse_loss(mine[seen].float(), taught[theirs + 1][seen].float())
        return total + LABEL_WEIGHT * label_loss(output, batch, intent_weights)

    return loss


def _soft(student: Tensor, teacher: Tensor) -> Tensor:
    """Kullback-Leibler divergence at the temperature, scaled so that its gradient keeps its size."""
    return TEMPERATURE**2 * kl_div(
        log_softmax(student.float() / TEMPERATURE, dim=-1),
        log_softmax(teacher.float() / TEMPERATURE, dim=-1),
        log_target=True,
        reduction="batchmean",
    )
