"""A person and a device in a room made of null sinks: what is said, heard, answered and interrupted."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import correlate

from tests.audio_stack.stack import HOP, LOUD, VOICE_RATE, Recording, SoundServer, Talk

pytestmark = pytest.mark.engines

Voice = Callable[[str], NDArray[np.int16]]

QUIET = 0.6
"""Seconds of quiet that are no pause in an answer."""

PAUSE = np.zeros((VOICE_RATE // 10, 2), np.int16)


@pytest.mark.parametrize("talk", ["piper"], indirect=True)  # no recogniser understands eSpeak reliably
def test_a_spoken_command_is_carried_out_and_answered_audibly(
    server: SoundServer, talk: Talk, voice: Voice, transcribe: Callable[[NDArray[np.float64], int], str]
) -> None:
    server.let_the_microphone_hear_the_speaker()
    with server.record("speaker.monitor") as heard:
        turn = talk.command(voice("Hey Jarvis, turn on the kitchen light."))
        assert turn["transcript"].lower().rstrip(".") == "turn on the kitchen light"
        [reading] = turn["interpretations"]
        assert reading["intent"] == "light.on"
        assert turn["changes"][0]["target"] == "light.kitchen"
        heard.wait_for_sound(seconds=0.5)
        heard.wait_for_quiet(seconds=3.0)  # in the follow-up window, in which no wake word is needed
        assert "kitchen light" in transcribe(heard.sound(), heard.rate)
    assert talk.turns == [turn], "it has answered itself"
    assert talk.interrupt() == 0
    assert not talk.troubles()


def test_the_wake_word_interrupts_a_long_answer_over_its_echo(server: SoundServer, talk: Talk, voice: Voice) -> None:
    server.let_the_microphone_hear_the_speaker()
    wake = voice("Hey Jarvis!")
    with server.record("speaker.monitor") as heard, server.record("microphone") as room:
        talk.command(voice("Hey Jarvis, what can you do?"))
        heard.wait_for_sound(seconds=2.0)  # by then the canceller knows the room
        since = len(heard.samples()), len(room.samples())
        turn = talk.command(np.concatenate((wake, PAUSE, voice("What time is it?"))), again_after=2.0, times=3)
        assert turn["interpretations"][0]["intent"] == "time.query"
        heard.wait_for_quiet(seconds=2.0)
        assert [reading["intent"] for each in talk.turns for reading in each["interpretations"]] == [
            "system.help",
            "time.query",
        ]
        assert not [change for each in talk.turns for change in each["changes"]], "it has obeyed itself"
        took = interruption(heard, room, wake, since)
    print(f"\nquiet {took:.2f} s after the wake word, said {talk.repeats + 1} times")
    assert took < 1.5, "half a second where nothing else loads the machine"


def interruption(heard: Recording, room: Recording, wake: NDArray[np.int16], since: tuple[int, int]) -> float:
    """Seconds from the end of the wake word to the end of what it interrupted, as they met in the room.

    The wake word is found in what the microphone recorded after `since`, which counts the samples of both recordings
    at a moment of the answer; the echo of the second before says how far they are apart.
    """
    speaker, microphone, rate = heard.samples(), room.samples(), room.rate
    first = since[0] - rate
    search = max(0, since[1] - 3 * rate)
    echo = correlate(microphone[search : since[1] + rate // 2], speaker[first : since[0]], "valid")
    late = search + int(np.argmax(echo)) - first
    word = np.interp(np.arange(0, len(wake), VOICE_RATE / rate), np.arange(len(wake)), wake[:, 0])
    alike = correlate(microphone[since[1] :], word, "valid")
    said = since[1] + int(np.flatnonzero(alike > 0.8 * alike.max())[-1])  # the last time, if it was said again
    ended = said - late + int(np.flatnonzero(np.abs(word) > LOUD)[-1])
    loud = np.flatnonzero(heard.loudness() > LOUD)
    lasting = np.diff(loud, append=len(heard.loudness())) * HOP > QUIET
    ends = (loud[lasting] + 1) * HOP - ended / rate
    return float(ends[ends > -QUIET][0])
