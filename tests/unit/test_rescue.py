"""Sound: what it may replace, and which intents are told apart."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device.nlu.grammar import compile_grammar
from device.nlu.pack import Pack
from device.nlu.phonemes import Phonemizer
from device.nlu.rescue import SoundRescue, keeps_numbers

PACKS: Sequence[Mapping[str, Any]] = (
    {
        "skill": "common",
        "types": {"duration": {"template": "(five|ninety five|forty) minutes"}, "door": {"values": ["front door"]}},
    },
    {"skill": "timer", "intents": {"start": {"slots": {"duration": {}}, "phrases": ["set a timer for {duration}"]}}},
    {
        "skill": "lock",
        "intents": {
            "lock": {"slots": {"door": {}}, "phrases": ["lock the {door}"]},
            "unlock": {"slots": {"door": {}}, "phrases": ["unlock the {door}"]},
        },
    },
)


@pytest.mark.parametrize(
    ("heard", "sentence", "kept"),
    [
        ("for minus five minutes", "for ninety five minutes", False),
        ("march twenty eighth", "march twenty sixth", False),
        ("timer twenty five", "timer twenty days", False),
        ("for tea minutes", "for forty minutes", True),
        ("dim it two fifty", "dim it to fifty", True),
        ("luck the door", "lock the door", True),
        ("five and ten", "ten and five", False),
    ],
)
def test_numbers_are_kept(heard: str, sentence: str, kept: bool) -> None:
    assert keeps_numbers(heard.split(), sentence.split()) is kept


@pytest.fixture
def rescue(tmp_path: Path) -> SoundRescue:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    grammar = compile_grammar(msgspec.convert(list(PACKS), list[Pack]))
    return SoundRescue(grammar, Phonemizer(tmp_path), [])


@pytest.mark.parametrize(
    ("heard", "intent"),
    [
        ("sat a timer for five minutes", "timer.start"),
        ("luck the front door", "lock.lock"),
        ("unluck the front door", "lock.unlock"),
        ("set a timer for minus five minutes", None),
        ("the weather is lovely today", None),
    ],
)
def test_the_nearest_sentence(rescue: SoundRescue, heard: str, intent: str | None) -> None:
    found = rescue.among(heard.split(), ["timer.start", "lock.lock", "lock.unlock"])
    assert (found.match.intent if found else None) == intent


def test_only_the_given_intents_are_searched(rescue: SoundRescue) -> None:
    assert rescue.among("luck the front door".split(), ["timer.start"]) is None
    assert rescue.untrained("luck the front door".split()) is None


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="the espeak-ng program is not installed")
@pytest.mark.parametrize(
    ("word", "alike"),
    [("stop", True), ("scott", True), ("star", True), ("still", False), ("the", False), ("kitchen", False)],
)
def test_a_lone_word_may_be_a_misheard_stop(word: str, alike: bool) -> None:
    rescue = SoundRescue(compile_grammar([]), Phonemizer(), ())
    assert rescue.alike(word, "stop") is alike
