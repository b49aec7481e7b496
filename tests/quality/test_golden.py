"""The golden commands: well formed, of every intent, and understood by the bundle that ships."""

from collections import Counter
from pathlib import Path

import pytest

from device.nlu.onnx_model import load_model
from device.nlu.pack import PACKS_DIR, load_packs
from device.nlu.text import words
from device.nlu.types import OOS
from quantize.feedback.regression import read_golden, reading

GOLDEN = read_golden(Path(__file__).with_name("golden.jsonl"))
BUNDLE = Path(__file__).parents[2] / "models" / "artefacts" / "homebody-en"


def test_every_intent_has_its_commands() -> None:
    packs = load_packs(PACKS_DIR)
    counts = Counter(command.intent for command in GOLDEN)
    assert len(GOLDEN) >= 250
    assert set(counts) == {OOS, *(name for pack in packs for name in pack.intent_names())}
    assert min(counts.values()) >= 2


def test_slots_are_types_of_the_intent_and_stand_in_the_sentence() -> None:
    specs = {f"{pack.skill}.{name}": spec for pack in load_packs(PACKS_DIR) for name, spec in pack.intents.items()}
    for command in GOLDEN:
        said = " ".join(words(command.text))
        spec = specs.get(command.intent)
        for type_, values in command.slots.items():
            assert spec is not None, command.text
            assert type_ in {spec.slot_type(slot) for slot in spec.slots}, command.text
            for value in [values] if isinstance(values, str) else values:
                assert f" {value} " in f" {said} ", command.text


@pytest.mark.engines
def test_the_shipped_bundle_understands_them() -> None:
    model = load_model(BUNDLE)
    wrong = []
    for command in GOLDEN:
        said = words(command.text)
        intent, slots = reading(said, model.predict(said))
        expected = {type_: [value] if isinstance(value, str) else value for type_, value in command.slots.items()}
        if (intent, slots) != (command.intent, expected):
            wrong.append(f"{command.text}: {intent} {slots}")
    assert len(wrong) <= 0.02 * len(GOLDEN), "\n".join(wrong)
