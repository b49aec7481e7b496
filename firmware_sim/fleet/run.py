"""A fleet on all cores, or on whatever joblib is told to run on: Ray and Dask bring backends of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from joblib import Parallel, delayed
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from device.clock import SystemClock
from device.errors import BadInput
from firmware_sim.fleet.life import Life
from firmware_sim.fleet.shard import ShardResult, lives, play, shards

SIZE: Final = 4
"""Households in a shard: enough for the start of a process to be forgotten, few enough for a bar that moves."""


@dataclass(frozen=True, slots=True)
class FleetResult:
    """What came of a fleet. Two runs of the same seed are equal, however many cores they had.

    Attributes:
        seed: Of the fleet.
        days: How many days it lived.
        lives: Of all households, by number.
        seconds: How long it took.
    """

    seed: int
    days: int
    lives: tuple[Life, ...]
    seconds: float = field(compare=False)


def run_fleet(
    households: int, days: int, *, seed: int = 0, jobs: int = -1, console: Console | None = None
) -> FleetResult:
    """Let households live with their gadgets.

    Within `joblib.parallel_config(backend="ray")` the same shards run on a Ray cluster.

    Args:
        households: How many.
        days: For how many days.
        seed: Of everything that is left to chance.
        jobs: How many processes; -1 for as many as there are cores.
        console: Where to draw a bar; None for nowhere.

    Raises:
        BadInput: No household, no day, or no process.
        DeviceError: A device does not start.
    """
    if households < 1 or days < 1 or not jobs:
        raise BadInput("There is nothing to simulate.", remedy="Ask for at least one household, one day and one job.")
    clock = SystemClock()
    began = clock.monotonic()
    work = (delayed(play)(shard) for shard in shards(households, days, seed, SIZE))
    results = _parallel(jobs)(work)
    done = list(_shown(results, households, console) if console else results)
    return FleetResult(seed, days, tuple(lives(done)), clock.monotonic() - began)


def _parallel(jobs: int) -> Parallel:
    """Gives each result when it is there, if the backend can; Ray's gives all at the end, and the bar moves once."""
    try:
        return Parallel(n_jobs=jobs, return_as="generator_unordered")
    except ValueError:
        return Parallel(n_jobs=jobs)


def _shown(results: Iterable[ShardResult], households: int, console: Console) -> Iterable[ShardResult]:
    """The same results, while a bar tells how many households are through and how many turns there were."""
    columns = (
        SpinnerColumn(),
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("households  {task.fields[turns]:,} turns"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("fleet", total=households, turns=0)
        turns = 0
        for result in results:
            turns += sum(life.turns.total() for life in result.lives)
            bar.update(task, advance=len(result.lives), turns=turns)
            yield result
