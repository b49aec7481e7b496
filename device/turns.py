"""The turn machine: idle, listening, thinking, speaking, follow-up. Pure: events in, a new state and effects out.

Every effect that belongs to a turn carries the turn's number, and so does what comes back from it; an event of an
old turn changes nothing, so after a barge-in nothing of the old turn can speak.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from device.audio.chimes import ChimeName
from device.audio.ports import Pcm


class Phase(StrEnum):
    """What the device is doing; also what its light shows."""

    IDLE = "idle"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    FOLLOW_UP = "follow_up"


@dataclass(frozen=True, slots=True)
class TurnState:
    """State of the machine.

    Attributes:
        phase: What it is doing.
        turn: Number of the present turn; rises with every wake word and barge-in.
        question: The device has asked something, so silence means that nobody answers.
        ringing: An alarm, timer or reminder is sounding.
        muted: The microphone is off because somebody asked for that.
        switched_off: It is off by the switch on the case, which no software overrules.
        deaf: The microphone is lost: nothing can be listened for until it is found again.
        invited: This turn was begun by a wake word, the button or a question, not by mere talk in the follow-up
            window; only then does the device say that it did not understand.
        follow_up: Whether a follow-up window is opened after a reply.
    """

    phase: Phase = Phase.IDLE
    turn: int = 0
    question: bool = False
    ringing: bool = False
    muted: bool = False
    switched_off: bool = False
    deaf: bool = False
    invited: bool = True
    follow_up: bool = True

    @property
    def closed(self) -> bool:
        """Whether nothing may be listened to."""
        return self.muted or self.switched_off


# Events -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Woken:
    """A wake word was heard or the button pressed."""

    by: str


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """The person started to speak."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole utterance was collected. `pcm` has shape [n_samples], 16 kHz."""

    pcm: Pcm


@dataclass(frozen=True, slots=True)
class NothingHeard:
    """Nobody spoke within the patience."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The reply of a turn is ready."""

    turn: int
    reply: str
    question: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """The last sample of the reply left the speaker."""

    turn: int


@dataclass(frozen=True, slots=True)
class StopHeard:
    """The word "stop" was heard without a wake word, while something sounded."""


@dataclass(frozen=True, slots=True)
class SnoozeHeard:
    """The word "snooze" was heard without a wake word, while something sounded."""


@dataclass(frozen=True, slots=True)
class RingStarted:
    """An alarm, timer or reminder is due."""


@dataclass(frozen=True, slots=True)
class RingEnded:
    """It was stopped, snoozed or gave up."""


@dataclass(frozen=True, slots=True)
class Muted:
    """Somebody asked that the microphone be off, or on again."""

    on: bool


@dataclass(frozen=True, slots=True)
class SwitchMoved:
    """The mute switch on the case was moved; it wins over `Muted`."""

    off: bool


@dataclass(frozen=True, slots=True)
class Typed:
    """A command came as text, from a keyboard or a link."""

    text: str


@dataclass(frozen=True, slots=True)
class MicrophoneLost:
    """The microphone delivers nothing; `apology` is said to a person who was speaking."""

    apology: str


@dataclass(frozen=True, slots=True)
class MicrophoneFound:
    """The microphone delivers again."""


Event: TypeAlias = (
    Woken
    | SpeechBegan
    | Heard
    | NothingHeard
    | Answered
    | PlaybackFinished
    | StopHeard
    | SnoozeHeard
    | RingStarted
    | RingEnded
    | Muted
    | SwitchMoved
    | Typed
    | MicrophoneLost
    | MicrophoneFound
)

# Effects ------------------------------------------------------------------------------------------------------


class Ears(StrEnum):
    """What the ears listen for."""

    WAKE = "idle"
    COMMAND = "command"
    FOLLOW_UP = "follow_up"
    INTERRUPT = "interrupt"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Listen:
    """Set what the ears listen for."""

    ears: Ears


@dataclass(frozen=True, slots=True)
class Chime:
    """Play a short sound."""

    name: ChimeName


@dataclass(frozen=True, slots=True)
class Duck:
    """Lower or restore all that plays besides the dialogue; a bell is silent meanwhile."""

    on: bool


@dataclass(frozen=True, slots=True)
class Think:
    """Transcribe, understand and act on an utterance."""

    turn: int
    pcm: Pcm


@dataclass(frozen=True, slots=True)
class Act:
    """Understand and act on words that are already known."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Speak:
    """Speak a reply."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Stop speaking and cancel what the old turn still does."""


@dataclass(frozen=True, slots=True)
class StopRinging:
    """Stop what rings."""


@dataclass(frozen=True, slots=True)
class DropQuestion:
    """Nobody answered the open question."""


Effect: TypeAlias = Listen | Chime | Duck | Think | Act | Speak | Silence | StopRinging | DropQuestion
Step: TypeAlias = tuple[TurnState, tuple[Effect, ...]]


def advance(state: TurnState, event: Event) -> Step:
    """One transition.

    Args:
        state: Before.
        event: What happened.

    Returns:
        The state after it, and what is to be done, in order. Events that do not matter now return no effects.
    """
    match event:
        case Muted(on):
            return _mute(state, replace(state, muted=on))
        case SwitchMoved(off):
            return _mute(state, replace(state, switched_off=off))
        case Typed(text):
            return _typed(state, text)
        case RingStarted():
            return replace(state, ringing=True), _listen_again(replace(state, ringing=True))
        case RingEnded():
            return replace(state, ringing=False), _listen_again(replace(state, ringing=False))
        case MicrophoneLost(apology):
            return _lose_microphone(replace(state, deaf=True), apology)
        case MicrophoneFound():
            return replace(state, deaf=False), ()
        case SnoozeHeard() if state.ringing and state.phase is Phase.IDLE:
            state = replace(state, phase=Phase.THINKING, turn=state.turn + 1, invited=True)
            return state, (Duck(True), Act(state.turn, "snooze"))
        case StopHeard() if state.ringing or state.phase in (Phase.THINKING, Phase.SPEAKING):
            return _stop(state)
        case Woken("button") if state.ringing and (state.closed or state.deaf):
            return _stop(state)  # nobody could tell it by voice
        case Woken("button") if state.deaf:
            return state, (Chime("error"),)
        case Woken() if not state.closed:
            return _wake(state)
        case SpeechBegan() if state.phase is Phase.FOLLOW_UP:
            return replace(state, phase=Phase.LISTENING, invited=state.question), (Duck(True),)
        case Heard(pcm) if state.phase in (Phase.LISTENING, Phase.FOLLOW_UP):
            return replace(state, phase=Phase.THINKING), (Listen(Ears.INTERRUPT), Think(state.turn, pcm))
        case NothingHeard() if state.phase in (Phase.LISTENING, Phase.FOLLOW_UP):
            return _nobody(state)
        case Answered(turn, reply, question, failed) if turn == state.turn and state.phase is Phase.THINKING:
            if failed and ignores_failure(state):
                idle = replace(state, phase=Phase.IDLE, question=False)
                return idle, (Duck(False), *_listen_again(idle))
            state = replace(state, phase=Phase.SPEAKING, question=question)
            if reply:
                return state, (Speak(turn, reply),)
            finished, effects = _finished(state)
            return finished, (Chime("error" if failed else "stop"), *effects)
        case PlaybackFinished(turn) if turn == state.turn and state.phase is Phase.SPEAKING:
            return _finished(state)
    return state, ()


def ignores_failure(state: TurnState) -> bool:
    """Whether what is not understood was probably not meant for the device: talk in the follow-up window."""
    return not state.invited


def _wake(state: TurnState) -> Step:
    """A wake word begins a turn at any time; it interrupts what is being said or thought."""
    busy = state.phase in (Phase.THINKING, Phase.SPEAKING)
    effects: list[Effect] = [Silence()] if busy else []
    effects += [Duck(True), Chime("start"), Listen(Ears.COMMAND)]
    question = state.question and not busy
    # A wake word that was heard proves that the microphone delivers.
    woken = replace(state, phase=Phase.LISTENING, turn=state.turn + 1, question=question, invited=True, deaf=False)
    return woken, tuple(effects)


def _stop(state: TurnState) -> Step:
    stopped = (StopRinging(),) if state.ringing else ()
    idle = replace(state, phase=Phase.IDLE, turn=state.turn + 1, question=False, ringing=False)
    return idle, (Silence(), Duck(False), *stopped, *_dropped(state), *_listen_again(idle))


def _nobody(state: TurnState) -> Step:
    expected = state.phase is Phase.LISTENING or state.question
    chime = (Chime("stop"),) if expected else ()
    idle = replace(state, phase=Phase.IDLE, question=False)
    return idle, (Duck(False), *chime, *_dropped(state), *_listen_again(idle))


def _finished(state: TurnState) -> Step:
    """The reply was heard: open the ears for an answer or for more, only now, so as not to hear oneself."""
    if state.closed or state.deaf or not (state.question or state.follow_up):
        idle = replace(state, phase=Phase.IDLE, question=False)
        return idle, (Duck(False), *_dropped(state), *_listen_again(idle))
    opened = replace(state, phase=Phase.FOLLOW_UP, turn=state.turn + 1)
    if state.question:
        return opened, (Chime("start"), Listen(Ears.COMMAND))
    return opened, (Duck(False), Listen(Ears.FOLLOW_UP))


def _mute(state: TurnState, after: TurnState) -> Step:
    """Off wins over everything: what was being heard is dropped, what is being said goes on."""
    if after.closed and state.phase in (Phase.LISTENING, Phase.FOLLOW_UP):
        after = replace(after, phase=Phase.IDLE, question=False)
        return after, (Duck(False), *_dropped(state), Listen(Ears.OFF))
    return after, _listen_again(after)


def _typed(state: TurnState, text: str) -> Step:
    """Text begins a turn at any time, muted or deaf: it needs no ears."""
    busy = state.phase in (Phase.THINKING, Phase.SPEAKING)
    typed = replace(
        state, phase=Phase.THINKING, turn=state.turn + 1, question=state.question and not busy, invited=True
    )
    silence = (Silence(),) if busy else ()
    return typed, (*silence, Duck(True), *_listen_again(typed), Act(typed.turn, text))


def _lose_microphone(state: TurnState, apology: str) -> Step:
    """What was being said can't be finished; without ears no window may stay open, or no bell could ring."""
    if state.phase is Phase.LISTENING:
        speaking = replace(state, phase=Phase.SPEAKING, turn=state.turn + 1, question=False)
        return speaking, (*_dropped(state), Listen(Ears.INTERRUPT), Speak(speaking.turn, apology))
    if state.phase is Phase.FOLLOW_UP:
        idle = replace(state, phase=Phase.IDLE, question=False)
        return idle, (Duck(False), *_dropped(state), *_listen_again(idle))
    return state, ()


def _dropped(state: TurnState) -> tuple[Effect, ...]:
    return (DropQuestion(),) if state.question else ()


def _listen_again(state: TurnState) -> tuple[Effect, ...]:
    """What the ears should do in this state, where no command is being collected."""
    if state.phase in (Phase.LISTENING, Phase.FOLLOW_UP):
        return ()
    if state.closed:
        return (Listen(Ears.OFF),)
    busy = state.ringing or state.phase in (Phase.THINKING, Phase.SPEAKING)
    return (Listen(Ears.INTERRUPT if busy else Ears.WAKE),)
