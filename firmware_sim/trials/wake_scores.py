"""Figures of a wake word: detection rates and false accepts an hour, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from firmware_sim.trials.speech_scores import wilson
from firmware_sim.trials.wake_trial import Talk


def detection(heard: Sequence[Mapping[float, Sequence[bool]]]) -> list[dict[str, Any]]:
    """One row for each threshold of the same recordings, once for each seed.

    Returns:
        `threshold`, `n` (recordings times seeds), `detected`, `rate` (0 to 1), `interval` (Wilson, 95 %, of as many
        people as there are recordings: the same one in other noise is no new one).
    """
    rows = []
    for threshold in heard[0]:
        said = [each for run in heard for each in run[threshold]]
        rate = sum(said) / len(said)
        interval = wilson(rate, len(heard[0][threshold]))
        rows.append(
            {
                "threshold": threshold,
                "n": len(said),
                "detected": sum(said),
                "rate": round(rate, 4),
                "interval": interval,
            }
        )
    return rows


def false_accepts(talk: Talk) -> list[dict[str, Any]]:
    """One row for each threshold.

    Returns:
        `threshold`, `hours`, `first_stage` (how often the network alone woke), `accepts`, `per_hour`, `interval`
        (Garwood, 95 %), `woke`: file and second of each, and the words that the second
        look heard there.
    """
    hours = talk.seconds / 3600
    rows = []
    for threshold, accepts in talk.accepts.items():
        low, high = garwood(len(accepts))
        woke = [
            {"file": each.name, "at_s": round(each.seconds, 1), "heard": each.look and each.look.words}
            for each in accepts
        ]
        rows.append(
            {
                "threshold": threshold,
                "hours": round(hours, 3),
                "first_stage": talk.first[threshold],
                "accepts": len(accepts),
                "per_hour": round(len(accepts) / hours, 3),
                "interval": (round(low / hours, 3), round(high / hours, 3)),
                "woke": woke,
            }
        )
    return rows


def garwood(count: int) -> tuple[float, float]:
    """Exact 95 % interval of the mean of a Poisson distribution from which `count` events were seen (Garwood 1936)."""
    from scipy.stats import chi2

    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low), float(chi2.ppf(0.975, 2 * count + 2) / 2)
