"""Temperatures and the out-of-scope threshold, fitted on the development split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from device.nlu.onnx_model import Logits
from device.nlu.reject import features, in_scope
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
    scaler = StandardScaler()
    scaled = scaler.fit_transform(features(logits, oos))
    regression = LogisticRegression(class_weight="balanced", C=0.3).fit(scaled, wanted)
    weights = regression.coef_[0] / scaler.scale_
    bias = float(regression.intercept_[0] - weights @ scaler.mean_)
    scope = in_scope(logits, oos, weights.astype(np.float32), bias)
    return Calibration(
        temperature=_temperature(inside, targets),
        act_temperature=_temperature(np.stack([output.act for output in outputs]), acts),
        scope_weights=tuple(float(weight) for weight in weights),
        scope_bias=bias,
        threshold=round(float(np.quantile(scope[wanted], REJECTED)), 4),
    )


def _temperature(
    logits: np.ndarray[tuple[int, ...], np.dtype[np.float32]], targets: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
) -> float:
    """The temperature with the lowest cross entropy, on a logarithmic grid from 0.25 to 4."""
    inputs, wanted = torch.from_numpy(logits), torch.from_numpy(targets)
    grid = np.geomspace(0.25, 4, 81)
    losses = [torch.nn.functional.cross_entropy(inputs / float(t), wanted).item() for t in grid]
    return round(float(grid[int(np.argmin(losses))]), 3)
