"""The edge loop with its ports, built: ears and a mouth around a brain, opened, watched, and opened again when lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from device.app.brain import Brain
from device.app.voice import Engines, build_assistant, say_problems
from device.audio.card import SoundCardMicrophone, SoundCardSpeaker
from device.audio.mixer import Mixer
from device.audio.ports import Microphone, Pcm, Speaker
from device.audio.ring import Ring
from device.buttons import Buttons
from device.config import CaseConfig
from device.errors import DeviceError, EngineHung
from device.events import Observation, PhaseChanged, Trouble
from device.gpio import GpioCase
from device.lights import Lights
from device.speech.listen import Listener
from device.speech.ports import SttEngine, Transcript, TtsEngine, render
from device.speech.renewable import Renewable
from device.supervisor import MicrophoneKeeper, SpeakerKeeper
from device.turns import Phase
from device.voice import Voice

WARM_UP: Final = "turn on the kitchen light"
"""What is spoken, heard and understood once, so that the first command does not wait."""

WARM_UP_DEADLINE: Final = 60.0
"""Seconds that each engine has for that; a slow board reads its models from a card."""

UNHEARD: Final = 10.0
"""Seconds for which sound may wait for the ears: they rest for one after a defect, a look at a wake word is shorter."""

ENDLESS: Final = 60.0
"""Seconds of thinking after which a turn will not end: the recognizer has 15, and a network gives up sooner."""


class EdgeLoop:
    """What hears, answers and is heard. Must be made on the running loop.

    Args:
        brain: What understands and acts.
        microphone: Where it hears.
        speaker: Where it is heard.
        stt: Speech to text.
        tts: Text to speech.
        observe: Told what happens.
        listener: Wake word, voice activity and endpoint; the configured ones by default.
        lights: What it shows; by default on the case, if that has any.
        case: Buttons and switch that are heeded while it runs.

    Attributes:
        assistant: The turn machine.
        mixer: Everything audible.
    """

    def __init__(
        self,
        brain: Brain,
        microphone: Microphone,
        speaker: Speaker,
        stt: Renewable[SttEngine],
        tts: Renewable[TtsEngine],
        observe: Callable[[Observation], None],
        listener: Listener | None = None,
        lights: Lights | None = None,
        case: GpioCase | None = None,
    ) -> None:
        self._brain = brain
        self._microphone = microphone
        self._speaker = speaker
        self._observe = observe
        self._ring = Ring(brain.clock)
        self._stt = stt
        self._tts = tts
        self._phase_at = brain.clock.monotonic()
        self.mixer = Mixer(brain.clock, brain.volume)
        self.assistant = build_assistant(brain, self._ring, self.mixer, stt, tts, self._seen, listener, lights or case)
        self._case = case

    @property
    def stuck(self) -> EngineHung | None:
        """What only a restart helps against, if anything: ears that take no sound, or a turn that doesn't end.

        A microphone that is lost is none of that: it is opened again.
        """
        if self._ring.unread_for > UNHEARD:
            return EngineHung("The ears are stuck: sound waits, and they take none of it.", remedy="Restart it.")
        if self.assistant.phase is Phase.THINKING and self._brain.clock.monotonic() - self._phase_at > ENDLESS:
            return EngineHung(f"A turn has not ended for {ENDLESS:.0f} s.", remedy="Restart it.")
        return None

    @property
    def resting(self) -> bool:
        """Whether nobody would miss it for some seconds: no turn is under way, and nothing sounds."""
        return self.assistant.phase is Phase.IDLE and not self.mixer.playing()

    def open(self) -> None:
        """Let the microphone deliver and the speaker play.

        Raises:
            AudioDeviceMissing: One of them is not there; the other is open then, and `watch` opens it once it is.
        """
        try:
            self._microphone.start(self._ring.push)
        except DeviceError:
            with contextlib.suppress(DeviceError):  # one loss is told at a time
                self._play()
            raise
        self._play()

    async def warm_up(self) -> None:
        """Speak, hear and understand a command once, for nobody and without doing it: the first real one is as quick.

        Raises:
            EngineFailed: Voice or ears broke or hung.
        """
        workers, conversation = self._brain.workers, self._brain.conversation
        pcm = await workers.run("tts", lambda: render(self._tts.take(), WARM_UP), deadline=WARM_UP_DEADLINE)
        heard = await workers.run("stt", self._transcribe, pcm, deadline=WARM_UP_DEADLINE)
        await conversation.completeness(heard)

    def close(self) -> None:
        """Let both rest."""
        self._microphone.stop()
        self._speaker.stop()
        if self._case:
            self._case.close()

    async def run(self) -> None:
        """Listen and answer until cancelled; first say aloud what is not as it should be."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.assistant.run())
            if self._case:
                self._heed(self._case, asyncio.get_running_loop(), tasks)
            await say_problems(self._brain.problems, Voice(self._tts, self.mixer, self._brain.workers))

    async def watch(self) -> None:
        """Open what is lost again, until cancelled."""
        clock, stall = self._brain.clock, self._brain.config.audio.stall
        hears = self.assistant
        lost, found = hears.lost_microphone, hears.found_microphone
        ears = MicrophoneKeeper(self._microphone, self._ring, clock, stall, lost, found, lambda: hears.closed)
        mouth = SpeakerKeeper(self._speaker, self.mixer, clock, stall, self._lost_speaker)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ears.run())
            tasks.create_task(mouth.run())

    def _heed(self, case: GpioCase, loop: asyncio.AbstractEventLoop, tasks: asyncio.TaskGroup) -> None:
        """Do what the buttons of the case say, which they do in a thread of their own."""
        services = self._brain.services
        buttons = Buttons(self.assistant, services.volume, services.player)

        async def press(name: str) -> None:
            try:
                await buttons.press(name)
            except DeviceError as error:
                self._observe(Trouble(error, self._brain.clock.monotonic()))

        case.connect(
            lambda name: loop.call_soon_threadsafe(lambda: tasks.create_task(press(name))),
            lambda off: loop.call_soon_threadsafe(self.assistant.switch, off),
        )

    def _transcribe(self, pcm: Pcm) -> Transcript:
        stt = self._stt.take()
        stt.start(self._brain.conversation.sentences())
        stt.feed(pcm)
        return stt.finish()

    def _seen(self, seen: Observation) -> None:
        if isinstance(seen, PhaseChanged):
            self._phase_at = seen.at
        self._observe(seen)

    def _play(self) -> None:
        self._speaker.start(self.mixer.pull)
        self.mixer.latency = self._speaker.latency

    def _lost_speaker(self, error: DeviceError) -> None:
        self._observe(Trouble(error, self._brain.clock.monotonic()))


def make_edge_loop(brain: Brain, engines: Engines, observe: Callable[[Observation], None]) -> EdgeLoop:
    """The edge loop as configured, on the machine's sound cards. Must be called on the running loop."""
    config = brain.config
    case = None
    if config.case != CaseConfig():
        try:
            case = GpioCase(config.case)
        except DeviceError as error:  # who has no lamp is still heard
            observe(Trouble(error, brain.clock.monotonic()))
    return EdgeLoop(
        brain,
        SoundCardMicrophone(config.audio.microphone),
        SoundCardSpeaker(config.audio.speaker),
        engines.stt,
        engines.tts,
        observe,
        engines.listener,
        case=case,
    )
