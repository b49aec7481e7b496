"""The commands of `homebody`: those that are built in, and those of the entry point group `homebody.commands`.

Only the module of the command that was called is imported, so that every command starts quickly.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import Any, Final

import typer

from device.errors import Missing
from device.plugged import entry_points

COMMANDS_GROUP: Final = "homebody.commands"

_BUILT_IN: Final[Mapping[str, tuple[str, str]]] = {
    "talk": ("device.cli.talk:talk", "Talk to it; with --text, type to it."),
    "ask": ("device.cli.ask:ask", "Ask one thing, typed or recorded."),
    "say": ("device.cli.say:say_command", "Speak a text."),
    "doctor": ("device.cli.doctor:doctor", "Look at sound, models, disk and speed; say what is wrong."),
    "bench": ("device.cli.bench:bench", "Measure this machine."),
    "models": ("device.cli.models:app", "Models: list, fetch, verify, install, roll back, compare."),
    "serve": ("device.cli.serve:serve", "Run as a service: listen and answer until told to end."),
    "health": ("device.cli.health:health", "Is this device fit for use? Decides whether an update stays."),
    "update": ("device.cli.update:app", "Update system and language model: install, confirm, status."),
    "pack": ("device.cli.pack:app", "Skill packs: bring grammars of others along."),
    "feedback": ("device.cli.feedback:app", "What went wrong, for the next model."),
}
_EXTRAS: Final[Mapping[str, tuple[str, str]]] = {
    "demo": ("sim", "A spoken tour of a simulated living room, without a microphone."),
    "simulate": ("sim", "A gadget that isn't there: play scenarios, open its page, live for days."),
    "data": ("train", "Labelled sentences: list, fetch, check, convert, find leaks, report."),
    "data.confusions": ("sim", "What the recogniser hears in place of what is said, for training."),
    "train": ("train", "Train, distil and quantize the language model."),
    "train-wake": ("train", "Train a wake word of one's own, from the typed phrase."),
    "export": ("train", "Quantize a trained model for each board, past a gate."),
    "image": ("image", "Device images: build, test, keys."),
    "evaluate": ("train", "Evaluate a language model."),
    "evaluate.aarch64": ("train", "Run a board's bundle as aarch64 code and compare."),
    "explain": ("train", "Why the language model understands a sentence as it does."),
    "errors": ("train", "What the language model gets wrong, and which pack needs sentences."),
    "evaluate.speech": ("sim", "Evaluate recorded commands through the whole chain."),
    "evaluate.commands": ("sim", "Evaluate the built-in packs on commands in many voices and rooms."),
    "evaluate.choice": ("sim", "Fit anew what tells commands from near misses and foreign speech."),
    "evaluate.foreign": ("sim", "Make speech that is for nobody, of which nothing is to be obeyed."),
    "evaluate.wake": ("sim", "Evaluate wake words on recorded people and on hours of other talk."),
    "feedback.import": ("train", "Gather what devices exported, to be reviewed."),
    "feedback.review": ("train", "Review what was gathered, for the next training."),
}
"""Command to the extra that brings what it needs, and its help."""


def build(wanted: str) -> typer.Typer:
    """The program with all commands, of which only `wanted` is more than its help."""
    app = typer.Typer(
        help="An offline voice assistant: hears, understands, answers and acts with no network.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def root() -> None:
        """Keeps sub-commands even where there is only one."""

    plugged = sorted(entry_points(group=COMMANDS_GROUP), key=lambda entry: entry.name)
    for name, (target, summary) in _BUILT_IN.items():
        built_in = _import(target) if name == wanted else None
        if isinstance(built_in, typer.Typer):
            _add_parts(built_in, wanted, plugged)
        _add(app, name, built_in, summary)
    for entry in plugged:
        if "." not in entry.name:
            loaded = _load(entry) if entry.name == wanted else None
            if isinstance(loaded, typer.Typer):
                _add_parts(loaded, wanted, plugged)
            _add(app, entry.name, loaded, _EXTRAS.get(entry.name, ("", ""))[1])
    return app


def _add_parts(app: typer.Typer, name: str, plugged: Sequence[EntryPoint]) -> None:
    """Entry points `name.part` are sub-commands of `name`; one whose extra is not installed says so when called."""
    for entry in plugged:
        whole, _, part = entry.name.partition(".")
        if whole == name and part:
            try:
                app.command(part)(_load(entry))
            except Missing as error:
                anything = {"allow_extra_args": True, "ignore_unknown_options": True}
                app.command(part, help=_EXTRAS.get(entry.name, ("", ""))[1], context_settings=anything)(_raiser(error))


def _raiser(error: Missing) -> Callable[[], None]:
    def refuse() -> None:
        raise error

    return refuse


def _add(app: typer.Typer, name: str, loaded: typer.Typer | Callable[..., Any] | None, summary: str) -> None:
    if isinstance(loaded, typer.Typer):
        app.add_typer(loaded, name=name)
    elif loaded is not None:
        app.command(name)(loaded)
    else:
        app.command(name, help=summary)(_not_called)


def _not_called() -> None:
    """Stands for a command that was not called: only its name and help are shown."""


def _import(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def _load(entry: EntryPoint) -> Any:
    """Import a command of an extra.

    Raises:
        Missing: Its extra is not installed.
    """
    try:
        return entry.load()
    except ImportError as error:
        extra = _EXTRAS.get(entry.name, ("dev", ""))[0]
        raise Missing(
            f"`homebody {entry.name}` needs {error.name or 'a library'}, which is not installed.",
            remedy=f'Install it with: pip install "homebody[{extra}]"',
        ) from error
