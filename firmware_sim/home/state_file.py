"""State of a simulated appliance in a JSON file, so that one-shot commands find what the last one left."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from device.errors import StorageError
from device.skills.ports import Json


class StateFile:
    """Reads once, then writes the whole of it at every change, by renaming a finished file.

    Args:
        path: The file; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def load(self) -> dict[str, Json]:
        """What was saved last; empty if nothing was.

        Raises:
            StorageError: The file can't be read or holds no JSON object.
        """
        if self._path is None or not self._path.exists():
            return {}
        try:
            state = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StorageError(f"{self._path} can't be read: {error}.", remedy="Delete it.") from error
        if not isinstance(state, dict):
            raise StorageError(f"{self._path} holds no JSON object.", remedy="Delete it.")
        return state

    def save(self, state: Mapping[str, Json]) -> None:
        """Replace what was saved.

        Raises:
            StorageError: Disk full or read-only.
        """
        if self._path is None:
            return
        draft = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("w", encoding="utf-8") as file:
                json.dump(state, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError as error:
            raise StorageError(
                f"{self._path} can't be written: {error.strerror}.", remedy="Free some space."
            ) from error
