"""`homebody models`: what models are here, fetch one, verify one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from device.app import BUNDLE
from device.config import home_folder, load_config
from device.errors import Missing
from device.nlu.onnx_model import load_model
from device.speech.engines import STT, TTS, EngineOptions, make_stt, make_tts
from device.speech.fetch import CATALOGUE, fetch

app = typer.Typer(help="List, fetch and verify models.", add_completion=False, no_args_is_help=True)


@app.command("list")
def list_models(as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False) -> None:
    """Which models and engines are here."""
    home = home_folder()
    rows = [_language(load_config(home).nlu.model), *_engines(EngineOptions(home / "models"))]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table("use", "name", "here", "how to get it")
    for row in rows:
        table.add_row(row["use"], row["name"], "[green]yes[/]" if row["here"] else "[yellow]no[/]", escape(row["note"]))
    Console().print(table)


@app.command("fetch")
def fetch_model(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(CATALOGUE)}.")],
    archive: Annotated[Path | None, typer.Option(help="The archive, brought to a machine without a network.")] = None,
) -> None:
    """Download a model, verify it and unpack it; goes on where it was interrupted."""
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


@app.command()
def verify(
    folder: Annotated[Path | None, typer.Argument(help="A bundle; by default the one in use.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Check every file of a language model bundle against its manifest, and that it loads."""
    home = home_folder()
    used = load_config(home).nlu.model
    folder = folder or (Path(used) if used else BUNDLE)
    model = load_model(folder)
    manifest = model.manifest
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "name": manifest.name, "version": manifest.version, "ok": True}))
        return
    typer.echo(f"{manifest.name} {manifest.version} is whole: {len(model.labels.intents)} intents")


def _language(configured: str) -> dict[str, Any]:
    folder = Path(configured) if configured else BUNDLE
    here = (folder / "manifest.json").is_file()
    return {"use": "language", "name": folder.name, "here": here, "note": "" if here else f"nothing in {folder}"}


def _engines(options: EngineOptions) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for use, engines, make in (("stt", STT, make_stt), ("tts", TTS, make_tts)):
        for name in engines:
            note = ""
            try:
                make(name, options)
            except Missing as error:
                note = error.remedy
            rows.append({"use": use, "name": name, "here": not note, "note": note})
    return rows
