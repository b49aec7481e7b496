"""`homebody models diff`: what differs between two bundles, and which sentences they understand differently."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from device.app import load_all_packs
from device.cli.bundles import BUNDLE_HELP, folder_of
from device.config import home_folder, load_config
from device.errors import BadInput
from device.nlu.bundle_diff import BundleDiff, Delta, Disagreement, MetricDelta, compare, disagreements
from device.nlu.onnx_model import load_model
from device.nlu.pack import Pack

Sentences = Sequence[tuple[str, str | None]]

SHOWN = 20
"""Rows of one kind that a person is shown at most; `--json` has all."""


class _Row(msgspec.Struct):
    text: str
    intent: str | None = None


def diff(
    first: Annotated[str, typer.Argument(help=f"{BUNDLE_HELP}.")],
    second: Annotated[str, typer.Argument(help="The one to compare with it.")],
    sentences: Annotated[
        Path | None,
        typer.Option(help="JSON Lines with `text` and perhaps `intent`; by default the examples of the packs."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """What differs between two bundles, and which sentences they understand differently."""
    home = home_folder()
    config = load_config(home)
    tried = read_sentences(sentences) if sentences else pack_examples(load_all_packs(config, home))
    a, b = (load_model(folder_of(bundle, config, home)) for bundle in (first, second))
    found, differ = compare(a, b), disagreements(a, b, tried)
    if as_json:
        result = msgspec.to_builtins(found) | {
            "sentences": len(tried),
            "disagreements": [msgspec.to_builtins(row) for row in differ],
        }
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    show(Console(highlight=False), found, differ, len(tried))


def read_sentences(path: Path) -> Sentences:
    """Sentences of a JSON Lines file, each with its intent if the file tells.

    Raises:
        BadInput: It can't be read, or a line is not such a sentence.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} can't be read: {error}.") from error
    found: list[tuple[str, str | None]] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = msgspec.json.decode(line, type=_Row)
            except msgspec.DecodeError as error:
                remedy = 'A line looks like {"text": "turn on the lamp", "intent": "light.on"}.'
                raise BadInput(f"{path}, line {number}: {error}.", remedy=remedy) from error
            found.append((row.text, row.intent))
    return found


def pack_examples(packs: Iterable[Pack]) -> Sentences:
    """The examples that packs give for their intents."""
    return [
        (example, f"{pack.skill}.{name}")
        for pack in packs
        for name, spec in pack.intents.items()
        for example in spec.examples
    ]


def show(console: Console, found: BundleDiff, differ: Sequence[Disagreement], tried: int) -> None:
    """Print it for a person: what matters to a decision first."""
    console.print(Text.assemble((found.names[0], "bold"), " → ", (found.names[1], "bold")))
    if found.same:
        console.print("The two are the same model.")
    for head, names in found.ontology.items():
        for sign, style, group in (("+", "green", names.added), ("-", "red", names.removed)):
            if group:
                console.print(Text(f"  {head.replace('_', ' ')} {sign} {_list(group)}", style))
    if found.reordered:
        console.print(Text("  the same labels in another order", "yellow"))
    _metrics(console, found.metrics)
    _deltas(console, "settings", found.settings)
    _deltas(console, "recipe", found.recipe)
    _provenance(console, found.provenance)
    if found.files:
        console.print(Text("\nfiles", "bold"))
        for file in found.files:
            what = "new" if file.before is None else "gone" if file.after is None else "changed"
            console.print(f"  {file.name} {what}")
    _disagreements(console, differ, tried, found.names)


def _metrics(console: Console, metrics: Sequence[MetricDelta]) -> None:
    if not metrics:
        return
    console.print(Text("\nfigures, worst first", "bold"))
    table = _table("", "before", "after", "change")
    for metric in metrics[:SHOWN]:
        before, after = metric.before, metric.after
        change = "" if before is None or after is None else f"{after - before:+.4g}"
        style = "dim" if metric.gain is None else "green" if metric.gain > 0 else "red"
        table.add_row(metric.name, _value(before), _value(after), Text(change, style))
    console.print(table)
    _more(console, len(metrics))


def _deltas(console: Console, title: str, deltas: Sequence[Delta]) -> None:
    if not deltas:
        return
    console.print(Text(f"\n{title}", "bold"))
    table = _table("", "before", "after")
    for delta in deltas[:SHOWN]:
        table.add_row(delta.name, _value(delta.before), _value(delta.after))
    console.print(table)
    _more(console, len(deltas))


def _provenance(console: Console, sources: Sequence[Delta]) -> None:
    if not sources:
        return
    console.print(Text("\ndata and weights", "bold"))
    for source in sources:
        before, after = source.before or {}, source.after or {}
        if not before or not after:
            about = "; ".join(f"{key} {_value(value)}" for key, value in (before or after).items() if key != "name")
            sign, style = ("-", "red") if before else ("+", "green")
            console.print(Text.assemble((f"  {sign} {source.name}", style), f": {about}"))
            continue
        fields = [key for key in dict.fromkeys((*before, *after)) if before.get(key) != after.get(key)]
        changes = (f"{key} {_value(before.get(key))} → {_value(after.get(key))}" for key in fields)
        console.print(Text.assemble((f"  ~ {source.name}", "yellow"), f": {'; '.join(changes)}"))


def _disagreements(console: Console, differ: Sequence[Disagreement], tried: int, names: tuple[str, str]) -> None:
    share = f"{len(differ)} of {tried} sentences are understood differently"
    console.print(Text(f"\n{share}", "bold"))
    judged = [row for row in differ if row.expected]
    if judged:
        right = [sum(getattr(row, side) == row.expected for row in judged) for side in ("before", "after")]
        console.print(f"  right among them: {names[0]} {right[0]}, {names[1]} {right[1]}")
    if differ:
        table = _table("sentence", "before", "after", "right")
        for row in differ[:SHOWN]:
            cells = (Text(side, _judged(side, row.expected)) for side in (row.before, row.after))
            table.add_row(row.text, *cells, row.expected or "")
        console.print(table)
    _more(console, len(differ))


def _judged(intent: str, expected: str | None) -> str:
    return "" if expected is None else "green" if intent == expected else "red"


def _table(*titles: str) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _more(console: Console, count: int) -> None:
    if count > SHOWN:
        console.print(Text(f"  … and {count - SHOWN} more, see --json", "dim"))


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _value(value: Any) -> str:
    match value:
        case None:
            return "–"
        case float():
            return f"{value:.6g}"
        case list():
            return ", ".join(map(str, value))
        case dict():
            return ", ".join(f"{key} {part}" for key, part in value.items())
    return str(value)
