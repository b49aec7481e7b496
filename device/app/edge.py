"""The edge loop with its ports, built: ears and a mouth around a brain, opened, watched, and opened again when lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from device.app.brain import Brain
from device.app.voice import build_assistant, say_problems
from device.audio.mixer import Mixer
from device.audio.ports import Microphone, Speaker
from device.audio.ring import Ring
from device.errors import DeviceError
from device.events import Observation, Trouble
from device.lights import Lights
from device.speech.listen import Listener
from device.speech.ports import SttEngine, TtsEngine
from device.speech.renewable import Renewable
from device.supervisor import MicrophoneKeeper, SpeakerKeeper
from device.voice import Voice


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
        lights: What it shows; nothing by default.

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
    ) -> None:
        self._brain = brain
        self._microphone = microphone
        self._speaker = speaker
        self._observe = observe
        self._ring = Ring(brain.clock)
        self._voice_of = tts
        self.mixer = Mixer(brain.clock, brain.volume)
        self.assistant = build_assistant(brain, self._ring, self.mixer, stt, tts, observe, listener, lights)

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

    def close(self) -> None:
        """Let both rest."""
        self._microphone.stop()
        self._speaker.stop()

    async def run(self) -> None:
        """Listen and answer until cancelled; first say aloud what is not as it should be."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.assistant.run())
            await say_problems(self._brain.problems, Voice(self._voice_of, self.mixer, self._brain.workers))

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

    def _play(self) -> None:
        self._speaker.start(self.mixer.pull)
        self.mixer.latency = self._speaker.latency

    def _lost_speaker(self, error: DeviceError) -> None:
        self._observe(Trouble(error, self._brain.clock.monotonic()))
