"""`homebody data`: the factory's sentences. What is here, fetch, check, convert, find leaks, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from device.nlu.pack import PACKS_DIR
from quantize.cli.options import DataDir, Packs

if TYPE_CHECKING:
    from quantize.data.example import Example
    from quantize.data.report import Report
    from quantize.data.sources import PartFound, Source

app = typer.Typer(help="Labelled sentences: list, fetch, check, convert, find leaks, report.", no_args_is_help=True)

SHOWN: Final = 20
"""Bad rows or labels that are listed before "and … more"."""

AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Count rows that can't be used, and go on.")]
AsWritten = Annotated[bool, typer.Option("--as-written", help="Keep words as they are written; no spoken form.")]


@app.command("list")
def list_corpora(data_dir: DataDir, as_json: AsJson = False) -> None:
    """Which public corpora are here, whether they are as published, and under which licence."""
    from rich.console import Console
    from rich.table import Table

    from quantize.data.sources import SOURCES, survey

    found = {name: survey(source, data_dir) for name, source in SOURCES.items()}
    if as_json:
        typer.echo(json.dumps({name: _listed(SOURCES[name], parts) for name, parts in found.items()}))
        return
    table = Table("corpus", "here", "sentences", "as published", "licence", title=str(data_dir), title_justify="left")
    for name, parts in found.items():
        row = _listed(SOURCES[name], parts)
        here = {"whole": "[green]yes[/]", "part": "[yellow]in part[/]", "no": "[yellow]no[/]"}[row["here"]]
        numbers = ", ".join(f"{part} {count:,}" for part, count in row["sentences"].items())
        checked = {"yes": "[green]yes[/]", "no": "[red]no[/]"}.get(row["as_published"], row["as_published"])
        table.add_row(name, here, numbers, checked, SOURCES[name].licence)
    Console().print(table)
    for source in SOURCES.values():
        typer.echo(f"{source.title}: {source.citation}")
    for name, parts in found.items():
        for part in parts:
            if part.problem:
                typer.echo(f"{name} {part.source.name}: {part.problem}")
    missing = [name for name, parts in found.items() if any(part.sentences is None for part in parts)]
    if missing:
        typer.echo(f"Get what is missing with: homebody data fetch {missing[0]} --data-dir {data_dir}")


@app.command("fetch")
def fetch_corpus(name: Annotated[str, typer.Argument(help="See `homebody data list`.")], data_dir: DataDir) -> None:
    """Download a public corpus, verify it and unpack it to its upstream layout."""
    from quantize.data.fetch import fetch
    from quantize.data.sources import source

    wanted = source(name)
    found = fetch(wanted, data_dir)
    row = _listed(wanted, found)
    numbers = ", ".join(f"{part} {count:,}" for part, count in row["sentences"].items())
    checked = "as published" if row["as_published"] == "yes" else f"checked: {row['as_published']}"
    typer.echo(f"{wanted.title} is in {data_dir}: {numbers} sentences, {checked}.")
    typer.echo(f"Licence {wanted.licence}. Cite {wanted.citation}.")


@app.command("check")
def check_file(
    file: Annotated[Path, typer.Argument(help=".jsonl, .conll, or a folder of `datasets`.")],
    skip_bad: SkipBad = False,
    bundle: Annotated[Path | None, typer.Option(help="Only this bundle's intents and slot types are allowed.")] = None,
    as_json: AsJson = False,
) -> None:
    r"""Read a file of labelled sentences and say what is wrong with it; exit code 2 if something is.

    A line of .jsonl: {"text": "wake me at 6:30", "intent": "alarm.set", "slots": {"time": "6:30"}}.
    Where the same words stand twice: "slots": \[{"type": "time", "start": 3, "end": 4}], in words from 0.

    A sentence of .conll: a comment "# intent = alarm.set", then a word and its BIO tag a line, then an empty line.

    A folder of `datasets`: the columns text or tokens, intent, and tags (BIO) or slots.
    """
    from models.labels import LabelSchema
    from quantize.data.formats import read, without_example
    from quantize.data.report import describe

    labels = None if bundle is None else _labels(bundle)
    loaded = read(file, skip_bad=True, labels=labels)
    figures = describe(file.name, {"all": loaded.examples}).parts["all"]
    empty = without_example(loaded.examples, labels) if isinstance(labels, LabelSchema) else ([], [])
    found = {
        "sentences": figures.sentences,
        "intents": len(figures.intents),
        "slot_types": len(figures.slots),
        "repeated": figures.sentences - figures.distinct,
        "two_intents": figures.two_labels,
        "bad": [Exception.__str__(bad) for bad in loaded.bad],
        "intents_without_sentence": empty[0],
        "slot_types_without_example": empty[1],
    }
    if as_json:
        typer.echo(json.dumps(found))
    else:
        typer.echo(
            f"{file.name}: {figures.sentences:,} sentences, {len(figures.intents)} intents, {len(figures.slots)} slot "
            f"types; {found['repeated']} repeated, {figures.two_labels} with two intents, {len(loaded.bad)} bad rows"
        )
        _some([str(bad) for bad in loaded.bad])
        for title, names in (("intents without a sentence", empty[0]), ("slot types without an example", empty[1])):
            if names:
                more = f", … and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                typer.echo(f"{len(names)} {title}: {', '.join(names[:SHOWN])}{more}")
    if loaded.bad and not skip_bad:
        raise typer.Exit(2)


@app.command("convert")
def convert_file(
    file: Annotated[Path, typer.Argument(help=".jsonl, .conll, or a folder of `datasets`.")],
    out: Annotated[Path, typer.Argument(help="New file; its ending says the format (none: a folder of `datasets`).")],
    skip_bad: SkipBad = False,
    as_written: AsWritten = False,
) -> None:
    """Bring labelled sentences from one format to another, in the spoken form that the device hears."""
    from device.errors import BadInput
    from quantize.data.formats import read, write

    if out.exists():
        raise BadInput(f"{out} is there already.", remedy="Name a new file, or delete it.")
    loaded = read(file, spoken=not as_written, skip_bad=skip_bad)
    write(out, loaded.examples)
    typer.echo(f"{out}: {len(loaded.examples):,} sentences, {len(loaded.bad)} bad rows left out")
    _some([str(bad) for bad in loaded.bad])


@app.command("leaks")
def find_leaks(
    data_dir: DataDir,
    packs: Packs = PACKS_DIR,
    show: Annotated[int, typer.Option(min=0, help="Pairs to show of each comparison.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Sentences on both sides of a split: the shipped model's data, each benchmark, SLURP against HWU64."""
    from rich.console import Console
    from rich.table import Table

    from quantize.data.leaks import overlap

    table = Table("train", "test", "sentences", "same", "of them other intent", "nearly", "%")
    for number, column in enumerate(table.columns):
        column.justify, column.no_wrap = ("right" if number > 1 else "left"), number < 2
    console, rows, pairs = Console(), [], []
    with Console(stderr=True).status("comparing …"):
        for train, test, known, tested in _comparisons(data_dir, packs):
            found = overlap(known, tested)
            share = 100 * (found.exact + found.near) / found.test
            rows.append(
                {"train": train, "test": test, "sentences": found.test, "exact": found.exact}
                | {"contradicting": found.contradicting, "near": found.near, "percent": round(share, 2)}
            )
            numbers = (f"{n:,}" for n in (found.test, found.exact, found.contradicting, found.near))
            table.add_row(train, test, *numbers, f"{share:.1f}")
            pairs += [(train, test, pair) for pair in found.pairs[:show]]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    console.print(table)
    for train, test, pair in pairs:
        typer.echo(f"{train} / {test} {pair.similarity:.0f} %: “{' '.join(pair.train.words)}” / “", nl=False)
        typer.echo(f"{' '.join(pair.test.words)}” ({pair.test.intent})")


@app.command("report")
def report_data(
    what: Annotated[
        list[str] | None, typer.Argument(help="A benchmark, or files; nothing: the shipped model's data.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the corpora; not needed for files.")] = None,
    packs: Packs = PACKS_DIR,
    fold: Annotated[int, typer.Option(help="Of HWU64, 1 to 10.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Picture or page: .html, .png or .svg.")] = None,
    as_json: AsJson = False,
) -> None:
    """Counts, label distribution, lengths, imbalance, and what the parts have in common."""
    import msgspec
    from rich.console import Console

    from quantize.data.report import describe

    with Console(stderr=True).status("reading and comparing …"):
        name, parts = _parts(what or [], data_dir, packs, fold)
        report = describe(name, parts)
        if out is not None:
            from quantize.data.picture import write

            write(report, out)
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
    else:
        _print(report)
    if out is not None:
        typer.echo(f"written: {out}", err=as_json)


def _parts(what: list[str], data_dir: Path | None, packs: Path, fold: int) -> tuple[str, dict[str, list[Example]]]:
    from device.errors import BadInput
    from quantize.data.benchmarks import BENCHMARKS, benchmark
    from quantize.data.formats import read

    needs_corpora = not what or what[0] in BENCHMARKS
    if needs_corpora and data_dir is None:
        raise BadInput("This needs the corpora.", remedy="Give their folder with --data-dir, or name files.")
    if data_dir is None or not needs_corpora:
        return ", ".join(what), {file: read(Path(file)).examples for file in what}
    if not what:
        from device.nlu.pack import load_packs
        from quantize.data.split import build

        made = build(data_dir, load_packs(packs), _SEED)
        return "shipped model", {"train": made.train, "dev": made.dev, "held out": made.test}
    if len(what) > 1:
        raise BadInput(f"{what[1]!r} after the benchmark {what[0]}.", remedy="Name one benchmark, or files.")
    found = benchmark(what[0], data_dir, fold)
    title = f"{found.name}, fold {fold}" if found.name == "hwu64" else found.name
    return title, {"train": found.train, "dev": found.dev, "test": found.test}


_SEED: Final = 7
"""As in `homebody train`."""


def _comparisons(data_dir: Path, packs: Path) -> list[tuple[str, str, list[Example], list[Example]]]:
    """What is learned from and what is measured on, of all that is there."""
    from device.errors import BadInput
    from device.nlu.pack import load_packs
    from quantize.data.benchmarks import BENCHMARKS, benchmark, slurp_dev
    from quantize.data.corpora import FOLDS
    from quantize.data.split import build

    made = build(data_dir, load_packs(packs), _SEED)
    found = [("shipped train", "held out", made.train, made.test), ("shipped dev", "held out", made.dev, made.test)]
    slurp = slurp_dev(data_dir)
    for name in BENCHMARKS:
        for fold in range(1, FOLDS + 1) if name == "hwu64" else (1,):
            try:
                read = benchmark(name, data_dir, fold)
            except BadInput:  # not on this machine
                continue
            title = f"{name} {fold}" if name == "hwu64" else name
            found += [
                (f"{title} train", "dev", read.train, read.dev),
                (f"{title} train", "test", read.train, read.test),
            ]
            if name == "hwu64":
                found.append(("slurp dev", f"{title} test", slurp, read.test))
    return found


def _listed(source: Source, parts: list[PartFound]) -> dict[str, Any]:
    here = [part for part in parts if part.sentences is not None]
    checked = [part for part in here if part.source.sha256 is not None]
    sentences = {part.source.name: part.sentences for part in here}
    if source.name == "hwu64" and here:  # ten times the same sentences
        total = sum(part.sentences or 0 for part in here if part.source.name.endswith("test"))
        sentences = {f"{len(here) // 2} folds of": total}
    if any(part.problem for part in here):
        state = "no"
    elif not here:
        state = "–"
    else:
        state = "yes" if len(checked) == len(here) else "not known" if not checked else "in part"
    extent = "no" if not here else "whole" if len(here) == len(parts) else "part"
    return {
        "title": source.title,
        "licence": source.licence,
        "citation": source.citation,
        "homepage": source.homepage,
        "here": extent,
        "sentences": sentences,
        "as_published": state,
        "problems": [part.problem for part in parts if part.problem],
    }


def _labels(bundle: Path) -> Any:
    from device.errors import BundleError
    from models.labels import LabelError, LabelSchema

    try:
        return LabelSchema.read(bundle / "labels.json")
    except LabelError as error:
        raise BundleError(f"{bundle}: {error}.", remedy="Name the folder of a bundle.") from error


def _some(lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        typer.echo(f"  {line}")
    if len(lines) > SHOWN:
        typer.echo(f"  … and {len(lines) - SHOWN} more")


def _print(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("", *report.parts, title=report.name, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    parts = report.parts.values()
    for title, cells in (
        ("sentences", [f"{part.sentences:,}" for part in parts]),
        ("different ones", [f"{part.distinct:,}" for part in parts]),
        ("with two intents", [f"{part.two_labels}" for part in parts]),
        ("words a sentence (longest)", [f"{part.words:.1f} ({part.longest})" for part in parts]),
        ("vocabulary", [f"{part.vocabulary:,}" for part in parts]),
        (
            "words unknown from the first",
            ["–" if p.unknown_words is None else f"{p.unknown_words:.1f} %" for p in parts],
        ),
        ("intents", [f"{len(part.intents)}" for part in parts]),
        ("  largest / smallest", [f"{part.imbalance.ratio:.1f}" for part in parts]),
        ("  effective number", [f"{part.imbalance.effective:.1f}" for part in parts]),
        ("  entropy (1: even)", [f"{part.imbalance.entropy:.3f}" for part in parts]),
        ("  Gini (0: even)", [f"{part.imbalance.gini:.2f}" for part in parts]),
        ("slots", [f"{sum(part.slots.values()):,}" for part in parts]),
        ("slot types", [f"{len(part.slots)}" for part in parts]),
    ):
        table.add_row(title, *cells)
    for source in dict.fromkeys(source for part in parts for source in part.sources):
        table.add_row(f"from {source}", *(f"{part.sources.get(source, 0):,}" for part in parts))
    console.print(table)
    intents = dict(next(iter(parts)).intents)
    ends = [*list(intents.items())[:5], *list(intents.items())[5:][-5:]]
    typer.echo("largest and smallest intents: " + ", ".join(f"{name} {count:,}" for name, count in ends))
    for shared in report.shared:
        typer.echo(
            f"of {shared.test}, {shared.percent:.1f} % also stand in {shared.train}: {shared.exact} the same, "
            f"{shared.near} nearly"
        )
