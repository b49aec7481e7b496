"""`homebody update install|status|confirm`: the system through RAUC, the language model alone; and does it stay?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from device.app import fit_model, load_all_packs, load_language_model
from device.cli.bundles import AsJson, described
from device.cli.health import Without, checks_json, look, show_check
from device.cli.render import show_finding, show_problems
from device.config import Config, home_folder, load_config
from device.errors import BadInput, DeviceError, UpdateError
from device.health import Check
from device.nlu.bundles import Bundles
from device.update.archive import unpacked
from device.update.confirm import Confirmed, Verdict, confirm
from device.update.rauc import RaucProgram, Slot, System

app = typer.Typer(help="Update the system or the language model.", add_completion=False, no_args_is_help=True)

ENDING: Final = ".raucb"
"""How the name of a system ends."""

REBOOT: Final = 4
"""Exit code that asks for a reboot: the system that runs was marked bad."""

_WHAT = (
    "Give a system (*.raucb, or where one is on a server), or a bundle of the language model: its folder or *.tar.gz."
)
_VERDICTS = {
    Verdict.GOOD: "{slot} is healthy, and stays.",
    Verdict.KEPT: "{slot} is not healthy, but was when it was installed: it stays. See what is wrong above.",
    Verdict.ALONE: "{slot} is not healthy, but there is no other system: it stays. See what is wrong above.",
    Verdict.BAD: "{slot} is not healthy and was marked bad: reboot, and the system before comes back.",
}


@app.command()
def install(
    source: Annotated[str, typer.Argument(help=_WHAT, show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Install a system (in use after a reboot), or a language model (in use without one)."""
    if source.startswith(("http://", "https://")) or (source.endswith(ENDING) and Path(source).is_file()):
        return _install_system(source, as_json)
    path = Path(source)
    if path.is_dir():
        return _install_model(path, as_json)
    if not path.is_file():
        raise BadInput(f"There is no file or folder {source}.", remedy=_WHAT)
    with unpacked(path) as folder:
        _install_model(folder, as_json)


def _install_system(source: str, as_json: bool) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=100)
        RaucProgram().install(source, lambda percent, what: bar.update(task, completed=percent, description=what))
    if as_json:
        typer.echo(json.dumps({"installed": "system", "reboot": True}))
    else:
        typer.echo("The system is installed. Reboot to start it; if it isn't healthy then, this one comes back.")


def _install_model(folder: Path, as_json: bool) -> None:
    """Nothing comes into use that has not shown that it works: what runs could break on it otherwise."""
    home = home_folder()
    config = load_config(home)
    manifest = fit_model(folder, config, load_all_packs(config, home)).manifest
    # A switched off microphone says nothing about a model.
    checks = look(home, ["microphone"], folder, None if as_json else show_check)
    failed = [check for check in checks if not check.ok]
    if failed:
        raise UpdateError(
            f"{manifest.name} {manifest.version} is not installed, and {_model_words(config, home)} stays in use. "
            f"With it, this fails: {failed[0].name}. {failed[0].detail}",
            remedy=failed[0].remedy,
        )
    change = Bundles(home).install(folder)
    if as_json:
        typer.echo(json.dumps({"installed": "model", "before": change.before or "shipped", "after": change.after}))
    else:
        typer.echo(f"{described(change.after)} is installed. A running service takes it up once nobody talks to it.")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Which system runs, which starts next, which are good; and which language model is in use."""
    home = home_folder()
    config = load_config(home)
    system: System | None = None
    try:
        system = RaucProgram().status()
    except DeviceError as error:  # on a machine without slots there is still a model
        show_problems([error])
    confirmed = Confirmed(home / "update")
    if as_json:
        model = _model_in_use(config, home)
        typer.echo(json.dumps({"system": system and _system_json(system, confirmed), "model": model}))
        return
    console = Console(highlight=False)
    for slot in system.slots if system else ():
        facts = {
            "running": slot.booted,
            "starts next": system is not None and slot.name == system.following,
            "confirmed": slot in confirmed,
            "good": slot.good,
            "bad": not slot.good,
            f"version {slot.version}": bool(slot.version),
        }
        told = ", ".join(fact for fact, so in facts.items() if so)
        show_finding(console, "ok" if slot.good else "warning", _named(slot), told, "")
    show_finding(console, "ok", "language model", _model_words(config, home), "")


@app.command("confirm")
def confirm_command(without: Without = None, as_json: AsJson = False) -> None:
    """At each start: is the system that was started healthy? 0 it stays, 4 it was marked bad: reboot."""
    home = home_folder()
    checks: list[Check] = []

    def healthy() -> bool:
        checks.extend(look(home, without or (), show=None if as_json else show_check))
        return all(check.ok for check in checks)

    verdict, system = confirm(RaucProgram(), Confirmed(home / "update"), healthy)
    if as_json:
        found = {"verdict": str(verdict), "slot": system.booted.name, "reboot": verdict is Verdict.BAD}
        typer.echo(json.dumps(found | checks_json(checks)))
    else:
        typer.echo(_VERDICTS[verdict].format(slot=_named(system.booted)))
    raise typer.Exit(REBOOT if verdict is Verdict.BAD else 0)


def _named(slot: Slot) -> str:
    return f"{slot.name} ({slot.bootname})" if slot.bootname else slot.name


def _system_json(system: System, confirmed: Confirmed) -> dict[str, Any]:
    slots = [{**msgspec.to_builtins(slot), "confirmed": slot in confirmed} for slot in system.slots]
    return {"compatible": system.compatible, "booted": system.booted.name, "next": system.following, "slots": slots}


def _model_in_use(config: Config, home: Path) -> dict[str, str] | None:
    """The language model that a start now would use, None if none; what is refused on the way is told."""
    problems: list[DeviceError] = []
    model = load_language_model(config, home, load_all_packs(config, home), problems)
    show_problems(problems)
    if model is None:
        return None
    return {"name": model.manifest.name, "version": model.manifest.version, "folder": str(model.folder)}


def _model_words(config: Config, home: Path) -> str:
    model = _model_in_use(config, home)
    return f"{model['name']} {model['version']}" if model else "no language model"
