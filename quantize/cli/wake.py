"""`homebody train-wake`: a wake word of one's own, from the typed phrase alone."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer


def train_wake(
    phrases: Annotated[
        list[str], typer.Argument(help='What wakes it, such as "hey biscuit"; several share one network.')
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the new model.")],
    cache: Annotated[Path, typer.Option(help="Renderings, kept for the next training.")] = Path("runs/wake"),
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of the corpora whose sentences are other speech; else prose.")
    ] = None,
    clips: Annotated[
        list[Path] | None, typer.Option(help="Folder of recordings in which nobody says it; may be repeated.")
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Only where nothing was said before: stop, but not don't stop.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of all chance.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Processes and threads.")] = 2,
) -> None:
    """Train a wake word by synthetic speech, and measure it on voices that did not train.

    Interrupted, it goes on with the renderings that are there. The device listens for it when config.toml names the
    folder: [speech] wake_models = ["DIR"].
    """
    from rich.console import Console
    from rich.table import Table

    from quantize.wake.train import train

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("quantize").setLevel(logging.INFO)
    figures = train(phrases, out, cache, data_dir=data_dir, clips=clips or [], alone=alone, seed=seed, jobs=jobs)
    table = Table(
        "wake word", "threshold", "heard %", "near misses %", "false accepts an hour, 95 % interval", box=None
    )
    for figure in figures:
        low, high = figure.talk.interval
        table.add_row(
            figure.phrase,
            f"{figure.threshold:.3f}",
            f"{figure.heard:.1f}",
            f"{figure.misses:.1f}",
            f"{figure.talk.events} in {figure.talk.hours:.1f} h ({low:.2f}–{high:.2f})",
        )
    Console(highlight=False).print(table)
    typer.echo(f"The model and its card are in {out}")
