"""Out of scope or not: one probability from the intent logits.

A classifier that has an `oos` class still gives unknown sentences to known intents. Its logits say more than their
softmax: energy (Liu et al. 2020, arXiv 2010.03759), the largest logit (Hendrycks et al. 2022, arXiv 1911.11132)
and the margin fall for what it has not seen. A logistic regression over them, fitted on the development split and
kept in the manifest, weighs them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

FEATURES: Final = ("log odds against oos", "largest logit", "margin", "energy", "entropy")


def features(intent_logits: Floats, oos: int) -> Floats:
    """Features of one sentence, or of many.

    Args:
        intent_logits: [..., intents], not divided by a temperature.
        oos: Index of the out-of-scope intent.

    Returns:
        [..., features], in the order of `FEATURES`.
    """
    inside = np.delete(intent_logits, oos, axis=-1)
    log_sum = log_sum_exp(inside)
    top_two = np.partition(inside, -2, axis=-1)[..., -2:]
    log_probability = inside - log_sum[..., None]
    return np.stack(
        [
            log_sum - intent_logits[..., oos],
            top_two[..., 1],
            top_two[..., 1] - top_two[..., 0],
            log_sum_exp(intent_logits),
            -(np.exp(log_probability) * log_probability).sum(-1),
        ],
        axis=-1,
    ).astype(np.float32)


def in_scope(intent_logits: Floats, oos: int, weights: Floats, bias: float) -> Floats:
    """Probability that a sentence is one of the known intents, shape [...]."""
    score = features(intent_logits, oos) @ weights + bias
    probability: Floats = 1 / (1 + np.exp(-np.clip(score, -50, 50)))
    return probability


def log_sum_exp(values: Floats) -> Floats:
    """Over the last axis, without overflow."""
    largest = values.max(axis=-1, keepdims=True)
    result: Floats = np.log(np.exp(values - largest).sum(axis=-1)) + largest[..., 0]
    return result
