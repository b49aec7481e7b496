"""The edge loop in a simulated room in virtual time, with engines that speak and hear tones."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from msgspec.structs import replace

from device.app import Brain, build_brain
from device.audio.chimes import chime
from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.config import Config
from device.dialogue.completeness import Completeness
from device.errors import (
    AudioDeviceMissing,
    DeviceError,
    EngineFailed,
    EngineHung,
    MicrophoneStalled,
    SpeakerStalled,
    StorageError,
    Unexpected,
)
from device.events import Interrupted, PhaseChanged, Rang, SoundBegan, Trouble, TurnDone
from device.nlu.text import spoken
from device.nlu.types import OOS
from device.skills.api import Outcome, Request
from device.speech.listen import Listener
from device.speech.ports import SttEngine, TtsEngine
from device.speech.renewable import Renewable
from device.turns import Phase
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.clock import VirtualClock, run
from firmware_sim.room import Room, furnished, phases, turns
from firmware_sim.sound.engines import ToneLanguage, ToneStt, ToneTts, ToneVad, ToneWake

FRIDAY = datetime(2027, 3, 5, 18, 30, tzinfo=ZoneInfo("Europe/Berlin"))

Scenario = Callable[["Stage"], Awaitable[None]]


class Stage:
    """A room, and what a test may do to the device in it."""

    def __init__(self, room: Room, clock: VirtualClock, language: ToneLanguage) -> None:
        self.room = room
        self.clock = clock
        self.brain: Brain = room.brain
        self.slow: dict[str, float] = {}
        self.made: list[str] = []
        self._ears = ToneStt(language)

    async def ask(self, text: str) -> TurnDone:
        """Say it; the one turn that it led to."""
        (turn,) = turns(await self.room.say(text))
        return turn

    def heard(self, since: float = 0.0) -> str:
        """What the device has said since, as its own words read back from the speaker."""
        count = round((self.clock.monotonic() - since) * SAMPLE_RATE)
        pcm = self.room.speaker.between(since, max(count, 1))
        loud = np.flatnonzero(pcm)
        if not len(loud):
            return ""
        # The voice at the user's volume, brought back to the level at which it was spoken.
        gain = 8000 / max(int(np.abs(pcm.astype(np.int32)).max()), 1)
        return self._ears.decode((pcm * gain).astype(np.float32) / np.float32(32768), None).text

    def light(self, name: str) -> bool:
        return bool(self.brain.services.house.state(f"light.{name}")["on"])

    @property
    def troubles(self) -> list[DeviceError]:
        return [seen.error for seen in self.room.seen if isinstance(seen, Trouble)]


@pytest.fixture
def play(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    """Furnish a room, play a scenario in it, and see that the device is still alive at its end."""
    home = tmp_path_factory.mktemp("home")

    def play(
        scenario: Scenario, *, echo: float = 0.0, config: Config | None = None, broken_voice: bool = False
    ) -> None:
        run(lambda clock: _play(clock, home, scenario, echo, config or Config(), broken_voice), FRIDAY, limit=3600)

    return play


async def _play(
    clock: VirtualClock, home: Path, scenario: Scenario, echo: float, config: Config, broken_voice: bool
) -> None:
    language = ToneLanguage()
    stages: list[Stage] = []
    made: list[str] = []

    def seconds(worker: str) -> float:
        return stages[0].slow.get(worker, 0.0) if stages else 0.0

    def stt() -> SttEngine:
        made.append("stt")
        return ToneStt(language)

    def tts() -> TtsEngine:
        made.append("tts")
        return Mute(language) if broken_voice else ToneTts(language)

    brain = build_brain(config, home, clock, InlineWorkers(clock, seconds), Random(0))
    ears = Listener(ToneWake(), ToneVad())
    async with furnished(brain, Renewable(stt), Renewable(tts), ToneTts(language), listener=ears, echo=echo) as room:
        stage = Stage(room, clock, language)
        stage.made = made
        stages.append(stage)
        await scenario(stage)
        await room.quiet()  # raises what broke the device
    brain.database.close()


class Mute(ToneTts):
    """A voice that breaks at every sentence."""

    def render(self, sentence: str) -> tuple[Pcm, int]:
        raise EngineFailed("the voice broke")


# ------------------------------------------------------------------ a turn


def test_wake_command_reply_and_the_window_opens_only_after_the_last_sample(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        turn = await stage.ask("hey jarvis turn on the kitchen light")
        assert turn.turn.transcript == "turn on the kitchen light"
        assert stage.light("kitchen")
        assert phases(stage.room.seen) == [Phase.LISTENING, Phase.THINKING, Phase.SPEAKING, Phase.FOLLOW_UP]
        (window,) = (s.at for s in stage.room.seen if isinstance(s, PhaseChanged) and s.phase is Phase.FOLLOW_UP)
        last = stage.room.speaker.heard[-1]
        assert window >= last.at + len(last.pcm) / SAMPLE_RATE - FRAME / SAMPLE_RATE
        assert stage.heard() == spoken(turn.turn.reply)
        assert (await stage.ask("and in the bedroom")).turn.transcript == "and in the bedroom"
        assert stage.light("bedroom")
        await stage.room.idle()
        assert not turns(await stage.room.say("turn on the hallway light")), "the window is closed"

    play(scenario)


def test_without_a_wake_word_nothing_is_heard(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        assert await stage.room.say("turn on the kitchen light") == []
        assert not stage.light("kitchen")

    play(scenario)


@pytest.mark.parametrize("echo", [0.3, 3.0])
def test_its_own_voice_neither_answers_nor_interrupts_it(play: Callable[..., None], echo: float) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.ask("hey jarvis what can you do")
        await stage.room.idle()
        assert len(turns(stage.room.seen)) == 1
        assert not [s for s in stage.room.seen if isinstance(s, Interrupted)]

    play(scenario, echo=echo)


def test_the_button_works_like_the_wake_word(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        stage.room.assistant.press()
        await stage.ask("turn on the kitchen light")
        assert stage.light("kitchen")

    play(scenario)


def test_without_follow_up_the_wake_word_is_needed_each_time(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.ask("hey jarvis turn on the kitchen light")
        assert stage.room.assistant.phase is Phase.IDLE

    config = Config()
    play(scenario, config=replace(config, speech=replace(config.speech, follow_up=0)))


# ------------------------------------------------------------------ questions


def test_a_question_opens_the_ears_and_its_answer_completes_the_command(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        assert (await stage.ask("hey jarvis set a timer")).turn.expects_answer
        await stage.ask("ten minutes")
        (timer,) = stage.brain.scheduler.timers()
        assert timer.duration.total_seconds() == 600

    play(scenario)


def test_when_nobody_answers_the_question_is_dropped_with_a_chime(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.ask("hey jarvis set a timer")
        assert stage.brain.conversation.state.pending
        asked = stage.clock.monotonic()
        await stage.room.idle()
        await stage.clock.sleep(1.0)
        assert stage.brain.conversation.state.pending is None
        sounds = [h for h in stage.room.speaker.heard if h.at > asked]
        assert [len(h.pcm) // FRAME for h in sounds] == [-(-len(chime(n)) // FRAME) for n in ("start", "stop")]
        assert not turns(await stage.room.say("ten minutes"))

    play(scenario)


def test_talk_that_makes_no_sense_is_answered_after_the_wake_word_and_ignored_in_the_window(
    play: Callable[..., None],
) -> None:
    async def scenario(stage: Stage) -> None:
        asked = await stage.ask("hey jarvis purple elephants dance on seventeen bananas")
        assert asked.turn.failed
        assert not asked.ignored
        assert stage.heard()
        before = stage.clock.monotonic()
        room = await stage.ask("purple elephants dance on seventeen bananas")
        assert room.ignored
        assert stage.heard(before) == ""
        assert stage.room.assistant.phase is Phase.IDLE

    play(scenario)


# ------------------------------------------------------------------ barge-in and stop


@pytest.mark.parametrize("echo", [0.0, 0.05])
def test_the_wake_word_cuts_a_long_reply_off_for_good(play: Callable[..., None], echo: float) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.room.speak("hey jarvis what can you do")
        await stage.clock.sleep(1.4)
        assert stage.room.assistant.phase is Phase.SPEAKING
        begin = stage.clock.monotonic()
        turn = await stage.ask("hey jarvis turn on the kitchen light")
        assert turn.turn.transcript == "turn on the kitchen light"
        assert [s for s in stage.room.seen if isinstance(s, Interrupted)]
        (cut,) = (s.at for s in stage.room.seen if isinstance(s, Interrupted))
        assert begin < cut < begin + 1.5
        assert stage.heard(cut + 0.1) == spoken(turn.turn.reply), "nothing of the old turn sounds"
        assert stage.room.assistant.phase is Phase.FOLLOW_UP

    play(scenario, echo=echo)


@pytest.mark.parametrize("word", ["stop", "stop it", "flee stop"])
def test_stop_while_speaking_is_obeyed_without_a_wake_word(play: Callable[..., None], word: str) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.room.speak("hey jarvis what can you do")
        await stage.clock.sleep(1.15)
        await stage.room.speak(word)
        await stage.clock.sleep(1.0)
        assert stage.room.assistant.phase is Phase.IDLE
        quiet_since = stage.clock.monotonic()
        await stage.clock.sleep(5)
        assert stage.heard(quiet_since) == ""

    play(scenario)


def test_stop_is_obeyed_soon_after_it_was_said(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.room.speak("hey jarvis what can you do")
        await stage.clock.sleep(1.15)
        stage.slow["stt"] = 0.1
        await stage.room.speak("stop")
        await stage.clock.sleep(0.4)
        assert stage.room.assistant.phase is Phase.IDLE
        assert [call.worker for call in stage.brain.workers.calls].count("stt") == 2  # type: ignore[attr-defined]

    play(scenario)


@pytest.mark.parametrize("words", ["bananas", "when does the bus stop here"])
def test_other_words_while_speaking_change_nothing(play: Callable[..., None], words: str) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.room.speak("hey jarvis what can you do")
        await stage.clock.sleep(1.0)
        await stage.room.say(words)
        assert not [s for s in stage.room.seen if isinstance(s, Interrupted)]

    play(scenario)


# ------------------------------------------------------------------ bells


async def ring(stage: Stage, kind: str = "timer") -> None:
    """Set something and wait until it rings."""
    await stage.ask(f"hey jarvis set {'a timer' if kind == 'timer' else 'an alarm'} for one minute")
    await stage.clock.sleep(62)
    assert [s for s in stage.room.seen if isinstance(s, Rang)]


def words_of_the_ring(stage: Stage) -> str:
    (rang,) = (s for s in stage.room.seen if isinstance(s, Rang))
    return spoken(rang.words)


def test_stop_ends_what_rings(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await ring(stage)
        await stage.room.say("stop")
        since = stage.clock.monotonic()
        await stage.clock.sleep(10)
        assert stage.brain.scheduler.ringing() == []
        assert stage.heard(since) == ""
        assert not [h for h in stage.room.speaker.heard if h.at > since]

    play(scenario)


def test_it_rings_again_and_again_until_it_gives_up(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await ring(stage)
        await stage.clock.sleep(20)
        assert stage.heard().count(words_of_the_ring(stage)) >= 3
        await stage.clock.sleep(110)
        since = stage.clock.monotonic()
        await stage.clock.sleep(20)
        assert stage.heard(since) == ""
        assert stage.brain.scheduler.ringing() == []

    play(scenario)


def test_snooze_is_confirmed_and_rings_again(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await ring(stage)
        snoozed = turns(await stage.room.say("snooze"))[0]
        assert not snoozed.turn.failed
        assert "snooz" in stage.heard(snoozed.at) or "minutes" in stage.heard(snoozed.at)
        assert stage.brain.scheduler.snoozed()
        await stage.room.idle()
        await stage.clock.sleep(600)
        assert len([s for s in stage.room.seen if isinstance(s, Rang)]) == 2

    play(scenario)


def test_a_timer_waits_until_the_conversation_is_over(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.ask("hey jarvis set a timer for ten seconds")
        await stage.room.idle()
        due = stage.brain.scheduler.next_due()
        assert due is not None
        await stage.clock.sleep((due - stage.clock.now()).total_seconds() - 1.5)
        await stage.room.speak("hey jarvis what can you do")
        await stage.clock.sleep(1.0)
        assert [s for s in stage.room.seen if isinstance(s, Rang)], "it is due now"
        await stage.room.quiet()
        assert words_of_the_ring(stage) not in stage.heard()
        await stage.room.idle()
        await stage.clock.sleep(6)
        assert words_of_the_ring(stage) in stage.heard()

    play(scenario)


def test_a_wake_word_hushes_the_bell_and_the_command_may_stop_it(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await ring(stage)
        await stage.ask("hey jarvis stop")
        await stage.room.idle()
        assert stage.brain.scheduler.ringing() == []

    play(scenario)


def test_a_bell_that_cannot_be_written_off_is_silent_all_the_same(
    play: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(stage: Stage) -> None:
        await ring(stage)

        stage.brain.database.query("PRAGMA query_only=ON")
        await stage.room.say("stop")
        since = stage.clock.monotonic()
        await stage.clock.sleep(10)
        assert not [h for h in stage.room.speaker.heard if h.at > since]
        assert isinstance(stage.troubles[-1], StorageError)

    play(scenario)


def test_a_bell_rings_without_words_where_the_voice_is_broken(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        stage.brain.scheduler.add("alarm", stage.clock.now().replace(minute=31))
        stage.room.assistant._parts.bell.changed()
        await stage.clock.sleep(70)
        bells = [h for h in stage.room.speaker.heard if len(h.pcm) > SAMPLE_RATE / 2]
        assert len(bells) >= 3
        assert all(isinstance(error, EngineFailed) for error in stage.troubles)

    play(scenario, broken_voice=True)


# ------------------------------------------------------------------ the switch, ducking, volume


def test_the_switch_makes_it_deaf_until_it_is_moved_back(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        stage.room.assistant.mute(True)
        assert await stage.room.say("hey jarvis turn on the kitchen light") == []
        stage.room.assistant.mute(False)
        await stage.ask("hey jarvis turn on the kitchen light")
        assert stage.light("kitchen")

    play(scenario)


def test_music_is_ducked_while_it_listens_and_the_volume_that_is_asked_for_stays(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        music = stage.room.mixer.play(np.full(120 * SAMPLE_RATE, 200, np.int16), kind="media")
        assert not stage.room.mixer.ducked
        await stage.room.speak("hey jarvis set the volume to fifty")
        assert stage.room.mixer.ducked
        await stage.room.quiet()
        await stage.room.idle()
        assert stage.brain.volume.level() == 50
        assert not stage.room.mixer.ducked
        await stage.clock.sleep(1)
        level = stage.room.speaker.between(stage.clock.monotonic() - 0.1, 100).max()
        assert level == round(200 * stage.brain.volume.gain("media"))
        music.stop()

    play(scenario)


# ------------------------------------------------------------------ decoding in the pause


def test_a_complete_command_is_answered_in_the_pause_and_an_incomplete_one_waits(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.ask("hey jarvis turn on the kitchen light")
        await stage.ask("hey jarvis set a timer")
        await stage.ask("hey jarvis what time is it")
        whole, lacking, further = (s.after_speech for s in stage.room.seen if isinstance(s, SoundBegan))
        assert whole < 0.35
        assert lacking > 0.7
        assert 0.4 < further < 0.5, "it might have gone on: in tokyo"

    play(scenario)


@pytest.mark.parametrize("decoding", [0.0, 0.9])
def test_who_thinks_in_the_middle_of_a_command_is_waited_for(play: Callable[..., None], decoding: float) -> None:
    async def scenario(stage: Stage) -> None:
        stage.slow["stt"] = decoding
        await stage.room.speak("hey jarvis set a timer for")
        await stage.clock.sleep(0.7)  # and `speak` takes a moment before it speaks
        await stage.room.speak("ten minutes")
        await stage.clock.sleep(decoding)
        await stage.room.quiet()
        (turn,) = turns(stage.room.seen)
        assert turn.turn.transcript == "set a timer for ten minutes"

    play(scenario)


def test_of_many_pauses_at_most_one_waits_to_be_decoded(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        stage.slow["stt"] = 2.0
        stage.room.assistant.press()
        for word in ("turn", "on", "the", "kitchen", "light"):
            await stage.room.speak(word)  # after a pause
        await stage.clock.sleep(5)
        await stage.room.quiet()
        (turn,) = turns(stage.room.seen)
        assert turn.turn.transcript == "turn on the kitchen light"
        assert [call.worker for call in stage.brain.workers.calls].count("stt") == 3  # type: ignore[attr-defined]

    play(scenario)


def test_what_is_surely_nothing_is_no_whole_command(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        conversation = stage.brain.conversation
        long = " and ".join(["turn on the kitchen light", "close the blinds"] * 5)
        (reading,) = conversation.interpret(long)
        assert (reading.intent, reading.confidence) == (OOS, 1.0)
        assert await conversation.completeness(long) is Completeness.UNKNOWN

    play(scenario)


def test_the_transcript_of_the_pause_is_used_when_speech_had_ended(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        stage.slow["stt"] = 0.3
        await stage.ask("hey jarvis set a timer")
        assert [call.worker for call in stage.brain.workers.calls].count("stt") == 1  # type: ignore[attr-defined]
        (sound,) = (s for s in stage.room.seen if isinstance(s, SoundBegan))
        assert sound.latency < 0.1, "decoding was over when the end of speech was known"

    play(scenario)


def test_the_transcript_of_the_pause_is_dropped_when_the_person_goes_on(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.room.speak("hey jarvis set a timer")
        await stage.room.speak("for ten minutes")  # after a pause shorter than the one that ends a command
        await stage.room.quiet()
        (turn,) = turns(stage.room.seen)
        assert turn.turn.transcript == "set a timer for ten minutes"

    play(scenario)


def test_no_start_chime_in_a_pause_of_the_command(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.room.speak("hey jarvis remind me")  # and pauses when the chime would come
        await stage.room.speak("to call the dentist at nine tomorrow")
        assert stage.room.speaker.heard == ()

    play(scenario)


def test_the_start_chime_is_for_those_who_wait_for_it(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.room.speak("hey jarvis turn on the kitchen light")
        assert stage.room.speaker.heard == (), "no chime over the command"
        await stage.room.quiet()
        await stage.room.idle()
        before = len(stage.room.speaker.heard)
        await stage.room.speak("hey jarvis")
        await stage.clock.sleep(0.8)
        assert len(stage.room.speaker.heard) == before + 1
        await stage.ask("turn off the kitchen light")
        assert not stage.light("kitchen")

    play(scenario)


# ------------------------------------------------------------------ what breaks


def test_a_hung_recognizer_is_apologized_for_and_made_anew(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        stage.slow["stt"] = 1000.0
        await stage.room.speak("hey jarvis turn on the kitchen light")
        await stage.clock.sleep(20)
        stage.slow["stt"] = 0.0
        await stage.room.quiet()
        assert any(isinstance(error, EngineHung) for error in stage.troubles)
        assert "say it again" in stage.heard()
        assert not stage.light("kitchen")
        await stage.ask("hey jarvis turn on the kitchen light")
        assert stage.light("kitchen")
        assert stage.made.count("stt") == 2, "the lost thread may still use the first engine"

    play(scenario)


def test_a_hung_voice_ends_the_turn_and_is_made_anew(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        stage.slow["tts"] = 1000.0
        await stage.room.speak("hey jarvis turn on the kitchen light")
        await stage.clock.sleep(15)
        stage.slow["tts"] = 0.0
        assert stage.room.assistant.phase in (Phase.FOLLOW_UP, Phase.IDLE)
        turn = await stage.ask("hey jarvis turn on the bedroom light")
        assert stage.heard(turn.at) == spoken(turn.turn.reply)
        assert stage.made.count("tts") == 2

    play(scenario)


def test_a_broken_voice_ends_the_turn_with_a_chime(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.ask("hey jarvis turn on the kitchen light")
        assert stage.room.assistant.phase is Phase.FOLLOW_UP
        assert [type(error) for error in stage.troubles] == [EngineFailed]
        await stage.clock.sleep(1)
        assert len(stage.room.speaker.heard) == 1

    play(scenario, broken_voice=True)


def test_a_defect_in_a_skill_is_reported_and_the_device_goes_on(play: Callable[..., None]) -> None:
    class Broken:
        name = "joke"

        async def handle(self, request: Request) -> Outcome:
            raise ZeroDivisionError("a bug")

    async def scenario(stage: Stage) -> None:
        stage.brain.conversation._skills["joke"] = Broken()  # type: ignore[index]
        await stage.room.say("hey jarvis tell me a joke")
        (trouble,) = stage.troubles
        assert isinstance(trouble, Unexpected)
        assert isinstance(trouble.__cause__, ZeroDivisionError)
        assert "something went wrong" in stage.heard()
        await stage.ask("hey jarvis turn on the kitchen light")
        assert stage.light("kitchen")

    play(scenario)


def test_a_defect_in_the_ears_is_reported_and_they_go_on(
    play: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(stage: Stage) -> None:
        def broken(self: Listener, frame: Pcm) -> list[object]:
            raise RuntimeError("native code")

        with monkeypatch.context() as patch:
            patch.setattr(Listener, "feed", broken)
            await stage.clock.sleep(3)
        assert len(stage.troubles) == 1, "a lasting defect is reported once"
        assert stage.room.assistant.deaf
        await stage.clock.sleep(3)
        assert not stage.room.assistant.deaf
        await stage.ask("hey jarvis turn on the kitchen light")
        assert stage.light("kitchen")

    play(scenario)


def test_a_microphone_unplugged_in_a_command_is_said_and_comes_back(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.room.speak("hey jarvis turn on")
        stage.room.microphone.unplug()
        await stage.clock.sleep(8)
        assert isinstance(stage.troubles[0], MicrophoneStalled)
        assert "i lost the microphone" in stage.heard()
        assert stage.room.assistant.phase is Phase.IDLE
        stage.room.assistant.press()
        assert stage.room.assistant.phase is Phase.IDLE, "without ears a command can't be taken"
        stage.room.microphone.plug()
        await stage.clock.sleep(40)
        await stage.ask("hey jarvis turn on the kitchen light")
        assert stage.light("kitchen")

    play(scenario)


def test_an_alarm_rings_although_the_microphone_died_in_a_conversation(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        await stage.ask("hey jarvis set a timer for one minute")
        await stage.room.speak("hey jarvis what can you do")
        await stage.clock.sleep(1)
        assert stage.room.assistant.phase is Phase.SPEAKING
        stage.room.microphone.unplug()
        await stage.clock.sleep(70)
        assert words_of_the_ring(stage) in stage.heard()

    play(scenario)


def test_an_unplugged_speaker_does_not_hold_the_turn(play: Callable[..., None]) -> None:
    async def scenario(stage: Stage) -> None:
        stage.room.speaker.unplug()
        await stage.room.speak("hey jarvis turn on the kitchen light")
        await stage.clock.sleep(15)
        assert stage.room.assistant.phase is Phase.IDLE
        assert [type(error) for error in stage.troubles] == [SpeakerStalled, AudioDeviceMissing]

    play(scenario)
