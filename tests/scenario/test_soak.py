"""Thirty days of a busy family in a minute: nothing is lost, nothing is late, nothing grows. `pytest -s` prints it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from device.config import Config
from device.events import Rang, Trouble, TurnDone
from firmware_sim.board.board import Board
from firmware_sim.board.profile import load_profile
from firmware_sim.clock import VirtualClock, run
from firmware_sim.gadget import Gadget
from firmware_sim.home.world import World
from firmware_sim.kit import TonesKit

MEASURE = """
import json
from firmware_sim.fleet.soak import FLASH_BUDGET_MB, soak
result = soak()
life = result.life
print(json.dumps({
    "turns": life.turns.total(), "wrong": len(life.wrong), "rung": life.rung, "told_late": life.told_late,
    "lost": life.lost, "unexpected": life.unexpected, "losses": life.losses, "latest": life.latest,
    "latest_after_clock_set": life.latest_excused, "drift": life.drift, "boots": life.boots, "mishaps": life.mishaps,
    "survived": life.survived, "growth": result.growth, "resident_growth": result.resident_growth,
    "resident_mb": [round(memory.resident / 1e6, 1) for memory in result.memory],
    "busiest_day_mb": result.busiest_day_mb, "budget_mb": FLASH_BUDGET_MB,
}))
"""
"""In a process of its own: what other tests have left in memory would hide what grows."""


@pytest.fixture(scope="module")
def month() -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    print("\n" + "\n".join(f"{name:>24}  {value}" for name, value in figures.items()))
    return figures


@pytest.mark.timeout(600)
def test_it_is_a_busy_month(month: dict[str, Any]) -> None:
    assert month["turns"] >= 3000
    assert month["mishaps"]["power cut"] + month["mishaps"]["cut in a write"] >= 30
    assert month["rung"]["alarm"] >= 30
    assert month["wrong"] < 0.05 * month["turns"]


def test_no_ring_is_lost_or_late(month: dict[str, Any]) -> None:
    assert month["lost"] == []
    assert month["unexpected"] == []
    assert month["latest"] <= 1
    assert month["drift"] == 0


def test_nothing_confirmed_is_lost(month: dict[str, Any]) -> None:
    assert month["losses"] == []
    assert month["survived"] == month["mishaps"]


def test_memory_is_flat_and_flash_lasts(month: dict[str, Any]) -> None:
    assert month["growth"] <= 0.05
    assert month["busiest_day_mb"] <= month["budget_mb"]


def test_a_day_by_ear(tmp_path: Path) -> None:
    """Twelve hours in which a lamp and a timer are asked for aloud every half hour; each timer rings on time."""
    seen: list[Any] = []
    lit: list[bool] = []

    async def live(clock: VirtualClock) -> None:
        kit = TonesKit()
        board = Board(clock, load_profile("speaker-pi4"), tmp_path)
        gadget = Gadget(clock, Config(), board, World.furnished(clock), kit, seen.append)
        await gadget.boot()

        async def say(text: str) -> None:
            for pcm in kit.person().synthesize(f"hey jarvis {text}"):
                await clock.sleep(gadget.board.hear(pcm) - clock.monotonic())
            await gadget.quiet()
            await gadget.advance(15.0)

        for number in range(24):
            await say(f"turn {'off' if number % 2 else 'on'} the kitchen light")
            lit.append(bool(gadget.world.house.state("light.kitchen")["on"]))
            await say("set a timer for ten minutes")
            assert await gadget.until_ring(700.0)
            await say("stop the timer")
            assert not gadget.brain.scheduler.ringing()
            await gadget.advance(1000.0)
        await gadget.shut_down()

    run(live)
    assert lit == [True, False] * 12
    assert sum(isinstance(s, TurnDone) for s in seen) == 3 * 24
    assert not [s for s in seen if isinstance(s, Trouble)]
    assert sum(isinstance(s, Rang) for s in seen) == 24
