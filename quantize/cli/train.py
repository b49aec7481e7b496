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
    runs: Runs = Path("runs"),
    packs: Packs = PACKS_DIR,
    threads: Annotated[int, typer.Option(help="Processor threads.")] = 2,
    seed: Annotated[int, typer.Option(help="Of data and training.")] = 7,
) -> None:
    """Make a model bundle: sample, fine-tune, distil, export, quantize, calibrate, evaluate."""
    import torch

    from quantize.pipeline import Plan, Run

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("quantize").setLevel(logging.INFO)
    torch.set_num_threads(threads)
    run = Run(runs, Plan(seed=seed))
    run.data(data_dir, load_packs(packs))
    run.teacher()
    run.student()
    typer.echo(json.dumps(run.bundle(out), indent=1))
