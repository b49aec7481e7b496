"""`homebody train`: from sentences and packs to a bundle."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated

import typer

from device.nlu.pack import PACKS_DIR, load_packs
from quantize.cli.options import DataDir, Packs, Runs


def train(
    data_dir: DataDir,
    out: Annotated[Path, typer.Option(help="Folder of the new bundle; an old bundle there is replaced.")],
    runs: Runs = Path("runs/homebody-en"),
    packs: Packs = PACKS_DIR,
    plan: Annotated[Path | None, typer.Option(help="TOML file with the numbers of all stages.")] = None,
    extra: Annotated[list[Path] | None, typer.Option(help="Labelled sentences of your own; may be repeated.")] = None,
    golden: Annotated[Path | None, typer.Option(help="Commands that must not break (JSONL).")] = None,
    key: Annotated[Path | None, typer.Option(help="Private key that signs the bundle.")] = None,
) -> None:
    """Make a model bundle: sample, fine-tune, distil, export, quantize, calibrate, evaluate.

    Interrupted, it goes on where it was. A bundle that lies in the output folder is replaced only by one that breaks
    none of the golden commands which the old one understands.
    On several machines or GPUs: accelerate launch $(which homebody) train ...
    """
    from quantize.pipeline import Run
    from quantize.plan import Plan
    from quantize.release import release
    from quantize.shipped import PLAN, sets

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("quantize").setLevel(logging.INFO)
    run = Run(runs, Plan.read(plan) if plan else Plan.read(PLAN))
    run.data(lambda: sets(data_dir, load_packs(packs), run.plan, extra or []))
    run.teachers()
    run.student()
    if run.first:
        typer.echo(json.dumps(release(run, out, golden, key), indent=1))
