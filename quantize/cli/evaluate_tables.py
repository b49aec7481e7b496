"""What `homebody evaluate` shows a person: tables in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table

Figures = Mapping[str, Any]

NAMES: Final = {
    "n": "sentences",
    "accuracy": "right answers, refusals included, %",
    "intent_accuracy": "intent accuracy, %",
    "intent_micro_f1": "intent micro-F1, %",
    "intent_macro_f1": "intent macro-F1, %",
    "slot_f1": "slot F1, strict, %",
    "slot_precision": "slot precision, %",
    "slot_recall": "slot recall, %",
    "entity_f1": "entity F1, type and overlap (published protocol), %",
    "entity_f1_one_to_one": "entity F1, type and overlap, matched once, %",
    "sentence_accuracy": "whole sentences right, %",
    "ece": "expected calibration error",
    "ece_uncalibrated": "… at temperature 1",
    "brier": "Brier score",
    "in_scope_accuracy": "in-scope accuracy, %",
    "end_to_end_accuracy": "accepted and right, %",
    "in_scope_rejected": "in scope, rejected, %",
    "oos_rejected": "out of scope, rejected, %",
    "auroc": "scope: AUROC",
    "fpr95": "scope: out of scope passed where 95 % in scope pass, %",
    "oos_recall_at_5": "out-of-scope recall at 5 % rejected on development data, %",
    "in_scope_rejected_at_5": "… and what that rejects in scope here, %",
    "in_scope_accuracy_at_5": "… and what is accepted and right, %",
    "oos_recall_at_5_of_test": "out-of-scope recall at exactly 5 % of the test set, %",
    "skipped": "bad lines left out",
    "bundle_mb": "size of the bundle, MB",
    "seed": "seed",
}
_LISTED: Final = 20


def show_figures(title: str, figures: Figures) -> None:
    """One benchmark: figure, value, spread."""
    table = Table(title=title, title_justify="left")
    spread = any(f"{key}_std" in figures for key in NAMES)
    for head in ("", "measured", *(["±"] if spread else [])):
        table.add_column(head, justify="left" if not head else "right")
    for key, label in NAMES.items():
        if key in figures:
            table.add_row(label, _text(figures[key]), *([_text(figures.get(f"{key}_std", ""))] if spread else []))
    for key, points in figures.get("int8_loss", {}).items():
        table.add_row(f"int8 loss, {NAMES.get(key, key).removesuffix(', %')}, points", _text(points))
    Console().print(table)


def show_model(figures: Figures) -> None:
    """The shipped model: by corpus, slices, robustness, fairness."""
    corpora = [(name, found) for name, found in figures.items() if isinstance(found, dict) and "sentences" in found]
    keys = ("sentences", "intent_accuracy", "intent_macro_f1", "end_to_end_accuracy", "slot_f1", "auroc",
            "in_scope_rejected", "oos_rejected")  # fmt: skip
    heads = ("n", "intent", "macro", "right", "slots", "AUROC", "refused", "oos")
    _table("Held-out sentences, %", ("", *heads), ([n, *(f.get(k, "–") for k in keys)] for n, f in corpora))
    Console().print(
        "intent: likeliest of all; right: accepted with the right intent; refused: in-scope sentences refused; oos: "
        "out-of-scope ones refused\n"
        f"Calibration: ECE {figures['ece']} ({figures['ece_uncalibrated']} at temperature 1), "
        f"Brier score {figures['brier']}\n"
    )
    _table(
        "Kinds of in-scope sentences: accepted and right",
        ("", "n", "%", "95 % interval"),
        ([r["name"], r["n"], r["accuracy"], "{} to {}".format(*r["interval"])] for r in figures["slices"] if r["n"]),
    )
    _table(
        "Robustness: the same sentences before and after a change",
        ("", "n", "clean %", "changed %", "loss"),
        ([r["name"], r["n"], r["clean"], r["accuracy"], r["loss"]] for r in figures["robustness"] if r["n"]),
    )
    _table(
        "Fairness: the best and the worst group",
        ("", "groups", "gap", "allowed", "", "worst"),
        (
            [
                kind,
                len(found["groups"]),
                found["gap"],
                found["max_gap"],
                "passed" if found["passed"] else "failed",
                "\n".join(f"{g['name'].replace('_', ' ')} {g['accuracy']}" for g in found["groups"][:3]),
            ]
            for kind, found in figures["fairness"].items()
        ),
    )


def show_sentences(found: Figures) -> None:
    """Somebody's sentences: figures, then what went wrong."""
    show_figures("your sentences", found)
    console = Console()
    for line in found["skipped_lines"][:_LISTED]:
        console.print(f"left out: {line}", style="yellow", markup=False)
    for line in found["unscored_slots"][:_LISTED]:
        console.print(f"slots not scored: {line}", style="yellow", markup=False)
    misses: Sequence[Figures] = found["misses"]
    if misses:
        _table(
            ("1 miss" if len(misses) == 1 else f"{len(misses)} misses")
            + (f", the first {_LISTED}" if len(misses) > _LISTED else ""),
            ("text", "expected", "predicted"),
            ([m["text"], m["expected"], m["predicted"]] for m in misses[:_LISTED]),
        )


def show_comparison(found: Figures) -> None:
    """Two runs: what differs and whether it is chance."""
    rows = []
    for key, label in (("accuracy", "accuracy"), ("slot_f1", "slot F1")):
        if key in found:
            f = found[key]
            more = (
                "{} to {}".format(*f["interval"])
                if "interval" in f
                else f"{f['only_first']} only first right, {f['only_second']} only second"
            )
            verdict = "real" if f["p"] < 0.05 else "may be chance"
            rows.append([label, f["first"], f["second"], f"{f['difference']:+.2f}", more, f["p"], verdict])
    _table(f"{found['n']} sentences", ("", "first %", "second %", "points", "95 % interval", "p", ""), rows)
    for key, title in (("newly_wrong", "Newly wrong"), ("newly_right", "Newly right")):
        if found[key]:
            _table(
                title,
                ("text", "expected", "first", "second"),
                ([row["text"], row["expected"], row["first"], row["second"]] for row in found[key]),
            )


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(title=title, title_justify="left")
    for at, head in enumerate(heads):
        numeric = at and head not in ("expected", "predicted", "first", "second", "worst", "95 % interval")
        table.add_column(head, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*map(_text, row))
    Console().print(table)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "–" if value is None else str(value)
