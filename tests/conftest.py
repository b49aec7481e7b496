"""What tests share: a clock that stands still, a store in memory, a simulated home, and a way to ask a skill."""

import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from random import Random

import pytest

from device.audio.volume import DeviceVolume
from device.dialogue.responses import Responses
from device.dialogue.spoken import say
from device.nlu.pack import PACKS_DIR, Pack, load_packs
from device.nlu.types import Slot
from device.skills.api import Outcome, Request, Services
from device.skills.registry import build_skills
from device.skills.schedule import Scheduler
from device.store.database import Database
from firmware_sim.home.house import SimulatedHouse
from firmware_sim.home.player import SimulatedPlayer
from firmware_sim.home.television import SimulatedTelevision
from firmware_sim.manual_clock import ManualClock

# Two test processes share two cores: threads that spin while they wait take the other's time.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

Ask = Callable[..., Awaitable[tuple[str, Outcome]]]


@pytest.fixture
def clock() -> ManualClock:
    """A Monday morning in Berlin."""
    return ManualClock(datetime.fromisoformat("2026-05-04T08:00"), "Europe/Berlin")


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def house() -> SimulatedHouse:
    return SimulatedHouse()


@pytest.fixture
def television() -> SimulatedTelevision:
    return SimulatedTelevision()


@pytest.fixture
def player() -> SimulatedPlayer:
    return SimulatedPlayer()


@pytest.fixture
def scheduler(database: Database, clock: ManualClock) -> Scheduler:
    return Scheduler(database, clock)


@pytest.fixture(scope="session")
def packs() -> Sequence[Pack]:
    return load_packs(PACKS_DIR)


@pytest.fixture
def services(
    clock: ManualClock,
    database: Database,
    scheduler: Scheduler,
    house: SimulatedHouse,
    television: SimulatedTelevision,
    player: SimulatedPlayer,
    packs: Sequence[Pack],
) -> Services:
    return Services(
        clock=clock,
        database=database,
        scheduler=scheduler,
        house=house,
        television=television,
        player=player,
        volume=DeviceVolume(50),
        room="living room",
        packs=packs,
        random=Random(1),
    )


@pytest.fixture
def ask(services: Services, packs: Sequence[Pack], clock: ManualClock) -> Ask:
    """`await ask("light.on", "turn on the lamp", device="reading lamp")` gives the spoken reply and the outcome.

    A slot is a name, a `Slot`, or a value (its words are then how it is said). Each reply must be in the pack, with
    all its placeholders filled in every variant: a skill and its pack can't drift apart.
    """
    skills = build_skills(services, packs)
    responses = Responses(packs)

    async def ask(intent: str, text: str = "", **slots: object) -> tuple[str, Outcome]:
        filled = {
            name: value if isinstance(value, Slot) else Slot(say(value), value)  # type: ignore[arg-type]
            for name, value in slots.items()
        }
        skill, _, name = intent.partition(".")
        outcome = await skills[skill].handle(Request(name, filled, clock.now(), services.room, text))
        said = outcome.question or outcome
        for turn in reversed(range(3)):
            reply = responses.render(intent, said.reply, said.values, turn, clock.now()) if said.reply else ""
        return reply, outcome

    return ask
