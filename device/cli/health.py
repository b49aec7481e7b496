"""`homebody health`: is this device fit for use? What decides whether an update stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from rich.console import Console

from device.app.checks import health_checks
from device.cli.render import show_finding
from device.clock import SystemClock
from device.config import home_folder
from device.errors import BadInput
from device.health import Check, Look, examine
from device.workers import ThreadWorkers

Without: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="What is not to be looked at, e.g. `microphone`; may be given several times.")
]


def health(
    without: Without = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Look whether it hears, understands, speaks and remembers: 0 yes, 1 no."""
    checks = look(home_folder(), without or (), show=None if as_json else show_check)
    report = checks_json(checks)
    if as_json:
        typer.echo(json.dumps(report))
    raise typer.Exit(0 if report["ok"] else 1)


def look(
    home: Path, without: Collection[str] = (), model: Path | None = None, show: Callable[[Check], None] | None = None
) -> list[Check]:
    """Check a device.

    Args:
        home: Folder of all state.
        without: Names of checks that are left out.
        model: A bundle of the language model to check in place of the one in use.
        show: Told each result at once.

    Raises:
        BadInput: There is no check of such a name.
    """
    looks = health_checks(home, model)
    if unknown := sorted(set(without) - looks.keys()):
        raise BadInput(f"There is no check {unknown[0]}.", remedy=f"Choose from: {', '.join(looks)}.")
    wanted = {name: looks[name] for name in looks if name not in without}
    return asyncio.run(_examine(wanted, show or (lambda check: None)))


async def _examine(looks: dict[str, Look], show: Callable[[Check], None]) -> list[Check]:
    checks: list[Check] = []
    async for check in examine(looks, SystemClock(), ThreadWorkers()):
        checks.append(check)
        show(check)
    return checks


def show_check(check: Check) -> None:
    """One line for people, and one with what can be done."""
    detail = f"{check.detail}, {check.milliseconds:.0f} ms" if check.ok else check.detail
    show_finding(Console(highlight=False), "ok" if check.ok else "problem", check.name, detail, check.remedy)


def checks_json(checks: Sequence[Check]) -> dict[str, Any]:
    """The object that `homebody health --json` prints: `ok`, and `checks` with the fields of `Check`."""
    return {"ok": all(check.ok for check in checks), "checks": [asdict(check) for check in checks]}
