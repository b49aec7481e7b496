"""A progress bar on standard error, gone when done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from quantize.explain.neighbours import Progress

_T = TypeVar("_T")


def progress_bar(description: str) -> Progress:
    """A `Progress` that shows a bar where a person is watching."""
    console = Console(stderr=True)

    def wrap(items: Sequence[_T]) -> Iterable[_T]:
        return track(items, description, console=console, transient=True, disable=not console.is_terminal)

    return wrap
