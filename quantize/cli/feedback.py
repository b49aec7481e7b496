"""`homebody feedback import` and `review`: the factory's half of the feedback loop."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from device.nlu.pack import PACKS_DIR, load_packs
from quantize.cli.options import BUNDLE, Packs

if TYPE_CHECKING:
    from quantize.feedback.intake import Item, Known, Review

_HELP: Final = """\
  Enter    accept the first intent       r        reject: not for training
  2        accept another one            s        skip: ask again next time
  light.on accept the one that is typed  u        take the last decision back
  oos      accept: nothing it should do  q        quit; all is kept
  e TEXT   change the sentence, as in: e make it cosy in the {room}"""


def import_reports(
    files: Annotated[list[Path], typer.Argument(help="What devices exported.", show_default=False)],
    into: Annotated[Path, typer.Option(help="File to be reviewed; what is in it stays.", show_default=False)],
    packs: Packs = PACKS_DIR,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave bad lines out and count them.")] = False,
) -> None:
    """Check what devices exported, and merge it into a file to be reviewed."""
    from quantize.feedback.intake import Known, Review, merged, read_reports, read_review, write_review

    known = Known.of(load_packs(packs))
    review = read_review(into) if into.exists() else Review()
    for path in files:
        reports, bad = read_reports(path, known, skip_bad=skip_bad)
        new = merged(review, path, reports)
        typer.echo(f"{path}: {len(reports)} reports, {new} new sentences" + (f", {len(bad)} bad lines" if bad else ""))
    write_review(into, review)
    waiting = sum(item.decision is None for item in review.items)
    typer.echo(f"{into}: {len(review.items)} sentences, {waiting} to be reviewed")


def review(
    file: Annotated[Path, typer.Argument(help="What `homebody feedback import` made.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="Training sentences to write.", show_default="reviewed.jsonl beside it")
    ] = None,
    model: Annotated[Path, typer.Option(help="Bundle that proposes intents.")] = BUNDLE,
    packs: Packs = PACKS_DIR,
    confirmed: Annotated[
        bool, typer.Option("--accept-confirmed", help="Accept what people confirmed, and ask nothing.")
    ] = False,
    copies: Annotated[int, typer.Option(min=1, max=100, help="Training sentences for each reviewed one.")] = 6,
    seed: Annotated[int, typer.Option(help="Of the values that fill the slots.")] = 7,
) -> None:
    """Decide what each sentence should have meant; every decision is kept at once."""
    from quantize.data.example import write_examples
    from quantize.feedback.filled import examples
    from quantize.feedback.intake import Known, read_review, write_review
    from quantize.feedback.review import accept_confirmed

    found = read_review(file)
    loaded = load_packs(packs)
    if confirmed:
        typer.echo(f"{accept_confirmed(found)} confirmed sentences accepted")
        write_review(file, found)
    else:
        _ask(file, found, Known.of(loaded), _predictor(model))
    target = out or file.with_name("reviewed.jsonl")
    sentences = examples(found.items, loaded, seed, copies)
    write_examples(target, sentences)
    counts = Counter(item.decision.verdict if item.decision else "open" for item in found.items)
    counted = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("accepted", "rejected", "later", "open"))
    typer.echo(f"{counted}; {target}: {len(sentences)} training sentences")


def _ask(file: Path, review: Review, known: Known, predict: Callable[[str], Sequence[str]]) -> None:
    """Ask sentence by sentence, until there are no more or the reviewer quits."""
    from quantize.feedback.intake import write_review
    from quantize.feedback.review import Decided, Edited, Told, candidates, decide, open_items, parse, undo

    console = Console(highlight=False)
    waiting = open_items(review)
    if not waiting:
        console.print("There is nothing left to review.")
        return
    console.print(_HELP, style="dim", markup=False)
    _complete(known)
    text = waiting[0].text
    while True:
        offered = candidates(waiting[0], text, predict) if waiting else []
        if waiting:
            _show(console, waiting[0], text, offered, len(waiting))
        try:
            line = input("> " if waiting else "\nAll are decided. Enter ends, u takes the last one back > ")
        except (EOFError, KeyboardInterrupt):
            console.print()
            return
        answer = parse(line, text, offered, known) if waiting or line.strip() == "u" else "quit"
        match answer:
            case Decided(decision):
                decide(review, waiting.pop(0), decision)
            case Edited(new):
                text = new
                continue
            case Told(message):
                console.print(message, style="yellow", markup=False)
                continue
            case "undo":
                back = undo(review)
                if back is None:
                    console.print("There is nothing to take back.", style="yellow")
                    continue
                waiting = [back, *(other for other in waiting if other is not back)]
            case "quit":
                return
            case "help":
                console.print(_HELP, style="dim", markup=False)
                continue
        write_review(file, review)
        text = waiting[0].text if waiting else ""


def _show(console: Console, item: Item, text: str, offered: Sequence[str], left: int) -> None:
    shown = Text(text, "bold")
    shown.highlight_regex(r"\{\w+\}", "cyan")
    console.print(Text.assemble((f"\n{left:>3}  ", "dim"), shown))
    told = [f"understood as {_counted(item.understood)}"]
    if item.wrong:
        told.append(f"wrong on {item.wrong}")
    if item.confirmed:
        told.append(f"confirmed on {item.confirmed}")
    if item.meant:
        told.append(f"meant {_counted(item.meant)}")
    if item.said:
        told.append("said instead: " + "; ".join(item.said))
    console.print(Text("     " + ", ".join(told), "dim"))
    for number, intent in enumerate(offered, 1):
        mark = "  ← most devices" if intent == item.suggestion else ""
        console.print(Text.assemble((f"  {number}  ", "dim"), (intent, "green" if mark else ""), (mark, "dim")))


def _counted(votes: dict[str, int]) -> str:
    return ", ".join(f"{intent} on {count}" for intent, count in sorted(votes.items(), key=lambda vote: -vote[1]))


def _predictor(bundle: Path) -> Callable[[str], Sequence[str]]:
    """The model's likeliest intents of a sentence; a slot is shown to it as its type's name."""
    from device.nlu.onnx_model import load_model
    from device.nlu.types import OOS

    model = load_model(bundle)

    def predict(text: str) -> Sequence[str]:
        prediction = model.predict(text.replace("{", "").replace("}", "").split())
        likely = [intent for intent, _ in prediction.intents[:3]]
        return likely if prediction.accepted else [OOS, *likely]

    return predict


def _complete(known: Known) -> None:
    """The Tab key completes intents, where there is a terminal that can."""
    if not sys.stdin.isatty():
        return
    with contextlib.suppress(ImportError):
        import readline

        names = sorted(known.intents)

        def complete(start: str, state: int) -> str | None:
            return next(iter([name for name in names if name.startswith(start)][state:]), None)

        readline.set_completer(complete)
        readline.set_completer_delims(" ")
        readline.parse_and_bind("tab: complete")
