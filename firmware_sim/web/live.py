"""The device on the page: what ships, with a plug that can be pulled and faults that can be set.

It lives in real time: booted from its home folder when the plug goes in, gone without a farewell when it is pulled.
The flat around it, its flash and its switches stay.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from device.app import Brain, EdgeLoop, build_brain
from device.assistant import Assistant
from device.cli.render import describe, turn_json
from device.clock import Clock
from device.config import Config
from device.errors import AudioDeviceMissing, BadInput, DeviceError, StorageError, reportable
from device.events import Interrupted, Observation, Rang, SoundBegan, Trouble, TurnDone
from device.lights import Pattern
from device.speech.renewable import Renewable
from device.turns import Phase
from device.workers import Workers
from firmware_sim.board.flash import Flash
from firmware_sim.board.profile import Profile
from firmware_sim.home.world import World
from firmware_sim.kit import Faults, Kit
from firmware_sim.web import messages
from firmware_sim.web.clock import SteppedClock
from firmware_sim.web.messages import FaultName, FirstSound, Message, Note, Order, Power, State, TurnTaken, Welcome
from firmware_sim.web.ports import PageLight, StreamMicrophone, StreamSpeaker
from firmware_sim.web.view import Remembered, cut_off, remembered, things, unreachable

PAST: Final = 60
"""Events that are kept for pages that come later."""

_BREATH: Final = 0.05
"""Seconds that each step of the boot leaves to the page: building the device holds the loop."""


class LiveGadget:
    """One device and its world, in real time.

    Args:
        config: Settings.
        home: Folder of all state, which outlives the power.
        profile: The board. Its processor is this machine's: it runs in real time.
        clock: Real time, or virtual.
        workers: Makes the workers of each boot.
        kit: Ears and voice.

    Attributes:
        tell: Called with each message for all pages; must return at once.
        play: Called with the speaker's sound, 16-bit 16 kHz mono; must return at once.
        microphone: Where the page's sound goes.
        world: What stands around it.
    """

    def __init__(
        self, config: Config, home: Path, profile: Profile, clock: Clock, workers: Callable[[], Workers], kit: Kit
    ) -> None:
        self.tell: Callable[[Message], None] = lambda _: None
        self.play: Callable[[bytes], None] = lambda _: None
        self.clock = SteppedClock(clock)
        self.world = World.furnished(self.clock)
        self.flash = Flash(home, self.clock, size=profile.flash.size_mb * 1_000_000)
        self.microphone = StreamMicrophone(self.clock, profile.microphone.self_noise_dbfs + profile.microphone.gain_db)
        self.speaker = StreamSpeaker(self.clock, lambda sound: self.play(sound))
        self.light = PageLight(self.publish)
        self.past: deque[messages.Event] = deque(maxlen=PAST)
        self.streaming = False
        self._config, self._home, self._profile = config, home, profile
        self._workers, self._kit = workers, kit
        self._power: Power = "off"
        self._boot = ""
        self._switched_off = self._muted = False
        self._faults: set[FaultName] = set()
        self._broken = Faults()
        self._brain: Brain | None = None
        self._assistant: Assistant | None = None
        self._life: asyncio.Task[None] | None = None
        self._hand = asyncio.Lock()  # two pages may reach for the plug at once
        self._published = State(0.0)
        self.world.house.on_change = lambda _id, _state: self.publish()
        self.world.television.on_change = self.world.player.on_change = lambda _state: self.publish()

    # Power -----------------------------------------------------------------------------------------------------

    async def plug(self, on: bool) -> None:
        """Put the plug in, or pull it; returns at once, or when the device is gone."""
        async with self._hand:
            if on and (self._life is None or self._life.done()):
                self.flash.restore()
                self._life = asyncio.create_task(self._live())
            elif not on and self._life is not None:
                life, self._life = self._life, None
                self.flash.cut()
                self._note("power", "The plug was pulled.")
                life.cancel()
                await asyncio.gather(life, return_exceptions=True)
                self._set_power("off")

    async def _live(self) -> None:
        """From plug to plug. What keeps the device from running is told, and it stays dark."""
        workers = self._workers()
        try:
            await self._run(workers)
        except* Exception as errors:
            for error in _leaves(errors):
                self._trouble(reportable(error))
            self._set_power("failed")
        finally:
            self.microphone.stop()
            self.speaker.stop()
            self._assistant = None
            workers.close()
            if self._brain is not None:
                self._brain.database.close()
                self._brain = None
            self.light.show(Pattern.OFF)

    async def _run(self, workers: Workers) -> None:
        """Boot and run, as `homebody talk` does."""
        self._note("power", "The plug is in: the device boots.")
        await self._step("Reading its storage, skills and language model")
        brain = self._brain = build_brain(self._config, self._home, self.clock, workers, drivers=self.world.driver)
        await self._step("Waking its ears and its voice")
        stt = await workers.run("stt", Renewable, lambda: self._kit.stt(self._broken))
        tts = await workers.run("tts", Renewable, lambda: self._kit.tts(self._broken))
        listener = self._kit.listener(self._config, self._broken)
        edge = EdgeLoop(brain, self.microphone, self.speaker, stt, tts, self._observe, listener, self.light)
        try:
            edge.open()
        except AudioDeviceMissing as error:  # unplugged: it is opened once it is back
            self._trouble(error)
        for problem in brain.problems:
            self._note("problem", Exception.__str__(problem), problem.remedy)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(edge.watch())
            tasks.create_task(edge.run())
            await self.clock.sleep(0)  # the loop of the assistant must have begun before anything is posted to it
            await self.clock.sleep(0)
            self._assistant = edge.assistant
            edge.assistant.switch(self._switched_off)  # the switch on the case stands where it was
            self._set_power("on")

    async def _step(self, boot: str) -> None:
        self._boot = boot
        self._set_power("booting")
        await self.clock.sleep(_BREATH)

    def _set_power(self, power: Power) -> None:
        self._power = power
        if power != "booting":
            self._boot = ""
        if power != "on":
            self._muted = False
        self.publish()

    # Orders ----------------------------------------------------------------------------------------------------

    async def obey(self, order: Order) -> None:
        """Carry an order of the page out.

        Raises:
            BadInput: It can't be: there is no power, or no such thing.
            StorageError: The volume could not be saved.
        """
        match order:
            case messages.Plug(on):
                await self.plug(on)
            case messages.Say(text):
                self._running().type(text)
            case messages.Press():
                self._running().press()
            case messages.Switch(off):
                self._switched_off = off
                self.microphone.switch(off)
                if self._assistant:
                    self._assistant.switch(off)
            case messages.Mute(on):
                self._running().mute(on)
                self._muted = on
            case messages.SetVolume(level):
                self._running()
                assert self._brain is not None
                self._brain.volume.set_level(level)
            case messages.Fault(name, on):
                self._fault(name, on)
            case messages.Unreachable(thing, on):
                called = cut_off(self.world, thing, on)
                self._note("fault", f"The {called} {'does not answer any more' if on else 'answers again'}.")
            case messages.StepClock(seconds):
                self.clock.step(seconds)
                self._note("fault", f"The clock was set {'forward' if seconds > 0 else 'back'} by {abs(seconds)} s.")
            case messages.Microphone(on):
                self.streaming = on
        self.publish()

    def _running(self) -> Assistant:
        if self._assistant is None:
            raise BadInput("The device has no power.", remedy="Put the plug in, and wait until it has booted.")
        return self._assistant

    def _fault(self, name: FaultName, on: bool) -> None:
        (self._faults.add if on else self._faults.discard)(name)
        match name:
            case "microphone_unplugged" | "microphone_silent":
                self.microphone.plug()
                if "microphone_silent" in self._faults:
                    self.microphone.silence()
                if "microphone_unplugged" in self._faults:
                    self.microphone.unplug()
            case "speaker_gone":
                (self.speaker.unplug if on else self.speaker.plug)()
            case "flash_full":
                self.flash.full = on
            case "flash_read_only":
                self.flash.read_only = on
            case "network_offline":
                (self.world.network.offline if on else self.world.network.online)()
            case "stt_broken" | "tts_broken" | "ears_broken":
                engine = name.removesuffix("_broken")
                (self._broken.broken.add if on else self._broken.broken.discard)(engine)
        self._note("fault", _FAULTS[name] if on else f"{_FAULTS[name]} No longer.")

    # What is told ----------------------------------------------------------------------------------------------

    def welcome(self) -> Welcome:
        """The first message for a page."""
        return Welcome(
            board=self._profile.title,
            leds=self._profile.leds,
            mute_switch=self._profile.mute_switch,
            buffer_ms=1000 * self.speaker.latency,
            wake_words=tuple(word.replace("_", " ") for word in self._config.speech.wake_words),
            things=things(self.world),
            channels={channel.number: channel.name for channel in self.world.television.channels()},
            state=self.state(),
            past=tuple(self.past),
        )

    def state(self) -> State:
        """All of the present state."""
        brain, memory = self._brain, self._remembered()
        return State(
            now=self.clock.now().timestamp(),
            power=self._power,
            boot=self._boot,
            light=self.light.pattern,
            phase=self._assistant.phase if self._assistant else Phase.IDLE,
            switched_off=self._switched_off,
            muted=self._muted,
            volume=brain.volume.level() if brain else None,
            volume_muted=brain.volume.muted() if brain else False,
            house={a.id: self.world.house.state(a.id) for a in self.world.house.appliances()},
            television=self.world.television.state(),
            player=self.world.player.state(),
            timers=memory.timers,
            appointments=memory.appointments,
            ringing=memory.ringing,
            lists=memory.lists,
            faults=tuple(sorted(self._faults)),
            unreachable=unreachable(self.world),
            clock_offset=self.clock.offset,
            streaming=self.streaming,
            dropped=self.microphone.dropped,
        )

    def publish(self) -> None:
        """Tell the pages what has changed since the last time."""
        state = self.state()
        if changed := state.since(self._published):
            self._published = state
            self.tell(changed)

    def _remembered(self) -> Remembered:
        """What the device has in mind; nothing while it has no power, or can't read its storage."""
        try:
            return remembered(self._brain) if self._brain else Remembered()
        except StorageError:  # the device itself reports it when it needs it
            return Remembered()

    def _observe(self, seen: Observation) -> None:
        match seen:
            case TurnDone(turn, _, ignored):
                done = tuple(describe(change) for change in turn.changes)
                self._happened(TurnTaken(self._now(), ignored, turn_json(turn), done))
            case SoundBegan(latency, after_speech, _):
                self._happened(FirstSound(1000 * latency, 1000 * after_speech))
            case Rang(_, words, _):
                self._note("ring", words)
            case Interrupted():
                self._note("interrupted", "Cut short.")
            case Trouble(error, _):
                self._trouble(error)
        # The observer is told before the device acts on it: what follows from it shows in the next turn of the loop.
        asyncio.get_running_loop().call_soon(self.publish)

    def _trouble(self, error: DeviceError) -> None:
        self._note("trouble", Exception.__str__(error), error.remedy)

    def _note(self, kind: messages.NoteKind, text: str, remedy: str = "") -> None:
        self._happened(Note(self._now(), kind, text, remedy))

    def _happened(self, event: messages.Event) -> None:
        self.past.append(event)
        self.tell(event)

    def _now(self) -> float:
        return self.clock.now().timestamp()


def _leaves(errors: ExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in errors.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


_FAULTS: Final[dict[FaultName, str]] = {
    "microphone_unplugged": "The microphone is unplugged.",
    "microphone_silent": "The microphone delivers silence.",
    "speaker_gone": "The speaker is unplugged.",
    "flash_full": "The flash is full.",
    "flash_read_only": "The flash is read-only.",
    "network_offline": "The home network is gone.",
    "stt_broken": "Speech-to-text crashes.",
    "tts_broken": "Text-to-speech crashes.",
    "ears_broken": "The wake word engine crashes.",
}
