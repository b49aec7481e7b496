"""`homebody evaluate`: measure models."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from quantize.cli.options import BUNDLE

HELP = """Measure models: on public benchmarks, on held-out sentences, on yours.

homebody evaluate snips --data-dir DATA
    the int8 student on one benchmark; it is trained first if need be
homebody evaluate --all --data-dir DATA
    every benchmark, and the table of what should be reached
homebody evaluate --sentences MINE.jsonl
    the shipped model on your sentences
homebody evaluate model --data-dir DATA
    the shipped model on the corpora's held-out sentences
homebody evaluate compare A/result.json B/result.json
    is B better, or lucky?

--json prints one JSON object; rates and F1 are percentages. --out FOLDER
writes report.html, card.md, result.json and predictions.jsonl.

A line of --sentences is a JSON object: "text"; "intent", one of the bundle's
or "oos" for what should be refused; and if you like "slots", such as
{"room": "kitchen"}. "misses" lists what was answered otherwise ("text",
"expected", "predicted"; a rejected sentence is predicted "oos").
"""

app = typer.Typer(rich_markup_mode=None)

Data = Annotated[Path, typer.Option("--data-dir", help="Folder of the corpora, in their upstream layouts.")]
RunsDir = Annotated[Path, typer.Option("--runs", help="Where models trained on a benchmark are kept.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder for report.html, card.md, result.json, predictions.")]
Bundles = Annotated[
    list[Path] | None,
    typer.Option(
        "--bundle",
        help="Bundle trained on the benchmark, instead of the factory's own. Several: one a fold (hwu64), or one a "
        "seed, whose mean and standard deviation are reported.",
    ),
]
DATA, RUNS = Path("data"), Path("runs")


@app.callback(help=HELP, invoke_without_command=True)
def evaluate(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="All benchmarks and the table of what to reach.")] = False,
    sentences: Annotated[Path | None, typer.Option(help="Your labelled sentences, JSON lines.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave bad lines out and count them.")] = False,
    bundle: Annotated[Path, typer.Option(help="For --sentences and --all.", show_default="the shipped one")] = BUNDLE,
    data_dir: Data = DATA,
    runs: RunsDir = RUNS,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Measure models; see `HELP`."""
    if context.invoked_subcommand:
        return
    if everything == bool(sentences):
        typer.echo(context.get_help())
        raise typer.Exit(2 if everything else 0)
    if sentences:
        _sentences(sentences, bundle, skip_bad, as_json, out)
    else:
        _all(bundle, data_dir, runs, as_json, out)


def _benchmark_command(name: str, title: str) -> None:
    def run(
        data_dir: Data = DATA, runs: RunsDir = RUNS, bundle: Bundles = None, as_json: Json = False, out: Out = None
    ) -> None:
        found = _benchmark(name, data_dir, runs, bundle)
        if out:
            from quantize.evaluate.report import write_report

            write_report(out, found)
        _show({name: found.figures}, as_json, out)

    run.__doc__ = f"{title}: figures of the int8 student."
    app.command(name)(run)


for _name, _title in (
    ("snips", "SNIPS, the split of Goo et al. 2018"),
    ("hwu64", "HWU64, its ten published folds and its protocol"),
    ("clinc150", "CLINC150 with its out-of-scope sentences"),
    ("slurp", "SLURP"),
    ("massive", "MASSIVE, en-US"),
):
    _benchmark_command(_name, _title)


@app.command("model")
def evaluate_model(
    data_dir: Data = DATA,
    bundle: Annotated[Path, typer.Option(help="Of the shipped ontology.", show_default="the shipped one")] = BUNDLE,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """The shipped model on the corpora's held-out sentences, by corpus; slices, robustness, fairness."""
    from quantize.data.perturb import PERTURBATIONS
    from quantize.evaluate.runs import evaluate_held_out

    found = evaluate_held_out(bundle, data_dir, PERTURBATIONS)
    if out:
        from quantize.evaluate.report import write_report

        write_report(out, found)
    details = found.details()
    shown = {key: details[key] for key in ("slices", "robustness", "fairness")}
    if as_json:
        typer.echo(json.dumps({"model": found.figures | shown}))
        return
    from quantize.cli.evaluate_tables import show_model

    show_model(found.figures | shown)
    _written(out)


@app.command("compare")
def compare(
    first: Annotated[Path, typer.Argument(help="result.json of the first run.")],
    second: Annotated[Path, typer.Argument(help="result.json of the second run.")],
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    as_json: Json = False,
) -> None:
    """Is the second run better, or lucky? McNemar's exact test for accuracy, paired bootstrap for slot F1.

    Both runs were written with --out on the same benchmark: predictions.jsonl lies beside each result.json.
    """
    from quantize.evaluate.outcomes import answered, named, read_outcomes
    from quantize.evaluate.significance import compare as compared

    before, after = (read_outcomes(path.with_name("predictions.jsonl")) for path in (first, second))
    of_device = all(outcome.part in ("model", "") for outcome in before)
    found = compared(before, after, answered if of_device else named, seed)
    if as_json:
        typer.echo(json.dumps(found))
        return
    from quantize.cli.evaluate_tables import show_comparison

    show_comparison(found)


def _benchmark(name: str, data_dir: Path, runs: Path, bundles: Sequence[Path] | None) -> Any:
    from quantize.data.perturb import PERTURBATIONS
    from quantize.evaluate.runs import evaluate_benchmark

    if not bundles:
        from quantize.benchmarking import students

        bundles = students(name, data_dir, runs)
    return evaluate_benchmark(name, data_dir, bundles, PERTURBATIONS)


def _sentences(path: Path, bundle: Path, skip_bad: bool, as_json: bool, out: Path | None) -> None:
    from device.nlu.onnx_model import load_model
    from device.nlu.pack import PACKS_DIR, load_packs
    from quantize.evaluate.outcomes import write_outcomes
    from quantize.evaluate.runs import identity
    from quantize.evaluate.sentences import read_sentences, score

    model = load_model(bundle)
    names = {
        (f"{pack.skill}.{intent}", slot): spec.slot_type(slot)
        for pack in load_packs(PACKS_DIR)
        for intent, spec in pack.intents.items()
        for slot in spec.slots
    }
    sentences = read_sentences(path, model.labels, skip_bad, names)
    found, outcomes = score(model, sentences)
    found |= identity(bundle)
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "result.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        write_outcomes(out / "predictions.jsonl", outcomes)
    if as_json:
        typer.echo(json.dumps(found))
        return
    from quantize.cli.evaluate_tables import show_sentences

    show_sentences(found)
    _written(out)


def _all(bundle: Path, data_dir: Path, runs: Path, as_json: bool, out: Path | None) -> None:
    from device.errors import DeviceError
    from quantize.data.benchmarks import BENCHMARKS
    from quantize.data.perturb import PERTURBATIONS
    from quantize.data.split import held_out
    from quantize.evaluate.footprint import footprint
    from quantize.evaluate.report import write_report
    from quantize.evaluate.runs import evaluate_held_out, spoken_sentences
    from quantize.evaluate.table import markdown, must_show

    jobs: dict[str, Callable[[], Any]] = {
        name: lambda name=name: _benchmark(name, data_dir, runs, None)  # type: ignore[misc]
        for name in BENCHMARKS
    }
    jobs["model"] = lambda: evaluate_held_out(bundle, data_dir, PERTURBATIONS)
    results: dict[str, dict[str, Any]] = {}
    reasons: dict[str, str] = {}
    for name, job in jobs.items():
        try:
            run = job()
        except DeviceError as error:
            reasons[name] = Exception.__str__(error)
            typer.secho(f"{name}: {error}", err=True, fg="yellow")
            continue
        results[name] = run.figures
        if out:
            write_report(out / name, run)
    size = footprint(bundle, spoken_sentences(held_out(data_dir)))
    rows = must_show(results, size, reasons)
    found: dict[str, Any] = results | {
        "footprint": size,
        "table": [{field: getattr(row, field) for field in row.__struct_fields__} for row in rows],
        "not_measured": reasons,
    }
    if out:
        out.mkdir(parents=True, exist_ok=True)
        (out / "table.md").write_text(markdown(rows), encoding="utf-8")
        (out / "result.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(markdown(rows))
    _written(out)


def _show(results: Mapping[str, Mapping[str, Any]], as_json: bool, out: Path | None) -> None:
    if as_json:
        typer.echo(json.dumps(results))
        return
    from quantize.cli.evaluate_tables import show_figures

    for name, figures in results.items():
        show_figures(name, figures)
    _written(out)


def _written(out: Path | None) -> None:
    if out:
        typer.echo(f"Written to {out}")
