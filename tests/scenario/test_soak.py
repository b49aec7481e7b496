"""Thirty days of a busy family in a minute: nothing is lost, nothing is late, nothing grows. `pytest -s` prints it."""

import json
import subprocess
import sys
from typing import Any

import pytest

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
