"""A believable flat: six rooms with lamps, plugs, thermostats, blinds, locks, a vacuum and scenes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from device.errors import SkillError
from device.skills.ports import Appliance, House, Json, Kind
from firmware_sim.home.network import Network
from firmware_sim.home.state_file import StateFile

FLAT: Final[tuple[Appliance, ...]] = (
    Appliance("light.living_room", "living room light", "light", "living room", ("ceiling light", "main light")),
    Appliance("light.reading_lamp", "reading lamp", "light", "living room", ("reading light",)),
    Appliance("light.floor_lamp", "floor lamp", "light", "living room", ("corner lamp", "standing lamp")),
    Appliance("light.kitchen", "kitchen light", "light", "kitchen", ("kitchen ceiling light",)),
    Appliance("light.counter", "counter lights", "light", "kitchen", ("under cabinet lights", "worktop lights")),
    Appliance("light.bedroom", "bedroom light", "light", "bedroom", ("bedroom ceiling light",)),
    Appliance("light.bedside", "bedside lamp", "light", "bedroom", ("night light", "bedside light")),
    Appliance("light.bathroom", "bathroom light", "light", "bathroom", ("mirror light",)),
    Appliance("light.hallway", "hallway light", "light", "hallway", ("hall light", "entrance light")),
    Appliance("light.office", "office light", "light", "office"),
    Appliance("light.desk", "desk lamp", "light", "office", ("desk light",)),
    Appliance("switch.coffee", "coffee machine", "switch", "kitchen", ("coffee maker", "espresso machine")),
    Appliance("switch.fan", "fan", "switch", "bedroom", ("bedroom fan",)),
    Appliance("switch.heater", "heater", "switch", "office", ("space heater",)),
    Appliance("switch.christmas_tree", "christmas tree", "switch", "living room", ("tree",)),
    Appliance("climate.living_room", "living room thermostat", "climate", "living room", ("thermostat", "heating")),
    Appliance("climate.bedroom", "bedroom thermostat", "climate", "bedroom", ("bedroom heating",)),
    Appliance("cover.living_room", "living room blinds", "cover", "living room", ("blinds", "shades")),
    Appliance("cover.bedroom", "bedroom blinds", "cover", "bedroom", ("bedroom shades",)),
    Appliance("cover.curtains", "curtains", "cover", "living room", ("drapes",)),
    Appliance("cover.garage", "garage door", "cover", "garage", ("garage",)),
    Appliance("lock.front_door", "front door", "lock", "hallway", ("front door lock", "main door")),
    Appliance("lock.back_door", "back door", "lock", "kitchen", ("back door lock", "garden door")),
    Appliance("vacuum.robot", "vacuum", "vacuum", "", ("robot vacuum", "vacuum cleaner", "hoover", "robot")),
    Appliance("scene.movie_night", "movie night", "scene", "", ("movie", "cinema", "movie time")),
    Appliance("scene.good_night", "good night", "scene", "", ("bedtime", "night")),
    Appliance("scene.dinner", "dinner", "scene", "", ("dinner time",)),
    Appliance("scene.good_morning", "good morning", "scene", "", ("morning", "wake up")),
    Appliance("scene.away", "away", "scene", "", ("leaving home", "leaving")),
)

INITIAL: Final[Mapping[Kind, Mapping[str, Json]]] = {
    "light": {"on": False, "brightness": 100, "color": "#ffffff"},
    "switch": {"on": False},
    "climate": {"target": 20.0, "current": 19.5},
    "cover": {"position": 100},
    "lock": {"locked": True},
    "vacuum": {"cleaning": False},
    "scene": {"active": False},
}

SCENES: Final[Mapping[str, Mapping[str, Mapping[str, Json]]]] = {
    "scene.movie_night": {
        "light.living_room": {"on": False},
        "light.floor_lamp": {"on": True, "brightness": 20},
        "cover.living_room": {"position": 0},
    },
    "scene.good_night": {
        **{a.id: {"on": False} for a in FLAT if a.kind == "light" and a.id != "light.bedside"},
        "light.bedside": {"on": True, "brightness": 15},
        "cover.bedroom": {"position": 0},
        "lock.front_door": {"locked": True},
    },
    "scene.dinner": {"light.living_room": {"on": True, "brightness": 40}, "light.kitchen": {"on": True}},
    "scene.good_morning": {
        "light.kitchen": {"on": True, "brightness": 100},
        "cover.bedroom": {"position": 100},
        "switch.coffee": {"on": True},
    },
    "scene.away": {
        **{a.id: {"on": False} for a in FLAT if a.kind in ("light", "switch")},
        "lock.front_door": {"locked": True},
        "lock.back_door": {"locked": True},
    },
}
"""What each scene sets."""

_LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "brightness": (0, 100), "position": (0, 100), "target": (5, 30), "current": (-40, 60)
}  # fmt: skip


class SimulatedHouse:
    """Implements `device.skills.ports.House`.

    Args:
        path: JSON file that keeps the state; None keeps it in memory.
        flat: What is in the house.
        network: What messages to it go through; None lets them arrive at once.

    Attributes:
        unreachable: Ids of appliances that do not answer: a fault to be injected.
        on_change: Called with id and new state after every change.
    """

    def __init__(
        self, path: Path | None = None, flat: Sequence[Appliance] = FLAT, network: Network | None = None
    ) -> None:
        self._file = StateFile(path)
        self._flat = tuple(flat)
        self._network = network
        self._states: dict[str, dict[str, Json]] = {a.id: dict(INITIAL[a.kind]) for a in self._flat}
        for appliance_id, state in self._file.load().items():
            if appliance_id in self._states and isinstance(state, Mapping):
                self._states[appliance_id] |= state
        self.unreachable: set[str] = set()
        self.on_change: Callable[[str, Mapping[str, Json]], None] = lambda _id, _state: None

    def appliances(self) -> Sequence[Appliance]:
        """See `House.appliances`."""
        return self._flat

    def state(self, appliance_id: str) -> Mapping[str, Json]:
        """See `House.state`."""
        return dict(self._states[appliance_id])

    async def apply(self, appliance_id: str, change: Mapping[str, Json]) -> Mapping[str, Json]:
        """See `House.apply`; a scene applies to all that it holds."""
        if self._network:
            await self._network.reach(appliance_id)
        if appliance_id in self.unreachable:
            raise SkillError(f"{appliance_id} does not answer.", remedy="Check its power and its network.")
        self._check(appliance_id, change)
        changes = {appliance_id: change}
        if change.get("active"):
            others = {a.id: {"active": False} for a in self._flat if a.kind == "scene" and a.id != appliance_id}
            scene = SCENES.get(appliance_id, {})
            changes |= others | {i: c for i, c in scene.items() if i in self._states}
        before = {target: dict(self._states[target]) for target in changes}
        for target, values in changes.items():
            self._states[target] |= values
        try:
            self._file.save(self._states)
        except Exception:
            self._states |= before
            raise
        for target in changes:
            self.on_change(target, self.state(target))
        return self.state(appliance_id)

    def _check(self, appliance_id: str, change: Mapping[str, Json]) -> None:
        if appliance_id not in self._states:
            raise SkillError(f"There is no appliance {appliance_id}.")
        for key, value in change.items():
            known = self._states[appliance_id].get(key)
            if known is None:
                raise SkillError(f"{appliance_id} has no `{key}`.")
            if key in _LIMITS:
                low, high = _LIMITS[key]
                if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                    raise SkillError(f"{appliance_id} refuses {key} {value}: it takes {low:g} to {high:g}.")
            elif type(value) is not type(known):
                raise SkillError(f"{appliance_id} refuses {key} {value!r}.")


def build(home: Path) -> House:
    """Driver entry point: the flat, with its state in the home folder."""
    return SimulatedHouse(home / "simulated" / "house.json")
