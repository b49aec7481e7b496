"""The gate of golden commands, on models that are tables."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from device.errors import BadInput
from device.nlu.onnx_model import Prediction, SlotSpan
from quantize.feedback.regression import Broken, Golden, Predict, RegressionError, broken, check, read_golden

GOLDEN = [
    Golden("turn on the lights", "light.on"),
    Golden("set a timer for 10 minutes", "timer.start", {"duration": "ten minutes"}),
    Golden("how many cups in two liters", "unit.convert", {"unit": ["cups", "liters"], "amount": "two"}),
    Golden("sell my house", "oos"),
]
RIGHT = {
    "turn on the lights": ("light.on", [], True),
    "set a timer for ten minutes": ("timer.start", [("duration", 4, 6)], True),
    "how many cups in two liters": ("unit.convert", [("unit", 2, 3), ("amount", 4, 5), ("unit", 5, 6)], True),
    "sell my house": ("light.on", [], False),
}


def model(**changes: tuple[str, list[tuple[str, int, int]], bool]) -> Predict:
    table = RIGHT | {text.replace("_", " "): reading for text, reading in changes.items()}

    def predict(words: Sequence[str]) -> Prediction:
        intent, spans, accepted = table[" ".join(words)]
        slots = tuple(SlotSpan(*span, 0.9) for span in spans)
        return Prediction(((intent, 0.9),), slots, (), 0.9, accepted, np.zeros(1, np.float32))

    return predict


def test_a_model_that_is_as_good_passes() -> None:
    assert broken(GOLDEN, model(), model()) == []
    check(GOLDEN, model(), model())


@pytest.mark.parametrize(
    ("text", "reading", "after"),
    [
        ("turn on the lights", ("light.off", [], True), "light.off"),
        ("turn on the lights", ("light.on", [], False), "oos"),
        ("turn on the lights", ("light.on", [("room", 2, 4)], True), "light.on (room: the lights)"),
        ("set a timer for ten minutes", ("timer.start", [("duration", 4, 5)], True), "timer.start (duration: ten)"),
        ("sell my house", ("light.on", [], True), "light.on"),
    ],
)
def test_intent_acceptance_and_slots_all_count(text: str, reading: tuple, after: str) -> None:
    (found,) = broken(GOLDEN, model(), model(**{text.replace(" ", "_"): reading}))
    assert found.after == after
    with pytest.raises(RegressionError, match="breaks 1 of 4") as refused:
        check(GOLDEN, model(), model(**{text.replace(" ", "_"): reading}))
    assert after in str(refused.value)
    assert refused.value.exit_code == 1


def test_what_was_wrong_before_can_not_break() -> None:
    before = model(turn_on_the_lights=("light.off", [], True))
    assert broken(GOLDEN, before, model(turn_on_the_lights=("tv.on", [], True))) == []
    assert broken(GOLDEN, before, model()) == []


def test_a_message_names_twenty_and_counts_the_rest() -> None:
    many = [Golden(f"turn on the lights{'!' * n}", "light.on") for n in range(25)]
    with pytest.raises(RegressionError, match="and 5 more"):
        check(many, model(), model(turn_on_the_lights=("light.off", [], True)))


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('{"text": "a"}', "missing required field `intent`"),
        ('{"text": "a", "intent": "Light"}', "regex"),
        ('{"text": "a", "intent": "oos", "slot": {}}', "unknown field `slot`"),
        ('{"text": "b", "intent": "oos"}', "stands there twice"),
    ],
)
def test_a_bad_golden_file_is_refused(tmp_path: Path, line: str, wrong: str) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text(f'{{"text": "b", "intent": "oos"}}\n{line}\n')
    with pytest.raises(BadInput, match="line 2") as refused:
        read_golden(path)
    assert wrong in str(refused.value)


def test_broken_commands_read_well() -> None:
    found = broken(GOLDEN, model(), model(how_many_cups_in_two_liters=("unit.convert", [("unit", 2, 3)], True)))
    assert found == [
        Broken(
            "how many cups in two liters",
            "unit.convert (amount: two, unit: cups | liters)",
            "unit.convert (unit: cups)",
        )
    ]
