"""The factory's commands, which `homebody` finds through the entry points `homebody.commands`."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated

import typer

from device.nlu.pack import PACKS_DIR, load_packs

BUNDLE = Path(__file__).parent.parent / "models" / "artefacts" / "homebody-en"
"""The bundle that ships."""

DataDir = Annotated[Path, typer.Option(help="Folder of the corpora, in their upstream layouts (see the model card).")]
Packs = Annotated[Path, typer.Option(help="Folder of the skill packs.")]

evaluate = typer.Typer(help="Measure models on people's sentences and recordings.", no_args_is_help=True)


def train(
    data_dir: DataDir,
    out: Annotated[Path, typer.Option(help="Folder of the new bundle; an old bundle there is replaced.")],
    runs: Annotated[Path, typer.Option(help="Intermediate results; a run goes on where it stopped.")] = Path("runs"),
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


@evaluate.callback()
def _evaluate() -> None:
    """Keeps `model` a sub-command when it is the only one."""


@evaluate.command("model")
def evaluate_model(
    data_dir: DataDir, bundle: Annotated[Path, typer.Option(help="Bundle to measure.")] = BUNDLE
) -> None:
    """Print the held-out figures of a model bundle as JSON, by corpus."""
    from device.nlu.onnx_model import load_model
    from quantize.data.split import held_out, unseen
    from quantize.evaluate import evaluate as figures
    from quantize.predict import predict_all

    model = load_model(bundle)
    test = [e for e in held_out(data_dir) if e.intent is None or e.intent in model.labels.intents]
    outputs = predict_all(model.logits, test)
    found = figures(test, outputs, model.labels, model.manifest.calibration, unseen(data_dir))
    typer.echo(json.dumps(found, indent=1))
