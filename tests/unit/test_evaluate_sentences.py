"""Anyone's sentences: what is read, what is refused, and how they are scored."""

import json

import pytest

from device.errors import BadInput
from device.nlu.onnx_model import load_model
from device.nlu.types import Act
from models.labels import LabelSchema
from quantize.cli.options import BUNDLE
from quantize.evaluate.sentences import read_sentences, score

LABELS = LabelSchema.of(["light.on", "timer.start"], ["room", "duration"], tuple(Act))


def write(tmp_path, *rows):
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def test_slots_in_three_forms_are_found_in_the_spoken_form(tmp_path):
    text = "Set a 10 minutes timer!"
    path = write(
        tmp_path,
        {"text": text, "intent": "timer.start", "slots": {"duration": "10 minutes"}},
        {"text": text, "intent": "timer.start", "slots": {"for": ["10"]}, "note": "ignored"},
        "",
        {"text": text, "intent": "timer.start", "slots": [{"type": "duration", "value": 10}]},
        {"text": "lights", "intent": "oos"},
    )
    found = read_sentences(path, LABELS, names={("timer.start", "for"): "duration"})
    assert [[(s.type, s.start, s.end) for s in e.spans] for e in found.examples] == [
        [("duration", 2, 4)], [("duration", 2, 3)], [("duration", 2, 3)], [],
    ]  # fmt: skip
    assert found.texts[0] == text
    assert found.examples[0].annotated is None
    assert found.examples[3].annotated == frozenset()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{nonsense", "line 2: JSON is malformed"),
        ({"text": "lights on"}, "line 2: .*required field `intent`"),
        ({"intent": "light.on"}, "line 2: .*required field `text`"),
        ({"text": "lights", "intent": "light.onn"}, "line 2: .*no intent 'light.onn'; did you mean light.on"),
        ({"text": "lights", "intent": "zzz"}, "line 2: .*no intent 'zzz', which has 3"),
        ({"text": "?!", "intent": "light.on"}, "line 2: `text` holds no words"),
    ],
)
def test_a_bad_line_is_named_or_counted(tmp_path, row, message):
    path = write(tmp_path, {"text": "lights on", "intent": "light.on"}, row)
    with pytest.raises(BadInput, match=message):
        read_sentences(path, LABELS)
    found = read_sentences(path, LABELS, skip_bad=True)
    assert len(found.examples) == len(found.bad) == 1


@pytest.mark.parametrize("slots", [{"rooom": "kitchen"}, {"room": "attic"}])
def test_slots_that_cannot_be_found_leave_the_intent_scored(tmp_path, slots):
    path = write(tmp_path, {"text": "light in the kitchen", "intent": "light.on", "slots": slots})
    found = read_sentences(path, LABELS)
    assert found.examples[0].annotated == frozenset()
    assert found.unscored[0].startswith("line 1: ")


def test_a_missing_or_empty_file_is_refused(tmp_path):
    with pytest.raises(BadInput, match="can't be read"):
        read_sentences(tmp_path / "none.jsonl", LABELS)
    with pytest.raises(BadInput, match="no sentence"):
        read_sentences(write(tmp_path, ""), LABELS)


def test_the_shipped_model_is_scored_as_it_would_answer(tmp_path):
    path = write(
        tmp_path,
        {"text": "Turn on the lights in the kitchen", "intent": "light.on", "slots": {"room": "kitchen"}},
        {"text": "Turn off the lights in the kitchen", "intent": "light.on", "slots": {"room": "kitchen"}},
        {"text": "Set a timer for 10 minutes", "intent": "timer.start", "slots": {"duration": "minutes"}},
        {"text": "Transfer money to my savings account", "intent": "light.on"},
    )
    model = load_model(BUNDLE)
    found, outcomes = score(model, read_sentences(path, model.labels))
    assert found["n"] == len(outcomes) == 4
    assert found["accuracy"] == found["intent_accuracy"] == 50.0
    assert found["misses"] == [
        {"text": "Turn off the lights in the kitchen", "expected": "light.on", "predicted": "light.off"},
        {"text": "Transfer money to my savings account", "expected": "light.on", "predicted": "oos"},
    ]
    assert [miss["text"] for miss in found["slot_misses"]] == ["Set a timer for 10 minutes"]
    assert found["slot_misses"][0]["expected"] == {"duration": ["minutes"]}
    assert found["slot_misses"][0]["predicted"] == {"duration": ["ten minutes"]}
