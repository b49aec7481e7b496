"""A person and a device in a room made of null sinks: what is said, heard, answered and interrupted."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import correlate

from tests.audio_stack.stack import HOP, LOUD, VOICE_RATE, Recording, SoundServer, Talk

pytestmark = pytest.mark.engines

Voice = Callable[[str], NDArray[np.int16]]

QUIET = 0.2
"""Seconds of quiet that end an answer: shorter than what comes before the chime that invites to speak."""

PAUSE = np.zeros((3 * VOICE_RATE // 10, 2), np.int16)


@pytest.mark.parametrize("talk", ["piper"], indirect=True)  # no recogniser understands eSpeak reliably
def test_a_spoken_command_is_carried_out_and_answered_audibly(
    server: SoundServer, talk: Talk, voice: Voice, transcribe: Callable[[NDArray[np.float64], int], str]
) -> None:
    server.let_the_microphone_hear_the_speaker()
    answers = []
    for tries in range(1, 4):  # either listener may mishear a word
        with server.record("speaker.monitor") as heard:
            turn = talk.command(voice("Hey Jarvis, turn on the kitchen light."))
            heard.wait_for_sound(seconds=0.5)
            heard.wait_for_quiet(seconds=3.0)  # in the follow-up window, in which no wake word is needed
            answers.append(transcribe(heard.sound(), heard.rate))
        assert len(talk.turns) == tries, "it has answered itself"
        if understood(turn) and "kitchen light" in answers[-1]:
            break
    print(f"\nheard “{turn['transcript']}” and “{answers[-1]}”, at try {tries}")
    assert understood(turn), talk.said()
    assert "kitchen light" in answers[-1], answers
    assert talk.interrupt() == 0
    assert not talk.troubles()


def understood(turn: Any) -> bool:
    """Whether the kitchen light was turned on, or was on already."""
    [reading] = turn["interpretations"]
    return reading["intent"] == "light.on" and "kitchen light" in turn["transcript"].lower() and not turn["failed"]


def test_the_wake_word_interrupts_a_long_answer_over_its_echo(server: SoundServer, talk: Talk, voice: Voice) -> None:
    server.let_the_microphone_hear_the_speaker()
    tries = 1
    while (took := interrupted(server, talk, voice)) is None and tries < 3:
        tries += 1
    print(f"\nquiet {took} s after the wake word, at try {tries}")
    assert took is not None, f"never interrupted. {talk.said()}"
    assert took < 1.0, "half a second where nothing else loads the machine"
    said = [reading["intent"] for turn in talk.turns for reading in turn["interpretations"]]
    assert said == [*["system.help"] * tries, "time.query"], "it has answered itself"
    assert not [change for turn in talk.turns for change in turn["changes"]], "it has obeyed itself"


def interrupted(server: SoundServer, talk: Talk, voice: Voice) -> float | None:
    """Ask for a long answer and break in on it; the seconds that it took, or None if the device has not heard."""
    wake = voice("Hey Jarvis!")
    with server.record("speaker.monitor") as heard, server.record("microphone") as room:
        talk.command(voice("Hey Jarvis, what can you do?"))
        heard.wait_for_sound(seconds=2.0)  # by then the canceller knows the room
        since = len(heard.samples()), len(room.samples())
        turn = talk.say(np.concatenate((wake, PAUSE, voice("What time is it?"))), patience=4.0)
        heard.wait_for_quiet(seconds=2.0)
        return None if turn is None else round(interruption(heard, room, wake, since), 2)


def interruption(heard: Recording, room: Recording, wake: NDArray[np.int16], since: tuple[int, int]) -> float:
    """Seconds from the end of the wake word to the end of what it interrupted, as they met in the room.

    The wake word is found in what the microphone recorded after `since`, which counts the samples of both recordings
    at a moment of the answer; the echo of what was said before it tells how far they are apart.
    """
    speaker, microphone, rate = heard.samples(), room.samples(), room.rate
    first, search = since[0] - 3 * rate // 2, since[1] - 2 * rate  # the device alone speaks then
    echo = correlate(microphone[search : since[1]], speaker[first : first + rate], "valid")
    late = search + int(np.argmax(echo)) - first
    word = np.interp(np.arange(0, len(wake), VOICE_RATE / rate), np.arange(len(wake)), wake[:, 0])
    alike = correlate(microphone[since[1] :], word, "valid")
    said = since[1] + int(np.argmax(alike))
    ended = said - late + int(np.flatnonzero(np.abs(word) > LOUD)[-1])
    loud = np.flatnonzero(heard.loudness() > LOUD)
    lasting = np.diff(loud, append=len(heard.loudness())) * HOP > QUIET
    ends = (loud[lasting] + 1) * HOP - ended / rate
    return float(ends[ends > -QUIET][0])
