"""Measures against cases worked out by hand."""

import numpy as np
import pytest

from device.nlu.onnx_model import Logits
from device.nlu.types import Act
from models.labels import LabelSchema
from models.manifest import Calibration
from quantize.data.example import Example, Span
from quantize.evaluate.calibrate import calibrate
from quantize.evaluate.measures import (
    calibration_figures,
    confusion,
    ece,
    intent_figures,
    per_slot,
    reliability,
    scope_figures,
    slot_figures,
)
from quantize.evaluate.outcomes import Outcome, outcomes_of, read_outcomes, write_outcomes

LABELS = LabelSchema.of(["light.on", "light.off"], ["room"], tuple(Act))
PLAIN = Calibration(2.0, 1.0, (1.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.5)


def outcome(expected="a", predicted="a", scope=0.9, **changes):
    fields = {
        "words": ("x", "y", "z"),
        "likeliest": predicted,
        "accepted": scope >= 0.5,
        "confidence": 0.8,
        "raw_confidence": 0.9,
    }
    return Outcome(expected=expected, predicted=predicted, scope=scope, **(fields | changes))


def logits(off, on, oos, words=2):
    slots = np.zeros((words, 3), np.float32)
    slots[-1, 1] = 5  # B-room on the last word
    return Logits(np.array([off, on, oos], np.float32), slots, np.eye(8, dtype=np.float32)[0], np.ones(4, np.float32))


def test_outcomes_know_answer_and_slots(tmp_path):
    example = Example(("lights", "kitchen"), "light.on", spans=(Span("room", 1, 2),))
    refused = Example(("my", "hat"), "oos", annotated=frozenset())
    found = outcomes_of([example, refused], [logits(0, 4, 0), logits(0, 1, 9)], LABELS, PLAIN, "p")
    assert LABELS.intents == ("light.off", "light.on", "oos")
    assert [o.answer for o in found] == ["light.on", "oos"]
    assert [o.answered for o in found] == [True, True]
    assert found[1].likeliest == "oos"
    assert found[1].predicted == "light.on"
    assert found[0].slots_right
    assert found[1].found == ()  # the source marks nothing in it
    assert found[0].confidence == pytest.approx(1 / (1 + np.exp(-2)), rel=1e-5)  # temperature 2
    assert found[0].raw_confidence == pytest.approx(1 / (1 + np.exp(-4)), rel=1e-5)
    assert found[0].brier == pytest.approx(2 * (1 - found[0].confidence) ** 2, rel=1e-4)
    assert found[1].brier is None
    write_outcomes(tmp_path / "p.jsonl", found)
    assert read_outcomes(tmp_path / "p.jsonl") == found


def test_intents_micro_and_macro():
    found = intent_figures(
        [outcome("a", "a"), outcome("a", "a"), outcome("a", "b"), outcome("b", "b"), outcome("oos", "a")]
    )
    assert found["intent_accuracy"] == found["intent_micro_f1"] == 75.0
    assert found["intent_macro_f1"] == pytest.approx(100 * (0.8 + 2 / 3) / 2, abs=0.01)
    assert intent_figures([outcome("oos")]) == {}


def test_slots_need_type_and_ends():
    room, date = Span("room", 0, 2), Span("date", 2, 3)
    found = slot_figures(
        [
            outcome(spans=(room,), found=(room,)),
            outcome(spans=(room, date), found=(Span("room", 0, 1), date)),
            outcome("a", "b", spans=(date,), found=(date,)),
            outcome(spans=(date,), marked=False),
        ]
    )
    assert found["slot_f1"] == found["slot_precision"] == 75.0
    assert found["entity_f1"] == 100.0
    assert found["sentence_accuracy"] == pytest.approx(33.33)
    assert slot_figures([outcome(marked=False)]) == {}
    rows = per_slot([outcome(spans=(room, date), found=(date,)), outcome(spans=(date,), found=(date,))])
    assert [(row["type"], row["n"], row["f1"]) for row in rows] == [("date", 2, 100.0), ("room", 1, 0.0)]


def test_scope_threshold_comes_from_development_data():
    test = [outcome(scope=s) for s in (0.3, 0.7, 0.8, 0.9)] + [outcome("oos", scope=s) for s in (0.1, 0.4, 0.6, 0.85)]
    dev = [outcome(scope=s) for s in np.linspace(0.5, 1, 101)]
    found = scope_figures(test, dev)
    # 5 % of the development sentences lie below 0.525
    assert found["oos_recall_at_5"] == 50.0
    assert found["in_scope_rejected_at_5"] == 25.0
    assert found["in_scope_accuracy_at_5"] == 75.0
    assert found["in_scope_rejected"] == 25.0
    assert found["oos_rejected"] == 50.0
    assert found["auroc"] == pytest.approx(11 / 16, abs=1e-3)
    assert found["oos_recall_at_5_of_test"] == 25.0
    assert found["fpr95"] == 75.0
    assert "auroc" not in scope_figures(test[:4], dev)


def test_calibration_error_is_the_weighted_gap():
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55])
    right = np.array([True, True, True, False, False])
    assert ece(confidence, right, bins=10) == pytest.approx(0.8 * 0.2 + 0.2 * 0.55)
    assert [b.size for b in reliability(confidence, right, 10)] == [1, 4]
    assert reliability(np.array([0.0, 1.0]), np.array([False, True]), 10)[1].accuracy == 1.0
    found = calibration_figures([outcome(brier=0.25), outcome("a", "b", brier=0.75), outcome("oos")])
    assert found == {"ece": 0.3, "ece_uncalibrated": 0.4, "brier": 0.5}


def test_confusion_names_the_worst():
    names, matrix = confusion([("a", "b")] * 3 + [("a", "a")] * 2 + [("c", "c"), ("d", "c")], count=2)
    assert names == ["a", "b", "other"]
    assert matrix == [[2, 3, 0], [0, 0, 0], [0, 0, 2]]


@pytest.mark.parametrize("with_oos", [True, False])
def test_calibration_with_and_without_out_of_scope_sentences(with_oos):
    """Sentences of no source count for the temperature only."""
    chance = np.random.default_rng(1)
    examples, outputs = [], []
    for number in range(200):
        on = bool(number % 2)
        examples.append(Example((f"w{number}", "x"), "light.on" if on else "light.off", source="snips"))
        strength = chance.normal(6, 1)
        wrong = chance.random() < 0.2  # too sure of itself
        outputs.append(logits(0 if on != wrong else strength, strength if on != wrong else 0, -3))
        if with_oos and number % 4 == 0:
            examples.append(Example((f"o{number}",), "oos", source="snips"))
            outputs.append(logits(0, 1, chance.normal(3, 1), words=1))
    found = calibrate(examples, outputs, LABELS)
    assert found.temperature > 1.5
    outcomes = outcomes_of(examples, outputs, LABELS, found)
    rejected = np.mean([not o.accepted for o in outcomes if o.inside])
    assert 0 < rejected <= 0.04
    figures = calibration_figures(outcomes)
    assert figures["ece"] < figures["ece_uncalibrated"]
    if with_oos:
        assert np.mean([not o.accepted for o in outcomes if not o.inside]) > 0.9
