"""What `--out` writes: `report.html` for people, `card.md`, `result.json` and `predictions.jsonl` for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from quantize.evaluate import plots
from quantize.evaluate.measures import confusion
from quantize.evaluate.outcomes import named, write_outcomes
from quantize.evaluate.runs import Run
from quantize.export.card import evaluation_card

TITLES: Final = {
    "snips": "SNIPS",
    "hwu64": "HWU64",
    "clinc150": "CLINC150",
    "slurp": "SLURP",
    "massive": "MASSIVE",
    "model": "held-out sentences",
}
MISSES: Final = 60
"""Mistakes that the page shows."""

_TILES: Final = (
    ("intent_accuracy", "intent accuracy, %"),
    ("end_to_end_accuracy", "accepted and right, %"),
    ("intent_macro_f1", "intent macro-F1, %"),
    ("slot_f1", "slot F1, strict, %"),
    ("entity_f1", "entity F1, overlap, %"),
    ("sentence_accuracy", "whole sentences, %"),
    ("auroc", "scope, AUROC"),
    ("oos_rejected", "out of scope rejected, %"),
    ("oos_recall_at_5", "out-of-scope recall at 5 % rejected, %"),
    ("ece", "calibration error"),
)
_CORPORA: Final = (
    ("sentences", "sentences"),
    ("intent_accuracy", "intent %"),
    ("intent_macro_f1", "macro-F1"),
    ("end_to_end_accuracy", "accepted, right %"),
    ("slot_f1", "slot F1"),
    ("auroc", "AUROC"),
    ("in_scope_rejected", "in scope rejected %"),
    ("oos_rejected", "oos rejected %"),
)
_FAIRNESS: Final = (
    ("origins", "Names of many origins, intent"),
    ("names", "Names of artists and places marked whole"),
    ("varieties", "Varieties of English, intent"),
)


def write_report(folder: Path, run: Run) -> None:
    """Write all four files into a folder, which is made if needed."""
    folder.mkdir(parents=True, exist_ok=True)
    write_outcomes(folder / "predictions.jsonl", run.outcomes)
    result = {run.name: run.figures | run.details()}
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (folder / "card.md").write_text(evaluation_card(run.name, run.manifest, result[run.name]), encoding="utf-8")
    (folder / "report.html").write_text(page(run), encoding="utf-8")


def page(run: Run) -> str:
    """The report as one web page that needs nothing else."""
    closed = run.judge is named
    environment = Environment(
        loader=PackageLoader("quantize.evaluate"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    head = run.figures.get("combined", {}) | run.figures
    sources = [(name, figures) for name, figures in run.figures.items() if isinstance(figures, dict)]
    misses = [
        {
            "text": o.text,
            "expected": o.expected,
            "answer": run.answer(o),
            "sure": o.confidence if closed or o.accepted else 1 - o.scope,
        }
        for o in run.scored()
        if not run.judge(o)
    ]
    misses.sort(key=lambda miss: (-float(str(miss["sure"])), str(miss["text"])))
    title = TITLES[run.name]
    runs = run.figures.get("runs", [])
    if runs:
        title += f", {len(runs)} runs"
    return environment.get_template("report.html.j2").render(
        run=run,
        title=title,
        scope_note=(
            "A sentence is right when the likeliest of the benchmark's intents is."
            if closed
            else "A sentence is right when it is accepted at the bundle's threshold and given the right intent."
        ),
        tiles=[{"label": label, "value": head[key]} for key, label in _TILES if key in head],
        corpora={"columns": _CORPORA, "rows": [(n, f) for n, f in sources if "sentences" in f]}
        if run.name == "model"
        else None,
        plots=_pictures(run),
        auroc=head.get("auroc"),
        fairness_kinds=_FAIRNESS,
        misses=misses,
        misses_of=len(run.scored()),
        shown_misses=misses[:MISSES],
    )


def _pictures(run: Run) -> dict[str, Any]:
    from markupsafe import Markup

    slot_types = run.details()["slot_types"]
    both = {o.inside for o in run.outcomes if o.expected is not None} == {True, False}
    drawn = {
        "slices": plots.interval_rows(run.slices),
        "reliability": plots.reliability_diagram(run.outcomes),
        "scope": plots.scope_curves(run.outcomes) if both else "",
        "confusion": plots.confusion_matrix(*confusion(run.pairs())),
        "slots": plots.slot_bars(slot_types) if any(row["n"] for row in slot_types) else "",
    } | {kind: plots.interval_rows(found["groups"], plots.HALF) for kind, found in run.fairness.items()}
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 - drawn by ourselves
