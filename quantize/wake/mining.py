"""What the network takes for a wake word and is none: the examples from which it still learns.

Hard negatives of the network's own finding, as detectors are trained on them (Sung and Poggio 1998).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from quantize.wake.examples import STEPS, Features, Material
from quantize.wake.measure import REFRACTORY, Ear, talk
from quantize.wake.net import STRIDE

DOUBTFUL: Final = 0.2
"""Mean probability of other talk that is a mistake worth learning from."""

_AFTER: Final = 20
"""Steps that are kept after it, at most."""


def mistakes(ear: Ear, material: Material, hours: float, seed: int) -> Features:
    """Stretches of talk by the voices that train in which a phrase is heard that was not said.

    Args:
        ear: The network so far.
        material: Its sentences and near misses are the talk.
        hours: How long it listens.
        seed: Of all chance; another one makes other talk.
    """
    found = []
    rng = np.random.default_rng(seed)
    for pcm in talk([*material.speech, *material.misses], hours, seed):
        rows = ear.rows(pcm)
        curve = ear.means(rows).max(axis=1)
        free = 0
        for step in np.flatnonzero(curve > DOUBTFUL).tolist():
            last = step + int(rng.integers(1, _AFTER))
            if step >= free and STEPS <= last <= len(curve):
                found.append(rows[(last - STEPS) * STRIDE : last * STRIDE].astype(np.float16))
                free = step + REFRACTORY
    return np.stack(found) if found else np.zeros((0, STEPS * STRIDE, len(rows[0])), np.float16)
