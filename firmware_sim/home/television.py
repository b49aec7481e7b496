"""A television set with twenty channels, four inputs and seven apps, all of them invented."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from device.errors import SkillError
from device.skills.ports import Channel, Json, Television
from firmware_sim.home.state_file import StateFile

_NAMES: Final = (
    "Channel One", "City News", "World Report", "Sports Central", "Football Live",
    "Movie Palace", "Classic Cinema", "Comedy Corner", "Drama Plus", "Kids Planet",
    "Cartoon Attic", "Nature Now", "Science Lab", "History House", "Music Box",
    "Kitchen Stories", "Home and Garden", "Travel Diaries", "Parliament Live", "Weather Watch",
)  # fmt: skip
LINE_UP: Final = tuple(Channel(number, name) for number, name in enumerate(_NAMES, start=1))
INPUTS: Final = ("TV", "HDMI 1", "HDMI 2", "HDMI 3", "AV", "USB")
APPS: Final = ("Streambox", "Filmhouse", "Videotube", "Sport Pass", "Radio World", "Photo Frame", "Web Browser")

_INITIAL: Final[Mapping[str, Json]] = {
    "on": False, "channel": 1, "input": "TV", "app": "", "subtitles": False, "volume": 30, "muted": False
}  # fmt: skip


class SimulatedTelevision:
    """Implements `device.skills.ports.Television`.

    A set that is off takes nothing but power; a channel leaves an app and another input, as on a real set.

    Args:
        path: JSON file that keeps the state; None keeps it in memory.

    Attributes:
        reachable: False lets it not answer: a fault to be injected.
        on_change: Called with the new state after every change.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._file = StateFile(path)
        self._state = {**_INITIAL, **{k: v for k, v in self._file.load().items() if k in _INITIAL}}
        self.reachable = True
        self.on_change: Callable[[Mapping[str, Json]], None] = lambda _state: None

    def channels(self) -> Sequence[Channel]:
        """See `Television.channels`."""
        return LINE_UP

    def inputs(self) -> Sequence[str]:
        """See `Television.inputs`."""
        return INPUTS

    def apps(self) -> Sequence[str]:
        """See `Television.apps`."""
        return APPS

    def state(self) -> Mapping[str, Json]:
        """See `Television.state`."""
        return dict(self._state)

    async def apply(self, change: Mapping[str, Json]) -> Mapping[str, Json]:
        """See `Television.apply`."""
        if not self.reachable:
            raise SkillError("The television does not answer.", remedy="Check its power and its cable.")
        _check(change)
        new = {**self._state, **change}
        if not new["on"] and change.keys() - {"on"}:
            raise SkillError("The television is off.", remedy="Turn it on first.")
        if "channel" in change:
            new |= {"app": "", "input": "TV"}
        elif "input" in change:
            new["app"] = ""
        self._file.save(new)
        self._state = new
        self.on_change(self.state())
        return self.state()


def _check(change: Mapping[str, Json]) -> None:
    for key, value in change.items():
        if key not in _INITIAL:
            raise SkillError(f"The television has no `{key}`.")
        if not _allowed(key, value):
            raise SkillError(f"The television refuses {key} {value!r}.")


def _allowed(key: str, value: Json) -> bool:
    match key:
        case "channel":
            return any(channel.number == value for channel in LINE_UP)
        case "input":
            return value in INPUTS
        case "app":
            return value == "" or value in APPS
        case "volume":
            return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
    return isinstance(value, bool)


def build(home: Path) -> Television:
    """Driver entry point: the set, with its state in the home folder."""
    return SimulatedTelevision(home / "simulated" / "television.json")
