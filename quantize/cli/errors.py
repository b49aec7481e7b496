"""`homebody errors`: what a model gets wrong, and which pack needs sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from device.errors import BadInput, StorageError
from device.nlu.pack import PACKS_DIR, load_pack, load_packs
from quantize.cli.options import BUNDLE, Packs

if TYPE_CHECKING:
    from quantize.data.example import Example


def errors(
    sentences: Annotated[
        Path | None, typer.Argument(help="Labelled sentences: .jsonl, .conll or a folder of datasets.")
    ] = None,
    runs: Annotated[
        Path | None,
        typer.Option(help="Folder of a training run: its training sentences, and its dev.jsonl if no file is given."),
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="predictions.jsonl of an evaluation, instead of labelled sentences.")
    ] = None,
    bundle: Annotated[Path, typer.Option(help="Bundle that is examined.")] = BUNDLE,
    packs: Packs = PACKS_DIR,
    try_out: Annotated[
        bool, typer.Option("--trial", help="Also try the proposals on failures that they were not made from.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Also write the report as a page (.html).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """Sort a model's failures, and propose what to write into which pack."""
    import io

    import msgspec
    from rich.console import Console

    from device.nlu.onnx_model import load_model
    from quantize.data.formats import read
    from quantize.evaluate.outcomes import outcomes_of, read_outcomes
    from quantize.explain.errors import report_errors
    from quantize.explain.progress import progress_bar
    from quantize.explain.show_errors import show_errors
    from quantize.explain.training import training_neighbours

    model = load_model(bundle)
    if predictions and not sentences:
        outcomes = [outcome for outcome in read_outcomes(predictions) if outcome.expected is not None]
        outputs = [model.logits(outcome.words) for outcome in progress_bar("Reading the sentences")(outcomes)]
    elif source := sentences or (runs / "dev.jsonl" if runs else None):
        examples = _labelled(read(source, labels=model.labels).examples)
        outputs = [model.logits(e.words, e.context) for e in progress_bar("Reading the sentences")(examples)]
        outcomes = outcomes_of(examples, outputs, model.labels, model.manifest.calibration)
    else:
        raise BadInput("There is nothing to examine.", remedy="Give labelled sentences, --runs, or --predictions.")
    if not outcomes:
        raise BadInput("No sentence has an intent.", remedy="Give labelled sentences.")
    known = load_packs(packs)
    files = {load_pack(path).skill: path.name for path in packs.glob("*.yaml")}
    train = runs / "train.jsonl" if runs else None
    neighbours = training_neighbours(model, known, train, progress_bar("Reading the training sentences"))
    report = report_errors(outcomes, outputs, model, neighbours, known, files, try_out=try_out)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        show_errors(Console(highlight=False), report)
    if out:
        page = Console(record=True, width=120, file=io.StringIO(), highlight=False)
        show_errors(page, report)
        try:
            page.save_html(str(out))
        except OSError as error:
            raise StorageError(f"{out} can't be written ({error.strerror}).", remedy="Name another place.") from error


def _labelled(examples: Sequence[Example]) -> list[Example]:
    """Sentences with an intent; slots are not judged in a file that marks none at all."""
    import msgspec

    marked = any(example.spans for example in examples)
    kept = [example for example in examples if example.intent is not None]
    return kept if marked else [msgspec.structs.replace(example, annotated=frozenset()) for example in kept]
