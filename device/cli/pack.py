"""`homebody pack`: packs from what others wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from device.errors import BadInput, StorageError
from device.rhino.context import read_context
from device.rhino.convert import convert, snake

app = typer.Typer(help="Skill packs: bring grammars of others along.", add_completion=False, no_args_is_help=True)


@app.callback()
def pack() -> None:
    """Skill packs: bring grammars of others along."""


@app.command("import-rhino")
def import_rhino(
    context: Annotated[Path, typer.Argument(help="YAML file of a Rhino context.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The pack; its name is the skill's. Without it: to the terminal."),
    ] = None,
) -> None:
    """Make a pack of a Rhino context: the same sentences, intents and slots."""
    name = (output or context).stem
    skill = snake(name)
    if not skill.isascii() or not skill[:1].isalpha():
        raise BadInput(
            f"“{name}” can't be the name of a skill.", remedy="Name the file as the skill, such as coffee.yaml."
        )
    written = convert(read_context(context), skill)
    if output is None:
        typer.echo(written, nl=False)
        return
    try:
        output.write_text(written, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{output} can't be written ({error.strerror}).", remedy="Name another place.") from error
    typer.echo(
        f"The pack {output} understands what {context} does. Try it: homebody ask, with the pack in ~/.homebody/packs."
    )
