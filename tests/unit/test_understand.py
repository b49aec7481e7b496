"""Grammar, then the model, then the sound: who is believed when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.nlu.grammar import compile_grammar
from device.nlu.match import Match
from device.nlu.onnx_model import Prediction, SlotSpan
from device.nlu.pack import Pack
from device.nlu.resolve import ResolveContext
from device.nlu.sound import SoundMatch
from device.nlu.types import OOS, Act
from device.nlu.understand import LONGEST_LOOSE, MODEL_SURE, Understander, clean, is_command

NOW = ResolveContext(datetime(2027, 3, 1, 12, tzinfo=UTC), {})
PACKS: Sequence[Mapping[str, Any]] = (
    {
        "skill": "common",
        "types": {
            "duration": {"template": "(two|five|ten) minutes"},
            "name": {"wildcard": True, "samples": ["egg"]},
            "title": {"wildcard": True, "samples": ["imagine"]},
            "place": {"values": ["kitchen", "hall"]},
        },
    },
    {
        "skill": "timer",
        "intents": {
            "start": {
                "slots": {"duration": {"required": True, "ask": "How long?"}, "name": {}},
                "phrases": ["set a timer for {duration}", "{name} timer for {duration}", "set a {name} timer"],
            }
        },
    },
    {"skill": "lamp", "intents": {"on": {"slots": {"place": {}}, "phrases": ["lamp on", "light the {place}"]}}},
    {"skill": "song", "intents": {"play": {"slots": {"title": {}}, "phrases": ["play {title}"]}}},
    {"skill": "wake", "intents": {"off": {"phrases": ["don't wake me", "is it time to sleep"]}}},
)


class Labels:
    intents = ("oos", "timer.start", "lamp.on", "song.play", "wake.off")


class FakeModel:
    """Says what it is told to; counts how often it is asked."""

    labels = Labels()

    def __init__(self, intent: str, probability: float, *slots: SlotSpan, in_scope: float = 1.0) -> None:
        self.prediction = Prediction(
            ((intent, probability), ("lamp.on" if intent != "lamp.on" else "song.play", 1 - probability)),
            slots,
            ((Act.COMMAND, 1.0),),
            in_scope,
            in_scope >= 0.5,
            None,  # type: ignore[arg-type]
        )
        self.asked = 0

    def predict(self, words: Sequence[str], context: str = "") -> Prediction:
        self.asked += 1
        return self.prediction


class FakeSound:
    """Hears "lamp on" in everything."""

    def __init__(self) -> None:
        self.searched: list[Sequence[str]] = []

    def untrained(self, words: Sequence[str]) -> SoundMatch | None:
        return None

    def among(self, words: Sequence[str], intents: Sequence[str]) -> SoundMatch | None:
        self.searched.append(intents)
        return SoundMatch(Match("lamp.on", (), 0, 2), "lamp on", 0.4, 0.05, 0.9)


def understander(model: FakeModel | None = None, sound: FakeSound | None = None) -> Understander:
    packs = msgspec.convert(list(PACKS), list[Pack])
    specs = {f"{pack.skill}.{name}": spec for pack in packs for name, spec in pack.intents.items()}
    return Understander(compile_grammar(packs), specs, model, sound)  # type: ignore[arg-type]


def test_an_exact_match_asks_nobody_else() -> None:
    model, sound = FakeModel("song.play", 1.0), FakeSound()
    reading = understander(model, sound).command("set a timer for ten minutes".split(), NOW)
    assert (reading.intent, reading.source, reading.confidence) == ("timer.start", "grammar", 1.0)
    assert reading.slots["duration"].value == timedelta(minutes=10)
    assert (model.asked, sound.searched) == (0, [])


def test_the_model_is_believed_only_when_it_is_sure() -> None:
    words = "would you shine".split()
    assert understander(FakeModel("lamp.on", 0.97)).command(words, NOW).source == "model"
    assert understander(FakeModel("lamp.on", MODEL_SURE - 0.01)).command(words, NOW).intent == OOS
    assert understander(FakeModel("lamp.on", 0.97, in_scope=0.1)).command(words, NOW).intent == OOS
    assert understander().command(words, NOW).intent == OOS


def test_sound_is_searched_only_when_nothing_else_is_sure() -> None:
    sound = FakeSound()
    words = "lamb on".split()
    assert understander(FakeModel("song.play", 0.95), sound).command(words, NOW).intent == "song.play"
    assert sound.searched == []
    reading = understander(FakeModel("lamp.on", 0.4), sound).command(words, NOW)
    assert (reading.intent, reading.source) == ("lamp.on", "sound")
    assert understander(FakeModel("lamp.on", 0.4), sound).command(words, NOW, by_sound=False).intent == OOS
    assert understander(FakeModel("lamp.on", 0.4, in_scope=0.05), sound).command(words, NOW).intent == OOS
    assert len(sound.searched) == 1


def test_a_clear_intent_with_an_unclear_value_is_searched_alone() -> None:
    sound = FakeSound()
    words = "start a clock for tin minutes".split()
    model = FakeModel("timer.start", 0.99, SlotSpan("duration", 4, 6, 0.9))
    understander(model, sound).command(words, NOW)
    assert sound.searched == [["timer.start"]]


def test_free_words_give_way_to_a_sure_model() -> None:
    words = "play the lights".split()
    assert understander(FakeModel("lamp.on", 0.99)).command(words, NOW).intent == "lamp.on"
    assert understander(FakeModel("lamp.on", 0.6)).command(words, NOW).intent == "song.play"


def test_free_words_that_swallow_a_value_give_way_to_the_same_intent_with_it() -> None:
    words = "set a two minutes egg timer".split()
    model = FakeModel("timer.start", 0.99, SlotSpan("duration", 2, 4, 0.9), SlotSpan("name", 4, 5, 0.9))
    reading = understander(model).command(words, NOW)
    assert {name: slot.text for name, slot in reading.slots.items()} == {"duration": "two minutes", "name": "egg"}


def test_free_words_in_front_are_a_name_and_no_sentence() -> None:
    alone = understander()
    assert alone.command("egg timer for ten minutes".split(), NOW).slots["name"].text == "egg"
    assert alone.command("he set a timer for ten minutes".split(), NOW).intent == OOS
    assert alone.command("light the kitchen and set a timer for ten minutes".split(), NOW).intent == OOS


@pytest.mark.parametrize(
    "said",
    ["is the lamp on", "did you light the lamp", "don't light it", "never light the lamp", "he lit the lamp",
     "i lighted the lamp", "please do not light the lamp", "have you put it on"],
)  # fmt: skip
def test_questions_bans_and_tales_are_no_commands(said: str) -> None:
    reading = understander(FakeModel("lamp.on", 0.99), FakeSound()).command(said.split(), NOW)
    assert reading.intent == OOS


@pytest.mark.parametrize("said", ["don't wake me please", "is it late"])
def test_what_a_phrase_begins_with_may_begin_a_command(said: str) -> None:
    assert understander(FakeModel("wake.off", 0.99)).command(said.split(), NOW).intent == "wake.off"


def test_a_speech_is_no_command() -> None:
    model = FakeModel("lamp.on", 0.99)
    assert understander(model).command(("light",) * (LONGEST_LOOSE + 1), NOW).intent == OOS
    assert model.asked == 0


def test_hesitations_and_wake_words_are_dropped() -> None:
    assert clean("Hey Jarvis, um, set a timer for, uh, ten") == tuple("set a timer for ten".split())
    assert clean("uh huh") == ("uh", "huh")
    assert clean("um") == clean("") == ()


def test_where_a_phrase_begins() -> None:
    assert understander().begins("wake.off", "don't", "wake")
    assert not understander().begins("wake.off", "don't", "sing")
    assert not understander().begins("wake.on", "don't")


@given(st.text(max_size=200))
def test_no_text_is_too_odd(text: str) -> None:
    reading = UNDERSTANDER.command(clean(text), NOW)
    assert 0.0 <= reading.confidence <= 1.0
    assert is_command(reading) == (reading.intent != OOS)


UNDERSTANDER = understander(FakeModel("lamp.on", 0.3))
