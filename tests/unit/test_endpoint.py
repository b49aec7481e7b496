"""The four-state endpoint machine and the listener that is built on it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.speech.endpoint import (
    Ended,
    Endpoint,
    EndpointConfig,
    EndpointEvent,
    EndpointState,
    Paused,
    Started,
    TimedOut,
)
from device.speech.listen import (
    ListenConfig,
    Listener,
    ListenEvent,
    NoSpeech,
    SpeechChunk,
    SpeechPaused,
    SpeechStarted,
    Utterance,
    WakeWord,
)
from device.speech.ports import WakeCapabilities

SECOND = SAMPLE_RATE / FRAME
"""Frames in a second."""


def frames(seconds: float, probability: float) -> list[float]:
    return [probability] * round(seconds * SECOND)


def run(config: EndpointConfig, probabilities: list[float]) -> list[EndpointEvent]:
    endpoint = Endpoint(config)
    return [event for p in probabilities if (event := endpoint.push(p))]


def test_speech_between_silences() -> None:
    events = run(EndpointConfig(), frames(1, 0) + frames(2, 0.9) + frames(1, 0))
    end = (31 + 62) * FRAME
    assert events == [Started(31 * FRAME), Paused(end), Ended(end, "silence")]


def test_a_click_is_not_speech() -> None:
    assert run(EndpointConfig(min_speech_s=0.1), [*frames(1, 0), 0.9, 0.9, *frames(2, 0)]) == []


def test_a_short_pause_does_not_end_it() -> None:
    config = EndpointConfig(trailing_silence_s=0.7)
    events = run(config, frames(1, 0.9) + frames(0.6, 0) + frames(1, 0.9) + frames(1, 0))
    assert [type(event) for event in events] == [Started, Paused, Paused, Ended]
    assert events[-1].at == (31 + 19 + 31) * FRAME


@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.7, 1.5])
def test_a_pause_may_be_told_how_long_it_has_to_last(seconds: float) -> None:
    endpoint = Endpoint(EndpointConfig(trailing_silence_s=0.7))
    for probability in frames(1, 0.9):
        endpoint.push(probability)
    lasted = 0
    for probability in frames(3, 0):
        event = endpoint.push(probability)
        lasted += 1
        if isinstance(event, Paused):
            endpoint.hold(event.at, seconds)
        if isinstance(event, Ended):
            break
    soonest = EndpointConfig().pause_s * SECOND + 1  # the frame after it was told
    assert lasted == np.ceil(max(seconds * SECOND, soonest))
    assert event == Ended(31 * FRAME, "silence")


def test_what_one_pause_was_told_is_not_of_the_next() -> None:
    endpoint = Endpoint(EndpointConfig(trailing_silence_s=0.7))
    for probability in frames(1, 0.9) + frames(0.2, 0):
        endpoint.push(probability)
    endpoint.hold(31 * FRAME, 0.3)
    endpoint.hold(30 * FRAME, 0.0)  # of a pause that is over
    events = [event for p in frames(0.5, 0.9) + frames(0.6, 0) if (event := endpoint.push(p))]
    assert [type(event) for event in events] == [Paused]


def test_between_the_thresholds_nothing_changes() -> None:
    config = EndpointConfig(start_threshold=0.6, stop_threshold=0.3)
    assert run(config, frames(3, 0.45)) == []
    speech = frames(0.5, 0.9)
    assert [type(e) for e in run(config, speech + frames(2, 0.45))] == [Started]
    assert [type(e) for e in run(config, [*speech, 0.1, *frames(2, 0.45)])] == [Started, Paused, Ended]


def test_speech_without_end_is_cut() -> None:
    events = run(EndpointConfig(max_s=2), frames(3, 0.9))
    assert isinstance(events[1], Ended)
    assert events[1].reason == "max_length"
    assert 2 * SAMPLE_RATE <= events[1].at < 2 * SAMPLE_RATE + FRAME


def test_waiting_ends_and_begins_anew() -> None:
    events = run(EndpointConfig(no_speech_timeout_s=1), frames(2.1, 0))
    assert [type(event) for event in events] == [TimedOut, TimedOut]
    assert run(EndpointConfig(no_speech_timeout_s=None), frames(30, 0)) == []


def test_states_are_walked_in_order() -> None:
    endpoint = Endpoint(EndpointConfig(min_speech_s=0.05, trailing_silence_s=0.05))
    seen = []
    for probability in (0, 0.9, 0.9, 0, 0):
        endpoint.push(probability)
        seen.append(endpoint.state)
    assert seen == [
        EndpointState.SILENCE,
        EndpointState.MAYBE_SPEECH,
        EndpointState.SPEECH,
        EndpointState.MAYBE_SILENCE,
        EndpointState.SILENCE,
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"start_threshold": 0.3, "stop_threshold": 0.5},
        {"stop_threshold": -0.1},
        {"min_speech_s": 13.0},
        {"trailing_silence_s": 0},
    ],
)
def test_impossible_configurations_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must satisfy"):
        EndpointConfig(**wrong)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 40)), max_size=40),
    st.floats(0.05, 0.3),
    st.floats(0.1, 1),
    st.floats(0.5, 3),
)
def test_events_are_consistent_whatever_comes(
    runs: list[tuple[float, int]], min_speech: float, trailing: float, longest: float
) -> None:
    config = EndpointConfig(min_speech_s=min_speech, trailing_silence_s=trailing, max_s=longest, no_speech_timeout_s=1)
    begun: Started | None = None
    last = pause = 0
    endpoint = Endpoint(config)
    now = 0
    for probability in [p for p, n in runs for _ in range(n)]:
        event = endpoint.push(probability)
        now += FRAME
        match event:
            case Started(at):
                assert begun is None
                assert last <= at <= now - min_speech * SAMPLE_RATE
                begun = event
            case Paused(at):
                assert begun is not None
                assert begun.at < at <= now - config.pause_s * SAMPLE_RATE
                pause = at
            case Ended(at, reason):
                assert begun is not None
                assert reason == "max_length" or at == pause or trailing < config.pause_s + FRAME / SAMPLE_RATE
                assert begun.at < at <= now
                assert at - begun.at < (longest + trailing) * SAMPLE_RATE + 2 * FRAME
                assert (reason == "silence") == (at < now)
                begun, last = None, now
            case TimedOut(at):
                assert begun is None
                assert at == now
                last = now


class CodedVad:
    """Reads the probability of speech from the samples: 1000 is certain speech."""

    def process(self, frame: Pcm) -> float:
        return min(1.0, float(np.abs(frame).max()) / 1000)

    def reset(self) -> None:
        pass


class CodedWake:
    """Wakes at a frame that holds the sample -7."""

    capabilities = WakeCapabilities(("hey",))

    def __init__(self, late: int = 0) -> None:
        self.resets = 0
        self.late = late

    def process(self, frame: Pcm) -> str | None:
        return "hey" if (frame == -7).any() else None

    def reset(self) -> None:
        self.resets += 1


def sound(seconds: float, level: int) -> Pcm:
    return np.full(round(seconds * SECOND) * FRAME, level, np.int16)


def ears(**settings: float) -> Listener:
    return Listener(CodedWake(), CodedVad(), ListenConfig(**{"reach_back_s": 0.0, **settings}))  # type: ignore[arg-type]


def play(listener: Listener, *pieces: Pcm) -> list[ListenEvent]:
    pcm = np.concatenate(pieces)
    events = []
    for start in range(0, len(pcm), FRAME):
        events += [e for e in listener.feed(pcm[start : start + FRAME]) if not isinstance(e, SpeechChunk)]
    return events


WAKE = sound(0.032, -7)


def test_idle_hears_wake_words_only() -> None:
    events = play(ears(), sound(1, 2000), WAKE, sound(2, 0))
    assert events == [WakeWord("hey", 32 * FRAME, 32 * FRAME)]


def test_a_command_begins_where_its_wake_word_was_first_heard() -> None:
    listener = Listener(CodedWake(late=4 * FRAME), CodedVad(), ListenConfig(reach_back_s=0.0))
    assert play(listener, sound(1, 0), WAKE) == [WakeWord("hey", 28 * FRAME, 28 * FRAME)]


def test_off_hears_nothing_and_keeps_nothing() -> None:
    listener = ears()
    listener.listen("off")
    assert play(listener, WAKE, sound(1, 2000)) == []
    listener.listen("command", since=0)
    assert play(listener, sound(1, 0)) == []


def test_an_utterance_has_pre_roll_and_tail() -> None:
    listener = ears(pre_roll_s=0.2, tail_s=0.1)
    listener.listen("command")
    started, paused, utterance = play(listener, sound(1, 10), sound(1, 1000), sound(1, 20))
    assert isinstance(started, SpeechStarted)
    assert isinstance(paused, SpeechPaused)
    assert isinstance(utterance, Utterance)
    assert paused.at == utterance.ended
    assert np.array_equal(paused.pcm, utterance.pcm)
    assert (utterance.started, utterance.ended) == (31 * FRAME, 62 * FRAME)
    values, counts = np.unique(utterance.pcm, return_counts=True)
    assert values.tolist() == [10, 20, 1000]
    assert counts[2] == 31 * FRAME
    assert counts[0] == pytest.approx(0.2 * SAMPLE_RATE, abs=FRAME)
    assert counts[1] == pytest.approx(0.1 * SAMPLE_RATE, abs=FRAME)
    assert listener.mode == "idle"


def test_streamed_audio_is_the_utterance() -> None:
    listener = ears(tail_s=1.0)
    listener.listen("command")
    pcm = np.concatenate([sound(1, 10), sound(1, 1000), sound(1, 20)])
    streamed: list[Pcm] = []
    for start in range(0, len(pcm), FRAME):
        for event in listener.feed(pcm[start : start + FRAME]):
            if isinstance(event, SpeechStarted | SpeechChunk):
                streamed.append(event.pcm)
            elif isinstance(event, Utterance):
                whole = event.pcm
    assert np.array_equal(np.concatenate(streamed), whole[: sum(map(len, streamed))])
    assert len(whole) - sum(map(len, streamed)) <= FRAME


def test_a_command_in_one_breath_keeps_its_first_word() -> None:
    """Speech goes on without a pause; recognition comes late, and the assistant reacts three frames later."""
    listener = ears(reach_back_s=0.064)
    (wake,) = play(listener, sound(1, 900), sound(0.032, 901), WAKE)
    assert isinstance(wake, WakeWord)
    play(listener, sound(0.096, 1000))
    listener.listen("command", since=wake.listen_from)
    events = play(listener, sound(1, 1000), sound(1, 0))
    utterance = events[-1]
    assert isinstance(utterance, Utterance)
    assert 900 not in utterance.pcm
    assert 901 in utterance.pcm, "what was said while the wake word was being recognized belongs to the command"


def test_the_end_of_the_wake_word_alone_is_no_command() -> None:
    listener = ears(reach_back_s=0.2)
    (wake,) = play(listener, sound(1, 900), WAKE)
    assert isinstance(wake, WakeWord)
    listener.listen("command", since=wake.listen_from)
    events = play(listener, sound(1.5, 0), sound(1, 1000), sound(1, 0))
    utterance = [event for event in events if isinstance(event, Utterance)]
    assert len(utterance) == 1
    assert utterance[0].started > wake.at
    assert 900 not in utterance[0].pcm


def test_follow_up_returns_to_idle_silently() -> None:
    listener = ears(follow_up_s=1)
    listener.listen("follow_up")
    (event,) = play(listener, sound(3, 0))
    assert isinstance(event, NoSpeech)
    assert event.mode == "follow_up"
    assert listener.mode == "idle"


def test_wake_words_are_heard_during_a_command() -> None:
    listener = ears()
    listener.listen("command")
    events = play(listener, sound(0.5, 1000), WAKE, sound(0.5, 1000))
    assert [type(event) for event in events] == [SpeechStarted, WakeWord]


def test_interrupt_reports_short_words_again_and_again() -> None:
    listener = ears(interrupt_max_s=1)
    listener.listen("interrupt")
    events = play(listener, sound(0.5, 1000), sound(9, 0), sound(0.5, 1000), sound(1, 0))
    assert [type(event) for event in events] == [SpeechStarted, SpeechPaused, Utterance] * 2
    assert listener.mode == "interrupt"
    assert not any(isinstance(event, Utterance) for event in play(listener, sound(1.01, 1000)))


def test_the_end_of_a_long_talk_is_no_interruption() -> None:
    listener = ears(interrupt_max_s=1)
    listener.listen("interrupt")
    events = play(listener, sound(1.4, 1000), sound(1, 0), sound(0.5, 1000), sound(1, 0))
    (said,) = (event for event in events if isinstance(event, Utterance))
    assert said.started > 2 * SAMPLE_RATE


def test_the_rest_of_a_long_talk_is_not_even_decoded() -> None:
    listener = ears(interrupt_max_s=1)
    listener.listen("interrupt")
    events = play(listener, sound(1.4, 1000), sound(1, 0), sound(0.5, 1000), sound(1, 0))
    (pause,) = (event for event in events if isinstance(event, SpeechPaused))
    assert pause.at > 2 * SAMPLE_RATE


def test_an_utterance_ends_when_its_pause_was_told_so() -> None:
    listener = ears()
    listener.listen("command")
    (_, pause) = play(listener, sound(1, 1000), sound(0.2, 0))
    assert isinstance(pause, SpeechPaused)
    listener.hold(pause.at, 0.0)
    (utterance,) = play(listener, sound(0.032, 0))
    assert isinstance(utterance, Utterance)
    assert utterance.ended == pause.at
    assert np.array_equal(utterance.pcm, pause.pcm)
    listener.hold(pause.at, 0.0)  # too late: nothing is listened for any more
    assert play(listener, sound(1, 0)) == []


def test_who_pauses_has_begun_to_speak() -> None:
    listener = ears()
    listener.listen("command")
    heard = [listener.begun]
    for part in (sound(0.5, 0), sound(0.5, 1000), sound(0.2, 0), sound(3, 0)):
        play(listener, part)
        heard.append(listener.begun)
    assert heard == [False, False, True, True, False]


def test_unmuting_forgets_the_wake_engine() -> None:
    wake = CodedWake()
    listener = Listener(wake, CodedVad())
    listener.listen("command")
    listener.listen("off")
    assert wake.resets == 0
    listener.listen("idle")
    assert wake.resets == 1


@given(st.lists(st.tuples(st.sampled_from([0, 400, 1000, -7]), st.integers(1, 60)), min_size=1, max_size=20))
def test_utterances_lie_in_what_was_listened_to(runs: list[tuple[int, int]]) -> None:
    listener = ears()
    listener.listen("command")
    pcm = np.concatenate([np.full(n * FRAME, level, np.int16) for level, n in runs])
    since = 0
    for start in range(0, len(pcm), FRAME):
        for event in listener.feed(pcm[start : start + FRAME]):
            if isinstance(event, Utterance):
                assert since <= event.started < event.ended <= listener.position
                assert len(event.pcm) >= event.ended - event.started
        if listener.mode == "idle":
            since = listener.position
            listener.listen("command")
