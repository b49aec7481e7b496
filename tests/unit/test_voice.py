"""The mouth: sentences reach the mixer as they are rendered, and an engine that hangs is made anew."""

from collections.abc import Iterator

import numpy as np
import pytest

from device.audio.mixer import Mixer
from device.audio.playback import Playback
from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.audio.volume import DeviceVolume
from device.errors import EngineFailed, EngineHung
from device.speech.ports import TtsCapabilities, TtsEngine
from device.speech.renewable import Renewable
from device.voice import SENTENCE_DEADLINE, Voice
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.clock import VirtualClock, run
from firmware_sim.sound.engines import ToneLanguage, ToneTts
from firmware_sim.sound.speaker import SimulatedSpeaker

TWO = "The kitchen light is on. Anything else?"


class Breaks:
    """A voice that breaks after its first sentence."""

    name = "breaks"
    capabilities = TtsCapabilities("en", ("one",))

    def synthesize(self, text: str) -> Iterator[Pcm]:
        yield np.full(SAMPLE_RATE, 1000, np.int16)
        raise EngineFailed("it broke")


class Studio:
    """A voice with its mixer and a speaker that pulls."""

    def __init__(self, clock: VirtualClock, tts: TtsEngine | None = None) -> None:
        self.seconds = 0.0
        self.made = 0
        self.clock = clock
        self._tts = tts or ToneTts(ToneLanguage())
        self.mixer = Mixer(clock, DeviceVolume(100))
        self.workers = InlineWorkers(clock, lambda _: self.seconds)
        self.voice = Voice(Renewable(self._make), self.mixer, self.workers)
        self.speaker = SimulatedSpeaker(clock)
        self.speaker.start(self.mixer.pull)

    def _make(self) -> TtsEngine:
        self.made += 1
        return self._tts

    async def say(self, text: str) -> tuple[Playback, str]:
        playback = self.voice.begin()
        await self.voice.speak(text, playback)
        return playback, await playback.wait()


def test_the_first_sentence_sounds_before_the_last_is_rendered() -> None:
    async def main(clock: VirtualClock) -> None:
        studio = Studio(clock)
        studio.seconds = 0.5
        playback, ending = await studio.say(TWO)
        assert ending == "finished"
        assert playback.started_at is not None
        first, last = [call.at + call.seconds for call in studio.workers.calls][1:3]
        assert first <= playback.started_at < last + FRAME / SAMPLE_RATE

    run(main, limit=60)


def test_a_stopped_reply_is_rendered_no_further() -> None:
    async def main(clock: VirtualClock) -> None:
        studio = Studio(clock)
        studio.seconds = 0.1
        playback = studio.voice.begin()
        clock.call_at(clock.monotonic() + 0.25, playback.stop)
        await studio.voice.speak("One two. " * 20, playback)
        assert len(studio.workers.calls) <= 4
        assert await playback.wait() == "stopped"

    run(main, limit=60)


def test_what_was_said_before_it_broke_is_heard() -> None:
    async def main(clock: VirtualClock) -> None:
        studio = Studio(clock, Breaks())
        playback = studio.voice.begin()
        with pytest.raises(EngineFailed, match="it broke"):
            await studio.voice.speak(TWO, playback)
        assert await playback.wait() == "finished", "the turn goes on"
        assert playback.position == SAMPLE_RATE
        assert studio.made == 1, "an engine that only failed is kept"

    run(main, limit=60)


def test_a_hung_voice_misses_its_deadline_and_is_made_anew() -> None:
    async def main(clock: VirtualClock) -> None:
        studio = Studio(clock)
        studio.seconds = 1000.0
        playback = studio.voice.begin()
        with pytest.raises(EngineHung):
            await studio.voice.speak(TWO, playback)
        assert clock.monotonic() == pytest.approx(SENTENCE_DEADLINE)
        assert await playback.wait() == "finished"
        studio.seconds = 0.0
        assert (await studio.say(TWO))[1] == "finished"
        assert studio.made == 2

    run(main, limit=60)


def test_nothing_to_say_is_over_at_once() -> None:
    async def main(clock: VirtualClock) -> None:
        playback, ending = await Studio(clock).say("...")
        assert ending == "finished"
        assert playback.position == 0

    run(main, limit=60)


# ------------------------------------------------------------------ renewable


def test_an_engine_is_made_at_once_kept_and_made_anew_only_when_lost() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    engine = Renewable(make)
    assert len(made) == 1
    assert engine.take() is engine.take() is made[0]
    engine.lose()
    engine.lose()
    assert len(made) == 1, "it is made by who needs it, in the worker"
    assert engine.take() is engine.take() is made[1]


def test_a_call_that_is_lost_while_it_makes_the_engine_keeps_it_for_itself() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        if len(made) == 2:
            engine.lose()  # the deadline passes while the second engine is loaded
        return made[-1]

    engine = Renewable(make)
    engine.lose()
    assert engine.take() is made[1]
    assert engine.take() is made[2], "the lost thread may still use the second engine"


def test_an_engine_that_cannot_be_made_is_an_error_at_the_start() -> None:
    def make() -> object:
        raise EngineFailed("no model")

    with pytest.raises(EngineFailed):
        Renewable(make)
