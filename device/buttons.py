"""What the buttons on the case do; a driver calls `Buttons.press` with the name of the one that went down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from device.assistant import Assistant
from device.errors import BadInput
from device.skills.ports import Player, Volume

STEP: Final = 10
"""Percent by which a press makes it louder or quieter."""


class Buttons:
    """The buttons of a case. All methods belong to the loop.

    Args:
        assistant: Woken by `talk`.
        volume: Changed by `volume_up` and `volume_down`.
        player: Paused and resumed by `play`.
    """

    def __init__(self, assistant: Assistant | None, volume: Volume, player: Player) -> None:
        self._assistant = assistant
        self._volume = volume
        self._player = player
        self._actions: Mapping[str, Callable[[], Awaitable[None]]] = {
            "talk": self._talk,
            "volume_up": self._louder,
            "volume_down": self._quieter,
            "play": self._play,
        }

    async def press(self, name: str) -> None:
        """A button went down.

        Raises:
            BadInput: There is no such button.
            DeviceError: What it does could not be done.
        """
        if name not in self._actions:
            raise BadInput(f"There is no button {name}.", remedy=f"There are: {', '.join(self._actions)}.")
        await self._actions[name]()

    async def _talk(self) -> None:
        if self._assistant:
            self._assistant.press()

    async def _louder(self) -> None:
        self._volume.set_level(min(100, self._volume.level() + STEP))

    async def _quieter(self) -> None:
        self._volume.set_level(max(0, self._volume.level() - STEP))

    async def _play(self) -> None:
        await (self._player.pause() if self._player.state()["playing"] else self._player.resume())
