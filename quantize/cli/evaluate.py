"""`homebody evaluate`: measure models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from quantize.cli.options import BUNDLE, DataDir

app = typer.Typer(help="Measure models on people's sentences and recordings.", no_args_is_help=True)


@app.callback()
def _evaluate() -> None:
    """Keeps `model` a sub-command when it is the only one."""


@app.command("model")
def evaluate_model(
    data_dir: DataDir, bundle: Annotated[Path, typer.Option(help="Bundle to measure.")] = BUNDLE
) -> None:
    """Print the held-out figures of a model bundle as JSON, by corpus."""
    from device.nlu.onnx_model import load_model
    from quantize.data.split import held_out, unseen
    from quantize.evaluate.figures import evaluate as figures
    from quantize.predict import predict_all

    model = load_model(bundle)
    test = [e for e in held_out(data_dir) if e.intent is None or e.intent in model.labels.intents]
    outputs = predict_all(model.logits, test)
    found = figures(test, outputs, model.labels, model.manifest.calibration, unseen(data_dir))
    typer.echo(json.dumps(found, indent=1))
