"""`homebody evaluate choice`: how well the device tells what can be said from what can't, and weights fitted anew.

For whoever changes the recognizer: its likelihoods are what `device.speech.bias.choice` weighs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import track
from rich.table import Table

from device.audio.files import read_audio
from device.config import home_folder
from device.errors import BadInput
from device.speech.engines import EngineOptions, make_stt, make_vad
from firmware_sim.sound.scenery import babble, pink
from firmware_sim.sound.voices import Voices
from firmware_sim.trials.choice_fit import SHIPPED, Example, fit_both, halves, lines, rounded, tabulate
from firmware_sim.trials.choice_trial import ChoiceTrial, Recorded
from firmware_sim.trials.corpus import VOICES
from firmware_sim.trials.foreign_texts import read_texts
from firmware_sim.trials.gadgets import read_packs
from firmware_sim.trials.recordings import LONGEST, read_clips, read_labels
from firmware_sim.trials.speech_trial import unwatched

T = TypeVar("T")

_NAMES: Final = ("shipped", "fitted")
_FAN_SECONDS: Final = 60.0


def choice(
    texts: Annotated[Path | None, typer.Option(help="Folder of the corpora for foreign speech.")] = None,
    pack: Annotated[
        list[Path] | None, typer.Option(help="A pack for which there are recorded commands; several if you like.")
    ] = None,
    clips: Annotated[Path | None, typer.Option(help="Folder with these recordings.")] = None,
    labels: Annotated[Path | None, typer.Option(help="JSON: file name to intent and slots.")] = None,
    noise: Annotated[Path | None, typer.Option(help="Recorded noise; by default that of a fan.")] = None,
    voices: Annotated[str, typer.Option(help="Who says the rest, with commas.")] = ",".join(VOICES),
    engine: Annotated[str, typer.Option(help="Speech-to-text engine.")] = "moonshine",
    sample: Annotated[int, typer.Option(min=1, help="Most utterances of each kind and gadget.")] = 400,
    seed: Annotated[int, typer.Option(min=0, help="Of who says what, in which noise, and of the halves.")] = 0,
    keep: Annotated[
        Path | None, typer.Option(help="JSON that what was heard is kept in; where it is there, nothing is heard anew.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """How often a right command is turned away and a wrong one taken; fit the weights that decide it anew.

    They are fitted to one half of what was said and judged on the other; what is to be pasted is fitted to both.
    """
    if keep and keep.exists():
        examples = _read(keep)
    else:
        if texts is None:
            raise BadInput("There is no foreign speech.", remedy="Give --texts, or --keep with what was heard before.")
        if keep and not keep.parent.is_dir():
            raise BadInput(f"There is no folder {keep.parent}.", remedy="Make it, or keep what is heard elsewhere.")
        given, foreign = _recorded(pack or [], clips, labels), read_texts(texts)
        people = Voices(home_folder() / "cache" / "voices")
        fan = read_audio(noise, max_seconds=LONGEST) if noise else pink(_FAN_SECONDS, seed)
        trial = ChoiceTrial(
            make_stt(engine, EngineOptions(home_folder() / "models", threads=1)),
            make_vad(),
            people,
            {"noise": fan, "babble": babble(people, seed=seed)},
            sample,
            [name for name in voices.split(",") if name],
            seed,
            unwatched if as_json else _watched,
        )
        examples = list(trial.run(foreign, given))
        if keep:
            keep.write_bytes(msgspec.json.encode(examples))
    one, other = halves(examples, seed)
    weights = dict(zip(_NAMES, (SHIPPED, fit_both(one)), strict=True))
    tables = {name: tabulate(half, weights) for name, half in (("fitted_to", one), ("judged_on", other))}
    both = fit_both(examples)
    if as_json:
        found = {"closed": rounded(both.closed), "free": rounded(both.free)}
        typer.echo(json.dumps({"seed": seed, "n": len(examples)} | found | tables))
        return
    _show("The half that the weights are fitted to", tables["fitted_to"])
    _show("The other half", tables["judged_on"])
    typer.echo(lines(both))


def _recorded(packs: Sequence[Path], clips: Path | None, labels: Path | None) -> Recorded | None:
    if not packs and not clips and not labels:
        return None
    if not packs or not clips or not labels:
        raise BadInput("Recorded commands are not all there.", remedy="Give --pack, --clips and --labels together.")
    said = read_labels(labels)
    return Recorded(read_packs(packs), read_clips(clips, list(said)), said)


def _read(path: Path) -> list[Example]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Example])
    except (OSError, msgspec.MsgspecError) as error:
        raise BadInput(f"{path} does not hold what was heard: {error}.", remedy="Delete it.") from error


def _watched(things: Sequence[T], what: str) -> Iterable[T]:
    return track(things, description=what, console=Console(stderr=True), transient=True)


def _show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    table = Table(
        *("said to", "noise", "right", *(f"away, {name}" for name in _NAMES)),
        *("wrong", *(f"taken, {name}" for name in _NAMES)),
        title=f"{title}: right ones turned away and wrong ones taken",
        box=SIMPLE,
    )
    for row in rows:
        table.add_row(
            *(f"{row['gadget']}, {row['kind']}", row["noise"]),
            *(str(row["right"]), *(_share(row["turned_away"][name]) for name in _NAMES)),
            *(str(row["wrong"]), *(_share(row["taken"][name]) for name in _NAMES)),
        )
    Console(highlight=False).print(table)


def _share(share: Mapping[str, Any]) -> str:
    if share["rate"] is None:
        return ""
    low, high = share["interval"]
    return f"{share['rate']:.1%} ({100 * low:.0f}–{100 * high:.0f})"
