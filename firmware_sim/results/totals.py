"""What many scenarios come to: counts, latencies, simulated time; for tables, pages and programs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from device.errors import BadInput, StorageError
from firmware_sim.scenario.played import Played, Status

WORST_FIRST: Final[tuple[Status, ...]] = ("broken", "failed", "passed unexpectedly", "expected failure", "passed")
"""The order in which people want to see them."""


@dataclass(frozen=True, slots=True)
class Latency:
    """From the last word to the first sound, in milliseconds; percentiles are latencies that occurred."""

    count: int
    p50: float
    p95: float
    worst: float


@dataclass(frozen=True, slots=True)
class Totals:
    """What some scenarios come to.

    Attributes:
        counts: How many ended how; each status is there.
        latency: Of all answers; None where none was spoken.
        simulated: Seconds of simulated time.
        seconds: Seconds that all took together, as if played one after the other.
        turns: How many turns there were.
        written: Bytes written to the flash.
    """

    counts: Mapping[Status, int]
    latency: Latency | None
    simulated: float
    seconds: float
    turns: int
    written: int

    @property
    def scenarios(self) -> int:
        """How many there were."""
        return sum(self.counts.values())

    @property
    def bad(self) -> int:
        """How many are not as they should be."""
        return self.scenarios - self.counts["passed"] - self.counts["expected failure"]

    @property
    def speed(self) -> float:
        """Simulated seconds in one second of one process."""
        return self.simulated / self.seconds if self.seconds else 0.0


def totals(results: Sequence[Played]) -> Totals:
    """What some scenarios come to."""
    return Totals(
        {status: sum(played.status == status for played in results) for status in WORST_FIRST},
        latency([ms for played in results for ms in played.latencies_ms]),
        sum(played.simulated for played in results),
        sum(played.seconds for played in results),
        sum(played.turns for played in results),
        sum(played.written for played in results),
    )


def latency(answers_ms: Sequence[float]) -> Latency | None:
    """Median, 95th percentile and maximum; None of no answers."""
    if not answers_ms:
        return None
    p50, p95 = np.percentile(answers_ms, (50, 95), method="higher")
    return Latency(len(answers_ms), float(p50), float(p95), max(answers_ms))


def worst_first(results: Sequence[Played]) -> list[Played]:
    """What needs attention before what is well; by file and line within each."""
    return sorted(results, key=lambda p: (WORST_FIRST.index(p.status), str(p.file), p.line, p.name))


def grouped(number: float) -> str:
    """A whole number with thousands set apart."""
    return f"{number:,.0f}".replace(",", "\u202f")


def size(count: int) -> str:
    """Bytes in units of 10^3, 10^6 and 10^9."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def save(path: Path, text: str) -> None:
    """Write a report in one go: whoever reads it meanwhile sees the old one or the new one. Folders are made.

    Raises:
        BadInput: There is a folder of this name.
        StorageError: It can't be written.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder.", remedy="Name a file in it.")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        remedy = "Free some space or name a file in another folder."
        raise StorageError(f"{path} can't be written: {error.strerror}.", remedy=remedy) from error
