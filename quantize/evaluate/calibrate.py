"""Temperatures and the out-of-scope threshold, fitted on the development split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from device.nlu.onnx_model import Logits
from device.nlu.reject import FEATURES, features, in_scope, log_sum_exp
from device.nlu.types import OOS
from models.labels import LabelSchema
from models.manifest import Calibration
from quantize.data.corpora import REAL_SOURCES
from quantize.data.example import Example

REJECTED: Final = 0.025
"""Share of real people's in-scope development sentences that the threshold may reject."""


def calibrate(examples: Sequence[Example], outputs: Sequence[Logits], labels: LabelSchema) -> Calibration:
    """Fit all constants.

    Args:
        examples: The development split; only real people's sentences decide on the scope.
        outputs: The model's, in the same order.
        labels: Names of the outputs.
    """
    oos = labels.intents.index(OOS)
    known = [i for i, example in enumerate(examples) if example.intent not in (None, OOS)]
    inside = np.stack([np.delete(outputs[i].intent, oos) for i in known])
    names = [name for name in labels.intents if name != OOS]
    targets = np.array([names.index(str(examples[i].intent)) for i in known])
    acts = np.array([labels.acts.index(example.act) for example in examples])

    real = [i for i, example in enumerate(examples) if example.source in REAL_SOURCES and example.intent is not None]
    logits = np.stack([outputs[i].intent for i in real])
    wanted = np.array([examples[i].intent != OOS for i in real])
    weights, bias = _scope(features(logits, oos), wanted)
    scope = in_scope(logits, oos, weights.astype(np.float32), bias)
    return Calibration(
        temperature=_temperature(inside, targets),
        act_temperature=_temperature(np.stack([output.act for output in outputs]), acts),
        scope_weights=tuple(float(weight) for weight in weights),
        scope_bias=bias,
        threshold=round(float(np.quantile(scope[wanted], REJECTED)), 4),
    )


def _scope(found: npt.NDArray[np.float32], wanted: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float64], float]:
    """Weights of the scope's features and their bias.

    Where the data have no out-of-scope sentence to learn from, the energy decides alone (Liu et al. 2020, arXiv
    2010.03759), standardised over the in-scope sentences.

    Args:
        found: [n, features].
        wanted: [n], in scope.
    """
    scaler = StandardScaler()
    scaled = scaler.fit_transform(found)
    if wanted.all():
        weights = np.array([float(name == "energy") for name in FEATURES])
        bias = 0.0
    else:
        regression = LogisticRegression(class_weight="balanced", C=0.3).fit(scaled, wanted)
        weights, bias = regression.coef_[0], float(regression.intercept_[0])
    weights = weights / scaler.scale_
    return weights, bias - float(weights @ scaler.mean_)


def _temperature(logits: npt.NDArray[np.float32], targets: npt.NDArray[np.int64]) -> float:
    """The temperature with the lowest cross entropy (Guo et al. 2017, arXiv 1706.04599), on a grid from 0.25 to 4."""
    grid = np.geomspace(0.25, 4, 81)
    rows = np.arange(len(targets))
    losses = [float((log_sum_exp(scaled) - scaled[rows, targets]).mean()) for scaled in (logits / t for t in grid)]
    return round(float(grid[int(np.argmin(losses))]), 3)
