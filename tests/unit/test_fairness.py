"""The fairness slice: balanced groups, and a gap that is found."""

import msgspec
import numpy as np
import pytest

from device.nlu.onnx_model import Logits
from device.nlu.pack import PACKS_DIR, load_packs
from device.nlu.types import Act
from models.labels import LabelSchema
from models.manifest import Calibration
from quantize.evaluate.fairness import Fairness, fairness

SMALL = """
templates: {place: {weather.query: ["weather in {}", "rain in {}"]}}
origins:
  here: {place: [rome, new york]}
  there: {place: [xian, apia]}
values: {room: [kitchen, attic]}
varieties:
  plain: {light.on: "light on in the {room}", light.off: "dark"}
  other: {light.on: "on di {room} light", light.off: "dark"}
"""


class OnlyKnows:
    """Right where none of some words occurs; marks the word after "in" as a place."""

    labels = LabelSchema.of(["weather.query", "light.on", "light.off"], ["place"], tuple(Act))

    def __init__(self, *unknown):
        self.unknown = set(unknown)
        self.manifest = msgspec.defstruct("Manifest", ["calibration"])(
            Calibration(1.0, 1.0, (1.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.5)
        )

    def logits(self, words, context=()):
        intent = "weather.query" if "in" in words and "the" not in words else "light.on"
        intent = "light.off" if "dark" in words else "oos" if self.unknown & set(words) else intent
        slots = np.zeros((len(words), 3), np.float32)
        if "in" in words and words[-2] == "in":
            slots[-1, 1] = 9
        scores = [9.0 * (name == intent) for name in self.labels.intents]
        return Logits(np.array(scores, np.float32), slots, np.eye(8, dtype=np.float32)[0], np.ones(2, np.float32))


def small():
    return msgspec.yaml.decode(SMALL, type=Fairness).examples()


def test_the_gap_is_best_less_worst():
    found = fairness(OnlyKnows("xian", "di"), small())
    assert found["origins"]["gap"] == 50.0
    assert [g["name"] for g in found["origins"]["groups"]] == ["there", "here"]
    assert not found["origins"]["passed"]
    assert found["varieties"]["groups"][0] == {
        "name": "other", "n": 3, "accuracy": 33.33, "interval": found["varieties"]["groups"][0]["interval"],
    }  # fmt: skip
    assert found["names"]["gap"] == 50.0  # "new york" is not marked whole
    assert found["names"]["groups"][0]["name"] == "here"


def test_equal_groups_pass():
    found = fairness(OnlyKnows("attic"), small())
    assert found["varieties"]["gap"] == 0.0
    assert found["varieties"]["passed"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("[xian, apia]", "[xian]", "unequally many"), (', light.off: "dark"}', "}", "different commands")],
)
def test_unbalanced_groups_are_refused(old, new, message):
    at = SMALL.rindex(old)
    with pytest.raises(msgspec.ValidationError, match=message):
        msgspec.yaml.decode(SMALL[:at] + new + SMALL[at + len(old) :], type=Fairness)


def test_the_projects_own_sentences_are_balanced_and_of_the_ontology():
    groups = Fairness.read().examples()
    assert len(groups["origins"]) >= 12
    intents = {name for pack in load_packs(PACKS_DIR) for name in pack.intent_names()}
    for kind in groups.values():
        assert len({tuple(e.intent for e in examples) for examples in kind.values()}) == 1
        for examples in kind.values():
            assert {e.intent for e in examples} <= intents
            assert len({e.words for e in examples}) == len(examples)
            assert not any("{" in word for e in examples for word in e.words)
    for examples in groups["origins"].values():
        for example in examples:
            assert all(" ".join(example.words[s.start : s.end]) for s in example.spans)
