"""The table of what the factory is meant to reach, beside what others reached and what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from quantize.evaluate.measures import Figures

MAX_MB: Final = 10.0
MAX_P50_MS: Final = 1.5
MAX_RSS_MB: Final = 90.0
MAX_LOSS: Final = 0.3


class Row(msgspec.Struct, frozen=True):
    """One line of the table.

    Attributes:
        what: What is measured.
        anchor: Published figures to stand beside.
        reach: What is wanted.
        measured: What came out; "not measured" with the reason, where nothing did.
        reached: Whether it is enough; None where nothing was measured.
    """

    what: str
    anchor: str
    reach: str
    measured: str
    reached: bool | None


def must_show(
    results: Mapping[str, Figures], size: Mapping[str, Any], reasons: Mapping[str, str] | None = None
) -> list[Row]:
    """Fill the table in.

    Args:
        results: Benchmark to its figures (percentages); what was not run is missing.
        size: Of `quantize.evaluate.footprint`, of the shipped bundle.
        reasons: Benchmark to why it was not run.
    """
    reasons = reasons or {}

    def lacking(name: str) -> str:
        return f"not measured: {reasons.get(name, 'not run')}"

    rows: list[Row] = []
    hwu = results.get("hwu64", {})
    for what, key, anchor, wanted in (
        (
            "HWU64, 10 folds, intent micro-F1, int8 student",
            "intent_micro_f1",
            "Watson 0.882, Dialogflow 0.864, Rasa 0.863, LUIS 0.855; DIET about 0.90",
            92.5,
        ),
        ("HWU64, 10 folds, entity F1 (type and overlap)", "entity_f1", "LUIS 0.777, Rasa 0.768", 86.0),
    ):
        folds = len(hwu.get("runs", [])) or 1
        shown = lacking("hwu64")
        if key in hwu:
            spread = f" ± {hwu[f'{key}_std'] / 100:.4f}" if f"{key}_std" in hwu else ""
            shown = f"{hwu[key] / 100:.4f}{spread}" + ("" if folds == 10 else f" ({folds} of 10 folds)")
        reached = (hwu[key] >= wanted and folds == 10) if key in hwu else None
        rows.append(Row(what, anchor, f"≥ {wanted / 100:.3f}", shown, reached))
    snips, keys = results.get("snips", {}), ("intent_accuracy", "slot_f1", "sentence_accuracy")
    rows.append(
        Row(
            "SNIPS, int8 student, intent / slot F1 / sentence",
            "JointBERT 98.6 / 97.0 / 92.8 (110M); DistilBERT+CRF 98.6 / 96.5 / 91.9 (66M)",
            f"≥ 98.6 / 96.5 / 92 at ≤ {MAX_MB:g} MB",
            " / ".join(_spread(snips, key) for key in keys) + f" at {snips['bundle_mb']} MB"
            if snips
            else lacking("snips"),
            all(snips[key] >= wanted for key, wanted in zip(keys, (98.6, 96.5, 92.0), strict=True))
            and snips["bundle_mb"] <= MAX_MB
            if snips
            else None,
        )
    )
    clinc = results.get("clinc150", {})
    rows.append(
        Row(
            "CLINC150, int8 student, in-scope accuracy / out-of-scope recall at 5 % rejected",
            "BERT 96.9 in scope, 40 recall",
            "≥ 96 / ≥ 88",
            f"{_spread(clinc, 'in_scope_accuracy')} / {_spread(clinc, 'oos_recall_at_5')} "
            f"(threshold of the development set; it rejects {clinc['in_scope_rejected_at_5']} % of the test set's)"
            if clinc
            else lacking("clinc150"),
            clinc["in_scope_accuracy"] >= 96 and clinc["oos_recall_at_5"] >= 88 if clinc else None,
        )
    )
    rows.append(
        Row(
            "Shipped bundle: size / latency p50 (p95) / peak memory",
            "fp32 BERT-base 418 MB",
            f"≤ {MAX_MB:g} MB, p50 ≤ {MAX_P50_MS:g} ms on one x86 core, ≤ {MAX_RSS_MB:g} MB",
            f"{size['bundle_mb']} MB (model.onnx {size['model_mb']} MB) / {size['latency_p50_ms']} "
            f"({size['latency_p95_ms']}) ms / {size['peak_rss_mb']} MB, on {size['machine']}",
            size["bundle_mb"] <= MAX_MB and size["latency_p50_ms"] <= MAX_P50_MS and size["peak_rss_mb"] <= MAX_RSS_MB,
        )
    )
    losses = [
        (points, f"{name} {key}")
        for name, found in results.items()
        for key, points in found.get("int8_loss", {}).items()
    ]
    rows.append(
        Row(
            "Loss by int8, float32 less int8, the worst of all figures",
            "",
            f"≤ {MAX_LOSS:g} points everywhere",
            "{:.2f} points ({})".format(*max(losses)) if losses else "not measured: no float32 graph was kept",
            _small(max(losses)[0], results) if losses else None,
        )
    )
    return rows


def markdown(rows: list[Row]) -> str:
    """The table, as Markdown."""
    marks = {True: "yes", False: "no", None: "–"}
    lines = ["| | anchor | reach | measured | reached |", "|---|---|---|---|---|"]
    lines += [f"| {r.what} | {r.anchor} | {r.reach} | {r.measured} | {marks[r.reached]} |" for r in rows]
    return "\n".join(lines) + "\n"


def _small(worst: float, results: Mapping[str, Figures]) -> bool | None:
    """Whether all losses are small; None if they are as far as is known, but not all benchmarks were measured."""
    if worst > MAX_LOSS:
        return False
    everywhere = all("int8_loss" in results.get(name, {}) for name in ("hwu64", "snips", "clinc150"))
    return True if everywhere else None


def _spread(figures: Figures, key: str) -> str:
    return f"{figures[key]}" + (f" ± {figures[f'{key}_std']}" if f"{key}_std" in figures else "")
