"""Lights, plugs, blinds, thermostats, locks, vacuum, scenes: which one is meant, and what is said about it."""

from collections.abc import Awaitable, Callable

import pytest

from device.nlu.types import Color, Percent, Temperature
from device.skills.api import Outcome
from firmware_sim.home.house import FLAT, SimulatedHouse

Ask = Callable[..., Awaitable[tuple[str, Outcome]]]

LIVING_ROOM = {"light.living_room", "light.reading_lamp", "light.floor_lamp"}


def lit(house: SimulatedHouse) -> set[str]:
    return {a.id for a in FLAT if a.kind == "light" and house.state(a.id)["on"]}


@pytest.mark.parametrize(
    ("text", "slots", "meant"),
    [
        ("turn on the reading lamp", {"device": "reading lamp"}, {"light.reading_lamp"}),
        ("turn on the corner lamp", {"device": "corner lamp"}, {"light.floor_lamp"}),
        ("turn on the reding lamp", {"device": "reding lamp"}, {"light.reading_lamp"}),
        ("turn on the reading lamp", {}, {"light.reading_lamp"}),
        ("turn on the lights", {"device": "lights"}, LIVING_ROOM),
        ("turn on the lights", {}, LIVING_ROOM),
        ("turn on the light", {"device": "light"}, {"light.living_room"}),
        ("turn on the lights here", {"room": "here"}, LIVING_ROOM),
        ("turn on the kitchen light", {"device": "kitchen light"}, {"light.kitchen"}),
        ("turn on the kitchen lights", {"device": "kitchen lights"}, {"light.kitchen", "light.counter"}),
        ("turn on the lights in the kitchen", {"room": "kitchen"}, {"light.kitchen", "light.counter"}),
        ("turn on the light in the bathroom", {"device": "the light", "room": "the bathroom"}, {"light.bathroom"}),
        ("turn on the bedside lamp in the bedroom", {"device": "bedside lamp", "room": "bedroom"}, {"light.bedside"}),
        ("turn on the kitchen light in the hallway", {"device": "kitchen light", "room": "hallway"}, {"light.hallway"}),
        ("turn on all the lights in the bedroom", {"room": "bedroom"}, {"light.bedroom", "light.bedside"}),
        ("turn on all the lights", {"device": "all the lights"}, {a.id for a in FLAT if a.kind == "light"}),
        ("turn on every light", {}, {a.id for a in FLAT if a.kind == "light"}),
        ("turn on the lights in the whole house", {"room": "house"}, {a.id for a in FLAT if a.kind == "light"}),
    ],
)
async def test_which_lights_are_meant(
    ask: Ask, house: SimulatedHouse, text: str, slots: dict[str, str], meant: set[str]
) -> None:
    _, outcome = await ask("light.on", text, **slots)
    assert not outcome.failed
    assert lit(house) == meant


async def test_what_was_meant_is_mentioned_for_it_and_there(ask: Ask) -> None:
    _, outcome = await ask("light.on", "turn on the kitchen light", device="kitchen light")
    assert {name: slot.value for name, slot in outcome.mentioned.items()} == {
        "device": "kitchen light",
        "room": "kitchen",
    }
    _, outcome = await ask("light.on", "turn on all the lights", device="all the lights")
    assert "room" not in outcome.mentioned
    said = outcome.mentioned["device"].text
    _, outcome = await ask("light.off", "turn them off", device=said)
    assert outcome.reply == "all"


async def test_an_unknown_name_is_answered_with_what_exists(ask: Ask, house: SimulatedHouse) -> None:
    reply, outcome = await ask("light.on", "turn on the garden light", device="garden light")
    assert outcome.failed
    assert "garden light" in reply
    assert lit(house) == set()
    _, outcome = await ask("light.on", "turn on the light in the attic", room="attic")
    assert outcome.failed


async def test_a_house_without_lights_says_so(services: object) -> None:
    from device.skills.api import Request
    from device.skills.light import LightSkill

    outcome = await LightSkill(SimulatedHouse(flat=[])).handle(Request("on", {}, services.clock.now()))  # type: ignore[attr-defined]
    assert (outcome.reply, outcome.failed) == ("none", True)


async def test_nothing_to_do_is_said(ask: Ask) -> None:
    await ask("light.on", "turn on the desk lamp", device="desk lamp")
    reply, outcome = await ask("light.on", "turn on the desk lamp", device="desk lamp")
    assert reply == "The desk lamp is on already."
    assert outcome.changes == ()
    reply, _ = await ask("light.off", "turn off the counter lights", device="counter lights")
    assert reply == "The counter lights are off already."


async def test_dim_and_brighten(ask: Ask, house: SimulatedHouse) -> None:
    await ask("light.on", "turn on the desk lamp", device="desk lamp")
    for text, slots, level in [
        ("dim the desk lamp", {}, 80),
        ("dim it to thirty percent", {"percent": Percent(30)}, 30),
        ("brighten it by fifty percent", {"percent": Percent(50)}, 80),
        ("make it brighter", {}, 100),
        ("dim it by one hundred percent", {"percent": Percent(100)}, 5),
    ]:
        intent = "brighten" if "bright" in text else "dim"
        reply, _ = await ask(f"light.{intent}", text, device="desk lamp", **slots)
        assert house.state("light.desk")["brightness"] == level
        assert f"{level} percent" in reply
    assert (await ask("light.dim", "dim it", device="desk lamp"))[1].reply == "minimum"
    await ask("light.set", device="desk lamp", percent=Percent(250))
    assert (await ask("light.brighten", "brighter", device="desk lamp"))[1].reply == "maximum"


async def test_dimming_a_room_leaves_dark_lamps_dark(ask: Ask, house: SimulatedHouse) -> None:
    await ask("light.on", "turn on the floor lamp", device="floor lamp")
    await ask("light.dim", "dim the lights")
    assert lit(house) == {"light.floor_lamp"}


async def test_set_and_color(ask: Ask, house: SimulatedHouse) -> None:
    await ask("light.set", device="desk lamp", percent=Percent(40))
    assert house.state("light.desk") == {"on": True, "brightness": 40, "color": "#ffffff"}
    await ask("light.set", device="desk lamp", percent=Percent(0))
    assert house.state("light.desk")["on"] is False
    _, outcome = await ask("light.set", "set the desk lamp", device="desk lamp")
    assert outcome.question is not None
    assert outcome.question.slot == "percent"
    await ask("light.color", device="desk lamp", color=Color("blue", "#0000ff"))
    assert house.state("light.desk")["color"] == "#0000ff"
    await ask("light.color", device="desk lamp", color="red")
    assert house.state("light.desk")["color"] == "#ff0000"


async def test_undo_restores_what_was(ask: Ask, house: SimulatedHouse) -> None:
    await ask("light.set", device="desk lamp", percent=Percent(40))
    before = house.state("light.desk")
    _, outcome = await ask("light.off", "turn off the desk lamp", device="desk lamp")
    assert outcome.undo is not None
    await outcome.undo()
    assert house.state("light.desk") == before


async def test_one_that_does_not_answer_is_named_and_the_others_are_done(ask: Ask, house: SimulatedHouse) -> None:
    house.unreachable.add("light.floor_lamp")
    reply, outcome = await ask("light.on", "turn on the lights")
    assert outcome.failed
    assert "floor lamp" in reply.lower()
    assert lit(house) == LIVING_ROOM - {"light.floor_lamp"}
    assert {change.target for change in outcome.changes} == LIVING_ROOM - {"light.floor_lamp"}


async def test_switches(ask: Ask, house: SimulatedHouse) -> None:
    await ask("switch.on", "turn on the coffee machine", device="coffee machine")
    assert house.state("switch.coffee") == {"on": True}
    await ask("switch.on", "turn on the desk lamp", device="desk lamp")
    assert lit(house) == {"light.desk"}
    await ask("light.off", "turn off the coffee maker", device="coffee maker")
    assert house.state("switch.coffee") == {"on": False}


async def test_covers(ask: Ask, house: SimulatedHouse) -> None:
    assert (await ask("cover.open", "open the blinds"))[0] == "The living room blinds are open already."
    await ask("cover.close", "close the curtains")
    assert house.state("cover.curtains")["position"] == 0
    await ask("cover.open", "open the bedroom blinds halfway", device="bedroom blinds", percent=Percent(50))
    assert house.state("cover.bedroom")["position"] == 50


async def test_climate(ask: Ask, house: SimulatedHouse) -> None:
    await ask("climate.set", "set it to twenty one", temperature=Temperature(21, "C"))
    assert house.state("climate.living_room")["target"] == 21
    await ask("climate.set", "set the bedroom to sixty eight", temperature=Temperature(68, ""), room="bedroom")
    assert house.state("climate.bedroom")["target"] == 20
    await ask("climate.set", "fifty fahrenheit", temperature=Temperature(50, "F"))
    assert house.state("climate.living_room")["target"] == 10
    reply, _ = await ask("climate.up", "make it warmer")
    assert "11 degrees" in reply
    await ask("climate.up", "up by two degrees", temperature=Temperature(2, ""))
    assert house.state("climate.living_room")["target"] == 13
    await ask("climate.up", "turn the heating up to twenty two", temperature=Temperature(22, ""))
    assert house.state("climate.living_room")["target"] == 22
    reply, outcome = await ask("climate.set", temperature=Temperature(40, "C"))
    assert outcome.failed
    assert "5 degrees" in reply
    assert (await ask("climate.query"))[1].values["current"] == Temperature(19.5, "C")
    _, outcome = await ask("climate.query", room="office")
    assert outcome.failed
    await ask("climate.down", temperature=Temperature(50, "C"))
    assert (await ask("climate.down"))[1].reply == "minimum"


async def test_an_ambiguous_thermostat_is_asked_for(house: SimulatedHouse, services: object) -> None:
    from device.skills.api import Request
    from device.skills.climate import ClimateSkill

    outcome = await ClimateSkill(house).handle(Request("up", {}, services.clock.now(), room="office"))  # type: ignore[attr-defined]
    assert outcome.question is not None
    assert outcome.question.slot == "room"
    assert outcome.question.options == ("living room", "bedroom")


async def test_locks(ask: Ask, house: SimulatedHouse) -> None:
    _, outcome = await ask("lock.unlock", "unlock the front door", device="front door")
    assert house.state("lock.front_door") == {"locked": False}
    assert outcome.undo is None
    reply, outcome = await ask("lock.lock", "lock the door")
    assert outcome.question is not None
    assert "the front door or the back door" in reply
    _, outcome = await ask("lock.lock", "lock all doors")
    assert house.state("lock.front_door") == {"locked": True}
    _, outcome = await ask("lock.unlock", "unlock all doors", device="all doors")
    assert outcome.question is not None, "only one door at a time is opened"
    assert house.state("lock.front_door") == {"locked": True}
    _, outcome = await ask("lock.unlock", "unlock the frond door", device="side door")
    assert outcome.failed
    assert house.state("lock.back_door") == {"locked": True}


async def test_vacuum(ask: Ask, house: SimulatedHouse) -> None:
    await ask("vacuum.start", "vacuum the kitchen", room="kitchen")
    assert house.state("vacuum.robot") == {"cleaning": True}
    assert (await ask("vacuum.start", "start the vacuum"))[1].reply == "already"
    await ask("vacuum.stop", "stop the hoover", device="hoover")
    assert house.state("vacuum.robot") == {"cleaning": False}


async def test_scenes(ask: Ask, house: SimulatedHouse) -> None:
    reply, outcome = await ask("scene.activate", scene="movie night")
    assert house.state("scene.movie_night")["active"] is True
    assert house.state("cover.living_room")["position"] == 0
    await ask("scene.activate", scene="bedtime")
    assert house.state("scene.movie_night")["active"] is False
    reply, outcome = await ask("scene.activate", scene="disco")
    assert outcome.failed
    assert "movie night" in reply
    house.unreachable.add("scene.dinner")
    assert (await ask("scene.activate", scene="dinner"))[1].reply == "offline"
