"""What installed packages plug in by entry points, looked up once: reading all their lists takes 10 ms each time."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoints
from importlib.metadata import entry_points as installed
from typing import Any


def entry_points(**wanted: Any) -> EntryPoints:
    """As `importlib.metadata.entry_points`, of the packages that were installed when this was first asked."""
    found: EntryPoints = _all().select(**wanted)
    return found


@cache
def _all() -> Any:  # Python 3.11 and 3.12 have different classes for it, with the same method
    return installed()
