"""Commands of the built-in packs, who says them, where, and when they were understood."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.ports import SAMPLE_RATE
from device.dialogue.conversation import Conversation
from device.errors import BadInput
from device.nlu.pack import PACKS_DIR, load_packs
from device.nlu.text import spoken
from device.nlu.types import Interpretation, Slot
from firmware_sim.sound.voices import Voices
from firmware_sim.trials.corpus import (
    SCENES,
    VOICES,
    Command,
    Spoken,
    Stage,
    casting,
    is_known,
    read_commands,
    understood,
)
from firmware_sim.trials.spoken_packs import flat

COMMANDS = read_commands()


@pytest.fixture(scope="module")
def conversation() -> Iterator[Conversation]:
    with flat() as built:
        yield built


def test_each_line_is_understood_as_it_is_labelled_when_it_is_typed(conversation: Conversation) -> None:
    wrong = []
    for command in COMMANDS:
        readings = conversation.interpret(command.text)
        got = [(r.intent, {name: spoken(slot.text) for name, slot in r.slots.items()}) for r in readings]
        if got != [(command.intent, dict(command.slots))]:
            wrong.append((command.text, got))
    assert not wrong


def test_there_are_commands_of_every_intent_that_is_no_dialogue() -> None:
    """Repeating and cancelling refer to what was said before; a phrase is taught in a sentence that holds another."""
    intents = {f"{pack.skill}.{name}" for pack in load_packs(PACKS_DIR) for name in pack.intents}
    assert intents - {command.intent for command in COMMANDS} == {"system.repeat", "system.cancel", "phrase.teach"}
    assert len(COMMANDS) >= 300
    assert len({command.text for command in COMMANDS}) == len(COMMANDS)
    assert sum(bool(command.slots) for command in COMMANDS) > len(COMMANDS) / 2


@pytest.mark.parametrize("text", ["light.on: 3", "- light.on", "[", "light.on: [{a: b}]"])
def test_a_file_of_another_form_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "commands.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match="holds no commands"):
        read_commands(path)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 800), st.integers(0, 5), st.integers(1, 8))
def test_everything_is_said_once_before_anything_twice(count: int, seed: int, people: int) -> None:
    cast = casting(COMMANDS, VOICES[:people], count, seed)
    assert len(cast) == min(count, len(COMMANDS) * people)
    assert len({(said.command.text, said.voice) for said in cast}) == len(cast), "nobody says a thing twice"
    said = Counter(each.command.text for each in cast)
    assert max(said.values()) - min(said.values()) <= 1
    voices = Counter(each.voice for each in cast)
    assert max(voices.values()) - min(voices[name] for name in VOICES[:people]) <= people
    intents = len({command.intent for command in COMMANDS})
    assert len({each.command.intent for each in cast}) == min(count, intents)
    assert cast == casting(COMMANDS, VOICES[:people], count, seed)


def test_nobody_or_nothing_is_refused() -> None:
    for voices, count in (([], 3), (["slt"], 0)):
        with pytest.raises(BadInput, match="Nobody says"):
            casting(COMMANDS, voices, count, 0)


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage(Voices(), 12.0, seed=3)


def test_a_command_sounds_otherwise_in_every_scene_and_the_same_again(stage: Stage) -> None:
    said = Spoken(5, Command("turn on the desk lamp", "light.on", {"device": "desk lamp"}), "en-gb+f2@165")
    heard = {scene: stage(said, scene) for scene in SCENES}
    assert len({pcm.tobytes() for pcm in heard.values()}) == len(SCENES)
    assert all(len(pcm) >= len(heard["quiet"]) > SAMPLE_RATE for pcm in heard.values())
    assert not heard["quiet"][: SAMPLE_RATE // 4].any(), "nothing else sounds"
    assert all(np.abs(heard[scene][: SAMPLE_RATE // 4]).max() > 20 for scene in SCENES[1:])
    again = Stage(Voices(), 12.0, seed=3)
    np.testing.assert_array_equal(again(said, "babble"), heard["babble"])
    assert Stage(Voices(), 12.0, seed=4)(said, "noise").tobytes() != heard["noise"].tobytes()


def test_what_is_given_as_noise_sounds_in_the_noise() -> None:
    said = Spoken(0, Command("stop", "system.stop", {}), "en-us")
    hum = np.rint(9000 * np.sin(np.arange(SAMPLE_RATE) * (2 * np.pi * 1000 / SAMPLE_RATE))).astype(np.int16)
    pcm = Stage(Voices(), 6.0, hum)(said, "noise")
    spectrum = np.abs(np.fft.rfft(pcm[: SAMPLE_RATE // 4].astype(np.float64)))
    assert np.argmax(spectrum) * 4 == 1000


def reading(intent: str = "timer.start", **slots: Slot) -> Interpretation:
    return Interpretation(intent, slots)


def test_understood_means_the_intent_and_all_slots_by_value_and_nothing_else() -> None:
    ten = Slot("ten minutes", timedelta(minutes=10))
    expected = reading(duration=ten, name=Slot("pasta", "pasta"))
    digits = reading(duration=Slot("10 minutes", timedelta(minutes=10)), name=Slot("Pasta", "Pasta"))
    assert understood([digits], expected)
    assert not understood([], expected)
    assert not understood([digits, digits], expected)
    assert not understood([reading(duration=ten)], expected)
    assert not understood([reading("timer.extend", duration=ten, name=Slot("pasta", "pasta"))], expected)
    assert not understood([reading(duration=ten, name=Slot("pizza", "pizza"))], expected)
    assert not understood(
        [reading(duration=Slot("2 minutes", timedelta(minutes=2)), name=expected.slots["name"])], expected
    )
    and_ = [reading("math.compute", expression=Slot(text)) for text in ("two hundred and five", "two hundred five")]
    assert understood(and_[:1], and_[1])


def test_known_is_what_the_grammar_has(conversation: Conversation) -> None:
    assert is_known(conversation.interpret("turn on the kitchen light"))
    assert not is_known(conversation.interpret("he blew a lot of money on his new car"))
