"""The dialogue policy, alone: what is asked, confirmed, corrected and carried over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from device.dialogue.policy import Ask, Run, Say, TakeBack, after, asked, decide, start
from device.dialogue.state import MAX_TRIES, MEMORY, DialogueState
from device.nlu.pack import IntentSpec, SlotSpec
from device.nlu.types import OOS, Act, Interpretation, Slot
from device.skills.api import Outcome

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
SPECS = {
    "timer.start": IntentSpec(slots={"duration": SlotSpec(required=True, ask="For how long?"), "name": SlotSpec()}),
    "lock.unlock": IntentSpec(slots={"device": SlotSpec()}, confirm="Shall I unlock the {device}?"),
    "light.on": IntentSpec(slots={"device": SlotSpec(), "room": SlotSpec()}),
    "light.off": IntentSpec(slots={"device": SlotSpec(), "room": SlotSpec()}),
    "system.stop": IntentSpec(),
}
TEN = Slot("ten minutes", timedelta(minutes=10))
FIFTEEN = Slot("fifteen minutes", timedelta(minutes=15))
KITCHEN = Slot("kitchen", "kitchen")
BEDROOM = Slot("bedroom", "bedroom")
LAMP = Slot("reading lamp", "reading lamp")


def command(intent: str, text: str = "", **slots: Slot) -> Interpretation:
    return Interpretation(intent, slots, text=text)


def act(act: Act, **slots: Slot) -> Interpretation:
    return Interpretation("", slots, act=act, source="dialogue")


def asking(intent: str = "timer.start", slot: str = "duration") -> DialogueState:
    return asked(DialogueState(), command(intent), "For how long?", slot)


def done(intent: str, **slots: Slot) -> DialogueState:
    return after(DialogueState(), command(intent, **slots), Outcome(mentioned=slots), NOW)


def test_a_complete_command_runs() -> None:
    said = command("timer.start", duration=TEN)
    assert decide(DialogueState(), [said], SPECS, NOW)[1] == Run(said)


def test_a_missing_slot_is_asked_for_and_its_answer_completes_the_command() -> None:
    state, action = decide(DialogueState(), [command("timer.start")], SPECS, NOW)
    assert action == Ask(command("timer.start"), "duration")
    state, action = decide(asking(), [act(Act.INFORM, duration=TEN)], SPECS, NOW)
    assert action == Run(command("timer.start", duration=TEN))
    assert state.pending is None


def test_a_slot_whose_words_mean_nothing_counts_as_missing() -> None:
    _, action = decide(DialogueState(), [command("timer.start", duration=Slot("a while"))], SPECS, NOW)
    assert isinstance(action, Ask)


def test_a_confirmation_is_asked_before_and_only_yes_runs_it() -> None:
    _, action = decide(DialogueState(), [command("lock.unlock", device=LAMP)], SPECS, NOW)
    assert action == Ask(command("lock.unlock", device=LAMP))
    open_ = asked(DialogueState(), command("lock.unlock", device=LAMP), "Shall I?", "")
    assert decide(open_, [act(Act.AFFIRM)], SPECS, NOW)[1] == Run(command("lock.unlock", device=LAMP), confirmed=True)
    for no in (Act.DENY, Act.CANCEL):
        state, action = decide(open_, [act(no)], SPECS, NOW)
        assert isinstance(action, Say)
        assert state.pending is None


def test_yes_to_a_question_for_a_slot_is_not_an_answer() -> None:
    state, action = decide(asking(), [act(Act.AFFIRM)], SPECS, NOW)
    assert action == Ask(command("timer.start"), "duration", again=True)
    assert state.pending


def test_a_prompt_gives_up_in_the_end() -> None:
    state = asking()
    nonsense = Interpretation(OOS)
    for _ in range(MAX_TRIES - 1):
        state, action = decide(state, [nonsense], SPECS, NOW)
        assert isinstance(action, Ask)
        state = asked(state, action.command, "For how long?", action.slot)
    state, action = decide(state, [nonsense], SPECS, NOW)
    assert action == Say("gave_up", failed=True)
    assert state.pending is None


def test_a_new_command_leaves_the_question() -> None:
    state, action = decide(asking(), [command("light.on", device=LAMP)], SPECS, NOW)
    assert action == Run(command("light.on", device=LAMP))
    assert state.pending is None


def test_cancel_closes_the_question_and_what_waits_behind_it() -> None:
    state = replace(asking(), queue=(command("light.on"),))
    state, action = decide(state, [act(Act.CANCEL)], SPECS, NOW)
    assert action == Say("cancelled")
    assert (state.pending, state.queue) == (None, ())


def test_cancel_without_a_question_is_stop() -> None:
    _, action = decide(DialogueState(), [act(Act.CANCEL)], SPECS, NOW)
    assert isinstance(action, Run)
    assert action.command.intent == "system.stop"


def test_cancel_as_a_command_of_the_pack_is_cancel_and_undo_takes_back() -> None:
    state, action = decide(asking(), [command("system.cancel", "cancel that please")], SPECS, NOW)
    assert action == Say("cancelled")
    assert state.pending is None
    _, action = decide(done("light.on", device=LAMP), [command("system.cancel", "undo that")], SPECS, NOW)
    assert action == TakeBack()


def test_a_correction_replaces_the_slot_of_the_last_command() -> None:
    _, action = decide(done("timer.start", duration=TEN), [act(Act.CORRECT, duration=FIFTEEN)], SPECS, NOW)
    assert action == Run(command("timer.start", duration=FIFTEEN), corrects=True)


def test_a_correction_of_an_open_command_keeps_the_rest() -> None:
    state = asked(DialogueState(), command("timer.start", name=Slot("tea", "tea")), "For how long?", "duration")
    _, action = decide(state, [act(Act.CORRECT, duration=FIFTEEN)], SPECS, NOW)
    assert isinstance(action, Run)
    assert action.command.slots.keys() == {"name", "duration"}


def test_a_correction_after_a_long_while_is_not_understood() -> None:
    state = done("timer.start", duration=TEN)
    late = NOW + MEMORY + timedelta(seconds=1)
    assert decide(state, [act(Act.CORRECT, duration=FIFTEEN)], SPECS, late)[1] == Say("not_understood", failed=True)


def test_carry_over_replaces_device_and_room_together() -> None:
    _, action = decide(done("light.on", device=LAMP), [act(Act.INFORM, room=BEDROOM)], SPECS, NOW)
    assert isinstance(action, Run)
    assert action.command.intent == "light.on"
    assert action.command.slots == {"room": BEDROOM}


@pytest.mark.parametrize("text", ["turn it off", "switch that off", "turn them off"])
def test_it_means_what_was_mentioned(text: str) -> None:
    _, action = decide(done("light.on", device=LAMP), [command("light.off", text)], SPECS, NOW)
    assert isinstance(action, Run)
    assert action.command.slots == {"device": LAMP}


def test_it_as_a_slot_is_replaced_and_unknown_it_is_dropped() -> None:
    said = command("light.off", "turn it off", device=Slot("it", "it"))
    assert start(done("light.on", device=LAMP), said, SPECS, NOW)[1] == Run(replace(said, slots={"device": LAMP}))
    assert start(DialogueState(), said, SPECS, NOW)[1] == Run(replace(said, slots={}))


def test_several_commands_wait_their_turn() -> None:
    first, second = command("light.on", device=LAMP), command("timer.start", duration=TEN)
    state, action = decide(DialogueState(), [first, second], SPECS, NOW)
    assert action == Run(first)
    assert state.queue == (second,)


def test_repeat_gives_the_question_or_the_last_reply() -> None:
    assert decide(asking(), [act(Act.REPEAT)], SPECS, NOW)[1] == Say("", text="For how long?")
    state = replace(DialogueState(), last_reply="Done.")
    assert decide(state, [act(Act.REPEAT)], SPECS, NOW)[1] == Say("", text="Done.")
    assert decide(DialogueState(), [act(Act.REPEAT)], SPECS, NOW)[1] == Say("nothing_said")


def test_a_failed_command_is_not_remembered() -> None:
    state = after(DialogueState(), command("light.on", device=LAMP), Outcome(failed=True), NOW)
    assert state.done is None


def test_it_over_music_may_be_the_volume() -> None:
    assert done("media.play").referents(NOW) == ("the music", "the volume")
    assert done("volume.up").referents(NOW) == ("the volume",)
    assert "the volume" not in done("light.on", device=LAMP).referents(NOW)
