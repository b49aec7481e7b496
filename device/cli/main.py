"""The `homebody` program: runs a command, and says what went wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from device.errors import DeviceError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit: 0 done, 1 failed, 2 wrong use or bad input, 3 something is missing."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _run(arguments)
    except DeviceError as error:
        report(error, as_json="--json" in arguments)
        sys.exit(error.exit_code)
    except ExceptionGroup as group:
        errors = group.subgroup(DeviceError)
        if errors is None:
            raise
        first = _leaf(errors)
        report(first, as_json="--json" in arguments)
        sys.exit(first.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def _run(arguments: Sequence[str]) -> None:
    if arguments == ["serve"]:  # as systemd starts it: reading a command line takes a tenth of a board's start
        from device.serving import serve

        serve()
        return
    from device.cli.commands import build

    wanted = next((word for word in arguments if not word.startswith("-")), "")
    build(wanted)(args=arguments, prog_name="homebody")


def _leaf(group: ExceptionGroup[DeviceError]) -> DeviceError:
    """The first error of a task group that failed."""
    first = group.exceptions[0]
    return _leaf(first) if isinstance(first, ExceptionGroup) else first


def report(error: DeviceError, *, as_json: bool) -> None:
    """Say what went wrong and what can be done: on standard error, or as JSON where a program listens."""
    import typer

    message = Exception.__str__(error)
    if as_json:
        typer.echo(json.dumps({"error": message, "remedy": error.remedy, "kind": type(error).__name__}))
        return
    typer.secho(f"homebody: {message}", err=True, fg="red")
    if error.remedy:
        typer.secho(f"  {error.remedy}", err=True)
