"""Held-out figures of a model, by corpus, in the field's usual measures.

Slots are scored by seqeval (strict, IOB2) on the types that the corpus marks in such sentences; out of scope by the
area under the ROC curve and by what the shipped threshold rejects.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2
from sklearn.metrics import f1_score as class_f1
from sklearn.metrics import roc_auc_score

from device.nlu.onnx_model import Logits, decode_spans
from device.nlu.reject import in_scope
from device.nlu.types import OOS
from models.labels import LabelSchema
from models.manifest import Calibration
from quantize.data.example import Example, Span

Figures: TypeAlias = dict[str, Any]


def evaluate(
    examples: Sequence[Example],
    outputs: Sequence[Logits],
    labels: LabelSchema,
    calibration: Calibration,
    unseen: Sequence[Example] = (),
) -> Figures:
    """Figures of each corpus and of all together.

    Args:
        examples: Held-out sentences.
        outputs: The model's, in the same order.
        labels: Names of the outputs.
        calibration: With the threshold that the device applies.
        unseen: Those out-of-scope examples whose kind was not trained on.

    Returns:
        `combined`, each source, and `unseen` (all in-scope sentences against the unseen ones), as `figures_of`;
        and the `weakest` intents of the combination.
    """
    keys = {example.key for example in unseen}
    by_source: dict[str, list[int]] = defaultdict(list)
    for index, example in enumerate(examples):
        by_source[example.source].append(index)
        if keys and (example.key in keys or example.intent not in (None, OOS)):
            by_source["unseen"].append(index)
    found: Figures = {"combined": figures_of(examples, outputs, labels, calibration)}
    for source, indices in sorted(by_source.items()):
        found[source] = figures_of([examples[i] for i in indices], [outputs[i] for i in indices], labels, calibration)
    found["weakest"] = weakest(examples, outputs, labels)
    return found


def figures_of(
    examples: Sequence[Example], outputs: Sequence[Logits], labels: LabelSchema, calibration: Calibration
) -> Figures:
    """Figures of one set; rates are percentages, AUROC 0 to 1, rounded.

    Returns:
        `intent_accuracy`: in-scope sentences whose likeliest intent of all, `oos` included, is right;
        `end_to_end_accuracy`: in-scope sentences that are accepted at the threshold and given the right intent;
        `intent_macro_f1`: over the intents that occur; `slot_f1`; `auroc`: in scope against out of scope;
        `in_scope_rejected` and `oos_rejected` at the threshold; `act_accuracy`.
    """
    oos = labels.intents.index(OOS)
    scored = [i for i, example in enumerate(examples) if example.intent is not None]
    gold = [examples[i].intent for i in scored]
    logits = np.stack([outputs[i].intent for i in scored]) if scored else np.zeros((0, len(labels.intents)), np.float32)
    found: Figures = {"sentences": len(examples)}
    if scored:
        guess = [labels.intents[i] for i in logits.argmax(1)]
        inside = np.array([intent != OOS for intent in gold])
        scope = in_scope(logits, oos, np.array(calibration.scope_weights, np.float32), calibration.scope_bias)
        accepted = scope >= calibration.threshold
        best = [labels.intents[i] for i in np.where(np.arange(logits.shape[1]) == oos, -np.inf, logits).argmax(1)]
        found["in_scope"], found["out_of_scope"] = int(inside.sum()), int((~inside).sum())
        if inside.any():
            right = np.array([a == b for a, b in zip(gold, guess, strict=True)])
            right_inside = np.array([a == b for a, b in zip(gold, best, strict=True)])
            found["intent_accuracy"] = _percent(right[inside].mean())
            found["end_to_end_accuracy"] = _percent((right_inside & accepted)[inside].mean())
            names = sorted({intent for intent in gold if intent and intent != OOS})
            found["intent_macro_f1"] = _percent(class_f1(gold, guess, labels=names, average="macro", zero_division=0))
            found["in_scope_rejected"] = _percent((~accepted)[inside].mean())
        if (~inside).any():
            found["oos_rejected"] = _percent((~accepted)[~inside].mean())
        if inside.any() and (~inside).any():
            found["auroc"] = round(float(roc_auc_score(inside, scope)), 4)
    marked = [i for i, example in enumerate(examples) if example.annotated is None or example.annotated]
    if marked:
        pairs = [slot_tags(examples[i], outputs[i], labels) for i in marked]
        found["slot_sentences"] = len(marked)
        found["slot_f1"] = _percent(
            f1_score([gold for gold, _ in pairs], [guess for _, guess in pairs], mode="strict", scheme=IOB2)
        )
    acts = [labels.acts[int(output.act.argmax())] for output in outputs]
    found["act_accuracy"] = _percent(np.mean([a == e.act for a, e in zip(acts, examples, strict=True)]))
    return found


def slot_tags(example: Example, output: Logits, labels: LabelSchema) -> tuple[list[str], list[str]]:
    """True and predicted BIO tags, of the types that the example's source marks."""
    guessed = [Span(s.type, s.start, s.end) for s in decode_spans(output.slots, labels.slot_types)]
    return _tags(example, example.spans), _tags(example, guessed)


def weakest(
    examples: Sequence[Example], outputs: Sequence[Logits], labels: LabelSchema, count: int = 12
) -> list[Figures]:
    """Intents with the lowest accuracy, and what they are most often taken for."""
    taken: Mapping[str, Counter[str]] = defaultdict(Counter)
    for example, output in zip(examples, outputs, strict=True):
        if example.intent not in (None, OOS):
            taken[str(example.intent)][labels.intents[int(output.intent.argmax())]] += 1
    rows: list[Figures] = [
        {
            "intent": intent,
            "sentences": guesses.total(),
            "accuracy": _percent(guesses[intent] / guesses.total()),
            "taken_for": [name for name, _ in guesses.most_common(4) if name != intent][:3],
        }
        for intent, guesses in taken.items()
        if guesses.total() >= 5
    ]
    return sorted(rows, key=lambda row: row["accuracy"])[:count]


def _tags(example: Example, spans: Sequence[Span]) -> list[str]:
    tags = ["O"] * len(example.words)
    for span in spans:
        if example.annotated is None or span.type in example.annotated:
            tags[span.start : span.end] = [f"B-{span.type}", *[f"I-{span.type}"] * (span.end - span.start - 1)]
    return tags


def _percent(share: float | np.floating[Any]) -> float:
    return round(100 * float(share), 2)
