"""The field's measures over outcomes: intents, slots, scope, calibration. Pure; rates are percentages.

AUROC, ECE and Brier score stay between 0 and 1 (Brier: 0 and 2), as in the literature.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from quantize.evaluate.outcomes import Outcome
from quantize.evaluate.overlap import Counts, one_to_one, published, strict

Figures: TypeAlias = dict[str, Any]
Floats: TypeAlias = npt.NDArray[np.float64]

BINS: Final = 15
"""Bins of the expected calibration error, as in Guo et al. 2017 (arXiv 1706.04599)."""

REJECTED: Final = 0.05
"""Share of in-scope sentences that may be rejected where the recall of out-of-scope ones is measured."""


def intent_figures(outcomes: Sequence[Outcome]) -> Figures:
    """`intent_accuracy`, `intent_micro_f1` and `intent_macro_f1` of in-scope sentences, best of the in-scope intents.

    Both F1 are over the intents that occur. Where a prediction is an intent that does not occur, it is no false
    positive of any of them, so that micro-F1 is a little above the accuracy, as in HWU64's published protocol.
    """
    from sklearn.metrics import f1_score

    inside = [o for o in outcomes if o.inside]
    if not inside:
        return {}
    gold, guess = [str(o.expected) for o in inside], [o.predicted for o in inside]
    names = sorted(set(gold))

    def f1(average: str) -> float:
        return float(f1_score(gold, guess, labels=names, average=average, zero_division=0))

    return {
        "intent_accuracy": percent(np.mean([o.named for o in inside])),
        "intent_micro_f1": percent(f1("micro")),
        "intent_macro_f1": percent(f1("macro")),
    }


def slot_figures(outcomes: Sequence[Outcome]) -> Figures:
    """Slots of the sentences in which the source marks any type.

    Returns:
        `slot_f1`, `slot_precision`, `slot_recall`: seqeval, strict IOB2; `entity_f1`: type and overlap by the
        published protocol (see `overlap`); `entity_f1_one_to_one`: the same with each span matched once;
        `sentence_accuracy`: intent and all slots right.
    """
    from seqeval.metrics import f1_score, precision_score, recall_score
    from seqeval.scheme import IOB2

    marked = [o for o in outcomes if o.marked and o.expected is not None]
    if not any(o.spans for o in marked):
        return {}
    tags = [tags_of(o) for o in marked]
    gold, guess = [pair[0] for pair in tags], [pair[1] for pair in tags]
    pairs = [(o.spans, o.found) for o in marked]
    found: Figures = {
        name: percent(score(gold, guess, mode="strict", scheme=IOB2, zero_division=0))
        for name, score in (("slot_f1", f1_score), ("slot_precision", precision_score), ("slot_recall", recall_score))
    }
    found["entity_f1"] = percent(published(pairs).f1)
    found["entity_f1_one_to_one"] = percent(one_to_one(pairs).f1)
    found["sentence_accuracy"] = percent(np.mean([o.named and o.slots_right for o in marked if o.inside]))
    return found


def tags_of(outcome: Outcome) -> tuple[list[str], list[str]]:
    """True and predicted BIO tags."""
    gold, guess = ["O"] * len(outcome.words), ["O"] * len(outcome.words)
    for tags, spans in ((gold, outcome.spans), (guess, outcome.found)):
        for span in spans:
            tags[span.start : span.end] = [f"B-{span.type}", *[f"I-{span.type}"] * (span.end - span.start - 1)]
    return gold, guess


def scope_figures(outcomes: Sequence[Outcome], dev: Sequence[Outcome] = ()) -> Figures:
    """In scope against out of scope; empty where one of the two is missing.

    Args:
        outcomes: The test set.
        dev: The development set; the threshold at 5 % rejected is chosen there.

    Returns:
        At the bundle's threshold: `in_scope_rejected`, `oos_rejected`, and `end_to_end_accuracy` (in-scope
        sentences accepted with the right intent). Over all thresholds: `auroc`; `fpr95`, the out-of-scope sentences
        that pass where 95 % of the in-scope ones do (Hendrycks and Gimpel 2017, arXiv 1610.02136, with "in scope"
        as the positive class). `oos_recall_at_5`, with the threshold that rejects 5 % of the in-scope *development*
        sentences, `in_scope_rejected_at_5`, what that rejects here, and `in_scope_accuracy_at_5`, what is accepted
        and right. `oos_recall_at_5_of_test`: the threshold set on the test set itself, to compare with papers that
        do so; not a figure to choose by.
    """
    from sklearn.metrics import roc_auc_score

    inside = np.array([o.inside for o in outcomes if o.expected is not None], bool)
    scored = [o for o in outcomes if o.expected is not None]
    scope = np.array([o.scope for o in scored])
    accepted = np.array([o.accepted for o in scored], bool)
    found: Figures = {}
    if inside.any():
        found["in_scope_rejected"] = percent((~accepted[inside]).mean())
        found["end_to_end_accuracy"] = percent(np.mean([o.answered for o in scored if o.inside]))
    if (~inside).any():
        found["oos_rejected"] = percent((~accepted[~inside]).mean())
    if not inside.any() or inside.all():
        return found
    found["auroc"] = round(float(roc_auc_score(inside, scope)), 4)
    at_test = float(np.quantile(scope[inside], REJECTED))
    found["fpr95"] = percent((scope[~inside] >= at_test).mean())
    known = [o.scope for o in dev if o.inside]
    if known:
        at_dev = float(np.quantile(known, REJECTED))
        found["oos_recall_at_5"] = percent((scope[~inside] < at_dev).mean())
        found["in_scope_rejected_at_5"] = percent((scope[inside] < at_dev).mean())
        found["in_scope_accuracy_at_5"] = percent(np.mean([o.named and o.scope >= at_dev for o in scored if o.inside]))
    found["oos_recall_at_5_of_test"] = percent((scope[~inside] < at_test).mean())
    return found


def calibration_figures(outcomes: Sequence[Outcome]) -> Figures:
    """How far the probability of the chosen intent can be believed, in-scope sentences.

    Returns:
        `ece`, at the temperature fitted on development data; `ece_uncalibrated`, at temperature 1; `brier`,
        over all intents, calibrated (Brier 1950).
    """
    inside = [o for o in outcomes if o.inside]
    if not inside:
        return {}
    right = np.array([o.named for o in inside])
    return {
        "ece": round(ece(np.array([o.confidence for o in inside]), right), 4),
        "ece_uncalibrated": round(ece(np.array([o.raw_confidence for o in inside]), right), 4),
        "brier": round(float(np.mean([o.brier for o in inside if o.brier is not None])), 4),
    }


class Bin(NamedTuple):
    """One bin of a reliability diagram: sentences, their mean confidence and their accuracy."""

    size: int
    confidence: float
    accuracy: float


def reliability(confidence: Floats, right: npt.NDArray[np.bool_], bins: int = BINS) -> list[Bin]:
    """Bins of equal width over (0, 1] that are not empty.

    Args:
        confidence: [n], 0 to 1.
        right: [n].
        bins: How many.
    """
    edges = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return [
        Bin(int(chosen.sum()), float(confidence[chosen].mean()), float(right[chosen].mean()))
        for chosen in (edges == number for number in range(bins))
        if chosen.any()
    ]


def ece(confidence: Floats, right: npt.NDArray[np.bool_], bins: int = BINS) -> float:
    """Expected calibration error: mean gap of accuracy and confidence over the bins, weighted by their size."""
    return sum(b.size * abs(b.accuracy - b.confidence) for b in reliability(confidence, right, bins)) / len(right)


def per_slot(outcomes: Sequence[Outcome]) -> list[Figures]:
    """Strict counts of each slot type, commonest first: `type`, `n`, `precision`, `recall`, `f1`."""
    counts: dict[str, Counts] = defaultdict(Counts)
    for outcome in outcomes:
        for kind in {span.type for span in (*outcome.spans, *outcome.found)}:
            pair = [s for s in outcome.spans if s.type == kind], [s for s in outcome.found if s.type == kind]
            counts[kind] = counts[kind].plus(strict([pair]))
    rows: list[Figures] = [
        {
            "type": kind,
            "n": count.tp + count.fn,
            "precision": percent(count.precision),
            "recall": percent(count.recall),
            "f1": percent(count.f1),
        }
        for kind, count in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row["n"], row["type"]))


def confusion(pairs: Sequence[tuple[str, str]], count: int = 12) -> tuple[list[str], list[list[int]]]:
    """The intents with the most mistakes, true ones in rows against answers in columns.

    Args:
        pairs: Expected intent and answer of each sentence.
        count: How many intents.

    Returns:
        Names, the last of them `other` for all that is not named; and the matrix of counts.
    """
    wrong: dict[str, int] = defaultdict(int)
    for expected, answer in pairs:
        if expected != answer:
            wrong[expected] += 1
            wrong[answer] += 1
    names = sorted(sorted(wrong, key=lambda name: (-wrong[name], name))[:count])
    place = {name: index for index, name in enumerate(names)}
    matrix = [[0] * (len(names) + 1) for _ in range(len(names) + 1)]
    for expected, answer in pairs:
        matrix[place.get(expected, -1)][place.get(answer, -1)] += 1
    return [*names, "other"], matrix


def percent(share: float | np.floating[Any]) -> float:
    """A share as a percentage with two decimals."""
    return round(100 * float(share), 2)
