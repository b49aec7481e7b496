"""Thermostats. The house speaks Celsius; people may speak Fahrenheit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from device.nlu.types import Temperature
from device.skills.api import Outcome, Question, Request, Services
from device.skills.appliances import Found, change, find
from device.skills.common import says, unknown_intent
from device.skills.ports import House, Json

COLDEST: Final = 5.0
WARMEST: Final = 30.0
"""What a household thermostat can be set to, degrees Celsius."""

STEP: Final = 1.0
"""Degrees of one "warmer"."""

_SURELY_FAHRENHEIT: Final = 45.0
"""Nobody heats to 45 degrees Celsius: without a unit, so many are Fahrenheit."""


class ClimateSkill:
    """See the pack `climate`."""

    name = "climate"

    def __init__(self, house: House) -> None:
        self._house = house

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        found = find(self._house, request, "climate", ask="room")
        if found.problem:
            return found.problem
        match request.intent:
            case "set":
                return await self._set(request, found)
            case "up":
                return await self._step(request, found, 1)
            case "down":
                return await self._step(request, found, -1)
            case "query":
                return self._query(request, found)
        raise unknown_intent(self.name, request)

    async def _set(self, request: Request, found: Found) -> Outcome:
        said = request.value("temperature")
        if not isinstance(said, Temperature):
            return Outcome(question=Question("temperature", "ask_temperature"))
        degrees = _celsius(said)
        if not COLDEST <= degrees <= WARMEST:
            values = {"minimum": Temperature(COLDEST, "C"), "maximum": Temperature(WARMEST, "C")}
            return Outcome("range", values, failed=True)
        done = Outcome("done", {"temperature": Temperature(degrees, "C")})
        if request.words("room"):
            done = Outcome("room", {**done.values, "room": found.appliances[0].room})
        return await change(self._house, request, self.name, found, lambda _: {"target": degrees}, done)

    async def _step(self, request: Request, found: Found, direction: int) -> Outcome:
        """A step for "up by two degrees", a temperature for "up to twenty"."""
        said = request.value("temperature")
        if isinstance(said, Temperature) and says(request, "to"):
            return await self._set(request, found)
        step = WARMEST - COLDEST if direction < 0 and says(request, "off") else STEP
        if isinstance(said, Temperature):
            step = said.degrees * 5 / 9 if said.unit == "F" else said.degrees
        targets: list[float] = []

        def new(state: Mapping[str, Json]) -> Mapping[str, Json]:
            target = round(min(max(_number(state["target"]) + direction * step, COLDEST), WARMEST), 1)
            targets.append(target)
            return {"target": target}

        at_the_end = Outcome("maximum" if direction > 0 else "minimum")
        outcome = await change(self._house, request, self.name, found, new, Outcome("done"), at_the_end)
        temperature = Temperature(max(targets, default=0.0), "C")
        return replace(outcome, values={**outcome.values, "temperature": temperature})

    def _query(self, request: Request, found: Found) -> Outcome:
        appliance = found.appliances[0]
        state = self._house.state(appliance.id)
        current, target = _number(state["current"]), _number(state["target"])
        values = {
            "current": Temperature(current, "C"),
            "target": Temperature(target, "C"),
            "room": appliance.room,
        }
        return Outcome("room" if request.words("room") else "done", values, mentioned=found.mentioned)


def _celsius(said: Temperature) -> float:
    fahrenheit = said.unit == "F" or (not said.unit and said.degrees > _SURELY_FAHRENHEIT)
    return round((said.degrees - 32) * 5 / 9 if fahrenheit else said.degrees, 1)


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def build(services: Services) -> ClimateSkill:
    """The skill with its house."""
    return ClimateSkill(services.house)
