"""`homebody evaluate foreign`: speech that is for nobody, for `homebody evaluate speech --foreign`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from device.audio.ports import SAMPLE_RATE
from device.config import home_folder
from device.speech.engines import make_vad
from firmware_sim.sound.voices import Voices
from firmware_sim.trials.corpus import is_known
from firmware_sim.trials.foreign import CAST, foreign, keep
from firmware_sim.trials.foreign_texts import read_texts
from firmware_sim.trials.spoken_packs import flat


def strangers(
    texts: Annotated[Path, typer.Option(help="Folder of the corpora that the sentences come from.")],
    out: Annotated[Path, typer.Option(help="A new folder for it.")],
    recordings: Annotated[
        list[Path] | None, typer.Option(help="Folder of recordings of people that comes first; several if you like.")
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="Length of all utterances together.")] = 60.0,
    voices: Annotated[str, typer.Option(help="Who speaks, with commas.")] = ",".join(CAST),
    seed: Annotated[int, typer.Option(min=0, help="Of who says what, when and how loud.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Make speech that is for nobody: people who read aloud, televisions, what other gadgets are told.

    What a built-in pack understands is left out.
    """
    people = Voices(home_folder() / "cache" / "voices")
    with flat() as assistant:
        made = foreign(
            read_texts(texts),
            recordings or (),
            people,
            make_vad(),
            seconds=60 * minutes,
            seed=seed,
            cast=[name for name in voices.split(",") if name],
            known=lambda text: is_known(assistant.interpret(text)),
        )
        kept = keep(out, made)
    kinds = Counter(utterance.kind for utterance in kept)
    seconds = sum(len(utterance.pcm) for utterance in kept) / SAMPLE_RATE
    if as_json:
        typer.echo(json.dumps({"out": str(out), "utterances": dict(kinds), "seconds": round(seconds, 1)}))
        return
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    Console(highlight=False).print(f"{len(kept)} utterances, {seconds / 60:.1f} min: {said}.")
