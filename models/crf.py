"""A linear-chain conditional random field over slot labels (Lafferty et al. 2001), for sequences known in part.

What is known of each word is a set of labels: one label, or several where a corpus marks some slot types only. The
likelihood of such a sequence is the probability of all paths through the sets (Tsuboi et al. 2008, "Training
Conditional Random Fields Using Incomplete Annotations"). Paths that break BIO have no weight at all, so that the
decoder of the device and the training agree.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FORBIDDEN = -1e4
"""Score of a step that BIO forbids; finite, so that gradients stay numbers."""


class SlotField(nn.Module):
    """Scores of steps from label to label.

    Args:
        labels: Number of slot labels: O, then B and I of each type (`LabelSchema.slot_labels`).
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.steps = nn.Parameter(torch.zeros(labels, labels))
        self.register_buffer("forbidden", forbidden(labels), persistent=False)

    def transitions(self) -> Tensor:
        """[labels, labels]: score of going from the row's label to the column's."""
        table: Tensor = self.steps.masked_fill(self.get_buffer("forbidden"), FORBIDDEN)
        return table

    def negative_log_likelihood(self, emissions: Tensor, words: Tensor, allowed: Tensor) -> Tensor:
        """How surprising what is known is, by sentence.

        Args:
            emissions: [B, W, labels], scores of each word's labels.
            words: [B, W], boolean: real words, not padding; at least the first of each sentence.
            allowed: [B, W, labels], boolean: labels that a word may have.

        Returns:
            [B], nats; summed over the words of a sentence.
        """
        known = emissions.masked_fill(~allowed, FORBIDDEN)
        return self._log_partition(emissions, words) - self._log_partition(known, words)

    def marginals(self, emissions: Tensor, words: Tensor) -> Tensor:
        """Log probability of each label of each word, over all paths, [B, W, labels].

        The derivative of the log partition by an emission is that label's marginal probability.
        """
        with torch.enable_grad():
            inputs = emissions.detach().requires_grad_()
            (probability,) = torch.autograd.grad(self._log_partition(inputs, words).sum(), inputs)
        return probability.clamp(min=1e-9).log()

    def _log_partition(self, scores: Tensor, words: Tensor) -> Tensor:
        """The forward algorithm, [B]."""
        transitions = self.transitions()
        begin = scores.new_zeros(scores.shape[-1])
        begin[2::2] = FORBIDDEN  # no sentence begins inside a slot
        reached = scores[:, 0] + begin
        for at in range(1, scores.shape[1]):
            after = torch.logsumexp(reached.unsqueeze(2) + transitions, dim=1) + scores[:, at]
            reached = torch.where(words[:, at].unsqueeze(1), after, reached)
        return torch.logsumexp(reached, dim=-1)


def forbidden(labels: int) -> Tensor:
    """[labels, labels], boolean: steps to an I label that is not of the same slot type's B or I."""
    table = torch.zeros(labels, labels, dtype=torch.bool)
    table[:, 2::2] = True
    for inside in range(2, labels, 2):
        table[[inside - 1, inside], inside] = False
    return table
