"""`homebody train-ears`: the recognizer's encoder, adapted to noise and rooms."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer


def train_ears(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the new encoder.")],
    speech: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of recordings without noise, a sentence each; may be repeated. Else synthetic voices."
        ),
    ] = None,
    noise: Annotated[
        list[Path] | None, typer.Option(help="Folder of recordings of what sounds around the device; may be repeated.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Batches of 16 sentences.")] = 2400,
    seed: Annotated[int, typer.Option(help="Of all chance.")] = 0,
    sentences: Annotated[int, typer.Option(min=1, help="How many synthetic voices say, without recordings.")] = 6000,
    cache: Annotated[Path, typer.Option(help="Renderings, kept for the next training.")] = Path("runs/wake"),
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of the corpora whose sentences they say; else prose.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Threads.")] = 2,
) -> None:
    """Teach the recognizer to hear in noise what it hears without.

    No transcripts are needed: it learns from itself. The device uses the result when config.toml names the folder:
    [speech] ears = "DIR".
    """
    from rich.console import Console
    from rich.table import Table

    from quantize.ears.train import rendered, train
    from quantize.wake.train import recordings

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("quantize").setLevel(logging.INFO)
    said = [pcm for folder in speech or [] for pcm in recordings(folder)]
    figures = train(
        said or rendered(cache, data_dir, sentences, seed, jobs),
        out,
        noises=[pcm for folder in noise or [] for pcm in recordings(folder)],
        steps=steps,
        seed=seed,
    )
    table = Table("of new recordings", "tokens alike %, before", "after", "divergence before", "after", box=None)
    for snr_db, before in figures.before.items():
        after = figures.after[snr_db]
        table.add_row(
            f"{snr_db:g} dB over noise",
            f"{100 * before.same:.1f}",
            f"{100 * after.same:.1f}",
            f"{before.divergence:.3f}",
            f"{after.divergence:.3f}",
        )
    Console(highlight=False).print(table)
    typer.echo(
        f"{figures.recordings} recordings, {figures.hours:.1f} hours, were learned from. The encoder is in {out}"
    )
