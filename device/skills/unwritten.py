"""What has begun to ring although that could not be written down: alarms ring on a full or read-only storage, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from device.store.occasions import Occasion
from device.store.rings import RingRow
from device.store.timers import TimerRow

Source: TypeAlias = TimerRow | Occasion
"""The row from which a ring came."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A ring that only the memory knows.

    Attributes:
        row: The ring; its id is negative, and so never one of the database.
        source: The row that is still stored as if it had not rung.
        following: When that is due again, naive; None if it is over.
    """

    row: RingRow
    source: Source
    following: datetime | None


class Unwritten:
    """Rings that the storage refused, laid over what it holds until it can be written.

    Attributes:
        begun: All of them, in the order in which they began.
    """

    def __init__(self) -> None:
        self.begun: list[Begun] = []
        self._last_id = 0

    def begin(self, row: RingRow, source: Source, following: datetime | None) -> None:
        """Ring, whatever the storage says."""
        self._last_id -= 1
        self.begun.append(Begun(replace(row, id=self._last_id), source, following))

    def among(self, ids: Iterable[int]) -> list[Begun]:
        """Those of these rings that are here."""
        wanted = set(ids)
        return [begun for begun in self.begun if begun.row.id in wanted]

    def forget(self, written: Iterable[Begun]) -> None:
        """The storage knows them now."""
        known = {begun.row.id for begun in written}
        self.begun = [begun for begun in self.begun if begun.row.id not in known]

    def timers(self, rows: Sequence[TimerRow]) -> list[TimerRow]:
        """Stored timers as they really are."""
        over = {begun.source.id for begun in self.begun if isinstance(begun.source, TimerRow)}
        return [row for row in rows if row.id not in over]

    def occasions(self, rows: Sequence[Occasion]) -> list[Occasion]:
        """Stored alarms and reminders as they really are."""
        moved = {begun.source.id: begun.following for begun in self.begun if isinstance(begun.source, Occasion)}
        present = [(row, moved.get(row.id, row.at)) for row in rows]
        return [replace(row, at=at) for row, at in present if at is not None]
