"""A device in a simulated room: what ships, unchanged, between a simulated microphone and loudspeaker.

Somebody speaks by text-to-speech, the sound goes through the microphone's port, and `Room` waits until the device
has answered. Everything runs on the virtual clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from device.app import Brain, EdgeLoop
from device.assistant import Assistant
from device.audio.mixer import Mixer
from device.clock import Clock
from device.events import Observation, PhaseChanged, TurnDone
from device.speech.listen import Listener
from device.speech.ports import SttEngine, TtsEngine, render
from device.speech.renewable import Renewable
from device.turns import Phase
from firmware_sim.sound.microphone import SimulatedMicrophone
from firmware_sim.sound.speaker import SimulatedSpeaker

PATIENCE: Final = 60.0
"""Virtual seconds within which a device must have answered."""

_REST: Final = 0.4
"""Virtual seconds that a person takes before speaking."""


class Room:
    """The room, once `furnished`.

    Attributes:
        brain: What understands.
        assistant: The device.
        microphone: Its ears' port; unplug it, add noise.
        speaker: Its mouth's port.
        mixer: Everything audible; play music through it.
        seen: All observations so far.
    """

    def __init__(
        self,
        brain: Brain,
        assistant: Assistant,
        microphone: SimulatedMicrophone,
        speaker: SimulatedSpeaker,
        mixer: Mixer,
        person: TtsEngine,
        seen: list[Observation],
        running: asyncio.Task[None],
    ) -> None:
        self.brain = brain
        self.assistant = assistant
        self.microphone = microphone
        self.speaker = speaker
        self.mixer = mixer
        self.seen = seen
        self._person = person
        self._running = running
        self._clock: Clock = brain.clock

    async def say(self, text: str, *, snr_db: float | None = None) -> list[Observation]:
        """Somebody says something; returns what happened until the device was quiet again.

        Raises:
            TimeoutError: The device did not become quiet within `PATIENCE`.
        """
        before = len(self.seen)
        await self.speak(text, snr_db=snr_db)
        await self.quiet()
        return self.seen[before:]

    async def speak(self, text: str, *, snr_db: float | None = None) -> None:
        """Somebody says something; returns when it has been said, whatever the device does."""
        await self._clock.sleep(_REST)
        ends = self.microphone.say(render(self._person, text), snr_db=snr_db)
        await self._clock.sleep(ends - self._clock.monotonic())

    async def quiet(self) -> None:
        """Wait until the device neither thinks nor speaks, and has had time to notice the end of speech."""
        async with asyncio.timeout(PATIENCE):
            speech = self.brain.config.speech
            await self._clock.sleep(speech.trailing_silence + 0.3)
            if self.assistant.attending:  # what was said lacks something, and more might follow
                await self._clock.sleep(max(speech.unfinished_silence - speech.trailing_silence, 0.0))
            await self._tick()
            while self.assistant.phase in (Phase.THINKING, Phase.SPEAKING):
                await self._tick()

    async def sounding(self, seconds: float) -> None:
        """Wait until the device has been speaking or ringing for so long."""
        async with asyncio.timeout(PATIENCE):
            while not (self.mixer.playing("speech") or self.mixer.playing("alarm")):
                await self._tick()
        await self._clock.sleep(seconds)

    async def idle(self) -> None:
        """Wait until the follow-up window has closed."""
        async with asyncio.timeout(PATIENCE):
            while self.assistant.phase is not Phase.IDLE:
                await self._tick()

    async def _tick(self) -> None:
        """Let a little time pass; what broke the device is raised here."""
        if self._running.done():
            self._running.result()
        await self._clock.sleep(0.05)


@asynccontextmanager
async def furnished(
    brain: Brain,
    stt: Renewable[SttEngine],
    tts: Renewable[TtsEngine],
    person: TtsEngine,
    *,
    listener: Listener | None = None,
    observe: Callable[[Observation], None] = lambda _: None,
    echo: float = 0.0,
    noise_dbfs: float = -60.0,
    seed: int = 0,
) -> AsyncIterator[Room]:
    """Set a device up in a room and take it down again.

    Args:
        brain: Built on the virtual clock.
        stt: Its ears' engine.
        tts: Its voice.
        person: The voice of whoever speaks to it.
        listener: Its ears; the configured ones by default.
        observe: Told what happens.
        echo: Gain from its speaker to its microphone.
        noise_dbfs: RMS of the room's noise, relative to full scale.
        seed: Of the noise.
    """
    clock = brain.clock
    seen: list[Observation] = []

    def both(observation: Observation) -> None:
        seen.append(observation)
        observe(observation)

    speaker = SimulatedSpeaker(clock)
    microphone = SimulatedMicrophone(clock, seed=seed, noise_dbfs=noise_dbfs, speaker=speaker)
    if echo:
        microphone.echo(echo, 0.02)
    edge = EdgeLoop(brain, microphone, speaker, stt, tts, both, listener)
    edge.open()
    tasks = [asyncio.create_task(edge.run()), asyncio.create_task(edge.watch())]
    await clock.sleep(0)  # lets them begin
    await clock.sleep(0)
    try:
        yield Room(brain, edge.assistant, microphone, speaker, edge.mixer, person, seen, tasks[0])
    finally:
        edge.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def turns(seen: list[Observation]) -> list[TurnDone]:
    """The turns among some observations."""
    return [o for o in seen if isinstance(o, TurnDone)]


def phases(seen: list[Observation]) -> list[Phase]:
    """The phases among some observations."""
    return [o.phase for o in seen if isinstance(o, PhaseChanged)]
