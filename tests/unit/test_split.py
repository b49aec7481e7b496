"""Several commands in one breath."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.nlu.split import LONGEST, distribute, split
from device.nlu.types import OOS, Interpretation, Slot

COMMANDS = {
    "lamp on": "lamp.on",
    "lamp off": "lamp.off",
    "what time is it": "time.query",
    "play songs": "song.play",
    "when i say party": "phrase.teach",
}


def read(words: Sequence[str]) -> Interpretation:
    text = " ".join(words)
    if text.startswith("add "):
        item = text.removeprefix("add ")
        return Interpretation("list.add", {"item": Slot(item, item)}, 0.95, "grammar", text=text)
    if text.startswith("when i say party"):
        return Interpretation("phrase.teach", {}, 0.95, "model", text=text)
    intent = COMMANDS.get(text, OOS)
    return Interpretation(intent, {}, 1.0 if intent != OOS else 0.5, "grammar" if intent != OOS else "model", text=text)


def parts(said: str) -> list[str]:
    words = said.split()
    return [part.intent for part in split(words, read, read(words), {"phrase.teach"})]


@pytest.mark.parametrize(
    ("said", "intents"),
    [
        ("lamp on", ["lamp.on"]),
        ("lamp on and what time is it", ["lamp.on", "time.query"]),
        ("lamp on and then lamp off and play songs", ["lamp.on", "lamp.off", "song.play"]),
        ("lamp on then lamp off", ["lamp.on", "lamp.off"]),
        ("lamp on and bananas galore", [OOS]),
        ("add milk and eggs", ["list.add"]),
        ("add milk and lamp on", ["list.add", "lamp.on"]),
        ("lamp on and add milk", ["lamp.on", "list.add"]),
        ("when i say party lamp on and play songs", ["phrase.teach"]),
        ("when i say party and then lamp on", ["phrase.teach"]),
    ],
)
def test_where_it_is_cut(said: str, intents: list[str]) -> None:
    assert parts(said) == intents


@pytest.mark.parametrize(
    "said", ["a hundred and ten apples", "three and a half minutes", "two and three quarters more"]
)
def test_numbers_are_not_cut(said: str) -> None:
    def anything(words: Sequence[str]) -> Interpretation:
        return Interpretation("lamp.on", {}, 1.0, "model", text=" ".join(words))

    words = said.split()
    assert len(split(words, anything, anything(words))) == 1


def test_a_speech_is_not_cut() -> None:
    asked = 0

    def count(words: Sequence[str]) -> Interpretation:
        nonlocal asked
        asked += 1
        return Interpretation("lamp.on", {}, 1.0, "model", text=" ".join(words))

    words = ["and"] * (LONGEST + 1)
    assert len(split(words, count, Interpretation(OOS))) == 1
    assert asked == 0


@given(st.lists(st.sampled_from([*COMMANDS, "add milk", "and", "then", "bananas", "and then"]), max_size=8))
def test_no_word_but_connectors_is_lost(pieces: list[str]) -> None:
    words = " ".join(pieces).split()
    kept = [word for part in split(words, read, read(words)) for word in part.text.split()]
    rest = iter(words)
    assert all(word in rest for word in kept), "in order"
    assert [w for w in words if w not in ("and", "then")] == [w for w in kept if w not in ("and", "then")]


def test_an_enumeration_of_names_is_one_command_each() -> None:
    known = {"room": {"kitchen", "hall", "attic"}.__contains__}
    command = Interpretation("lamp.on", {"room": Slot("kitchen and hall"), "percent": Slot("ten", 10)})
    rooms = [part.slots["room"].value for part in distribute(command, known)]
    assert rooms == ["kitchen", "hall"]
    assert all(part.slots["percent"].value == 10 for part in distribute(command, known))


@pytest.mark.parametrize("said", ["kitchen", "kitchen and moon", "kitchen and", "rhythm and blues"])
def test_what_is_no_enumeration_stays_one(said: str) -> None:
    command = Interpretation("lamp.on", {"room": Slot(said, said)})
    assert distribute(command, {"room": {"kitchen", "hall"}.__contains__}) == (command,)
