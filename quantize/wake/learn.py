"""Teaches the network: cross entropy at the steps that count, the hardest of the others before all.

Few steps of the others teach anything once the easy ones are known, so only the hardest of each batch do (online hard
example mining: Shrivastava et al. 2016, arXiv:1604.03540). Features are masked in time and frequency (SpecAugment:
Park et al. 2019, arXiv:1904.08779). What goes on learning ends halfway back to what it was, so that it forgets less
(Wortsman et al. 2022, arXiv:2109.01903).
"""

from __future__ import annotations

import copy
import logging
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from quantize.wake.examples import IGNORED, Features, Labels
from quantize.wake.net import BANDS, WakeNet

BATCH: Final = 128
RATE: Final = 3e-3
HARDEST: Final = 15
"""Steps without the phrase that count for each step with it."""

log = logging.getLogger(__name__)


def learn(features: Features, labels: Labels, steps: int, seed: int, begun: WakeNet | None = None) -> WakeNet:
    """Train a new network, or one that has begun to learn, at a third of the rate.

    Args:
        features: Of `examples.make`.
        labels: Their labels.
        steps: Batches of `BATCH` examples.
        seed: Of the weights and the order.
        begun: The network that goes on; it is changed.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    before = copy.deepcopy(begun.state_dict()) if begun else None
    net = begun.train() if begun else WakeNet(labels.shape[2])
    rate = RATE / 3 if begun else RATE
    optimizer = torch.optim.AdamW(net.parameters(), rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    state = torch.zeros(BATCH, sum(net.sizes))
    for step in range(1, steps + 1):
        chosen = rng.integers(len(features), size=BATCH)
        batch = _masked(torch.from_numpy(features[chosen].astype(np.float32)), rng)
        logits, _ = net(batch, state)
        loss = _loss(logits, torch.from_numpy(labels[chosen]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 250 == 0 or step == steps:
            log.info("step %d of %d: loss %.4f", step, steps, float(loss.detach()))
    if before:
        after = net.state_dict()
        net.load_state_dict({name: _halfway(before[name], after[name]) for name in after})
    return net.eval()


def _halfway(before: Tensor, after: Tensor) -> Tensor:
    return (before + after) / 2 if after.is_floating_point() else after


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    counted = labels != IGNORED
    each = functional.binary_cross_entropy_with_logits(logits, labels.clamp(min=0).float(), reduction="none")
    said = each[counted & (labels == 1)]
    others = each[counted & (labels == 0)]
    hardest = others.topk(min(len(others), HARDEST * max(len(said), BATCH))).values
    return said.sum() / max(1, len(said)) + hardest.mean()


def _masked(features: Tensor, rng: np.random.Generator) -> Tensor:
    """Hide a band of up to 8 features and a stretch of up to 120 ms in half of the examples."""
    for example in features[: len(features) // 2]:
        band, width = int(rng.integers(BANDS)), int(rng.integers(1, 9))
        begin, length = int(rng.integers(features.shape[1])), int(rng.integers(1, 13))
        example[:, band : band + width] = 0
        example[begin : begin + length] = 0
    return features
