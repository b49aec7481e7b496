"""How a scenario went: what reports, tables and programs are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from firmware_sim.scenario.excerpt import Excerpt
from firmware_sim.scenario.expect import Miss
from firmware_sim.scenario.trace import Record

Status: TypeAlias = Literal["passed", "failed", "expected failure", "passed unexpectedly", "broken"]
"""`broken` is a defect: the device or the simulator raised what nobody foresaw."""

GOOD: Final[frozenset[Status]] = frozenset({"passed", "expected failure"})


@dataclass(frozen=True, slots=True)
class Failure:
    """Expectations of one step that were not met.

    Attributes:
        step: Number of the step, from 1.
        line: Its line.
        action: What was done in it.
        misses: What was not met.
    """

    step: int
    line: int
    action: str
    misses: tuple[Miss, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """How a scenario went.

    Attributes:
        name: Of the scenario.
        file: Its file.
        line: Where it stands there.
        status: How it ended.
        reason: Why it was expected to fail, or what broke.
        failures: What was not as expected.
        records: The trace.
        digest: SHA-256 of the trace.
        latencies_ms: From the last word to the first sound, for each answer.
        simulated: Seconds of simulated time.
        seconds: Seconds that it took.
        turns: How many turns there were.
        written: Bytes written to the flash.
        heard: Its sound, where that was kept.
    """

    name: str
    file: Path
    line: int
    status: Status
    reason: str = ""
    failures: tuple[Failure, ...] = ()
    records: tuple[Record, ...] = ()
    digest: str = ""
    latencies_ms: tuple[float, ...] = ()
    simulated: float = 0.0
    seconds: float = 0.0
    turns: int = 0
    written: int = 0
    heard: Excerpt | None = None

    @property
    def good(self) -> bool:
        """As it should be: passed, or failed as announced."""
        return self.status in GOOD


def differences(first: Sequence[Played], second: Sequence[Played]) -> list[str]:
    """Where scenarios that were played twice did not do the same, as `file:line: name`."""
    before = {(played.file, played.line, played.name): played.digest for played in first}
    return sorted(
        f"{played.file}:{played.line}: {played.name}"
        for played in second
        if before[played.file, played.line, played.name] != played.digest
    )
