"""What skills act upon: the house, the television, the player. Drivers and the simulator implement these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
Kind: TypeAlias = Literal["light", "switch", "climate", "cover", "lock", "vacuum", "scene"]


@dataclass(frozen=True, slots=True)
class Appliance:
    """One thing in the house.

    Attributes:
        id: Stable key, e.g. `light.kitchen_ceiling`.
        name: As people call it, e.g. "kitchen light".
        kind: What it is.
        room: Room name, empty if it belongs to the whole house.
        aliases: Other names.
    """

    id: str
    name: str
    kind: Kind
    room: str = ""
    aliases: tuple[str, ...] = ()


class House(Protocol):
    """Lights, plugs, thermostats, blinds, locks, vacuums and scenes."""

    def appliances(self) -> Sequence[Appliance]:
        """Everything that can be controlled."""

    def state(self, appliance_id: str) -> Mapping[str, Json]:
        """Present state.

        Keys by kind: light `on`, `brightness` (0-100), `color` (`#rrggbb`); switch `on`; climate `target` and
        `current` (degrees Celsius); cover `position` (0 closed to 100 open); lock `locked`; vacuum
        `cleaning`; scene `active`.
        """

    async def apply(self, appliance_id: str, change: Mapping[str, Json]) -> Mapping[str, Json]:
        """Set some keys of the state and return the whole new state.

        Raises:
            SkillError: The appliance does not answer or refuses.
        """


@dataclass(frozen=True, slots=True)
class Channel:
    """A television channel."""

    number: int
    name: str


class Television(Protocol):
    """A TV set: power, channel, input, app, subtitles, volume."""

    def channels(self) -> Sequence[Channel]:
        """The line-up, by number."""

    def inputs(self) -> Sequence[str]:
        """Input names such as "HDMI 1"."""

    def apps(self) -> Sequence[str]:
        """Installed apps."""

    def state(self) -> Mapping[str, Json]:
        """Keys `on`, `channel` (number), `input`, `app`, `subtitles`, `volume` (0-100), `muted`."""

    async def apply(self, change: Mapping[str, Json]) -> Mapping[str, Json]:
        """Set some keys and return the whole new state.

        Raises:
            SkillError: The set does not answer.
        """


@dataclass(frozen=True, slots=True)
class Track:
    """One piece of the local library."""

    id: str
    title: str
    artist: str = ""
    album: str = ""
    genre: str = ""


class Player(Protocol):
    """Plays the local library."""

    def library(self) -> Sequence[Track]:
        """Everything that can be played."""

    def state(self) -> Mapping[str, Json]:
        """Keys `playing`, `paused`, `track` (id or None), `title`, `artist`, `shuffle`, `repeat`, `queue`.

        The queue holds ids in the order in which they are played, the present track included.
        """

    async def play(self, tracks: Sequence[Track]) -> None:
        """Replace the queue and play."""

    async def pause(self) -> None:
        """Pause; harmless when nothing plays."""

    async def resume(self) -> None:
        """Go on where it was paused."""

    async def stop(self) -> None:
        """Stop and forget the queue."""

    async def skip(self, step: int) -> bool:
        """Go `step` tracks forward (or back); False at the end of the queue."""

    async def set_mode(self, *, shuffle: bool | None = None, repeat: bool | None = None) -> None:
        """Change how the queue is played."""


class Volume(Protocol):
    """The device's own loudness as the user set it; ducking never touches it."""

    def level(self) -> int:
        """0 to 100."""

    def muted(self) -> bool:
        """True when muted."""

    def set_level(self, level: int) -> None:
        """Set 0 to 100 and unmute."""

    def set_muted(self, muted: bool) -> None:
        """Mute or unmute."""
