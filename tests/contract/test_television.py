"""What every television promises."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from device.errors import SkillError
from device.skills.ports import Json, Television
from firmware_sim.home.cec import Bus
from firmware_sim.home.network import Network
from firmware_sim.home.television import SimulatedTelevision, build
from firmware_sim.manual_clock import ManualClock


@pytest.fixture(params=["memory", "file", "own line-up", "network", "bus", "bus and network"])
async def tv(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Television:
    if request.param == "own line-up":
        path = tmp_path / "simulated" / "television.toml"
        path.parent.mkdir()
        path.write_text('channels = ["A", "B", "C", "D"]\ninputs = ["AV", "TV"]\napps = ["Films"]', encoding="utf-8")
    set_: Television
    if request.param in ("file", "own line-up"):
        set_ = build(tmp_path)
    else:
        set_ = SimulatedTelevision(
            bus=Bus(clock) if "bus" in request.param else None,
            network=Network(clock) if "network" in request.param else None,
        )
    await set_.apply({"on": True})
    return set_


async def test_the_line_up_is_by_number(tv: Television) -> None:
    numbers = [channel.number for channel in tv.channels()]
    assert numbers == sorted(set(numbers))
    assert len({channel.name for channel in tv.channels()}) == len(numbers)


async def test_the_state_has_its_keys(tv: Television) -> None:
    assert tv.state().keys() == {"on", "channel", "input", "app", "subtitles", "volume", "muted"}


async def test_changes_are_applied_and_returned(tv: Television) -> None:
    for change in (
        {"channel": tv.channels()[3].number},
        {"app": tv.apps()[0]},
        {"input": tv.inputs()[1]},
        {"subtitles": True},
        {"volume": 55, "muted": True},
        {"on": False},
    ):
        after = await tv.apply(change)  # type: ignore[arg-type]
        assert change.items() <= after.items()
        assert tv.state() == after


async def test_a_channel_leaves_the_app(tv: Television) -> None:
    await tv.apply({"app": tv.apps()[0]})
    after = await tv.apply({"channel": tv.channels()[0].number})
    assert after["app"] == ""


@pytest.mark.parametrize(
    "change",
    [
        {"channel": 999},
        {"channel": True},
        {"input": "SCART 9"},
        {"app": "Nonsense"},
        {"volume": 130},
        {"on": "yes"},
        {"smell": 1},
    ],
)
async def test_nonsense_is_refused_and_changes_nothing(tv: Television, change: Mapping[str, Json]) -> None:
    before = tv.state()
    with pytest.raises(SkillError):
        await tv.apply(change)
    assert tv.state() == before


async def test_a_set_that_is_off_takes_only_power(tv: Television) -> None:
    await tv.apply({"on": False})
    with pytest.raises(SkillError):
        await tv.apply({"channel": tv.channels()[0].number})
    await tv.apply({"on": True, "channel": tv.channels()[1].number})


async def test_state_survives_the_process(tmp_path: Path) -> None:
    await build(tmp_path).apply({"on": True, "channel": 7})
    assert build(tmp_path).state()["channel"] == 7
