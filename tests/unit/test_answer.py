"""What words mean in the middle of a dialogue, understood without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.nlu.answer import Interpreter, Situation
from device.nlu.fragments import choose, closest
from device.nlu.grammar import compile_grammar
from device.nlu.onnx_model import Prediction
from device.nlu.pack import Pack
from device.nlu.resolve import ResolveContext
from device.nlu.types import OOS, Act, Interpretation, Slot, TimeOfDay
from device.nlu.understand import Understander

NAMES = {"room": ("kitchen", "bedroom"), "device": ("kitchen light", "bedroom light", "fan"), "lock.device": ("gate",)}
NOW = ResolveContext(datetime(2027, 3, 1, 12, tzinfo=UTC), NAMES)
PACKS: Sequence[Mapping[str, Any]] = (
    {
        "skill": "common",
        "types": {
            "duration": {"template": "(five|ten|fifteen) minutes"},
            "time": {"template": "(six|seven) [(am|pm)]"},
            "date": {"template": "(today|tomorrow)"},
            "room": {"household": True},
            "device": {"household": True},
            "name": {"wildcard": True, "samples": ["egg"]},
            "item": {"wildcard": True, "samples": ["milk"]},
        },
    },
    {
        "skill": "timer",
        "intents": {
            "start": {
                "slots": {"duration": {"required": True, "ask": "How long?"}, "name": {}},
                "phrases": ["set a timer [for {duration}]", "set a {name} timer for {duration}"],
            },
            "pause": {"slots": {"name": {}}, "phrases": ["pause the [{name}] timer"]},
        },
    },
    {
        "skill": "alarm",
        "intents": {
            "set": {
                "slots": {"time": {"required": True, "ask": "When?"}, "date": {}},
                "phrases": ["wake me [at {time}] [{date}]"],
            }
        },
    },
    {
        "skill": "lamp",
        "intents": {
            "on": {
                "slots": {"device": {}, "room": {}},
                "phrases": ["turn on the {device}", "turn the {room} lights on"],
            },
            "off": {
                "slots": {"device": {}, "room": {}},
                "phrases": ["turn the {device} off", "turn off the {device}"],
            },
            "dim": {"slots": {"device": {}}, "phrases": ["dim the {device}"]},
        },
    },
    {
        "skill": "lock",
        "types": {"device": {"household": True}},
        "intents": {
            "unlock": {
                "slots": {"device": {"required": True, "ask": "Which?"}},
                "confirm": "Shall I?",
                "phrases": ["unlock the {device}"],
            }
        },
    },
    {
        "skill": "list",
        "intents": {
            "add": {"slots": {"item": {"required": True, "ask": "What?"}}, "phrases": ["add {item} to the list", "add"]}
        },
    },
)  # fmt: skip
TIMER = Situation("timer.start", slots={"duration": Slot("ten minutes", timedelta(minutes=10))})
LAMP = Situation("lamp.on", slots={"device": Slot("kitchen light", "kitchen light")}, referents=("the kitchen light",))


class ActModel:
    """A model that has an opinion about acts only."""

    def __init__(self, act: Act, probability: float) -> None:
        self.prediction = Prediction(
            (("lamp.on", 0.5), ("lamp.off", 0.5)), (), ((act, probability),), 0.0, False, None  # type: ignore[arg-type]
        )  # fmt: skip

    def predict(self, words: Sequence[str], context: str = "") -> Prediction:
        return self.prediction


def interpreter(model: ActModel | None = None) -> Interpreter:
    packs = msgspec.convert(list(PACKS), list[Pack])
    specs = {f"{pack.skill}.{name}": spec for pack in packs for name, spec in pack.intents.items()}
    return Interpreter(Understander(compile_grammar(packs, NAMES), specs, model), packs)  # type: ignore[arg-type]


INTERPRETER = interpreter()


def heard(said: str, situation: Situation = Situation()) -> tuple[Interpretation, ...]:  # noqa: B008 (frozen)
    return INTERPRETER.understand(said, situation, NOW)


def one(said: str, situation: Situation) -> tuple[str, Act, dict[str, object]]:
    (reading,) = heard(said, situation)
    return reading.intent, reading.act, {name: slot.value for name, slot in reading.slots.items()}


@pytest.mark.parametrize(
    ("said", "act"), [("yes", Act.AFFIRM), ("no", Act.DENY), ("never mind", Act.CANCEL), ("what", Act.REPEAT)]
)
def test_short_answers_with_and_without_a_question(said: str, act: Act) -> None:
    assert one(said, Situation("lock.unlock", "Shall I?"))[1] is act
    assert one(said, Situation())[1] is act


def test_the_asked_for_slot() -> None:
    asked = Situation("timer.start", "How long?", "duration")
    minutes = {"duration": timedelta(minutes=10)}
    assert one("um, ten minutes please", asked) == ("timer.start", Act.INFORM, minutes)
    assert one("turn on the fan", asked) == ("lamp.on", Act.COMMAND, {"device": "fan"})


def test_a_time_with_its_day_fills_both() -> None:
    _, act, slots = one("seven am tomorrow", Situation("alarm.set", "When?", "time"))
    assert act is Act.INFORM
    assert slots.keys() == {"time", "date"}
    assert isinstance(slots["time"], TimeOfDay)
    assert slots["time"].time.hour == 7


def test_free_words_are_the_answer_unless_they_are_a_command() -> None:
    asked = Situation("list.add", "What?", "item")
    assert one("bread and butter", asked) == ("list.add", Act.INFORM, {"item": "bread and butter"})
    assert one("turn on the fan", asked)[0] == "lamp.on"
    assert one("add eggs to the list", asked) == ("list.add", Act.COMMAND, {"item": "eggs"})


def test_one_of_the_names_offered() -> None:
    asked = Situation("lamp.on", "Which one?", "device", ("kitchen light", "fan"))
    assert one("the fan please", asked) == ("lamp.on", Act.SELECT, {"device": "fan"})
    assert one("the second one", asked) == ("lamp.on", Act.SELECT, {"device": "fan"})
    assert one("turn off the kitchen light", asked) == ("lamp.off", Act.COMMAND, {"device": "kitchen light"})
    assert [i.intent for i in heard("turn off the fan and turn on the kitchen light", asked)] == ["lamp.off", "lamp.on"]


@pytest.mark.parametrize(
    ("said", "slots"),
    [
        ("no fifteen minutes", {"duration": timedelta(minutes=15)}),
        ("i meant five minutes", {"duration": timedelta(minutes=5)}),
        ("actually make that five minutes", {"duration": timedelta(minutes=5)}),
    ],
)
def test_a_correction(said: str, slots: dict[str, object]) -> None:
    assert one(said, TIMER) == ("timer.start", Act.CORRECT, slots)


def test_of_two_names_the_last_is_meant() -> None:
    assert one("not the kitchen the bedroom", LAMP) == ("lamp.on", Act.CORRECT, {"room": "bedroom"})


def test_carry_over() -> None:
    assert one("and the bedroom", LAMP) == ("lamp.on", Act.INFORM, {"room": "bedroom"})
    assert one("what about the fan", LAMP) == ("lamp.on", Act.INFORM, {"device": "fan"})
    milk = Situation("list.add", slots={"item": Slot("milk", "milk")})
    assert one("and eggs", milk) == ("list.add", Act.INFORM, {"item": "eggs"})
    assert one("and turn off the fan", milk) == ("lamp.off", Act.COMMAND, {"device": "fan"})


def test_it_is_what_was_mentioned() -> None:
    assert one("turn it off", LAMP) == ("lamp.off", Act.COMMAND, {"device": "kitchen light"})
    assert one("unlock it", LAMP)[0] == OOS
    pizza = Situation("timer.start", referents=("the pizza timer",))
    assert one("pause it", pizza) == ("timer.pause", Act.COMMAND, {"name": "pizza"})
    assert one("pause it", Situation("lamp.on", referents=("the pizza timer",)))[0] == OOS, (
        "free words of another skill"
    )


def test_the_same_once_more() -> None:
    dim = Situation("lamp.dim", slots={"device": Slot("fan", "fan")})
    assert one("a bit more", dim) == ("lamp.dim", Act.COMMAND, {"device": "fan"})
    assert one("a bit more", LAMP)[0] == OOS, "turning on has no steps"


def test_a_command_that_corrects_itself() -> None:
    assert one("set a timer for ten minutes no wait fifteen minutes", Situation()) == (
        "timer.start", Act.COMMAND, {"duration": timedelta(minutes=15)}
    )  # fmt: skip
    assert one("turn on the fan sorry the kitchen light", Situation())[2] == {"device": "kitchen light"}


@pytest.mark.parametrize(
    "said", ["turn on the fan and the kitchen light", "turn the fan and the kitchen light off"]
)  # fmt: skip
def test_two_names_with_one_verb(said: str) -> None:
    first, second = heard(said)
    assert first.intent == second.intent
    assert [i.slots["device"].value for i in (first, second)] == ["fan", "kitchen light"]


def test_questions_are_no_answers() -> None:
    (reading,) = heard("is the kitchen light on", Situation("lamp.off", "Which one?", "device"))
    assert reading.intent == OOS


@pytest.mark.parametrize(
    ("said", "act", "probability", "taken"),
    [
        ("yes you may", Act.AFFIRM, 0.9, True),
        ("sure why would i not", Act.AFFIRM, 0.9, False),
        ("maybe", Act.AFFIRM, 0.99, False),
        ("not really", Act.DENY, 0.9, True),
        ("yes you may", Act.AFFIRM, 0.3, False),
    ],
)
def test_the_model_may_take_a_yes_but_no_maybe(said: str, act: Act, probability: float, taken: bool) -> None:
    readings = interpreter(ActModel(act, probability)).understand(said, Situation("lock.unlock", "Shall I?"), NOW)
    assert (readings[0].act is act) is taken


def test_names() -> None:
    assert closest("kitchen lights", NAMES["device"]) == "kitchen light"
    assert closest("kitchen", NAMES["device"]) == "kitchen light"
    assert closest("kitchen", NAMES["device"], parts=False) is None
    assert closest("light", NAMES["device"]) is None, "there are two"
    assert choose(("the", "last", "one"), NAMES["device"]) == "fan"


WORDS = "turn on off the fan and no it more not kitchen six".split()


@given(
    st.text(max_size=80) | st.lists(st.sampled_from(WORDS)).map(" ".join),
    st.sampled_from([Situation(), TIMER, LAMP, Situation("alarm.set", "When?", "time"), Situation("lock.unlock", "?"),
                     Situation("lamp.on", "Which?", "device", ("fan", "kitchen light"))]),
)  # fmt: skip
def test_nothing_said_is_too_odd(said: str, situation: Situation) -> None:
    for reading in heard(said, situation):
        assert 0.0 <= reading.confidence <= 1.0
        assert reading.act is not Act.SELECT or reading.slots[situation.slot].value in situation.options


def things(said: str, *together: str) -> list[tuple[str, str]]:
    situation = Situation("lamp.on", together=together, referents=("the fan",))
    return [(reading.intent, reading.slots["device"].text) for reading in heard(said, situation)]


@pytest.mark.parametrize("them", ["them", "all of them", "both of them"])
def test_them_are_all_that_the_last_breath_named(them: str) -> None:
    both = [("lamp.off", "kitchen light"), ("lamp.off", "fan")]
    assert things(f"turn off {them}", "kitchen light", "fan") == both


def test_them_is_the_last_thing_where_it_was_the_only_one() -> None:
    assert things("turn off them") == [("lamp.off", "fan")]
    assert things("turn off it", "kitchen light", "bedroom light") == [("lamp.off", "fan")]


def test_it_in_one_of_several_commands() -> None:
    assert things("turn off it and turn on the kitchen light") == [("lamp.off", "fan"), ("lamp.on", "kitchen light")]
    named = [("lamp.on", "kitchen light"), ("lamp.off", "kitchen light")]
    assert things("turn on the kitchen light and turn off it") == named, "the nearest is meant"
