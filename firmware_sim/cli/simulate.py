"""`homebody simulate`: play scenarios, open the gadget page, or let a fleet of households live for days."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from device.clock import SystemClock
from device.config import home_folder
from device.errors import BadInput

PORT = 8100


def simulate(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files and folders; without any, those that ship.")
    ] = None,
    only: Annotated[str, typer.Option("-k", "--only", help="Only scenarios with these words in their name.")] = "",
    report: Annotated[Path | None, typer.Option(help="Write a page with sound, events and latencies.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the results as JUnit XML.")] = None,
    twice: Annotated[bool, typer.Option(help="Play everything twice; both must have done exactly the same.")] = False,
    schema: Annotated[bool, typer.Option(help="Print the JSON schema of scenario files, for editors.")] = False,
    web: Annotated[bool, typer.Option(help="Open the gadget page: talk to a simulated speaker in a browser.")] = False,
    port: Annotated[int, typer.Option(help="Port of the gadget page, on this machine only.")] = PORT,
    board: Annotated[str, typer.Option(help="Board of the gadget page: a profile's name or file.")] = "speaker-pi4",
    fleet: Annotated[int, typer.Option(min=0, help="Simulate so many households with their daily routines.")] = 0,
    days: Annotated[int, typer.Option(min=1, help="Days that the fleet lives.")] = 7,
    seed: Annotated[int, typer.Option(help="Chance of the fleet.")] = 0,
    jobs: Annotated[int, typer.Option(help="Processes; -1 for one a core.")] = -1,
    as_json: Annotated[bool, typer.Option("--json", help="Print results as JSON.")] = False,
) -> None:
    """Play scenarios against a simulated gadget, open its page, or simulate a fleet."""
    if schema:
        from firmware_sim.scenario.schema import schema as scenario_schema

        typer.echo(json.dumps(scenario_schema(), indent=1, ensure_ascii=False))
    elif web:
        from firmware_sim.web.server import serve

        serve(home_folder() / "simulated", "127.0.0.1", port, board, open_browser=True)
    elif fleet:
        _fleet(fleet, days, seed, jobs, as_json=as_json)
    else:
        _scenarios(paths or [], only, report, junit, jobs, twice=twice, as_json=as_json)


def _scenarios(
    paths: Sequence[Path],
    only: str,
    report: Path | None,
    junit: Path | None,
    jobs: int,
    *,
    twice: bool,
    as_json: bool,
) -> None:
    from firmware_sim.results.table import Progress, summary
    from firmware_sim.scenario.check import check
    from firmware_sim.scenario.load import SCENARIOS, find, load_file
    from firmware_sim.scenario.played import differences
    from firmware_sim.scenario.run import run_all

    found = [one for file in find(paths or [SCENARIOS]) for one in load_file(file) if only.lower() in one.name.lower()]
    if not found:
        raise BadInput(f"No scenario is called “{only}”.", remedy="Leave -k out to play all.")
    for one in found:  # nothing is played before everything can be
        check(one)
    console = Console(highlight=False, stderr=as_json)
    with Progress(console, len(found) * (1 + twice), SystemClock()) as progress:
        rounds = []
        for _ in range(1 + twice):
            results = []
            for played in run_all(found, jobs=jobs, keep_sound=report is not None):
                results.append(played)
                progress.ended(played)
            rounds.append(results)
    console.print(summary(rounds[0]))
    changed = differences(rounds[0], rounds[-1])
    for name in changed:
        console.print(f"[bold red]Not the same twice:[/] {name}", soft_wrap=True)
    if report is not None:
        from firmware_sim.results.report import write_report

        write_report(rounds[0], report)
        console.print(f"Report: {report}", soft_wrap=True)
    if junit is not None:
        from firmware_sim.results.junit import write_junit

        write_junit(rounds[0], junit)
    if as_json:
        rows = [
            {"name": p.name, "file": str(p.file), "line": p.line, "status": p.status, "digest": p.digest}
            for p in rounds[0]
        ]
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
    if changed or not all(played.good for played in rounds[0]):
        raise typer.Exit(1)


def _fleet(households: int, days: int, seed: int, jobs: int, *, as_json: bool) -> None:
    from firmware_sim.fleet.report import show, to_json
    from firmware_sim.fleet.run import run_fleet

    console = Console(highlight=False, stderr=as_json)
    result = run_fleet(households, days, seed=seed, jobs=jobs, console=console)
    console.print(show(result))
    if as_json:
        typer.echo(to_json(result))
