"""The gate between float32 and int8: what it lets pass, and what it says when it does not."""

import numpy as np
import pytest

from device.nlu.onnx_model import Logits
from device.nlu.types import Act
from models.labels import LabelSchema
from models.manifest import Calibration
from quantize.data.example import Example, Span
from quantize.evaluate.parity import ParityError, check_parity, class_losses

LABELS = LabelSchema.of(["light.on", "light.off", "alarm.set"], ["time", "room"], tuple(Act))
PERFECT = Calibration(1.0, 1.0, (1.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.5)
TAGS = {name: number for number, name in enumerate(LABELS.slot_labels)}


def said(sentence, intent, **spans):
    return Example(tuple(sentence.split()), intent, spans=tuple(Span(name, *at) for name, at in spans.items()))


def answer(example, intent=None, spans=None):
    """Logits of a model that answers this; by default the truth."""
    spans = example.spans if spans is None else spans
    heads = [np.zeros(len(names), np.float32) for names in (LABELS.intents, LABELS.acts)]
    heads[0][LABELS.intents.index(intent or example.intent)] = 9
    heads[1][LABELS.acts.index(Act.COMMAND)] = 9
    slots = np.zeros((len(example.words), len(TAGS)), np.float32)
    tags = ["O"] * len(example.words)
    for span in spans:
        tags[span.start : span.end] = [f"B-{span.type}", *[f"I-{span.type}"] * (span.end - span.start - 1)]
    slots[range(len(tags)), [TAGS[tag] for tag in tags]] = 9
    return Logits(heads[0], slots, heads[1], np.ones(4, np.float32))


WAKE = said("wake me at seven", "alarm.set", time=(3, 4))
ON = said("kitchen lights on", "light.on", room=(0, 1))
OFF = said("hall light off", "light.off", room=(0, 1))
EXAMPLES = [WAKE, ON, OFF] * 40
TRUTH = [answer(example) for example in EXAMPLES]


def test_what_is_as_good_passes_with_the_figures_of_float32():
    assert check_parity(EXAMPLES, TRUTH, TRUTH, LABELS, PERFECT)["intent_accuracy"] == 100


def test_what_became_better_passes():
    worse = [answer(WAKE, "light.on"), *TRUTH[1:]]
    assert check_parity(EXAMPLES, worse, TRUTH, LABELS, PERFECT)["intent_accuracy"] < 100


def test_a_refusal_names_the_classes_that_lost_worst_first_with_sentences():
    int8 = list(TRUTH)
    int8[2] = answer(OFF, "light.on")
    int8[1] = int8[4] = answer(ON, "light.off")
    with pytest.raises(ParityError) as refused:
        check_parity(EXAMPLES, TRUTH, int8, LABELS, PERFECT)
    message = str(refused.value)
    assert "intent_accuracy fell by 2.50 points, from 100.0 to 97.5; allowed 0.5" in message
    assert "intent light.on: 2 errors instead of 0 in 40" in message
    assert '"kitchen lights on" -> light.off' in message
    assert message.index("light.on:") < message.index("light.off:")
    assert "alarm.set" not in message
    assert refused.value.losses[0].name == "light.on"


def test_a_loss_of_slots_alone_is_refused_too():
    int8 = [answer(WAKE, spans=(Span("time", 2, 4),)), answer(ON, spans=()), *TRUTH[2:]]
    with pytest.raises(ParityError, match="slot_f1 fell") as refused:
        check_parity(EXAMPLES, TRUTH, int8, LABELS, PERFECT)
    losses = {loss.name: loss for loss in refused.value.losses}
    assert losses["time"].errors == (0, 2)  # one span missed, one that is none
    assert losses["time"].broken == (("wake me at seven", "'at seven'"),)
    assert losses["room"].errors == (0, 1)
    assert losses["room"].broken == (("kitchen lights on", "nothing"),)
    assert losses["room"].of == 80


def test_what_a_source_does_not_mark_is_not_lost():
    example = Example(("hall", "light", "off"), "light.off", spans=(Span("room", 0, 1),), annotated=frozenset())
    (loss,) = class_losses([example], [answer(example)], [answer(example, spans=())], LABELS)
    assert (loss.kind, loss.more) == ("intent", 0)
