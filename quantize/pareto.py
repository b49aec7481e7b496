"""What each step and each layer costs: accuracy against size and latency, on development sentences."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from device.nlu.onnx_model import load_model
from models.manifest import file_sha256
from quantize.evaluate.figures import figures_of
from quantize.evaluate.footprint import footprint
from quantize.evaluate.parity import ParityError
from quantize.pipeline import Run
from quantize.plan import Plan, StudentPlan
from quantize.predict import opinions, predict_all
from quantize.training.batches import rows

_log = logging.getLogger(__name__)

FIGURES: Final = ("intent_accuracy", "slot_f1", "auroc")
HEADS_RATE: Final = 5e-3
DEPTH: Final = 6
"""Layers of MiniLM-L6."""


class Point(msgspec.Struct, frozen=True):
    """One model.

    Attributes:
        name: What it is.
        layers: Of its encoder.
        figures: On the development sentences, points.
        model_mb: Size of its graph, 10^6 bytes; None where no graph was made, as the latency.
        latency_ms: Median of one sentence, on one core with one thread.
        sha256: Of its graph.
    """

    name: str
    layers: int
    figures: dict[str, float]
    model_mb: float | None = None
    latency_ms: float | None = None
    sha256: str | None = None


def steps(run: Run) -> list[Point]:
    """What each step of a finished run brought or cost: trained heads alone, each teacher, student, int8.

    The first is the pretrained encoder as it came, with heads that were trained as long as the first teacher.

    Args:
        run: With teachers and student.
    """
    plan = run.plan
    teacher = plan.teachers[0]
    recipe = msgspec.structs.replace(teacher.recipe, frozen="encoder", head_rate=HEADS_RATE)
    heads = StudentPlan(recipe=recipe, layers=tuple(range(DEPTH)), seed=teacher.seed)
    alone = run.derived(run.folder / "heads", msgspec.structs.replace(plan, teachers=(), student=heads))
    dev = run.examples("dev")
    found = [Point("pretrained, heads trained", DEPTH, _torch(alone, dev))]
    for number in range(1, len(plan.teachers) + 1):
        data = rows(dev, run.tokenizer(), run.labels)
        figures = _figures(run, opinions(run.teacher(number), data))
        found.append(Point(f"teacher {number}, fine-tuned", DEPTH, figures))
    found.append(Point("student, float32", len(plan.student.layers), _torch(run, dev)))
    found.append(_quantized(run, f"student, int8 for {plan.board}"))
    return found


def layers(run: Run, counts: Sequence[int], epochs: int) -> list[Point]:
    """Students of several depths from the same teachers, each quantized.

    Args:
        run: With its teachers trained.
        counts: Numbers of layers.
        epochs: Of each distillation.
    """
    student = run.plan.student
    found = []
    for count in counts:
        recipe = msgspec.structs.replace(student.recipe, epochs=epochs)
        mine = msgspec.structs.replace(student, layers=spread(count), recipe=recipe)
        other = run.derived(run.folder / f"layers-{count}", msgspec.structs.replace(run.plan, student=mine))
        found.append(_quantized(other, f"{count} layer{'s' if count > 1 else ''}"))
        _log.info("%s", found[-1])
    return found


def spread(count: int) -> tuple[int, ...]:
    """Layers to keep: the first, the last, and others evenly between; one layer is the first."""
    return tuple(round(float(at)) for at in np.linspace(0, DEPTH - 1, count))


def picture(points: Sequence[Point], path: Path) -> None:
    """Draw accuracy against size and against latency; SVG or PNG by the file's ending."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, of, label in (
        (left, [p.model_mb for p in points], "model, MB (10⁶ bytes)"),
        (right, [p.latency_ms for p in points], "median latency, ms (one core, one thread)"),
    ):
        for name, colour in (("intent_accuracy", "#0b6e4f"), ("slot_f1", "#c8553d")):
            axes.plot(of, [p.figures.get(name) for p in points], "o-", color=colour, label=name.replace("_", " "))
        for point, x in zip(points, of, strict=True):
            axes.annotate(f"{point.layers}", (x, point.figures["intent_accuracy"]), (0, 7), textcoords="offset points",
                          ha="center", fontsize=9, color="#444444")  # fmt: skip
        axes.set_xlabel(label)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    left.set_ylabel("development sentences, %")
    left.legend(frameon=False, loc="lower right")
    figure.suptitle("Students of 1 to 6 layers (the numbers), int8", fontsize=12)
    figure.savefig(path, dpi=150)


def written(plan: Plan, points: Sequence[Point]) -> dict[str, Any]:
    """Points and the plan that made them, for machines."""
    built: dict[str, Any] = msgspec.to_builtins({"plan": plan, "points": points})
    return built


def _torch(run: Run, dev: Sequence[Any]) -> dict[str, float]:
    return _figures(run, opinions(run.student(), rows(dev, run.tokenizer(), run.labels)))


def _quantized(run: Run, name: str) -> Point:
    bundle = run.folder / "bundle"
    try:
        if not bundle.exists():
            run.bundle(bundle)
    except ParityError as error:  # the picture shows what the gate would refuse, and says so
        _log.warning("%s: %s", name, error)
        return Point(f"{name}, refused by the gate", len(run.plan.student.layers), {})
    model, dev = load_model(bundle), run.examples("dev")
    size = footprint(bundle, [" ".join(example.words) for example in dev])
    return Point(
        name,
        len(run.plan.student.layers),
        _figures(run, predict_all(model.logits, dev)),
        size["model_mb"],
        size["latency_p50_ms"],
        file_sha256(bundle / "model.onnx"),
    )


def _figures(run: Run, outputs: Sequence[Any]) -> dict[str, float]:
    from quantize.export.bundle import UNCALIBRATED

    figures = figures_of(run.examples("dev"), outputs, run.labels, UNCALIBRATED)
    return {name: figures[name] for name in FIGURES if name in figures}
