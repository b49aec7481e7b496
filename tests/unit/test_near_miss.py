"""Commands but for one word that the device does not know."""

import pytest

from device.nlu.grammar import compile_grammar
from device.nlu.near_miss import unknown_words
from device.nlu.pack import PACKS_DIR, load_packs

COFFEE = compile_grammar([*load_packs(PACKS_DIR), *load_packs(PACKS_DIR / "examples")])


@pytest.mark.parametrize(
    ("heard", "command", "said"),
    [
        ("i want a large matcha with soy milk", "i want a large mocha with soy milk", "matcha"),
        ("i want a large earl grey with soy milk", "i want a large mocha with soy milk", "earl grey"),
        ("i'd want a large matcha with soy milk", "i want a large mocha with soy milk", "matcha"),
        ("i want a large mocha with goat milk", "i want a large mocha with soy milk", "goat milk"),
    ],
)
def test_what_was_said_in_place_of_a_known_value(heard: str, command: str, said: str) -> None:
    assert unknown_words(COFFEE, heard.split(), command.split()) == said


@pytest.mark.parametrize(
    ("heard", "command"),
    [
        ("the train was late again yesterday", "i want a large mocha with soy milk"),
        ("i want a large mocha with soy milk", "i want a large mocha with soy milk"),
        ("", "i want a large mocha"),
        ("we never went to the large market with him", "i want a large mocha with soy milk"),
        ("i want a large mocha", "no such command"),
    ],
)
def test_what_differs_otherwise_is_no_near_miss(heard: str, command: str) -> None:
    assert unknown_words(COFFEE, heard.split(), command.split()) is None
