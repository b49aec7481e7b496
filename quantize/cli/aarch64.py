"""`homebody evaluate aarch64`: a board's bundle as the board's own machine code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def aarch64(
    bundle: Annotated[Path, typer.Argument(help="Bundle for a board with an Arm processor.")],
    sentences: Annotated[Path, typer.Option(help="Labelled sentences, such as a run's test.jsonl.")],
    count: Annotated[int, typer.Option(help="How many of them, evenly spread.", min=1)] = 200,
    cache: Annotated[Path, typer.Option(help="Keeps the foreign Python.")] = Path("~/.cache/homebody/aarch64"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Answer sentences under qemu as the board would, and compare with this machine's answers.

    Needs Debian's qemu-user-static and mmdebstrap; downloads about 100 MB the first time. It proves the predictions,
    not the speed: for that run `homebody bench --model` on the board.
    """
    from device.errors import BadInput
    from device.nlu.onnx_model import load_model
    from quantize.data.example import read_examples
    from quantize.export.aarch64 import run_on_board

    board = load_model(bundle).manifest.board
    try:
        examples = read_examples(sentences)
    except OSError as error:
        raise BadInput(f"{sentences} can't be read ({error.strerror}).") from error
    chosen = examples[:: max(1, len(examples) // count)][:count]
    found = run_on_board(bundle, board, [(e.words, e.context) for e in chosen], cache.expanduser())
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(
        f"{found['board']} ({found['processor']}, {found['machine']}) against {found['compared_with']}, "
        f"{found['sentences']} sentences:\n  same intent {100 * found['same_intent']:.2f} %, same slot labels "
        f"{100 * found['same_slot_labels']:.2f} %, largest logit difference {found['max_logit_difference']}"
    )
