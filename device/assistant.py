"""The edge loop: carries out what the turn machine decides, on one asyncio loop that owns all state.

Microphone frames go through echo cancellation and the ears in the audio worker; transcription and synthesis run
in workers of their own. A turn is one task: a barge-in cancels it, and what still comes back from it is of an old
turn and changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal, TypeVarTuple

from device import turns
from device.audio.chimes import ChimeName, chime
from device.audio.mixer import Mixer
from device.audio.playback import Ending, Playback
from device.audio.ports import SAMPLE_RATE, Pcm
from device.audio.ring import Ring
from device.bell import Bell
from device.clock import Clock
from device.dialogue.completeness import Completeness
from device.dialogue.conversation import Conversation
from device.errors import AudioDeviceMissing, DeviceError, EngineHung, Unexpected, reportable
from device.events import Interrupted, Observation, PhaseChanged, SoundBegan, Trouble, TurnDone
from device.hearing import Hearing
from device.lights import Lights, pattern
from device.speech.bias.sentences import Sentences
from device.speech.listen import ListenEvent, NoSpeech, SpeechPaused, SpeechStarted, Utterance, WakeWord
from device.speech.ports import SttEngine, Transcript
from device.speech.renewable import Renewable
from device.turns import Ears, Effect, Event, Phase, TurnState, advance, ignores_failure
from device.voice import Voice
from device.workers import Workers

Ts = TypeVarTuple("Ts")

_log = logging.getLogger(__name__)

STT_DEADLINE: Final = 15.0
"""Seconds after which a transcription counts as hung."""

CHIME_AFTER: Final = 0.3
"""Seconds to wait before the start chime: whoever speaks on in one breath with the wake word needs none."""

STOP_PAUSE: Final = 0.25
"""Seconds of silence that prove that "stop" was all that was said."""

SPEAKER_DEADLINE: Final = 5.0
"""Seconds after which a sound that should be over counts as never played: the speaker takes nothing."""

EARS_REST: Final = 1.0
"""Seconds for which the ears rest after they broke, so that a lasting defect is not tried thirty times a second."""

_NO_STAGES: Final[Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript and the seconds that decoding took."""

    transcript: Transcript
    seconds: float


@dataclass(frozen=True, slots=True)
class Parts:
    """What the assistant is made of; `app` builds them.

    `pauses` says how many seconds of silence are the end of a command, by what was said until then.
    """

    clock: Clock
    workers: Workers
    ring: Ring
    hearing: Hearing
    stt: Renewable[SttEngine]
    voice: Voice
    mixer: Mixer
    conversation: Conversation
    bell: Bell
    lights: Lights
    pauses: Mapping[Completeness, float]
    chimes: bool = True
    follow_up: bool = True


class Assistant:
    """One device's edge loop.

    Args:
        parts: Everything it uses.
        observe: Told what happens; must return quickly.
    """

    def __init__(self, parts: Parts, observe: Callable[[Observation], None] = lambda _: None) -> None:
        self._parts = parts
        self._observe = observe
        self._state = TurnState(follow_up=parts.follow_up)
        self._listen_from: int | None = None
        self._ducked = ExitStack()
        self._turn: asyncio.Task[None] | None = None
        self._speech: Playback | None = None
        self._guess: tuple[int, asyncio.Task[Heard]] | None = None
        self._last_word = 0
        self._ended_at = self._spoke_at = 0.0
        self._tasks: asyncio.TaskGroup | None = None
        self._shown = pattern(self._state)
        parts.lights.show(self._shown)

    @property
    def phase(self) -> Phase:
        """What it is doing."""
        return self._state.phase

    @property
    def closed(self) -> bool:
        """Whether it doesn't listen because somebody wants that."""
        return self._state.closed

    @property
    def deaf(self) -> bool:
        """Whether it can't hear, although it should."""
        return self._state.deaf and not self._state.closed

    @property
    def attending(self) -> bool:
        """Whether somebody is in the middle of a command, pauses included."""
        return self._state.phase is Phase.LISTENING and self._parts.hearing.begun

    async def run(self) -> None:
        """Listen and answer until cancelled.

        The microphone must have been started into the ring, and the speaker onto the mixer.
        """
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self._parts.bell.run(self._bell_changed, self._quiet))
            try:
                await self._listen()
            finally:
                self._ducked.close()

    def press(self) -> None:
        """The talk button."""
        self._post(turns.Woken("button"))

    def type(self, text: str) -> None:
        """A command as text; it is answered aloud like a spoken one."""
        self._ended_at = self._spoke_at = self._parts.clock.monotonic()
        self._post(turns.Typed(text))

    def mute(self, on: bool) -> None:
        """Microphone off or on, as software wants it."""
        self._post(turns.Muted(on))

    def switch(self, off: bool) -> None:
        """The mute switch on the case, which wins."""
        self._post(turns.SwitchMoved(off))

    def lost_microphone(self, error: DeviceError) -> None:
        """No samples come, or the ears broke: what was being collected can't be finished."""
        self._report(error)
        self._ended_at = self._spoke_at = self._parts.clock.monotonic()
        self._post(turns.MicrophoneLost(error.spoken))

    def found_microphone(self) -> None:
        """Samples come again, and are heard."""
        self._post(turns.MicrophoneFound())

    # Ears ------------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Hear for ever. Ears that broke are a microphone that is lost, until they hear again."""
        broken = False
        while True:
            frame = await self._parts.ring.read()
            try:
                await self._hear(frame)
            except Exception as error:  # whatever broke, the device goes on
                if not broken:
                    self.lost_microphone(reportable(error))
                broken = True
                await self._parts.clock.sleep(EARS_REST)
                continue
            if broken:
                self.found_microphone()
            broken = False

    async def _hear(self, frame: Pcm) -> None:
        """One frame through echo cancellation, wake word, voice activity and endpoint."""
        for event in await self._parts.workers.run("audio", self._parts.hearing.feed, frame):
            self._heard(event)

    def _heard(self, event: ListenEvent) -> None:
        match event:
            case WakeWord(phrase, _, listen_from):
                self._listen_from = listen_from
                self._post(turns.Woken(phrase))
            case SpeechStarted():
                self._post(turns.SpeechBegan())
            case SpeechPaused() if event.mode == "interrupt" or self._state.phase is Phase.LISTENING:
                self._start(self._speculate, event)
            case Utterance(mode="interrupt"):
                self._start(self._interruption, event)
            case Utterance():
                self._end(event.ended, event.pcm)
            case NoSpeech():
                self._post(turns.NothingHeard())

    async def _speculate(self, pause: SpeechPaused) -> None:
        """In a pause: decode what was said so far; that tells how long this pause has to last to be the end."""
        if self._guess:
            self._guess[1].cancel()  # the person went on: what is still queued need not be decoded
        command = pause.mode != "interrupt"
        transcription = asyncio.create_task(self._transcribe(pause.pcm, bias=command))
        self._guess = (pause.at, transcription)
        pauses, conversation = self._parts.pauses, self._parts.conversation
        if command:  # a slow board knows it late, and could not answer before
            self._parts.hearing.hold(pause.at, pauses[Completeness.PART])
        seconds = pauses[Completeness.UNKNOWN]
        try:
            transcript = (await transcription).transcript
            if command:
                seconds = pauses[await conversation.completeness(transcript)]
            elif await conversation.interruption(transcript.text):
                seconds = STOP_PAUSE
        except DeviceError:
            pass  # reported when the utterance itself is decoded
        self._parts.hearing.hold(pause.at, seconds)

    def _end(self, ended: int, pcm: Pcm) -> None:
        """A command ended at sample `ended`."""
        self._time_end(ended)
        self._post(turns.Heard(pcm))

    async def _interruption(self, said: Utterance) -> None:
        """Short words over the device's own sound: only "stop" and its like count, and "snooze" for a bell."""
        heard = await (self._begun(said.ended) or self._transcribe(said.pcm, bias=False))
        word = await self._parts.conversation.interruption(heard.transcript.text)
        if word:
            self._interrupt(word, said.ended)

    def _interrupt(self, word: Literal["stop", "snooze"], ended: int) -> None:
        """A word that needs no wake word was said until sample `ended`."""
        if word == "stop":
            self._post(turns.StopHeard())
        else:
            self._time_end(ended)
            self._post(turns.SnoozeHeard())

    def _time_end(self, ended: int) -> None:
        """Note when speech ended, which was at sample `ended`, and when that was known, which is now."""
        self._last_word = ended
        self._ended_at = self._parts.clock.monotonic()
        self._spoke_at = self._ended_at - (self._parts.hearing.position - ended) / SAMPLE_RATE

    def _begun(self, ended: int) -> asyncio.Task[Heard] | None:
        """The transcription that was begun in the pause at sample `ended`, if that is what the speech ended with."""
        guess, self._guess = self._guess, None
        return guess[1] if guess and guess[0] == ended else None

    async def _transcribe(self, pcm: Pcm, *, bias: bool = True) -> Heard:
        began = self._parts.clock.monotonic()
        try:
            sentences = self._parts.conversation.sentences() if bias else None
            transcript = await self._parts.workers.run("stt", self._decode, pcm, sentences, deadline=STT_DEADLINE)
        except EngineHung:
            self._parts.stt.lose()
            raise
        return Heard(transcript, self._parts.clock.monotonic() - began)

    def _decode(self, pcm: Pcm, bias: Sentences | None) -> Transcript:
        """In the STT worker."""
        stt = self._parts.stt.take()
        stt.start(bias)
        stt.feed(pcm)
        return stt.finish()

    # Machine ---------------------------------------------------------------------------------------------------

    def _post(self, event: Event) -> None:
        """Advance the machine and carry its effects out, in order."""
        before = self._state.phase
        self._state, effects = advance(self._state, event)
        if self._state.phase is not before:
            self._observe(PhaseChanged(self._state.phase, self._parts.clock.monotonic()))
        if (shown := pattern(self._state)) is not self._shown:
            self._shown = shown
            self._parts.lights.show(shown)
        for effect in effects:
            self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case turns.Listen(ears):
                since = self._listen_from if ears is Ears.COMMAND else None
                self._listen_from = None
                self._parts.hearing.listen(ears.value, since)
            case turns.Chime(name):
                if self._parts.chimes:
                    self._start(self._chime, name, self._state.turn)
            case turns.Duck(on):
                self._ducked.close()
                if on:
                    self._ducked.enter_context(self._parts.mixer.duck())
                    self._parts.bell.hush()
            case turns.Think(turn, pcm):
                self._turn = self._start(self._think, turn, pcm)
            case turns.Act(turn, text):
                self._turn = self._start(self._act, turn, text)
            case turns.Speak(turn, text):
                self._turn = self._start(self._speak, turn, text)
            case turns.Silence():
                self._silence()
            case turns.StopRinging():
                self._parts.bell.stop()
            case turns.DropQuestion():
                self._parts.conversation.drop()

    async def _chime(self, name: ChimeName, turn: int) -> None:
        if name == "start":
            await self._parts.clock.sleep(CHIME_AFTER)
            waiting = self._state.turn == turn and self._state.phase in (Phase.LISTENING, Phase.FOLLOW_UP)
            if self._parts.hearing.begun or not waiting:
                return
        self._parts.mixer.play(chime(name), kind="chime")

    def _start(self, work: Callable[[*Ts], Coroutine[Any, Any, None]], *args: *Ts) -> asyncio.Task[None]:
        assert self._tasks is not None
        return self._tasks.create_task(self._guarded(work, *args))

    async def _guarded(self, work: Callable[[*Ts], Coroutine[Any, Any, None]], *args: *Ts) -> None:
        """What breaks ends its own task, not the device."""
        try:
            await work(*args)
        except Exception as error:
            self._report(error)

    def _silence(self) -> None:
        """Nothing of the old turn may sound or happen any more."""
        if self._speech:
            self._speech.stop()
        if self._turn and self._turn is not asyncio.current_task():
            self._turn.cancel()
        self._observe(Interrupted(self._parts.clock.monotonic()))

    async def _think(self, turn: int, pcm: Pcm) -> None:
        """Transcribe, then act."""
        pause = self._ended_at - self._spoke_at
        try:
            heard = await (self._begun(self._last_word) or self._transcribe(pcm))
        except Exception as error:
            return self._apologize(turn, error)
        # Decoding begins in the pause, so that these stages overlap.
        stages = {"speech": 1000 * len(pcm) / SAMPLE_RATE, "endpoint": 1000 * pause, "stt": 1000 * heard.seconds}
        await self._act(turn, heard.transcript, stages)

    async def _act(self, turn: int, said: str | Transcript, stages: Mapping[str, float] = _NO_STAGES) -> None:
        """Understand and do it."""
        try:
            done = await self._parts.conversation.turn(said)
        except Exception as error:  # a defect in a skill ends the turn with a sentence
            self._parts.conversation.drop()
            return self._apologize(turn, error)
        done = replace(done, timeline_ms={**stages, **done.timeline_ms})
        ignored = done.failed and ignores_failure(self._state)
        self._observe(TurnDone(done, self._parts.clock.monotonic(), ignored))
        self._parts.bell.changed()
        self._post(turns.Answered(turn, done.reply, done.expects_answer, done.failed))

    def _apologize(self, turn: int, error: Exception) -> None:
        self._post(turns.Answered(turn, self._report(error).spoken, failed=True))

    async def _speak(self, turn: int, text: str) -> None:
        """Speak a reply; only when its last sample has left the speaker does the turn go on."""
        self._speech = playback = self._parts.voice.begin()
        self._start(self._time_first_sound, playback, self._ended_at, self._spoke_at)
        try:
            await self._parts.voice.speak(text, playback)
        except Exception as error:
            self._report(error)
            if self._parts.chimes and not playback.position and not playback.buffered:
                self._parts.mixer.play(chime("error"), kind="chime")  # at least the attempt is heard
        if await self._ended(playback) == "finished":
            self._post(turns.PlaybackFinished(turn))

    async def _ended(self, playback: Playback) -> Ending:
        """Wait for the end of what was fed; a speaker that takes nothing must not hold the turn for ever."""
        try:
            async with asyncio.timeout(playback.buffered + SPEAKER_DEADLINE):
                return await playback.wait()
        except TimeoutError:
            playback.stop()
            self._report(AudioDeviceMissing("The speaker takes no sound.", remedy="Check its plug."))
            return "finished"

    async def _time_first_sound(self, playback: Playback, ended_at: float, spoke_at: float) -> None:
        ending = asyncio.ensure_future(playback.wait())
        started = asyncio.ensure_future(playback.started.wait())
        await asyncio.wait((ending, started), return_when=asyncio.FIRST_COMPLETED)
        for waiter in (ending, started):
            waiter.cancel()
        if playback.started_at is not None:
            at = playback.started_at
            self._observe(SoundBegan(at - ended_at, at - spoke_at, at))

    # Bell ------------------------------------------------------------------------------------------------------

    def _bell_changed(self, ringing: bool) -> None:
        self._post(turns.RingStarted() if ringing else turns.RingEnded())

    def _quiet(self) -> bool:
        """Whether a bell may sound now: nobody is being listened to or answered."""
        return self._state.phase is Phase.IDLE

    def _report(self, error: Exception) -> DeviceError:
        """Tell the world; a defect's traceback goes to the log."""
        trouble = reportable(error)
        if isinstance(trouble, Unexpected):
            _log.error("a defect: %s", trouble, exc_info=error)
        self._observe(Trouble(trouble, self._parts.clock.monotonic()))
        return trouble
