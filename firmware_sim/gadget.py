"""One gadget: a board with what ships on it, unchanged, in a home; it can lose its power and come back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from device.app import BUNDLE, Brain
from device.assistant import Assistant
from device.audio.mixer import Mixer
from device.buttons import Buttons
from device.clock import Clock
from device.config import Config
from device.errors import StorageError
from device.events import Observation, Trouble
from device.lights import Pattern
from device.nlu.bundles import Bundles
from device.turns import Phase
from firmware_sim.board.board import Board
from firmware_sim.home.world import World
from firmware_sim.kit import Faults, Kit
from firmware_sim.program import Program

Rot: TypeAlias = Literal["database", "header", "last change", "bundle"]
"""Where a bit flips: any of the database (its file or its log, whichever is larger), the first of its file, one of the
last change in its log, or any of the installed language model."""

_LEAD: Final = 1.0
"""Seconds before something rings at which the sound of an idle room is simulated again."""

_TICK: Final = 0.05
"""Seconds between two looks at what the device is doing."""


class Gadget:
    """A device on its board. Everything runs on one loop.

    Args:
        clock: Time.
        config: The device's settings.
        board: The hardware.
        world: The home around it.
        kit: Its engines; None for a device that is typed to.
        observe: Told what happens.
        model: Whether it has its language model.

    Attributes:
        faults: What is wrong with its engines; may be changed at any time.
        on: Whether it runs.
        died: Set when it went off in the middle of a write.
    """

    def __init__(
        self,
        clock: Clock,
        config: Config,
        board: Board,
        world: World,
        kit: Kit | None = None,
        observe: Callable[[Observation], None] = lambda _: None,
        *,
        model: bool = True,
    ) -> None:
        self.config = config
        self.board = board
        self.world = world
        self.faults = Faults()
        self.on = False
        self.died = asyncio.Event()
        self._clock = clock
        self._kit = kit
        self._observe = observe
        self._model = model
        self._lives = 0
        self._program: Program | None = None
        self._mounted = contextlib.ExitStack()
        board.flash.on_cut = self._cut_in_a_write

    @property
    def program(self) -> Program:
        """What runs on it, or ran last.

        Raises:
            RuntimeError: It was never switched on.
        """
        if self._program is None:
            raise RuntimeError("the gadget was never switched on")
        return self._program

    @property
    def brain(self) -> Brain:
        """What understands."""
        return self.program.brain

    @property
    def assistant(self) -> Assistant | None:
        """The edge loop, while it runs; None where commands are typed."""
        return self.program.edge.assistant if self.on and self.program.edge else None

    @property
    def mixer(self) -> Mixer:
        """Everything audible of what runs on it.

        Raises:
            RuntimeError: It is typed to, and silent.
        """
        if self.program.edge is None:
            raise RuntimeError("a gadget that is typed to makes no sound")
        return self.program.edge.mixer

    @property
    def phase(self) -> Phase:
        """What it is doing."""
        return self.assistant.phase if self.assistant else Phase.IDLE

    # Power -----------------------------------------------------------------------------------------------------

    async def boot(self) -> None:
        """Start the program on what the flash holds.

        Raises:
            DeviceError: It can't start: no storage, a bad pack.
        """
        if not self._lives:
            self._mounted.enter_context(self.board.flash)
        self._lives += 1
        parts = (self._clock, self.config, self.board, self.world, self._kit, self.faults, self._observe, self._lives)
        self._program = program = Program(*parts, model=self._model)
        self.on = True
        if self.assistant and self.board.switched_off:
            self.assistant.switch(True)
        await program.start()

    async def cut(self, *, power: bool = True) -> None:
        """Pull the plug, or kill the program alone: nothing more is said, done or written.

        Args:
            power: The flash loses its power too, and with it what was not yet synced.
        """
        if not self.on:
            return
        self.on = False
        self.program.die()
        if power:
            self.board.flash.cut()
        else:
            self.board.flash.kill()
        await self.bury()

    async def bury(self) -> None:
        """Clear away what has died, and give the flash its power back."""
        await self.program.end()
        self.board.lights.show(Pattern.OFF)
        self.board.flash.restore()
        self.died.clear()

    async def shut_down(self) -> None:
        """End the program in good order."""
        if self.on:
            self.on = False
            await self.program.end()
        self._mounted.close()

    def _cut_in_a_write(self) -> None:
        """The power is gone, maybe somewhere inside SQLite: the program ends before it can say anything."""
        if self.on:
            self.on = False
            self.program.die()
            self.died.set()

    def install_update(self) -> None:
        """Install the bundle that ships, as an update would; the device uses it from its next start on.

        Raises:
            DeviceError: It can't be installed.
        """
        Bundles(self.board.home).install(BUNDLE)

    def flip(self, what: Rot) -> None:
        """Change a bit of what is stored, while the device is off."""
        flash, database = self.board.flash, self.board.home / "homebody.db"
        log = database.with_name("homebody.db-wal")
        match what:
            case "database":
                flash.flip(max((file for file in (database, log) if file.exists()), key=lambda f: f.stat().st_size))
            case "header":
                flash.flip(database, 0)
            case "last change":
                flash.flip(log, (log.stat().st_size - 1) * 8)
            case "bundle":
                bundles = Bundles(self.board.home)
                flash.flip(bundles.folder(bundles.active) / "model.onnx")

    # Hands -----------------------------------------------------------------------------------------------------

    async def type(self, text: str) -> None:
        """Type one command and wait until it is carried out; where there are ears, it is answered aloud."""
        if assistant := self.assistant:
            assistant.type(text)
            await self.quiet()
        else:
            await self.program.type(text)

    async def press(self, button: str) -> None:
        """Press a button on the case.

        Raises:
            BadInput: There is no such button.
        """
        services = self.brain.services
        try:
            await Buttons(self.assistant, services.volume, services.player).press(button)
        except StorageError as error:
            self._observe(Trouble(error, self._clock.monotonic()))

    def switch(self, off: bool) -> None:
        """Move the mute switch on the case: the microphone is cut off, and the program is told."""
        self.board.switch(off)
        if self.assistant:
            self.assistant.switch(off)

    # Time ------------------------------------------------------------------------------------------------------

    async def quiet(self) -> None:
        """Wait until it neither thinks nor speaks, and has had time to notice that somebody has finished speaking."""
        if self.on and self.assistant is None:
            return
        speech = self.config.speech
        await self._wait(speech.trailing_silence + 0.3)
        if self.assistant and self.assistant.attending:  # what was said lacks something, and more might follow
            await self._wait(max(speech.unfinished_silence - speech.trailing_silence, 0.0))
        while self.phase in (Phase.THINKING, Phase.SPEAKING):
            await self._wait(_TICK)

    async def sounding(self, seconds: float) -> None:
        """Wait until it has been speaking or ringing for so long."""
        while self.on and not (self.mixer.playing("speech") or self.mixer.playing("alarm")):
            await self._wait(_TICK)
        await self._wait(seconds)

    async def advance(self, seconds: float) -> None:
        """Let time pass. The sound of a room in which nothing happens is not computed; all that is due happens."""
        end = self._clock.monotonic() + seconds
        while (left := end - self._clock.monotonic()) > 1e-9:
            span = min(left, self._idle_span())
            if span > 2 * _LEAD and self.assistant:
                self.program.rest()
                await self._wait(span)
                if self.on:
                    await self.program.listen()
            else:
                await self._wait(min(left, max(span, 10 * _TICK)))

    async def until_ring(self, patience: float) -> bool:
        """Let time pass until something new rings, for so many seconds at most; False if nothing did."""
        end = self._clock.monotonic() + patience
        known = {ring.id for ring in self.brain.scheduler.ringing()}
        while self.on and self._clock.monotonic() < end:
            if {ring.id for ring in self.brain.scheduler.ringing()} - known:
                await self._wait(_TICK)
                return True
            due = self.brain.scheduler.next_due()
            left = (due - self._clock.now()).total_seconds() if due else end - self._clock.monotonic()
            await self.advance(min(max(left, _TICK), 3600.0))
        return False

    def _idle_span(self) -> float:
        """Seconds for which surely nothing sounds and nobody speaks."""
        if self.assistant is None:
            return float("inf")
        if self.assistant.deaf or self.faults.sound or "ears" in self.faults.broken:
            return 0.0  # the device is to notice, and to recover
        sounds = self.mixer.playing() or self._clock.monotonic() < self.board.sounds_until
        if self.phase is not Phase.IDLE or sounds or self.brain.scheduler.ringing():
            return 0.0
        due = self.brain.scheduler.next_due()
        return (due - self._clock.now()).total_seconds() - _LEAD if due else float("inf")

    async def _wait(self, seconds: float) -> None:
        """Let time pass, or less if the device dies; what broke it is raised here."""
        if not self.on:
            await self._clock.sleep(seconds)
            return
        self.program.check()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.died.wait()
