"""A soak: one gadget for a month with a busy family, a power cut every day, and the change to summer time."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from firmware_sim.clock import VirtualClock, run
from firmware_sim.fleet.household import Household
from firmware_sim.fleet.ledger import AlarmSet, Ledger
from firmware_sim.fleet.life import Life, Living
from firmware_sim.fleet.mishap import Mishap
from firmware_sim.fleet.routine import Errand, Line, Speaker, another_timer, day, extra_alarm
from firmware_sim.fleet.wording import wordings

FLASH_BUDGET_MB: Final = 2.0
"""What a day of the soak may write, in 10^6 bytes: a fiftieth of what the least of the profiles is meant to bear."""

START: Final = date(2027, 3, 10)
SUMMER_TIME: Final = date(2027, 3, 28)
"""Day on which clocks in Berlin go from two to three."""

_DAY: Final = 86400.0
_PEOPLE: Final = 5
"""People who each have a day's talk with the gadget."""

_FAMILY: Final = Household(
    0,
    "Europe/Berlin",
    "speaker-pi4",
    "kitchen",
    (6, 40),
    22,
    ("kitchen", "bedroom", "living room"),
    ("milk", "eggs", "bread", "butter", "rice", "coffee beans", "onions", "yoghurt", "tea bags", "tomatoes"),
    ("pasta", "rice", "tea", "pizza", "soup", "eggs"),
    ("water the plants", "take out the bins", "ring grandma", "feed the cat", "charge the bike", "call the dentist"),
    ("jazz", "pop", "classical"),
    1.0,
)


@dataclass(frozen=True, slots=True)
class Memory:
    """A process at a moment: `blocks` of Python's allocator that are in use, and bytes `resident` in RAM."""

    blocks: int
    resident: int


@dataclass(frozen=True, slots=True)
class SoakResult:
    """What came of a soak.

    Attributes:
        life: Everything that happened.
        memory: The process at the end of each day.
    """

    life: Life
    memory: tuple[Memory, ...]

    @property
    def growth(self) -> float:
        """By which share what Python holds grew from the first day to the last: what is lost bit by bit shows here."""
        return self.memory[-1].blocks / self.memory[0].blocks - 1

    @property
    def resident_growth(self) -> float:
        """By which share the process grew, with what its allocators keep for later."""
        return self.memory[-1].resident / self.memory[0].resident - 1

    @property
    def busiest_day_mb(self) -> float:
        """What the flash took on the worst day, in 10^6 bytes."""
        return max(self.life.wear) / 1e6


def soak(days: int = 30, seed: int = 0) -> SoakResult:
    """Live through some days from 10 March on; see `SoakResult`.

    Raises:
        DeviceError: The device does not start.
    """
    chance = Random(f"soak {seed}")
    start = datetime.combine(START, datetime.min.time(), ZoneInfo(_FAMILY.zone))
    memory: list[Memory] = []

    async def live(clock: VirtualClock, folder: Path) -> Life:
        people = [Speaker(_FAMILY, wordings(), Random(f"soak {seed}/{n}")) for n in range(_PEOPLE)]
        living = Living(clock, _FAMILY, folder, _cuts(chance, days), people[0], seed)
        await living.begin()
        for index in range(days):
            today = START + timedelta(days=index)
            await living.live(_plan(people, today, first=index == 0))
            await living.restart()
            memory.append(_memory())
        return await living.end((start + timedelta(days=days)).timestamp() - start.timestamp())

    with tempfile.TemporaryDirectory(prefix="homebody-soak-") as folder:
        life = run(lambda clock: live(clock, Path(folder)), start)
    return SoakResult(life, tuple(memory))


def _plan(people: list[Speaker], today: date, *, first: bool) -> list[Errand]:
    """What all of them want on a day; each evening an alarm for the next, and two rings around the change of time."""
    midnight = datetime.combine(today, datetime.min.time())
    errands = [errand for n, speaker in enumerate(people) for errand in day(speaker, today, first=first and not n)]
    errands.append(Errand(midnight + timedelta(hours=20.97), extra_alarm))
    if today == SUMMER_TIME - timedelta(days=1):
        errands.append(Errand(midnight + timedelta(hours=21), _early_alarm))
    if today == SUMMER_TIME:
        errands.append(Errand(midnight + timedelta(hours=1.9), another_timer))
    return sorted(errands, key=lambda errand: errand.at)


def _early_alarm(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """Five minutes after the hour that does not exist."""
    at = datetime.combine(SUMMER_TIME, datetime.min.time()) + timedelta(hours=3, minutes=5)
    return [Line("alarm", speaker.say("alarm.set", time="3:05 am", date="tomorrow"), effects=(AlarmSet(at),))]


def _cuts(chance: Random, days: int) -> list[Mishap]:
    """One power cut a day, every third in the middle of a write; twice the clock is set."""
    cuts = [
        Mishap(_DAY * (n + chance.uniform(0.02, 0.95)), "cut in a write" if n % 3 == 2 else "power cut",
               chance.choice((5.0, 30.0, 600.0)), chance.randint(1, 12) if n % 3 == 2 else 0)
        for n in range(days)
    ]  # fmt: skip
    sets = [Mishap(_DAY * days * share, "clock set", amount=by) for share, by in ((0.3, 3), (0.7, -20))]
    return sorted((*cuts, *sets), key=lambda mishap: mishap.at)


def _memory() -> Memory:
    """After a start: what a device makes when it first needs it, such as searches by sound, is not there yet."""
    gc.collect()
    # https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return Memory(sys.getallocatedblocks(), pages * os.sysconf("SC_PAGE_SIZE"))
