"""`homebody evaluate speech`: recorded commands through the whole chain, and which were understood wholly right.

Voice activity, endpoint, speech-to-text, grammar and dialogue are the ones that ship; a command counts when its intent
and every labelled slot are right. Labels and noise are those of Picovoice's speech-to-intent benchmark, and so is what
is known: the pack alone, as on a gadget that does nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from device.audio.files import read_audio
from device.config import home_folder
from device.errors import BadInput
from device.nlu.text import spoken
from device.rhino.convert import snake
from device.speech.engines import EngineOptions, make_stt, make_vad
from firmware_sim.trials.confusions import read_levels
from firmware_sim.trials.gadgets import read_packs
from firmware_sim.trials.recordings import LONGEST, foreign, read_clips, read_labels
from firmware_sim.trials.speech_trial import OFTEN, Trial, Value, run, unwatched

T = TypeVar("T")


def speech(
    pack: Annotated[list[Path], typer.Option(help="The pack that should understand them; several if you like.")],
    clips: Annotated[Path, typer.Option(help="Folder with the recordings.")],
    labels: Annotated[Path, typer.Option(help="JSON: file name to intent and slots.")],
    noise: Annotated[Path | None, typer.Option(help="Noise to mix in.")] = None,
    snr: Annotated[str, typer.Option(help="Signal-to-noise ratios in dB, with commas.")] = "6,9,12,15,18,21,24",
    seed: Annotated[str, typer.Option(help="Picks the excerpts of noise; several with commas give their mean.")] = "0",
    engine: Annotated[str, typer.Option(help="Engines, with commas.")] = "moonshine",
    strict: Annotated[bool, typer.Option("--strict", help="Slots that were not said count as wrong.")] = False,
    built_in: Annotated[
        bool, typer.Option("--with-built-in", help="Within the whole assistant, instead of the pack alone.")
    ] = False,
    taken: Annotated[
        list[str] | None,
        typer.Option("--without", help="SLOT=VALUE that is taken out of the pack: who says it is to be rejected."),
    ] = None,
    near_miss: Annotated[
        bool, typer.Option("--near-miss", help=f"Take each value out that is said {OFTEN} times, one after the other.")
    ] = False,
    strangers: Annotated[
        Path | None, typer.Option("--foreign", help="Folder with speech of which nothing is to be accepted.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Acceptance against noise, .svg or .png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what was misunderstood.")] = False,
) -> None:
    """How many recorded commands are understood wholly right, clean and in noise."""
    said = read_labels(labels)
    found = read_clips(clips, list(said))
    vad = make_vad()
    trial = Trial(
        read_packs(pack),
        found,
        said,
        read_audio(noise, max_seconds=LONGEST) if noise else None,
        _seeds(seed),
        built_in,
        tuple(map(_value, taken or ())),
        near_miss,
        list(foreign(strangers, vad)) if strangers else (),
        strict,
    )
    levels = list(dict.fromkeys([None, *read_levels(snr)])) if noise else [None]
    engines = [make_stt(name, EngineOptions(home_folder() / "models", threads=1)) for name in engine.split(",")]
    watch = unwatched if as_json else _watched
    rows = [row for stt in engines for row in run(trial, stt, vad, levels, watch)]
    if picture:
        from firmware_sim.trials.acceptance_picture import write

        write(rows, picture, noise.stem if noise else "")
    if as_json:
        head = {"pack": [path.name for path in pack], "strict": strict, "built_in": built_in}
        typer.echo(json.dumps(head | {"missing": sorted(said.keys() - found.keys()), "results": rows}))
        return
    _show(rows, verbose=verbose)


def _seeds(text: str) -> list[int]:
    try:
        return list(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError as error:
        raise BadInput(f"{text!r} are no seeds.", remedy="Give whole numbers, such as 0,1,2.") from error


def _value(text: str) -> Value:
    slot, separator, value = text.partition("=")
    if not separator or not slot.strip() or not spoken(value):
        raise BadInput(f"{text!r} is no value of a slot.", remedy="Write it as in coffee_drink=mocha.")
    return snake(slot.strip()), spoken(value)


def _watched(things: Sequence[T], what: str) -> Iterable[T]:
    return track(things, description=what, console=Console(stderr=True), transient=True)


def _show(rows: Sequence[Mapping[str, Any]], *, verbose: bool) -> None:
    console = Console(highlight=False)
    strangers = {"near_misses": "near misses taken", "foreign": "foreign taken"}
    shown = [key for key in strangers if key in rows[0]]
    table = Table(
        *("engine", "noise", "understood", "95 %", "strict", "rejected", "CPU-s", *(strangers[key] for key in shown)),
        title="Commands understood wholly right",
    )
    for row in rows:
        table.add_row(
            row["engine"],
            _noise(row),
            f"{row['acceptance']:.1%}",
            "–".join(f"{100 * bound:.0f}" for bound in row["interval"]),
            f"{row['strict']:.1%}",
            f"{row['rejections']} of {row['n']}",
            f"{row['cpu_s_per_command']:.2f}",
            *(f"{row[key]['accepted']} of {row[key]['n']}" for key in shown),
        )
    console.print(table)
    for row in rows if verbose else ():
        for failure in row["failures"]:
            console.print(f"{_noise(row)}, seed {failure['seed']}: {failure['clip']}", style="bold")
            _tell(console, failure, failure["expected"])
        for wrong in [wrong for key in shown for wrong in row[key]["taken_for"]]:
            console.print(f"{_noise(row)}: {wrong['clip']}", style="bold")
            _tell(console, wrong, "nothing")


def _tell(console: Console, failure: Mapping[str, Any], expected: str) -> None:
    """What was heard, openly and of what can be said, and what came of it."""
    heard = f"heard {failure['heard'] or '…'}"
    confidence = failure["confidence"]
    console.print(f"  {heard}  {'' if confidence is None else f'{confidence:.2f}'}", markup=False)
    for hypothesis in failure["hypotheses"]:
        console.print(f"  or    {hypothesis['text']}  {hypothesis['score']:.2f}", style="dim", markup=False)
    console.print(f"  understood {failure['understood'] or 'nothing'}, expected {expected}", markup=False)


def _noise(row: Mapping[str, Any]) -> str:
    return "clean" if row["snr"] is None else f"{row['snr']:g} dB"
