"""Is one run better than another, or lucky? Both must have answered the same sentences.

Accuracy: McNemar's test in its exact form (McNemar 1947; recommended for one test set by Dietterich 1998): of the
sentences that only one of the two got right, is the division further from even than coins would throw? F1: paired
bootstrap over sentences (Efron; for NLP: Koehn 2004, Berg-Kirkpatrick et al. 2012), with the percentile interval of
the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from device.errors import BadInput
from quantize.evaluate.measures import percent
from quantize.evaluate.outcomes import Judge, Outcome, named
from quantize.evaluate.overlap import strict

Ints: TypeAlias = npt.NDArray[np.int64]

RESAMPLES: Final = 2000
LEVEL: Final = 0.95
"""Of the confidence interval."""


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """Two-sided exact p-value that both are right equally often.

    Args:
        first: Whether the first run was right, sentence by sentence.
        second: The second run's, in the same order.
    """
    from scipy.stats import binomtest

    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    if not only_first + only_second:
        return 1.0
    return float(binomtest(only_first, only_first + only_second).pvalue)


def bootstrap_f1(
    first: Ints, second: Ints, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[float, tuple[float, float], float]:
    """Difference of micro-F1, second less first, by paired bootstrap.

    Args:
        first: [n, 3]: TP, FP and FN of each sentence in the first run.
        second: The same of the second run.
        seed: Of the resampling.
        resamples: How often.

    Returns:
        The difference (0 to 1), its confidence interval, and the two-sided p-value: twice the smaller share of
        resamples on one side of zero, the sample itself counted once.
    """
    chance = np.random.default_rng(seed)
    n = len(first)
    weights = chance.multinomial(n, np.full(n, 1 / n), size=resamples)
    differences = _f1(weights @ second) - _f1(weights @ first)
    tail = (1 - LEVEL) / 2
    low, high = (float(value) for value in np.quantile(differences, (tail, 1 - tail)))
    below, above = int((differences <= 0).sum()), int((differences >= 0).sum())
    p = min(1.0, 2 * (min(below, above) + 1) / (resamples + 1))
    return float(_f1(second.sum(0)) - _f1(first.sum(0))), (low, high), p


def compare(first: Sequence[Outcome], second: Sequence[Outcome], judge: Judge = named, seed: int = 0) -> dict[str, Any]:
    """Compare two runs on one test set.

    Args:
        first: Outcomes of the first run.
        second: Outcomes of the second run, of the same sentences in any order.
        judge: What counts as right.
        seed: Of the bootstrap.

    Returns:
        `n`; `accuracy` and, where slots are marked, `slot_f1`: `first`, `second`, `difference` (points, second less
        first) and `p`; accuracy also `only_first` and `only_second` (sentences that only one got right), slot F1
        `interval` (points, 95 %); `newly_wrong` and `newly_right`: up to 20 sentences each.

    Raises:
        BadInput: They have not answered the same sentences with the same labels.
    """
    first, second = _paired(first, second)
    scored = [(a, b) for a, b in zip(first, second, strict=True) if a.expected is not None]
    right_a, right_b = [judge(a) for a, _ in scored], [judge(b) for _, b in scored]
    found: dict[str, Any] = {
        "n": len(scored),
        "accuracy": {
            "first": percent(np.mean(right_a)),
            "second": percent(np.mean(right_b)),
            "difference": round(100 * float(np.mean(right_b) - np.mean(right_a)), 2),
            "only_first": sum(a and not b for a, b in zip(right_a, right_b, strict=True)),
            "only_second": sum(b and not a for a, b in zip(right_a, right_b, strict=True)),
            "p": _p(mcnemar(right_a, right_b)),
        },
    }
    if any(a.spans for a, _ in scored if a.marked):
        counts_a, counts_b = _counts([a for a, _ in scored]), _counts([b for _, b in scored])
        difference, interval, p = bootstrap_f1(counts_a, counts_b, seed)
        found["slot_f1"] = {
            "first": percent(float(_f1(counts_a.sum(0)))),
            "second": percent(float(_f1(counts_b.sum(0)))),
            "difference": round(100 * difference, 2),
            "interval": [round(100 * value, 2) for value in interval],
            "p": _p(p),
            "seed": seed,
        }
    pairs = list(zip(scored, right_a, right_b, strict=True))
    found["newly_wrong"] = [_change(a, b) for (a, b), was, now in pairs if was and not now][:20]
    found["newly_right"] = [_change(a, b) for (a, b), was, now in pairs if now and not was][:20]
    return found


def _paired(first: Sequence[Outcome], second: Sequence[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    def order(outcomes: Sequence[Outcome]) -> list[Outcome]:
        return sorted(outcomes, key=lambda o: (o.part, o.words, o.expected or "", o.spans))

    one, two = order(first), order(second)
    if not one or [(o.part, o.words, o.expected) for o in one] != [(o.part, o.words, o.expected) for o in two]:
        raise BadInput(
            f"The two runs did not answer the same sentences ({len(one)} and {len(two)}).",
            remedy="Evaluate both on the same benchmark, with the same data folder and labels.",
        )
    return one, two


def _counts(outcomes: Sequence[Outcome]) -> Ints:
    return np.array([strict([(o.spans, o.found)]) if o.marked else (0, 0, 0) for o in outcomes], np.int64)


def _f1(counts: Ints) -> npt.NDArray[np.float64]:
    """Micro-F1 of [..., 3] counts: 2 TP / (2 TP + FP + FN)."""
    tp, fp, fn = counts[..., 0], counts[..., 1], counts[..., 2]
    result: npt.NDArray[np.float64] = 2 * tp / np.maximum(2 * tp + fp + fn, 1)
    return result


def _change(before: Outcome, after: Outcome) -> dict[str, str]:
    return {
        "text": before.text,
        "expected": str(before.expected),
        "first": before.predicted,
        "second": after.predicted,
    }


def _p(value: float) -> float:
    return float(f"{value:.3g}")
