"""What ships, in a simulated room with real engines: a person (Piper) speaks, the device hears and answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from device.app import build_brain
from device.audio.ports import SAMPLE_RATE
from device.config import Config
from device.errors import EngineMissing
from device.events import Interrupted, Rang, SoundBegan, TurnDone
from device.nlu.text import spoken
from device.speech.ports import SttEngine, TtsEngine
from device.speech.renewable import Renewable
from device.speech.stt_moonshine import MoonshineStt
from device.speech.tts_espeak import EspeakTts
from device.speech.tts_piper import PiperTts
from device.turns import Phase
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.clock import run
from firmware_sim.room import Room, furnished, turns

pytestmark = pytest.mark.engines

FRIDAY = datetime(2027, 3, 5, 18, 30, tzinfo=ZoneInfo("Europe/Berlin"))


@dataclass(frozen=True)
class Engines:
    """Loaded once for all scenarios."""

    ears: SttEngine
    voice: TtsEngine
    person: TtsEngine


@pytest.fixture(scope="module")
def engines() -> Engines:
    try:
        return Engines(MoonshineStt(threads=1), EspeakTts(), PiperTts(threads=1, variation=0))
    except EngineMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def play(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    """Play a scenario in a room in which the device faintly hears its own loudspeaker."""

    def play(scenario: Callable[[Room], Awaitable[None]], *, echo: float = 0.05, noise_dbfs: float = -60) -> None:
        async def main(clock: object) -> None:
            home: Path = tmp_path_factory.getbasetemp() / "room"
            brain = build_brain(Config(), home, clock, InlineWorkers(clock), Random(0))  # type: ignore[arg-type]
            ears, voice = Renewable(lambda: engines.ears), Renewable(lambda: engines.voice)
            async with furnished(brain, ears, voice, engines.person, echo=echo, noise_dbfs=noise_dbfs) as room:
                await scenario(room)
                await room.quiet()  # raises what broke the device
            brain.database.close()
            (home / "homebody.db").unlink()  # the compiled grammar and the pronunciations stay for the next scenario

        run(main, FRIDAY, limit=900)

    return play


def light(room: Room, name: str) -> bool:
    return bool(room.brain.services.house.state(f"light.{name}")["on"])


async def ask(room: Room, text: str) -> TurnDone:
    (turn,) = turns(await room.say(text))
    return turn


def audible(room: Room, since: float) -> float:
    """Seconds of sound that the speaker made since."""
    return sum(len(heard.pcm) for heard in room.speaker.heard if heard.at >= since) / SAMPLE_RATE


async def stop(room: Room) -> None:
    """Say "stop" without a wake word while the device sounds; a person who is not heard says it once more."""
    for _ in range(2):
        if room.assistant.phase is Phase.SPEAKING or room.brain.scheduler.ringing():
            await room.speak("Stop it!")
            await room.brain.clock.sleep(1.0)
    assert room.assistant.phase is Phase.IDLE
    since = room.brain.clock.monotonic()
    await room.brain.clock.sleep(3)
    assert audible(room, since) == 0


def test_a_command_then_another_without_the_wake_word(play: Callable[..., None]) -> None:
    async def scenario(room: Room) -> None:
        turn = await ask(room, "Hey Jarvis, turn on the kitchen light.")
        assert spoken(turn.turn.transcript) == "turn on the kitchen light"
        assert light(room, "kitchen")
        (sound,) = (seen for seen in room.seen if isinstance(seen, SoundBegan))
        assert sound.after_speech < 0.5, "a complete command is answered in the pause"
        await ask(room, "And in the bedroom?")
        assert light(room, "bedroom")
        await room.idle()
        assert not turns(await room.say("Turn on the hallway light.")), "the window is closed"
        assert not light(room, "hallway")

    play(scenario)


def test_it_asks_for_a_slot_and_a_correction_replaces_the_timer(play: Callable[..., None]) -> None:
    async def scenario(room: Room) -> None:
        assert (await ask(room, "Hey Jarvis, set a timer.")).turn.expects_answer
        await ask(room, "Ten minutes.")
        await ask(room, "No, fifteen minutes.")
        (timer,) = room.brain.scheduler.timers()
        assert timer.duration == timedelta(minutes=15)

    play(scenario)


def test_two_commands_in_one_breath(play: Callable[..., None]) -> None:
    async def scenario(room: Room) -> None:
        await ask(room, "Hey Jarvis, turn on the kitchen light and close the blinds.")
        assert light(room, "kitchen")
        assert room.brain.services.house.state("cover.living_room")["position"] == 0

    play(scenario)


def test_a_timer_rings_and_stop_ends_it(play: Callable[..., None]) -> None:
    async def scenario(room: Room) -> None:
        await ask(room, "Hey Jarvis, set a timer for thirty seconds.")
        await room.idle()
        clock = room.brain.clock
        due = room.brain.scheduler.next_due()
        assert due is not None
        await clock.sleep((due - clock.now()).total_seconds() + 2.0)
        assert [seen for seen in room.seen if isinstance(seen, Rang)]
        await stop(room)
        assert room.brain.scheduler.ringing() == []

    play(scenario)


@pytest.mark.parametrize("echo", [0.05, 0.2])
def test_the_wake_word_cuts_a_long_answer_short(play: Callable[..., None], echo: float) -> None:
    async def scenario(room: Room) -> None:
        await room.speak("Hey Jarvis, what can you do?")
        await room.sounding(2.0)
        assert room.assistant.phase is Phase.SPEAKING
        turn = await ask(room, "Hey Jarvis, turn on the kitchen light.")
        assert light(room, "kitchen")
        (cut,) = (seen.at for seen in room.seen if isinstance(seen, Interrupted))
        assert turn.at > cut
        between = room.speaker.between(cut + 0.1, round((turn.at - cut - 0.1) * SAMPLE_RATE))
        assert not np.any(between), "nothing of the old answer sounds"

    play(scenario, echo=echo)


def test_stop_is_heard_over_its_own_voice(play: Callable[..., None]) -> None:
    async def scenario(room: Room) -> None:
        await room.speak("Hey Jarvis, what can you do?")
        await room.sounding(2.0)
        await stop(room)
        assert [seen for seen in room.seen if isinstance(seen, Interrupted)]

    play(scenario)


def test_it_does_not_answer_itself(play: Callable[..., None]) -> None:
    async def scenario(room: Room) -> None:
        await ask(room, "Hey Jarvis, what can you do?")
        await room.idle()
        assert len(turns(room.seen)) == 1

    play(scenario, echo=0.2)


@pytest.mark.parametrize("snr_db", [20.0, 12.0])
def test_it_hears_over_noise(play: Callable[..., None], snr_db: float) -> None:
    async def scenario(room: Room) -> None:
        (turn,) = turns(await room.say("Hey Jarvis, turn on the kitchen light.", snr_db=snr_db))
        assert light(room, "kitchen"), turn.turn.transcript

    play(scenario, noise_dbfs=-40)


def test_nonsense_is_refused_and_nothing_is_done(play: Callable[..., None]) -> None:
    async def scenario(room: Room) -> None:
        turn = await ask(room, "Hey Jarvis, the purple elephants are dancing on the moon.")
        assert turn.turn.failed
        assert turn.turn.changes == ()
        assert turn.turn.reply
        assert [seen for seen in room.seen if isinstance(seen, SoundBegan)]

    play(scenario)


def test_talk_without_the_wake_word_is_nobodys_business(play: Callable[..., None]) -> None:
    async def scenario(room: Room) -> None:
        assert await room.say("Turn on the kitchen light. What time is it? Could you stop that, please?") == []

    play(scenario)


def test_good_night_sets_the_scene(play: Callable[..., None]) -> None:
    async def scenario(room: Room) -> None:
        await ask(room, "Hey Jarvis, good night.")
        assert room.brain.services.house.state("scene.good_night")["active"]
        assert light(room, "bedside")

    play(scenario)
