"""The factory's commands, which `homebody` finds through the entry points `homebody.commands`."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated

import typer

from device.errors import BadInput, DeviceError
from device.nlu.onnx_model import load_model
from device.nlu.pack import PACKS_DIR, load_packs

DEFAULT_BUNDLE = Path(__file__).parent.parent / "models" / "artefacts" / "homebody-en"

train = typer.Typer(help="Make a model bundle from skill packs and corpora.", add_completion=False)
evaluate = typer.Typer(help="Measure a bundle on held-out sentences of real people.", add_completion=False)

DataDir = Annotated[Path, typer.Option(help="Folder of the corpora, in their upstream layouts.")]
EVALUATE_COMMAND = "homebody evaluate --data-dir DATA"


@train.callback(invoke_without_command=True)
def train_command(
    data_dir: DataDir,
    out: Annotated[Path, typer.Option(help="Folder of the new bundle; an old bundle there is replaced.")],
    runs: Annotated[Path, typer.Option(help="Folder for intermediate results; a run goes on where it stopped.")] = Path(
        "runs/homebody-en"
    ),
    packs: Annotated[Path, typer.Option(help="Skill packs.")] = PACKS_DIR,
    threads: Annotated[int, typer.Option(help="Processor threads.")] = 2,
    seed: Annotated[int, typer.Option(help="Of data and training.")] = 7,
) -> None:
    """Sample, fine-tune, distil, export, quantize, calibrate, evaluate; resumable by stage."""
    import torch

    from quantize.pipeline import Plan, Run

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(threads)
    try:
        run = Run(runs, Plan(seed=seed))
        run.data(data_dir, load_packs(packs))
        run.teacher()
        run.student()
        figures = run.bundle(out, EVALUATE_COMMAND)
    except (DeviceError, ValueError) as error:
        raise _failed(error) from error
    typer.echo(json.dumps(figures, indent=1))


@evaluate.callback(invoke_without_command=True)
def evaluate_command(
    data_dir: DataDir,
    bundle: Annotated[Path, typer.Option(help="Bundle to measure.")] = DEFAULT_BUNDLE,
    packs: Annotated[Path, typer.Option(help="Skill packs.")] = PACKS_DIR,
) -> None:
    """Print the held-out figures of a bundle as JSON."""
    from quantize.data.split import held_out
    from quantize.evaluate import evaluate as figures_by_corpus
    from quantize.predict import predict_all

    try:
        model = load_model(bundle)
        unknown = {name for pack in load_packs(packs) for name in pack.intent_names()} - set(model.labels.intents)
        if unknown:
            typer.echo(f"Not in the model: {', '.join(sorted(unknown))}", err=True)
        test = [e for e in held_out(data_dir) if e.intent is None or e.intent in model.labels.intents]
        outputs = predict_all(model.logits, test)
        figures = figures_by_corpus(test, outputs, model.labels, model.manifest.calibration)
    except DeviceError as error:
        raise _failed(error) from error
    typer.echo(json.dumps(figures, indent=1))


def _failed(error: Exception) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(error.exit_code if isinstance(error, DeviceError) else BadInput.exit_code)
