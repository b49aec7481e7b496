"""`homebody explain`: why a model understands a sentence as it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from device.errors import BadInput
from device.nlu.pack import PACKS_DIR, load_packs
from device.nlu.text import words as spoken_words
from quantize.cli.options import BUNDLE, Packs


def explain(
    text: Annotated[str, typer.Argument(help="What somebody says.")],
    context: Annotated[str, typer.Option(help="What the device had said before.")] = "",
    bundle: Annotated[Path, typer.Option(help="Bundle to explain.")] = BUNDLE,
    runs: Annotated[
        Path | None, typer.Option(help="Folder of a training run, for its training sentences; else the packs' phrases.")
    ] = None,
    train: Annotated[Path | None, typer.Option(help="Training sentences (JSONL), instead of a run's.")] = None,
    packs: Packs = PACKS_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for programs.")] = False,
) -> None:
    """Show which words moved the model, what the runner-up was, and which training sentences it resembles."""
    import msgspec
    from rich.console import Console

    from device.nlu.grammar import compile_grammar
    from device.nlu.onnx_model import load_model
    from quantize.explain.explanation import explain_sentence
    from quantize.explain.progress import progress_bar
    from quantize.explain.show import show_explanation
    from quantize.explain.training import training_neighbours

    words = spoken_words(text)
    if not words:
        raise BadInput("There are no words to explain.", remedy='Say something, such as "turn on the lamp".')
    model = load_model(bundle)
    known = load_packs(packs)
    source = train or (runs / "train.jsonl" if runs else None)
    neighbours = training_neighbours(model, known, source, progress_bar("Reading the training sentences"))
    found = explain_sentence(model, words, spoken_words(context), neighbours, compile_grammar(known))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        show_explanation(Console(highlight=False), found)
