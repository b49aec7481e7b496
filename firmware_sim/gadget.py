"""One gadget: a board with what ships on it, unchanged, in a home; it can lose its power and come back.

The hardware (microphone, loudspeaker, lights, flash) and the home outlive the program; `boot` builds the device as its own
command line does, `cut` ends it without warning.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final, Literal

import numpy as np

from device.app import BUNDLE, Brain, build_assistant, build_brain, load_language_model, say_problems
from device.assistant import Assistant
from device.audio.mixer import Mixer
from device.audio.ring import Ring
from device.audio.ports import SAMPLE_RATE, FrameCallback, Pcm
from device.audio.volume import DeviceVolume, SoundKind
from device.buttons import Buttons
from device.clock import Clock
from device.config import Config
from device.errors import DeviceError, StorageError
from device.events import Observation, Rang, Trouble, TurnDone
from device.nlu.bundles import Bundles
from device.speech.renewable import Renewable
from device.supervisor import MicrophoneKeeper
from device.turns import Phase
from device.voice import Voice
from firmware_sim.board.flash import Flash
from firmware_sim.board.lights import LedRing
from firmware_sim.board.processor import Processor
from firmware_sim.board.profile import Profile
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.home.world import World
from firmware_sim.kit import Faults, Kit
from firmware_sim.sound.microphone import SimulatedMicrophone
from firmware_sim.sound.speaker import SimulatedSpeaker

KINDS: Final[tuple[SoundKind, ...]] = ("speech", "chime", "alarm", "media")

_SILENCE: Final[frozenset[SoundKind]] = frozenset()

HUNG: Final = 1e7
"""Virtual seconds that a call of a hung engine takes: longer than anybody waits."""

_LEAD: Final = 1.0
"""Seconds before something rings at which the sound of an idle room is simulated again."""

_TICK: Final = 0.05
"""Seconds between two looks at what the device is doing."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """A board: what remains when the program ends.

    Attributes:
        profile: What kind of board it is.
        home: Folder on its flash that holds all state.
        seed: Of its noise, its flash and the device's own chance.
        noise_dbfs: Background noise at the microphone.
        echo: Gain from loudspeaker to microphone; None for the board's.
    """

    profile: Profile
    home: Path
    seed: int = 0
    noise_dbfs: float = -60.0
    echo: float | None = None


class Gadget:
    """A device on its board. Everything runs on one loop.

    Args:
        clock: The board's clock.
        config: The device's settings.
        hardware: The board.
        world: The home around it.
        kit: Its engines; None for a device that is typed to.
        observe: Told what happens.
        model: Whether it has its language model.
        record: Keep what the microphone delivers.

    Attributes:
        brain: What understands, as of the last boot.
        assistant: The edge loop, as of the last boot; None where commands are typed.
        faults: What is wrong with its engines; may be changed at any time.
        on: Whether it is powered.
        died: Set when it went off without being asked to.
        audible: What kinds of sound left the loudspeaker, and since when (monotonic seconds), whenever that changed.
    """

    def __init__(
        self,
        clock: Clock,
        config: Config,
        hardware: Hardware,
        world: World,
        kit: Kit | None = None,
        observe: Callable[[Observation], None] = lambda _: None,
        *,
        model: bool = True,
        record: bool = False,
    ) -> None:
        self.config = config
        self.hardware = hardware
        self.world = world
        self.kit = kit
        self.faults = Faults()
        self.flash = Flash(hardware.home, clock, size=hardware.profile.flash.size_mb * 1_000_000, seed=hardware.seed)
        self.flash.on_cut = self._cut_in_a_write
        self.processor = Processor(hardware.profile, clock, hardware.seed)
        self.lights = LedRing(clock, hardware.profile.leds)
        self.speaker = SimulatedSpeaker(clock)
        self.microphone = SimulatedMicrophone(
            clock, seed=hardware.seed, noise_dbfs=hardware.noise_dbfs, speaker=self.speaker
        )
        echo = hardware.profile.echo.gain if hardware.echo is None else hardware.echo
        if echo:
            self.microphone.echo(echo, hardware.profile.echo.delay_s)
        self.on = False
        self.died = asyncio.Event()
        self.brain: Brain
        self.assistant: Assistant | None = None
        self.mixer = Mixer(clock, _silent_volume())
        self._clock = clock
        self._observe = observe
        self._model = model
        self._boots = 0
        self._running = _Tasks()
        self._keeper: asyncio.Task[None] | None = None
        self._ring: Ring | None = None
        self._looked = asyncio.Event()
        self._switched_off = False
        self._recording: list[tuple[float, Pcm]] | None = [] if record else None
        self.audible: list[tuple[float, frozenset[SoundKind]]] = []

    # Power -----------------------------------------------------------------------------------------------------

    async def boot(self) -> None:
        """Start the program on what the flash holds.

        Raises:
            DeviceError: It can't start: no storage, a bad pack.
        """
        self._boots += 1
        self.died.clear()
        self.flash.install()
        with _shared_cache(self.hardware.home):
            self.brain = build_brain(
                self.config,
                self.hardware.home,
                self._clock,
                InlineWorkers(self._clock, self._cost),
                Random(f"{self.hardware.seed}/{self._boots}"),
                self.world.driver,
                load_language_model if self._model else _no_model,
            )
        self.on = True
        for problem in self.brain.problems:
            self._observe(Trouble(problem, self._clock.monotonic()))
        if self.kit is None:
            self._running.start(self._watch())
        else:
            await self._open_ears(self.kit)

    async def cut(self, *, power: bool = True) -> None:
        """Pull the plug, or kill the program alone: nothing more is said, done or written.

        Args:
            power: The flash loses its power too, and with it what was not yet synced.
        """
        if not self.on:
            return
        self.on = False
        if power:
            self.flash.cut()
        else:
            self.flash.kill()
        await self._stop()
        self.flash.restore()

    async def shut_down(self) -> None:
        """End the program in good order."""
        if self.on:
            self.on = False
            await self._stop()
        self.flash.remove()

    async def _stop(self) -> None:
        self.microphone.stop()
        self.speaker.stop()
        self._keeper = None
        await self._running.cancel()
        self.assistant = None
        with contextlib.suppress(DeviceError):
            self.brain.close()

    def _cut_in_a_write(self) -> None:
        """The armed cut has happened, somewhere inside SQLite: the program ends before it can say anything."""
        self.on = False
        self._running.silence()
        self.died.set()

    async def bury(self) -> None:
        """Clear away what died in the middle of a write."""
        await self._stop()
        self.flash.restore()
        self.died.clear()

    def arm(self, after_writes: int, *, power: bool) -> None:
        """Let the power go, or the program die, in the middle of so many writes to the flash from now."""
        self.flash.cut(after_writes) if power else self.flash.kill(after_writes)

    def install_update(self) -> None:
        """Install the bundle that ships, as an update would; the device uses it from its next start on.

        Raises:
            DeviceError: It can't be installed.
        """
        Bundles(self.hardware.home).install(BUNDLE)

    def flip(self, what: Literal["database", "bundle"]) -> None:
        """Change a bit of what is stored, while the device is off."""
        home = self.hardware.home
        if what == "database":
            self.flash.flip(home / "homebody.db")
        else:
            bundles = Bundles(home)
            self.flash.flip(bundles.folder(bundles.active()) / "model.onnx")

    # Being talked to -------------------------------------------------------------------------------------------

    async def type(self, text: str) -> None:
        """Type one command and wait until it is carried out; where there are ears, it is answered aloud."""
        if self.assistant is not None:
            self.assistant.type(text)
            await self.quiet()
            return
        try:
            turn = await self.brain.conversation.turn(text)
        except DeviceError as error:
            self._observe(Trouble(error, self._clock.monotonic()))
        else:
            if self.on:
                self._observe(TurnDone(turn, self._clock.monotonic()))
        self._looked.set()

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
        self._switched_off = off
        self.microphone.switch(off)
        if self.assistant:
            self.assistant.switch(off)

    def sounds_since(self, count: int) -> frozenset[SoundKind]:
        """Kinds of sound that were heard since `audible` had so many entries; what sounded on then is among them."""
        return frozenset(kind for _, kinds in self.audible[max(0, count - 1) :] for kind in kinds)

    def recorded(self) -> Pcm:
        """What the microphone has delivered from the beginning of time, shape [n]; where it did not, silence."""
        if not self._recording:
            return np.zeros(0, np.int16)
        end = self._recording[-1][0]
        whole = np.zeros(round(end * SAMPLE_RATE) + 1, np.int16)
        for at, frame in self._recording:
            begin = max(0, round(at * SAMPLE_RATE) - len(frame))
            whole[begin : begin + len(frame)] = frame
        return whole

    async def quiet(self) -> None:
        """Wait until it neither thinks nor speaks, and has had time to notice that somebody has finished speaking."""
        await self._wait(self.config.speech.trailing_silence + 0.3)
        while self.assistant and self.assistant.phase in (Phase.THINKING, Phase.SPEAKING):
            await self._wait(_TICK)

    async def sounding(self, seconds: float) -> None:
        """Wait until it has been speaking or ringing for so long."""
        while self.on and not (self.mixer.playing("speech") or self.mixer.playing("alarm")):
            await self._wait(_TICK)
        await self._wait(seconds)

    @property
    def phase(self) -> Phase:
        """What it is doing."""
        return self.assistant.phase if self.assistant else Phase.IDLE

    # Time ------------------------------------------------------------------------------------------------------

    async def advance(self, seconds: float) -> None:
        """Let time pass. The sound of a room in which nothing happens is not computed; all that is due happens."""
        end = self._clock.monotonic() + seconds
        while (left := end - self._clock.monotonic()) > 1e-9:
            span = min(left, self._idle_span())
            if span > 2 * _LEAD:
                await self._doze(span)
            else:
                await self._wait(min(left, 0.5))

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
        if not self.on or self.assistant is None:
            return float("inf")
        if self.phase is not Phase.IDLE or self.mixer.playing() or not self.microphone.idle:
            return 0.0
        if self.brain.scheduler.ringing():
            return 0.0
        due = self.brain.scheduler.next_due()
        return (due - self._clock.now()).total_seconds() - _LEAD if due else float("inf")

    async def _doze(self, seconds: float) -> None:
        """Stop the sound and its watchman for a while."""
        if self.assistant is None or not self.on:
            await self._wait(seconds)
            return
        self.microphone.stop()
        self.speaker.stop()
        if self._keeper:
            self._keeper.cancel()
        await self._wait(seconds)
        if self.on and self._ring is not None:
            await self._listen(self._ring)

    async def _wait(self, seconds: float) -> None:
        """Let time pass, or less if the device dies; what broke it is raised here."""
        self._running.check()
        if not self.on:
            await self._clock.sleep(seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.died.wait()

    # Inside ----------------------------------------------------------------------------------------------------

    async def _open_ears(self, kit: Kit) -> None:
        """As `homebody talk` does."""
        clock, brain = self._clock, self.brain
        self._ring = ring = Ring(clock)
        self.mixer = mixer = Mixer(clock, brain.volume)
        stt, tts = Renewable(lambda: kit.stt(self.faults)), Renewable(lambda: kit.tts(self.faults))
        listener = kit.listener(brain.config, self.faults)
        assistant = build_assistant(brain, ring, mixer, stt, tts, self._heard_of, listener, self.lights)
        self.assistant = assistant
        if self._switched_off:
            assistant.switch(True)
        self._running.start(assistant.run())
        await clock.sleep(0)
        await self._listen(ring)
        self._running.start(say_problems(brain.problems, Voice(tts, mixer, brain.workers)))
        await clock.sleep(0)

    async def _listen(self, ring: Ring) -> None:
        """Open microphone and speaker, and watch the microphone once it has had time to deliver."""
        assert self.assistant is not None
        for port, use in ((self.microphone, self._taken(ring)), (self.speaker, self._pull)):
            try:
                port.start(use)  # type: ignore[arg-type]
            except DeviceError as error:
                self._observe(Trouble(error, self._clock.monotonic()))
        await self._clock.sleep(2 * _TICK)
        keeper = MicrophoneKeeper(
            self.microphone,
            ring,
            self._clock,
            self.config.audio.stall,
            self.assistant.lost_microphone,
            self.assistant.found_microphone,
        )
        self._keeper = self._running.start(keeper.run())

    def _taken(self, ring: Ring) -> FrameCallback:
        """The ring's mouth, with a recorder before it where that is wanted."""
        recording = self._recording
        if recording is None:
            return ring.push

        def take(frame: Pcm) -> None:
            recording.append((self._clock.monotonic(), frame.copy()))
            ring.push(frame)

        return take

    def _pull(self, count: int) -> Pcm:
        """What the loudspeaker takes, with a note of what it is."""
        kinds = _SILENCE
        if self.mixer.playing():
            kinds = frozenset(kind for kind in KINDS if self.mixer.playing(kind))
        pcm = self.mixer.pull(count)
        if kinds and not pcm.any():
            kinds = _SILENCE
        if kinds != (self.audible[-1][1] if self.audible else _SILENCE):
            self.audible.append((self._clock.monotonic(), kinds))
        return pcm

    def _heard_of(self, seen: Observation) -> None:
        if self.on:
            self._observe(seen)

    async def _watch(self) -> None:
        """Where commands are typed: what is due is told, and rings until it is stopped, as in `homebody talk --text`."""
        while True:
            try:
                for ring in self.brain.scheduler.due():
                    self._observe(Rang(ring, self.brain.words(ring), self._clock.monotonic()))
                due = self.brain.scheduler.next_due()
                pause = (due - self._clock.now()).total_seconds() if due else 3600.0
            except DeviceError as error:
                self._observe(Trouble(error, self._clock.monotonic()))
                pause = 5.0
            self._looked.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(max(pause, 0.0), 3600.0)):
                    await self._looked.wait()

    def _cost(self, worker: str) -> float:
        return HUNG if worker in self.faults.hung else self.processor.cost(worker)


@dataclass(slots=True)
class _Tasks:
    """What the program runs; a defect in one of them is raised by `check`."""

    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    silenced: bool = False

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        self.silenced = False
        task = asyncio.get_running_loop().create_task(work)
        self.tasks = [*(t for t in self.tasks if not t.done() or not t.cancelled()), task]
        return task

    def check(self) -> None:
        for task in self.tasks:
            if task.done() and not task.cancelled() and not self.silenced:
                task.result()

    def silence(self) -> None:
        """What is broken from now on is broken by the death of the program."""
        self.silenced = True

    async def cancel(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()


def _no_model(*_: object) -> None:
    """A device that has only its grammar."""


def _silent_volume() -> DeviceVolume:
    """Of the mixer of a device that never started."""
    return DeviceVolume(0)


@cache
def _cache_folder() -> Path:
    """Compiled grammars, shared by all gadgets of this process: a first start takes half a second."""
    folder = tempfile.mkdtemp(prefix="homebody-sim-cache-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@contextlib.contextmanager
def _shared_cache(home: Path) -> Iterator[None]:
    """Lend what other gadgets have compiled, and keep what this one compiles."""
    own, shared = home / "cache", _cache_folder()
    own.mkdir(parents=True, exist_ok=True)
    for file in shared.iterdir():
        if not (own / file.name).exists():
            shutil.copy(file, own)
    yield
    for file in own.iterdir():
        if not (shared / file.name).exists():
            shutil.copy(file, shared)
