"""The `homebody` program: built-in commands, and those of the entry point group `homebody.commands`."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any

import click
import typer
from typer.core import TyperGroup

from device.errors import DeviceError, Missing

COMMANDS_GROUP = "homebody.commands"

_BUILT_IN = {
    "talk": "device.cli.talk:talk",
    "ask": "device.cli.ask:ask",
    "say": "device.cli.say:say_command",
    "doctor": "device.cli.doctor:doctor",
    "bench": "device.cli.bench:bench",
    "models": "device.cli.models:app",
}
_OWN_EXTRA = {"demo": "sim", "simulate": "sim", "train": "train", "evaluate": "train"}


class _LazyGroup(TyperGroup):
    """Imports a command's module only when it is called, so that `homebody --help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Built-in commands first, then those of the extras."""
        return [*_BUILT_IN, *sorted(entry.name for entry in entry_points(group=COMMANDS_GROUP))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command.

        Raises:
            Missing: Its extra is not installed.
        """
        if cmd_name in _BUILT_IN:
            module, _, name = _BUILT_IN[cmd_name].partition(":")
            return _command(cmd_name, getattr(importlib.import_module(module), name))
        for entry in entry_points(group=COMMANDS_GROUP, name=cmd_name):
            try:
                return _command(cmd_name, entry.load())
            except ImportError as error:
                extra = _OWN_EXTRA.get(cmd_name, "dev")
                raise Missing(
                    f"`homebody {cmd_name}` needs {error.name or 'a library'}, which is not installed.",
                    remedy=f'Install it with: pip install "homebody[{extra}]"',
                ) from error
        return None


def _command(name: str, loaded: typer.Typer | Callable[..., Any]) -> click.Command:
    """A click command of a Typer app or of a plain function."""
    if not isinstance(loaded, typer.Typer):
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        app.command(name)(loaded)
        return typer.main.get_command(app)
    command = typer.main.get_command(loaded)
    command.name = name
    return command


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit."""
    group = _LazyGroup(
        name="homebody",
        help="An offline voice assistant: hears, understands, answers and acts with no network.",
        no_args_is_help=True,
    )
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = group.main(args=arguments, prog_name="homebody", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = 2
    except (click.Abort, KeyboardInterrupt):
        status = 130
    except DeviceError as error:
        report(error, as_json="--json" in arguments)
        status = error.exit_code
    sys.exit(status if isinstance(status, int) else 0)


def report(error: DeviceError, *, as_json: bool) -> None:
    """Say what went wrong and what can be done: on standard error, or as JSON where a program listens."""
    if as_json:
        typer.echo(
            json.dumps({"error": Exception.__str__(error), "remedy": error.remedy, "kind": type(error).__name__})
        )
        return
    typer.secho(f"homebody: {Exception.__str__(error)}", err=True, fg="red")
    if error.remedy:
        typer.secho(f"  {error.remedy}", err=True)
