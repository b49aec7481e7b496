"""Some households of a fleet, played from a description that can be sent anywhere: a pure function."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from firmware_sim.clock import VirtualClock, run
from firmware_sim.fleet.household import household
from firmware_sim.fleet.life import Life, Living
from firmware_sim.fleet.mishap import mishaps
from firmware_sim.fleet.routine import Speaker, day
from firmware_sim.fleet.wording import wordings

START: Final = date(2027, 3, 10)
"""The first day, a Wednesday: American households change to summer time on the fifth, European ones on the 19th."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Some households.

    Attributes:
        seed: Of the fleet.
        first: Number of the first household.
        count: How many.
        days: How many days they live.
        start: The first day.
    """

    seed: int
    first: int
    count: int
    days: int
    start: date = START


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What came of them, by number of the household."""

    lives: tuple[Life, ...]


def shards(households: int, days: int, seed: int, size: int) -> list[Shard]:
    """A fleet in pieces of so many households at most; the results don't depend on the size."""
    return [Shard(seed, at, min(size, households - at), days) for at in range(0, households, size)]


def play(shard: Shard) -> ShardResult:
    """Play all households of a shard, one after the other."""
    return ShardResult(tuple(_life(shard, number) for number in range(shard.first, shard.first + shard.count)))


def _life(shard: Shard, number: int) -> Life:
    home = household(shard.seed, number)
    chance = Random(f"day {shard.seed}/{number}")
    start = datetime.combine(shard.start, datetime.min.time(), ZoneInfo(home.zone))

    async def live(clock: VirtualClock, folder: Path) -> Life:
        speaker = Speaker(home, wordings(), chance)
        living = Living(clock, home, folder, mishaps(chance, shard.days), speaker, shard.seed)
        await living.begin()
        for index in range(shard.days):
            today = shard.start + timedelta(days=index)
            await living.live(day(speaker, today, first=index == 0))
        return await living.end(_seconds(start, shard.days))

    with tempfile.TemporaryDirectory(prefix="homebody-fleet-") as folder:
        return run(lambda clock: live(clock, Path(folder)), start)


def _seconds(start: datetime, days: int) -> float:
    """Of so many calendar days, some of which have 23 hours."""
    return (start + timedelta(days=days)).timestamp() - start.timestamp()


def lives(results: Sequence[ShardResult]) -> list[Life]:
    """Of all shards, by number of the household."""
    return sorted((life for result in results for life in result.lives), key=lambda life: life.number)
