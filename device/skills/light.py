"""Lights: on, off, dimmer, brighter, a percentage, a colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from device.nlu.resolve.colors import color as color_named
from device.nlu.types import Color, Percent
from device.skills.api import Outcome, Question, Request, Services
from device.skills.appliances import Found, change, find, the
from device.skills.common import says, unknown_intent
from device.skills.ports import House, Json

STEP: Final = 20.0
"""Percentage points of one "dimmer" or "brighter"."""

DARKEST: Final = 5.0
"""Dimming goes no further: below it a lamp looks off."""


class LightSkill:
    """See the pack `light`."""

    name = "light"

    def __init__(self, house: House) -> None:
        self._house = house

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        switching = request.intent in ("on", "off")
        found = find(self._house, request, "light", ("switch",) if switching else ())
        if found.problem:
            return found.problem
        match request.intent:
            case "on" | "off":
                return await self._switch(request, found, on=request.intent == "on")
            case "dim" | "brighten":
                return await self._step(request, found, -1 if request.intent == "dim" else 1)
            case "set":
                return await self._set(request, found)
            case "color":
                return await self._color(request, found)
        raise unknown_intent(self.name, request)

    async def _switch(self, request: Request, found: Found, *, on: bool) -> Outcome:
        done = Outcome("all" if found.all and not on else "done")
        return await change(
            self._house, request, self.name, found, lambda _: {"on": on}, done, already=Outcome("already")
        )

    async def _step(self, request: Request, found: Found, direction: int) -> Outcome:
        """A level for "dim to thirty percent", a step for "dim by thirty percent" and "dim".

        Of several lights, those that are off stay off while others are on.
        """
        found = self._lit(found)
        said = request.value("percent")
        percent = said.percent if isinstance(said, Percent) else None
        relative = percent is None or says(request, "by")
        step = direction * (STEP if percent is None else percent)
        levels: list[int] = []

        def new(state: Mapping[str, Json]) -> Mapping[str, Json]:
            present = _number(state.get("brightness")) if state.get("on") or direction < 0 else 0.0
            wanted = present + step if relative or percent is None else percent
            levels.append(_level(wanted, DARKEST))
            return {"on": True, "brightness": levels[-1]}

        at_the_end = Outcome("minimum" if direction < 0 else "maximum")
        if not relative:
            at_the_end = Outcome("done")
        outcome = await change(self._house, request, self.name, found, new, Outcome("done"), at_the_end)
        return replace(outcome, values={**outcome.values, "percent": Percent(max(levels, default=0))})

    def _lit(self, found: Found) -> Found:
        lit = tuple(a for a in found.appliances if self._house.state(a.id).get("on"))
        return replace(found, appliances=lit) if lit else found

    async def _set(self, request: Request, found: Found) -> Outcome:
        percent = request.value("percent")
        if not isinstance(percent, Percent):
            return Outcome(question=Question("percent", "ask_percent"))
        level = _level(percent.percent, 0.0)
        wanted: Mapping[str, Json] = {"on": True, "brightness": level} if level else {"on": False}
        done = Outcome("done", {"percent": Percent(level)})
        return await change(self._house, request, self.name, found, lambda _: wanted, done)

    async def _color(self, request: Request, found: Found) -> Outcome:
        said = request.value("color")
        color = said if isinstance(said, Color) else color_named(request.words("color"))
        if color is None:
            return Outcome(question=Question("color", "ask_color"))
        able = tuple(a for a in found.appliances if "color" in self._house.state(a.id))
        if not able:
            return Outcome("no_color", {"target": the(found.target)}, failed=True)
        done = Outcome("done", {"color": color.name})
        found = Found(able, found.target, all=found.all)
        return await change(self._house, request, self.name, found, lambda _: {"on": True, "color": color.rgb}, done)


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _level(percent: float, lowest: float) -> int:
    return round(min(max(percent, lowest), 100.0))


def build(services: Services) -> LightSkill:
    """The skill with its house."""
    return LightSkill(services.house)
