"""`homebody models`: what models are here, fetch one; and all that is done with bundles of the language model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from device.app import BUNDLE
from device.cli.bundle_diff import diff
from device.cli.bundles import install, keygen, rollback, sign, verify
from device.cli.render import show_problems
from device.config import Config, home_folder, load_config
from device.errors import BundleError, Missing
from device.nlu.bundles import SHIPPED, Bundles, split_key
from device.speech.engines import STT, TTS, EngineOptions, make_stt, make_tts
from device.speech.fetch import CATALOGUE, fetch
from models.manifest import MANIFEST, Manifest, ManifestError

app = typer.Typer(help="Speech models and the language model.", add_completion=False, no_args_is_help=True)


@app.command("list")
def list_models(as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False) -> None:
    """Which models and engines are here, and which are in use."""
    home = home_folder()
    config = load_config(home)
    rows = [*_language(config, home), *_engines(config, EngineOptions(home / "models"))]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table("use", "name", "version", "here", "in use", "note")
    for row in rows:
        here = "[green]yes[/]" if row["here"] else "[yellow]no[/]"
        active = "[green]yes[/]" if row["active"] else ""
        table.add_row(row["use"], row["name"], row["version"], here, active, escape(row["note"]))
    Console().print(table)


@app.command("fetch")
def fetch_model(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(CATALOGUE)}.")],
    archive: Annotated[Path | None, typer.Option(help="The archive, brought to a machine without a network.")] = None,
) -> None:
    """Download a speech model, verify it and unpack it; goes on where it was interrupted."""
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task(name, total=None)
        folder = fetch(
            name,
            home_folder() / "models",
            archive=archive,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    typer.echo(f"{name} is in {folder}")


for command in (install, rollback, verify, diff, sign, keygen):
    app.command()(command)


def _language(config: Config, home: Path) -> Iterator[dict[str, Any]]:
    """The bundle that ships, the installed ones, and the one that the configuration names."""
    bundles = Bundles(home)
    try:
        active = bundles.active
    except BundleError as error:
        show_problems([error])
        active = SHIPPED
    configured = config.nlu.model
    yield _bundle(BUNDLE, active == SHIPPED and not configured, "ships with Homebody")
    for key in bundles.installed():
        _, version, digest = split_key(key)
        row = _bundle(bundles.folder(key), active == key and not configured, f"installed, {digest}")
        yield row | {"version": version}
    if configured:
        yield _bundle(Path(configured).expanduser(), True, "nlu.model in the configuration")


def _bundle(folder: Path, active: bool, note: str) -> dict[str, Any]:
    row = {"use": "language", "name": folder.name, "version": "", "here": True, "active": active, "note": note}
    try:
        manifest = Manifest.read(folder)
    except ManifestError as error:
        return row | {"here": (folder / MANIFEST).is_file(), "note": f"{note}: {error}"}
    return row | {"name": manifest.name, "version": manifest.version}


def _engines(config: Config, options: EngineOptions) -> Iterator[dict[str, Any]]:
    used = {"stt": config.speech.stt, "tts": config.speech.tts}
    for use, engines, make in (("stt", STT, make_stt), ("tts", TTS, make_tts)):
        for name in engines:
            note = ""
            try:
                make(name, options)
            except Missing as error:
                note = error.remedy
            active = used[use] == name
            yield {"use": use, "name": name, "version": "", "here": not note, "active": active, "note": note}
