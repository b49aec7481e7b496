"""`homebody export`: bundles for boards from one finished run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

ALL = "all"


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run of `homebody train`.")],
    out: Annotated[Path, typer.Option(help="The bundles go into folders of this one, named as their boards.")],
    board: Annotated[str, typer.Option(help="rpi4, rpi5, x86-avx2, x86-vnni, or all.")] = ALL,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Quantize a trained model for a board, and refuse if that costs too much.

    The int8 model is calibrated on the run's development sentences and compared with the float32 model on its
    held-out ones: more than 0.5 points of intent accuracy or 0.7 of slot F1 lost, and there is no bundle.
    """
    from rich.console import Console
    from rich.table import Table

    from device.errors import BadInput
    from models.manifest import Manifest
    from quantize.export.bundle import make_bundle
    from quantize.export.recipes import RECIPES, recipe_for
    from quantize.plan import Plan

    boards = list(RECIPES) if board == ALL else [recipe_for(board).board]
    if not (run / "plan.json").exists():
        raise BadInput(f"{run} has no plan.json.", remedy="Name the folder of a finished run of `homebody train`.")
    plan = Plan.read(run / "plan.json")
    found = {}
    for name in boards:
        make_bundle(run, out / name, plan, name)
        metrics = Manifest.read(out / name).metrics
        found[name] = {
            "bundle": str(out / name),
            "model_mb": round((out / name / "model.onnx").stat().st_size / 1e6, 2),
            "float32": metrics["parity_float32"],
            "int8": metrics["held_out"]["combined"],
        }
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table("board", "MB", "intent %, float32 → int8", "slot F1, float32 → int8", "bundle", box=None)
    for name, row in found.items():
        changes = [f"{row['float32'].get(k, '–')} → {row['int8'].get(k, '–')}" for k in ("intent_accuracy", "slot_f1")]
        table.add_row(name, f"{row['model_mb']}", *changes, row["bundle"])
    Console(highlight=False).print(table)
