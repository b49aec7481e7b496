"""What a model is trained to make small: one number a sentence, so that a batch may be divided among machines.

The mean over the sentences of a batch is the same whether one process sees all of them or each of several sees an
equal part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax, mse_loss

from models.joint import JointModel, JointOutput
from quantize.training.batches import IGNORED, UNMARKED, Batch, Row

WORDS: Final = 6.0
"""About the number of words of a command: the sum over the words is divided by it, to weigh as much as the intent."""


class Loss(Protocol):
    """Losses [B] of a batch."""

    def __call__(self, model: JointModel, batch: Batch) -> Tensor: ...  # noqa: D102


class Supervised:
    """Cross entropy of the labels of all heads.

    Args:
        intent_weights: [intents], see `class_weights`.
        r_drop: Weight of the disagreement of two passes with different dropout (Liang et al. 2021, "R-Drop",
            arXiv 2106.14448); 0 makes one pass.
    """

    def __init__(self, intent_weights: Tensor, r_drop: float = 0.0) -> None:
        self._weights, self._r_drop = intent_weights, r_drop

    def __call__(self, model: JointModel, batch: Batch) -> Tensor:
        """See `Loss`."""
        output = _run(model, batch)
        losses = label_losses(model, output, batch, self._weights)
        if not self._r_drop:
            return losses
        other = _run(model, batch)
        apart = _disagreement(output, other, batch) + _disagreement(other, output, batch)
        return (losses + label_losses(model, other, batch, self._weights)) / 2 + self._r_drop * apart / 2


class Distilled:
    """A teacher's soft labels (Hinton et al. 2015, arXiv 1503.02531) beside the true ones.

    The soft labels come with the batch. They also teach words about which the corpora say nothing. With a living
    teacher of the same width the student may imitate its layers too: hidden states and attention by their mean
    squared difference (Jiao et al. 2020, "TinyBERT", arXiv 1909.10351).

    Args:
        intent_weights: [intents], for the true labels.
        temperature: Of both distributions.
        labels: Weight of the true labels beside the teacher's.
        teacher: For hidden states and attention; never trained, never saved with the student.
        layers: Teacher layer, from 0, that each student layer shall reproduce.
        hidden: Weight of the hidden states.
        attention: Weight of the attention; both models must have been built to give it.
    """

    def __init__(
        self,
        intent_weights: Tensor,
        temperature: float,
        labels: float,
        teacher: JointModel | None = None,
        layers: Sequence[int] = (),
        hidden: float = 0.0,
        attention: float = 0.0,
    ) -> None:
        self._weights, self._temperature, self._labels = intent_weights, temperature, labels
        self._teacher, self._layers = teacher.eval() if teacher else None, layers
        self._hidden, self._attention = hidden, attention

    def __call__(self, model: JointModel, batch: Batch) -> Tensor:
        """See `Loss`; the batch has soft labels."""
        output, trace = model.traced(batch.input_ids, batch.attention_mask, batch.token_type_ids)
        losses = self._soft(output.intent_logits, batch.soft_intent) + self._soft(output.act_logits, batch.soft_act)
        words = self._soft(batch.of_words(output.slot_logits), batch.soft_slots)
        losses = losses + (words * batch.words).sum(1) / WORDS
        if self._labels:
            losses = losses + self._labels * label_losses(model, output, batch, self._weights)
        if self._teacher is None:
            return losses
        with torch.no_grad():
            _, taught = self._teacher.traced(batch.input_ids, batch.attention_mask, batch.token_type_ids)
        seen = batch.attention_mask.bool()
        total = losses.new_zeros(())
        for mine, theirs in enumerate(self._layers):
            if self._hidden:
                total = total + self._hidden * _distance(trace.hidden[mine + 1], taught.hidden[theirs + 1], seen)
            if self._attention:
                pairs = (seen.unsqueeze(1) & seen.unsqueeze(2)).unsqueeze(1).expand_as(trace.attention[mine])
                total = total + self._attention * _distance(trace.attention[mine], taught.attention[theirs], pairs)
        return losses + total

    def _soft(self, student: Tensor, teacher: Tensor | None) -> Tensor:
        """Kullback-Leibler divergence over the last axis, scaled so that its gradient keeps its size."""
        assert teacher is not None, "distillation needs rows with soft labels"
        return self._temperature**2 * _divergence(student / self._temperature, teacher / self._temperature)


def label_losses(model: JointModel, output: JointOutput, batch: Batch, intent_weights: Tensor) -> Tensor:
    """Cross entropies of the three heads, added, [B]."""
    act = cross_entropy(output.act_logits.float(), batch.act, reduction="none")
    weights = intent_weights.to(act.device)
    intent = cross_entropy(output.intent_logits.float(), batch.intent, weights, ignore_index=IGNORED, reduction="none")
    return act + intent + slot_losses(model, output.slot_logits, batch) / WORDS


def slot_losses(model: JointModel, slot_logits: Tensor, batch: Batch) -> Tensor:
    """Negative log likelihood of what is known of the words' labels, summed over the words, [B].

    A corpus marks some types only. Where it marks nothing the word may still fill a slot of another type: the
    likelihood is then the sum over all labels that the corpus would not have marked (Greenberg et al. 2018,
    "Marginal Likelihood Training of BiLSTM-CRF for Biomedical Named Entity Recognition from Disjoint Label Sets").
    """
    scores = batch.of_words(slot_logits).float()
    allowed = torch.zeros_like(scores, dtype=torch.bool)
    allowed = allowed.scatter(2, batch.slots.clamp(min=0).unsqueeze(2), True)
    allowed = torch.where((batch.slots == UNMARKED).unsqueeze(2), ~batch.marked.unsqueeze(1), allowed)
    if model.crf is not None:
        return model.crf.negative_log_likelihood(scores, batch.words, allowed)
    known = scores.log_softmax(-1).masked_fill(~allowed, -torch.inf).logsumexp(-1)
    return -torch.where(batch.words, known, 0.0).sum(1)


def class_weights(data: Sequence[Row], intents: int, power: float = 0.3) -> Tensor:
    """Mild weights against imbalance: inverse frequency to a small power, with mean 1 over the sentences."""
    counts = torch.bincount(torch.tensor([row.intent for row in data if row.intent != IGNORED]), minlength=intents)
    weights = counts.clamp(min=1).float() ** -power
    return weights * counts.sum() / (weights * counts).sum()


def _run(model: JointModel, batch: Batch) -> JointOutput:
    output: JointOutput = model(batch.input_ids, batch.attention_mask, batch.token_type_ids)
    return output


def _disagreement(one: JointOutput, other: JointOutput, batch: Batch) -> Tensor:
    words = _divergence(batch.of_words(one.slot_logits), batch.of_words(other.slot_logits))
    return _divergence(one.intent_logits, other.intent_logits) + (words * batch.words).sum(1) / WORDS


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    return kl_div(
        log_softmax(student.float(), dim=-1), log_softmax(teacher.float(), dim=-1), log_target=True, reduction="none"
    ).sum(-1)


def _distance(mine: Tensor, theirs: Tensor, where: Tensor) -> Tensor:
    return mse_loss(mine[where].float(), theirs[where].float())
