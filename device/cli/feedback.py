"""`homebody feedback export`: what the owner of a device may hand on to the maker of its model.

The factory's half, `import` and `review`, plugs in through entry points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from device.app import Brain, build_brain
from device.cli.render import show_problems
from device.clock import SystemClock
from device.config import Config, home_folder, load_config
from device.errors import BadInput, Missing, StorageError
from device.feedback.redact import Redactor, in_dictionary
from device.feedback.reports import Reporter, Told
from device.household import household_names
from device.nlu.onnx_model import JointModel
from device.nlu.pack import PACKS_DIR, load_packs
from device.nlu.report import encode
from device.skills.wordnet import find_wordnet
from device.store.items import Items
from device.store.phrases import TaughtPhrases
from device.store.turns import History, Reading
from device.workers import ThreadWorkers

app = typer.Typer(
    help="What went wrong, for the next model: nothing is sent, you hand a file on.",
    add_completion=False,
    no_args_is_help=True,
)

_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)


@app.callback()
def _feedback() -> None:
    """Keeps `export` a sub-command where it is the only one."""


@app.command()
def export(
    out: Annotated[Path | None, typer.Option(help="File to write, one JSON object a line; else printed.")] = None,
    all_turns: Annotated[bool, typer.Option("--all", help="Also turns that nobody said anything about.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Only show what would be in it; writes nothing.")] = False,
) -> None:
    """Write the turns that went wrong, redacted, to a file that you may hand on. Nothing is sent anywhere."""
    home = home_folder()
    config = load_config(home)
    check_consent(config, home, only_show=show)
    with closing(build_brain(config, home, SystemClock(config.home.timezone), ThreadWorkers())) as brain:
        show_problems(brain.problems)
        told = reports(brain, all_turns=all_turns)
    if show:
        _preview(told)
        return
    data = b"".join(encode(one.report) for one in told)
    if out is None:
        typer.echo(data.decode(), nl=False)
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise StorageError(f"{out} can't be written: {error.strerror}.", remedy="Name another file.") from error
    corrected = sum(one.report.meant is not None for one in told)
    typer.echo(f"{out}: {len(told)} turns, {corrected} of them with what was meant. Nothing was sent; read it first.")


def check_consent(config: Config, home: Path, *, only_show: bool) -> None:
    """Refuse what the owner did not agree to. Looking at it on the device itself needs no consent.

    Raises:
        BadInput: No turns are kept, or they may not be shared.
    """
    file = home / "config.toml"
    if not config.privacy.keep_turns_days:
        raise BadInput(
            "No turns are kept, so there is nothing to export.",
            remedy=f"Set keep_turns_days in [privacy] of {file} to the days for which they may be kept.",
        )
    if not (config.privacy.share_feedback or only_show):
        raise BadInput(
            "The owner of this device has not agreed to share feedback.",
            remedy=f"See what would be in it with --show; then set share_feedback = true in [privacy] of {file}.",
        )


def reports(brain: Brain, *, all_turns: bool) -> list[Told]:
    """What the kept turns of a device tell."""
    history = History(brain.database)
    services = brain.services
    names = household_names(
        services.house, services.television, brain.config.home.people, Items(brain.database).lists()
    )
    specs = {f"{pack.skill}.{name}": spec for pack in brain.packs for name, spec in pack.intents.items()}

    def read(text: str) -> Sequence[Reading]:
        return [
            Reading(i.intent, i.act, i.source, i.confidence, i.text, {n: slot.text for n, slot in i.slots.items()})
            for i in brain.conversation.interpret(text)
        ]

    redact = Redactor(load_packs(PACKS_DIR), names, _dictionary(brain.model))
    reporter = Reporter(specs, redact, TaughtPhrases(brain.database).all(), read)
    marked = (turn.id for turn, _ in history.marked())
    return reporter.reports(history.since(_LONG_AGO), marked, all_turns=all_turns)


def _dictionary(model: JointModel | None) -> Callable[[str], bool]:
    """WordNet where it is installed, else the words that the model's vocabulary has as a whole."""
    try:
        return cache(partial(in_dictionary, find_wordnet()))
    except Missing:
        return lambda word: model is not None and len(model.tokenizer.encode((word,)).ids) == _ONE_PIECE


_ONE_PIECE = 3
"""Pieces of an input of one whole word: it stands between two marks."""


def _preview(told: Sequence[Told]) -> None:
    console = Console(highlight=False)
    if not told:
        console.print("There is nothing to tell.")
        return
    table = Table("said here", "would leave", "understood as", "meant", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for one in told:
        report = one.report
        intent = Text(report.understood.intent, "red" if report.verdict == "wrong" or report.failed else "")
        meant = f"{report.meant.intent}: {report.meant.text}" if report.meant else report.verdict.replace("none", "")
        table.add_row(Text(one.heard), Text(report.text, "bold"), intent, Text(meant))
    console.print(table)
    console.print(f"\n{len(told)} turns. Only the last three columns would be written, and the model's version.")
