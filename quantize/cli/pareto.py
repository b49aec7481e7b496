"""`homebody pareto`: what each step and each layer of a trained run brings and costs."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated

import typer


def pareto(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run of `homebody train`.")],
    layers: Annotated[str, typer.Option(help="Depths of the students, such as 1-6.")] = "1-6",
    epochs: Annotated[int, typer.Option(help="Of each distillation.")] = 5,
    out: Annotated[Path | None, typer.Option(help="Folder for pareto.svg and pareto.json.")] = None,
) -> None:
    """Distil students of several depths from a run's teachers, and compare accuracy, size and latency.

    First comes what each step of the run brought: the pretrained encoder with trained heads, the fine-tuned
    teachers, the student, int8. All figures are of the development sentences.
    """
    from rich.console import Console
    from rich.table import Table

    from device.errors import BadInput
    from quantize.pareto import Point, picture, steps, written
    from quantize.pareto import layers as depths
    from quantize.pipeline import Run
    from quantize.plan import Plan

    first, _, last = layers.partition("-")
    last = last or first
    if not (first.isdigit() and last.isdigit() and 1 <= int(first) <= int(last) <= 6):
        raise BadInput(f"{layers} is not a range of 1 to 6 layers.", remedy="Write it like 1-6.")
    if not (run / "plan.json").exists():
        raise BadInput(f"{run} has no plan.json.", remedy="Name the folder of a finished run of `homebody train`.")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("quantize").setLevel(logging.INFO)
    source = Run(run, Plan.read(run / "plan.json"))
    before = steps(source)
    points = depths(source, range(int(first), int(last) + 1), epochs)
    out = out or run
    out.mkdir(parents=True, exist_ok=True)
    drawn = [point for point in points if point.figures]
    picture(drawn, out / "pareto.svg")
    (out / "pareto.json").write_text(json.dumps(written(source.plan, [*before, *points]), indent=1) + "\n")

    def cells(point: Point) -> list[str]:
        found = [point.figures.get("intent_accuracy"), point.figures.get("slot_f1"), point.model_mb, point.latency_ms]
        return ["–" if value is None else f"{value:.2f}" for value in found]

    table = Table("", "layers", "intent %", "slot F1", "MB", "ms", box=None)
    for point in [*before, *points]:
        table.add_row(point.name, str(point.layers), *cells(point))
    Console(highlight=False).print(table)
    typer.echo(f"The picture is {out / 'pareto.svg'}")
