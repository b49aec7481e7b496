"""What every house promises."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from device.errors import SkillError, StorageError
from device.skills.ports import House, Json
from firmware_sim.home.house import SCENES, SimulatedHouse, build
from firmware_sim.home.network import Network
from firmware_sim.manual_clock import ManualClock

KEYS = {
    "light": {"on", "brightness", "color"},
    "switch": {"on"},
    "climate": {"target", "current"},
    "cover": {"position"},
    "lock": {"locked"},
    "vacuum": {"cleaning"},
    "scene": {"active"},
}


@pytest.fixture(params=["memory", "file", "network", "slow network"])
def any_house(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> House:
    if request.param == "file":
        return build(tmp_path)
    network = Network(clock)
    if request.param == "slow network":
        network.slow(latency=0.0)  # yields, and is there
    return SimulatedHouse(network=network if "network" in request.param else None)


def test_appliances_are_described(any_house: House) -> None:
    appliances = any_house.appliances()
    assert len({a.id for a in appliances}) == len(appliances)
    assert len({(a.kind, a.name) for a in appliances}) == len(appliances), "a name must tell it from its kind"
    for appliance in appliances:
        assert appliance.name
        assert set(any_house.state(appliance.id)) <= KEYS[appliance.kind]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("light", {"on": True, "brightness": 40, "color": "#00ff00"}),
        ("switch", {"on": True}),
        ("climate", {"target": 21.5}),
        ("cover", {"position": 30}),
        ("lock", {"locked": False}),
        ("vacuum", {"cleaning": True}),
        ("scene", {"active": True}),
    ],
)
async def test_changes_are_applied_and_returned(any_house: House, kind: str, change: Mapping[str, Json]) -> None:
    appliance = next(a for a in any_house.appliances() if a.kind == kind)
    before = any_house.state(appliance.id)
    after = await any_house.apply(appliance.id, change)
    assert after == {**before, **change}
    assert any_house.state(appliance.id) == after


async def test_a_state_is_a_copy(any_house: House) -> None:
    light = next(a.id for a in any_house.appliances() if a.kind == "light")
    before = any_house.state(light)
    await any_house.apply(light, {"on": not before["on"]})
    assert any_house.state(light)["on"] is not before["on"]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("light", {"brightness": 120}),
        ("light", {"on": "yes"}),
        ("light", {"smell": 3}),
        ("climate", {"target": 300}),
        ("climate", {"target": True}),
        ("lock", {"locked": 0}),
    ],
)
async def test_nonsense_is_refused_and_changes_nothing(any_house: House, kind: str, change: Mapping[str, Json]) -> None:
    appliance = next(a for a in any_house.appliances() if a.kind == kind)
    before = any_house.state(appliance.id)
    with pytest.raises(SkillError):
        await any_house.apply(appliance.id, change)
    assert any_house.state(appliance.id) == before


async def test_state_survives_the_process(tmp_path: Path) -> None:
    await build(tmp_path).apply("light.desk", {"on": True, "brightness": 12})
    assert build(tmp_path).state("light.desk") == {"on": True, "brightness": 12, "color": "#ffffff"}


async def test_a_scene_sets_all_that_it_holds() -> None:
    house = SimulatedHouse()
    for scene, members in SCENES.items():
        await house.apply(scene, {"active": True})
        for member, state in members.items():
            assert state.items() <= house.state(member).items()
        assert [s for s in SCENES if house.state(s)["active"]] == [scene]


async def test_an_unreachable_appliance_is_an_error() -> None:
    house = SimulatedHouse()
    house.unreachable.add("light.desk")
    with pytest.raises(SkillError):
        await house.apply("light.desk", {"on": True})
    with pytest.raises(SkillError):
        await house.apply("light.moon", {"on": True})


def test_a_damaged_state_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "house.json"
    for content in ("{", "[1]"):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(StorageError):
            SimulatedHouse(path)


async def test_what_cannot_be_stored_does_not_happen(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    house = SimulatedHouse(tmp_path / "file" / "house.json")
    with pytest.raises(StorageError):
        await house.apply("light.desk", {"on": True})
    assert house.state("light.desk")["on"] is False
