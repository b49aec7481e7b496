"""`homebody serve`: the device as a service of systemd; see `device.serving`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from device.cli.render import turn_json
from device.dialogue.conversation import Turn
from device.serving import serve as run


def serve(
    turns: Annotated[bool, typer.Option("--turns", help="Print each turn as one JSON object, one a line.")] = False,
) -> None:
    """Listen and answer as a service of systemd; troubles go to standard error, what is said nowhere."""
    run(_print if turns else None)


def _print(turn: Turn) -> None:
    typer.echo(json.dumps(turn_json(turn), ensure_ascii=False))
