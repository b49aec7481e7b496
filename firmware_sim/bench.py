"""A device to be held in the hand of a test: no loop, no awaiting; time passes only when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from device.config import Config
from device.dialogue.conversation import Turn
from device.errors import DeviceError
from device.events import Observation, Rang, Trouble, TurnDone
from firmware_sim.board.board import Board
from firmware_sim.board.profile import load_profile
from firmware_sim.clock import DEFAULT_START, VirtualClock, VirtualLoop
from firmware_sim.gadget import Gadget
from firmware_sim.home.world import World
from firmware_sim.scenario.values import seconds

T = TypeVar("T")


class Bench:
    """A device that is typed to, in a simulated home.

    Args:
        home: Folder of its state; created if missing.
        config: Its settings, for instance with the folder of packs to be tested.
        board: Profile of the board.
        start: Wall time at the beginning, aware.

    Attributes:
        world: The home: `world.house.state("light.kitchen")`.
        gadget: The device on its board, for faults and what else there is.
        seen: Everything that it told.
    """

    def __init__(
        self, home: Path, config: Config | None = None, board: str = "laptop", start: datetime = DEFAULT_START
    ) -> None:
        self._loop = VirtualLoop()
        self._clock = VirtualClock(self._loop, start)
        self.world = World.furnished(self._clock)
        self.seen: list[Observation] = []
        hardware = Board(self._clock, load_profile(board), home)
        self.gadget = Gadget(self._clock, config or Config(), hardware, self.world, observe=self.seen.append)

    def __enter__(self) -> Bench:
        """Switch it on.

        Raises:
            DeviceError: It can't start: a pack is bad, a driver is missing.
        """
        self._run(self.gadget.boot)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switch it off."""
        self._run(self.gadget.shut_down)
        self._loop.close()

    def say(self, text: str) -> Turn:
        """Type a command; what it led to.

        Raises:
            DeviceError: It could not be carried out at all, as on a full disk.
        """
        before = len(self.seen)
        self._run(lambda: self.gadget.type(text))
        for seen in self.seen[before:]:
            if isinstance(seen, Trouble):
                raise seen.error
            if isinstance(seen, TurnDone):
                return seen.turn
        raise DeviceError("The device did not answer.", remedy="Is it switched on?")

    def advance(self, time: str | float) -> list[Rang]:
        """Let time pass (seconds, or `10 min`); what began to ring meanwhile."""
        before = len(self.seen)
        self._run(lambda: self.gadget.advance(seconds(time)))
        return [seen for seen in self.seen[before:] if isinstance(seen, Rang)]

    def pull_the_plug(self, off_for: str | float = "5 s") -> None:
        """Cut the power, and start the device again."""

        async def restart() -> None:
            await self.gadget.cut()
            await self._clock.sleep(seconds(off_for))
            await self.gadget.boot()

        self._run(restart)

    def _run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return self._loop.run_until_complete(work())
