"""Slot labels under a conditional random field: each word's label probabilities, given all the others."""

from __future__ import annotations

import numpy as np

from device.nlu.reject import Floats, log_sum_exp

FORBIDDEN = np.float32(-1e4)


def marginals(emissions: Floats, transitions: Floats) -> Floats:
    """Log probability of each label of each word over all label sequences (forward-backward, Rabiner 1989).

    Args:
        emissions: [W, labels], scores of each word's labels; W at least 1. Label 0 is O, 2k+1 and 2k+2 are B and I
            of type k.
        transitions: [labels, labels], score of going from the row's label to the column's.
    """
    forward, backward = emissions.copy(), np.zeros_like(emissions)
    forward[0, 2::2] = FORBIDDEN  # no sentence begins inside a slot
    for at in range(1, len(emissions)):
        forward[at] += log_sum_exp((forward[at - 1][:, None] + transitions).T)
    for at in range(len(emissions) - 2, -1, -1):
        backward[at] = log_sum_exp(transitions + emissions[at + 1] + backward[at + 1])
    joint = forward + backward
    result: Floats = joint - log_sum_exp(joint)[:, None]
    return result
