"""The turn machine, alone: tables of transitions and what must never happen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.turns import (
    Act,
    Answered,
    Chime,
    DropQuestion,
    Duck,
    Ears,
    Event,
    Heard,
    Listen,
    MicrophoneFound,
    MicrophoneLost,
    Muted,
    NothingHeard,
    Phase,
    PlaybackFinished,
    RingEnded,
    RingStarted,
    Silence,
    SnoozeHeard,
    Speak,
    SpeechBegan,
    StopHeard,
    StopRinging,
    SwitchMoved,
    Think,
    TurnState,
    Typed,
    Woken,
    advance,
)

PCM = np.zeros(512, np.int16)


def play(*events: Event, state: TurnState | None = None) -> tuple[TurnState, list[object]]:
    state = state or TurnState()
    effects: list[object] = []
    for event in events:
        state, new = advance(state, event)
        effects += new
    return state, effects


def test_a_whole_turn_ends_in_a_follow_up_window_that_opens_only_after_playback() -> None:
    state, effects = play(Woken("hey_jarvis"), Heard(PCM), Answered(1, "Done."))
    assert state.phase is Phase.SPEAKING
    assert Listen(Ears.FOLLOW_UP) not in effects
    state, effects = play(PlaybackFinished(1), state=state)
    assert state.phase is Phase.FOLLOW_UP
    assert effects[-1] == Listen(Ears.FOLLOW_UP)


def test_silence_after_the_window_goes_back_to_the_wake_word() -> None:
    state, _ = play(Woken("button"), Heard(PCM), Answered(1, "Done."), PlaybackFinished(1))
    state, effects = play(NothingHeard(), state=state)
    assert state.phase is Phase.IDLE
    assert effects[-1] == Listen(Ears.WAKE)
    assert not [e for e in effects if isinstance(e, Chime)], "closing an unused window is silent"


def test_a_question_is_dropped_when_nobody_answers() -> None:
    state, _ = play(Woken("button"), Heard(PCM), Answered(1, "For how long?", question=True), PlaybackFinished(1))
    state, effects = play(NothingHeard(), state=state)
    assert DropQuestion() in effects
    assert not state.question


def test_barge_in_while_speaking_silences_and_makes_the_old_turn_mute() -> None:
    state, _ = play(Woken("a"), Heard(PCM), Answered(1, "A long story"))
    state, effects = play(Woken("a"), state=state)
    assert effects[0] == Silence()
    assert state.turn == 2
    unchanged, effects = play(Answered(1, "late"), PlaybackFinished(1), state=state)
    assert unchanged == state
    assert effects == []


def test_stop_word_silences_and_stops_ringing_but_is_nothing_when_quiet() -> None:
    state, effects = play(RingStarted(), StopHeard())
    assert StopRinging() in effects
    assert state.phase is Phase.IDLE
    _, effects = play(StopHeard())
    assert effects == []


def test_the_switch_wins_over_a_command_being_heard() -> None:
    state, effects = play(Woken("a"), Muted(True))
    assert state.phase is Phase.IDLE
    assert effects[-1] == Listen(Ears.OFF)
    still, effects = play(Woken("a"), state=state)
    assert still == state
    state, effects = play(Muted(False), state=state)
    assert effects == [Listen(Ears.WAKE)]


def test_muted_while_speaking_finishes_the_sentence_and_stays_deaf() -> None:
    state, _ = play(Woken("a"), Heard(PCM), Answered(1, "Done."), Muted(True))
    state, effects = play(PlaybackFinished(1), state=state)
    assert state.phase is Phase.IDLE
    assert effects[-1] == Listen(Ears.OFF)


def test_speech_in_the_follow_up_window_needs_no_wake_word() -> None:
    state, _ = play(Woken("a"), Heard(PCM), Answered(1, "Done."), PlaybackFinished(1))
    state, effects = play(SpeechBegan(), Heard(PCM), state=state)
    assert state.phase is Phase.THINKING
    assert next(e for e in effects if isinstance(e, Think)).turn == state.turn


def test_talk_in_the_room_after_a_reply_is_not_answered_with_an_apology() -> None:
    state, _ = play(Woken("a"), Heard(PCM), Answered(1, "Done."), PlaybackFinished(1), SpeechBegan(), Heard(PCM))
    state, effects = play(Answered(state.turn, "Sorry, I can't do that.", failed=True), state=state)
    assert state.phase is Phase.IDLE
    assert not [e for e in effects if isinstance(e, Speak | Chime)]


def test_a_wake_word_while_it_rings_leaves_the_ring_for_the_command_to_decide() -> None:
    state, effects = play(RingStarted(), Woken("a"))
    assert StopRinging() not in effects
    assert state.ringing


def test_a_reply_without_words_is_a_chime() -> None:
    _, effects = play(Woken("a"), Heard(PCM), Answered(1, ""))
    assert Chime("stop") in effects
    assert not [e for e in effects if isinstance(e, Speak)]


@pytest.mark.parametrize("busy", [(Woken("a"),), (Woken("a"), Heard(PCM)), (Woken("a"), Heard(PCM), Answered(1, "x"))])
def test_an_alarm_that_rings_during_a_turn_does_not_break_it(busy: tuple[Event, ...]) -> None:
    before, _ = play(*busy)
    after, effects = play(RingStarted(), state=before)
    assert after.phase is before.phase
    assert after.ringing
    assert Silence() not in effects


def test_a_microphone_lost_in_a_command_is_said_and_no_window_opens_without_ears() -> None:
    state, effects = play(Woken("a"), MicrophoneLost("I lost it."))
    assert effects[-1] == Speak(state.turn, "I lost it.")
    state, _ = play(PlaybackFinished(state.turn), state=state)
    assert state.phase is Phase.IDLE
    same, effects = play(Woken("button"), state=state)
    assert same == state
    assert effects == [Chime("error")]
    state, _ = play(MicrophoneFound(), Woken("button"), state=state)
    assert state.phase is Phase.LISTENING


@pytest.mark.parametrize("unheard", [MicrophoneLost(""), SwitchMoved(True), Muted(True)])
def test_the_button_stops_what_rings_where_no_word_can(unheard: Event) -> None:
    state, _ = play(unheard, RingStarted())
    state, effects = play(Woken("button"), state=state)
    assert StopRinging() in effects
    assert (state.phase, state.ringing) == (Phase.IDLE, False)
    state, effects = play(RingStarted(), Woken("button"))
    assert StopRinging() not in effects, "one that hears is asked to snooze or to stop"
    assert state.phase is Phase.LISTENING


def test_a_question_asked_without_ears_is_dropped() -> None:
    asked = Answered(1, "For how long?", question=True)
    state, effects = play(Woken("a"), Heard(PCM), MicrophoneLost("Sorry."), asked, PlaybackFinished(1))
    assert state.phase is Phase.IDLE
    assert DropQuestion() in effects


def test_snooze_is_a_turn_of_its_own_while_something_rings_and_nothing_otherwise() -> None:
    state, effects = play(RingStarted(), SnoozeHeard())
    assert state.phase is Phase.THINKING
    assert effects[-2:] == [Duck(True), Act(state.turn, "snooze")]
    assert play(SnoozeHeard()) == (TurnState(), [])
    busy, _ = play(RingStarted(), Woken("a"), Heard(PCM))
    assert play(SnoozeHeard(), state=busy) == (busy, [])


EVENTS = st.one_of(
    st.just(Woken("x")), st.just(SpeechBegan()), st.just(Heard(PCM)), st.just(NothingHeard()),
    st.builds(Answered, st.integers(0, 6), st.sampled_from(["", "Hello."]), st.booleans(), st.booleans()),
    st.builds(PlaybackFinished, st.integers(0, 6)), st.just(StopHeard()), st.just(RingStarted()), st.just(RingEnded()),
    st.builds(Muted, st.booleans()), st.just(SnoozeHeard()), st.just(Woken("button")),
    st.just(MicrophoneLost("Sorry.")), st.just(MicrophoneFound()),
)  # fmt: skip


@given(st.lists(EVENTS, max_size=40))
def test_whatever_happens(events: list[Event]) -> None:
    state, ears, ducked = TurnState(), Ears.WAKE, False
    for event in events:
        old = state
        state, effects = advance(state, event)
        assert state.turn >= old.turn
        for effect in effects:
            if isinstance(effect, Listen):
                ears = effect.ears
            if isinstance(effect, Duck):
                ducked = effect.on
            if isinstance(effect, Speak | Think | Act):
                assert effect.turn == state.turn, "only the present turn thinks and speaks"
        if state.deaf:
            assert state.phase not in (Phase.LISTENING, Phase.FOLLOW_UP), "or no bell could ring"
        if state.muted:
            assert state.phase not in (Phase.LISTENING, Phase.FOLLOW_UP)
            assert ears is Ears.OFF
        else:
            assert ears is not Ears.OFF, "never deaf unless muted"
        if state.phase is Phase.IDLE:
            assert not ducked, "what was ducked is always restored"
            assert not state.question
        if state.phase is Phase.LISTENING:
            assert ears in (Ears.COMMAND, Ears.FOLLOW_UP)


@pytest.mark.parametrize(
    "begin", [TurnState(), TurnState(muted=True), TurnState(switched_off=True), TurnState(deaf=True)]
)
def test_typed_words_need_no_ears(begin: TurnState) -> None:
    state, effects = play(Typed("stop the music"), state=begin)
    assert state.phase is Phase.THINKING
    assert effects == [Duck(True), Listen(Ears.OFF if begin.closed else Ears.INTERRUPT), Act(1, "stop the music")]


def test_typed_words_interrupt_and_the_old_turn_can_say_nothing_more() -> None:
    state, _ = play(Woken("a"), Heard(PCM), Answered(1, "A long story"))
    state, effects = play(Typed("next"), state=state)
    assert effects[0] == Silence()
    assert effects[-1] == Act(2, "next")
    assert play(Answered(1, "late"), state=state) == (state, [])


def test_typed_words_answer_an_open_question() -> None:
    state, _ = play(Woken("a"), Heard(PCM), Answered(1, "For how long?", question=True), PlaybackFinished(1))
    state, effects = play(Typed("ten minutes"), state=state)
    assert DropQuestion() not in effects
    assert Silence() not in effects


def test_the_switch_wins_over_software() -> None:
    state, effects = play(SwitchMoved(True))
    assert effects == [Listen(Ears.OFF)]
    state, effects = play(Muted(False), Woken("hey_jarvis"), state=state)
    assert state.phase is Phase.IDLE
    assert effects == [Listen(Ears.OFF)]
    state, effects = play(SwitchMoved(False), state=state)
    assert effects == [Listen(Ears.WAKE)]


def test_software_stays_muted_when_the_switch_is_moved_back() -> None:
    state, effects = play(Muted(True), SwitchMoved(True), SwitchMoved(False))
    assert state.closed
    assert effects[-1] == Listen(Ears.OFF)
