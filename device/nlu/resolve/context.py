"""What resolving depends on besides the words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class ResolveContext:
    """The present moment and the household's names.

    Attributes:
        now: Wall time, aware; its zone is the one that people mean.
        names: Slot type to the names that may stand there, in spoken form ("kitchen light").
        aliases: Other names to the canonical one in `names` ("lamp over the sink" to "kitchen light").

    Raises:
        ValueError: `now` is naive.
    """

    now: datetime
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse naive times: they would mean the machine's zone instead of the household's."""
        if self.now.tzinfo is None:
            raise ValueError("ResolveContext.now must be aware")

    @property
    def today(self) -> date:
        """The calendar day of `now`."""
        return self.now.date()
