"""Phonemes, their distance, and the nearest sentence by sound."""

from __future__ import annotations

import itertools
import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import EngineFailed, EngineMissing
from device.nlu.grammar import Grammar, compile_grammar
from device.nlu.pack import Pack
from device.nlu.phonemes import Phonemizer
from device.nlu.phonetics import INDEX, PHONEMES, costs, distance, phonemes
from device.nlu.sound import LIMIT, MAX_PHONEMES, SoundSearch, word_costs
from device.nlu.text import words

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="the espeak-ng program is not installed")
sounds = st.lists(st.sampled_from(PHONEMES), max_size=6).map(tuple)

KITCHEN = {
    "skill": "kitchen",
    "types": {
        "minutes": {"template": "(two|three|ten|twenty) [five] minute[s]"},
        "drink": {"values": ["latte", {"in": "iced mocha", "out": "mocha"}, "espresso", "house coffee"]},
        "name": {"wildcard": True},
        "room": {"household": True},
    },
    "intents": {
        "timer": {"slots": {"minutes": {}}, "phrases": ["(set|start) a timer for {minutes}"]},
        "order": {
            "slots": {"drink": {}, "extra": {"type": "drink"}, "size": {"type": "size"}},
            "phrases": ["(make me|i want) (a|an) [{size}] {drink} [and (a|an) {extra}]"],
        },
        "call": {"slots": {"name": {}}, "phrases": ["send a message to {name}"]},
        "warm": {"slots": {"room": {}}, "phrases": ["warm the {room}"]},
    },
}
KITCHEN["types"]["size"] = {"values": ["small", "large"]}  # type: ignore[index]


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return compile_grammar([msgspec.convert(KITCHEN, Pack)])


@pytest.fixture(scope="module")
def phonemizer() -> Phonemizer:
    return Phonemizer()


@pytest.fixture(scope="module")
def search(grammar: Grammar, phonemizer: Phonemizer) -> SoundSearch:
    return SoundSearch(grammar, phonemizer)


# Phonetics


def test_costs_are_symmetric_zero_only_for_the_same_and_at_most_one() -> None:
    table, indel = costs()
    assert np.array_equal(table, table.T)
    assert not np.diag(table).any()
    assert table.max() == 1
    assert (table + np.eye(len(PHONEMES)))[...].min() > 0
    assert (indel > 0).all()


@pytest.mark.parametrize(
    ("near", "far"),
    [("t d", "t m"), ("p b", "p s"), ("m n", "m k"), ("ɪ i", "ɪ ɑ"), ("s ʃ", "s ɡ"), ("ə ʌ", "ə t"), ("l ɹ", "l k")],
)
def test_sounds_made_alike_are_nearer(near: str, far: str) -> None:
    def cost(pair: str) -> float:
        first, second = pair.split()
        return float(costs()[0][INDEX[first], INDEX[second]])

    assert cost(near) < cost(far)


def test_weak_sounds_are_lost_more_easily_than_full_vowels() -> None:
    _, indel = costs()
    assert indel[INDEX["ə"]] < indel[INDEX["t"]] < indel[INDEX["m"]] < indel[INDEX["aɪ"]]


@given(sounds, sounds)
def test_the_distance_is_symmetric_and_zero_for_the_same(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    assert distance(first, first) == 0
    assert distance(first, second) == pytest.approx(distance(second, first))
    assert first == second or distance(first, second) > 0


def test_ipa_is_read_without_stress_length_and_language_marks() -> None:
    assert phonemes("l_ˈɑː_t_eɪ") == ("l", "ɑ", "t", "eɪ")
    assert phonemes("(fr)ʃ_ˈɛ_f(en)") == ("ʃ", "ɛ", "f")
    assert phonemes("tʃ_ˈɜː_ɾ_ᵻ_?") == ("tʃ", "ɚ", "d", "ɪ")


@settings(max_examples=40)
@given(st.lists(sounds, min_size=1, max_size=4), sounds)
def test_word_costs_are_the_distance_to_every_stretch(lexicon: list[tuple[str, ...]], heard: tuple[str, ...]) -> None:
    def indices(sequence: tuple[str, ...]) -> np.ndarray:
        return np.array([INDEX[phoneme] for phoneme in sequence], np.intp)

    table = word_costs([indices(word) for word in lexicon], indices(heard))
    assert table.shape == (len(lexicon), len(heard) + 1, len(heard) + 1)
    for (w, word), i, j in itertools.product(enumerate(lexicon), range(len(heard) + 1), range(len(heard) + 1)):
        if i <= j:
            assert table[w, i, j] == pytest.approx(distance(word, heard[i:j]), abs=1e-4)
        else:
            assert table[w, i, j] > 1000


# Phonemizer


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Phonemizer]:
    """A phonemizer whose program is a shell script that leaves a note in `calls`."""

    def make(script: str) -> Phonemizer:
        file = tmp_path / "espeak"
        file.write_text(f"#!/bin/sh\necho >> {tmp_path}/calls\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return Phonemizer(tmp_path / "cache", str(file))

    return make


@needs_espeak
def test_words_become_phonemes_whatever_the_number(phonemizer: Phonemizer) -> None:
    assert phonemizer.heard(["time", "thyme", "iced"]) == [("t", "aɪ", "m"), ("t", "aɪ", "m"), ("aɪ", "s", "t")]
    lexicon = ["tschüss", "h", "o'clock", "''", "x", "bbc", "naïve", *(f"word{chr(97 + i)}" for i in range(26))]
    table = phonemizer.vocabulary(lexicon)
    assert list(table) == lexicon
    assert table["''"] == ()
    assert all(table[word] for word in lexicon if word != "''")
    assert phonemizer.heard([]) == []
    assert phonemizer.heard(["a", "the", "ad"]) == [("ə",), ("ð", "ə"), ("æ", "d")]  # weak forms, as in a sentence


def test_the_vocabulary_is_pronounced_once_and_kept_heard_words_are_not(
    program: Callable[[str], Phonemizer], tmp_path: Path
) -> None:
    script = 'while read -r word; do [ -n "$word" ] && echo "$word"; done; [ -n "$word" ] && echo "$word"; true'
    first = program(script)
    assert first.vocabulary(["tim", "bil"]) == {"tim": ("t", "i", "m"), "bil": ("b", "i", "l")}
    assert first.heard(["tim", "sun", "sun"]) == [("t", "i", "m"), ("s", "u", "n"), ("s", "u", "n")]
    assert first.heard(["sun"]) == [("s", "u", "n")]
    assert (tmp_path / "calls").read_text().count("\n") == 2
    (file,) = (tmp_path / "cache").iterdir()
    assert json.loads(file.read_text()) == {"tim": "t i m", "bil": "b i l"}
    again = program(script)
    assert again.vocabulary(["bil"]) == {"bil": ("b", "i", "l")}
    assert (tmp_path / "calls").read_text().count("\n") == 2


@pytest.mark.parametrize("damage", ["", "[]", '{"tim": 3}', '{"tim": "t q"}', "\xff"])
def test_a_damaged_file_is_made_again(program: Callable[[str], Phonemizer], tmp_path: Path, damage: str) -> None:
    program("echo tim").vocabulary(["tim"])
    (file,) = (tmp_path / "cache").iterdir()
    file.write_text(damage, encoding="latin-1")
    assert program("echo tim").vocabulary(["tim"]) == {"tim": ("t", "i", "m")}
    assert json.loads(file.read_text()) == {"tim": "t i m"}


def test_a_missing_or_broken_program_is_said_and_a_folder_that_can_not_be_written_is_no_trouble(
    program: Callable[[str], Phonemizer], tmp_path: Path
) -> None:
    with pytest.raises(EngineMissing, match="apt install espeak-ng"):
        Phonemizer(program="no-such-espeak").heard(["hello"])
    with pytest.raises(EngineFailed):
        program("exit 3").heard(["hello"])
    (tmp_path / "cache").write_text("a file, not a folder")
    assert program("echo tim").vocabulary(["tim"]) == {"tim": ("t", "i", "m")}, "the cache is only a cache"


# Search


@needs_espeak
@pytest.mark.parametrize(
    ("heard", "sentence", "slots"),
    [
        ("set a thyme for ten minutes", "set a timer for ten minutes", {"minutes": ("ten minutes", None)}),
        ("said a timer four ten minute", "set a timer for ten minute", {"minutes": ("ten minute", None)}),
        ("make me an ice smoker", "make me an iced mocha", {"drink": ("iced mocha", "mocha")}),
        (
            "i won't a lodge latte and an express oh",
            "i want a large latte and an espresso",
            {"size": ("large", "large"), "drink": ("latte", "latte"), "extra": ("espresso", "espresso")},
        ),
        ("sent a massage to doctor no", "send a message to doctor no", {"name": ("doctor no", None)}),
    ],
)
def test_what_sounds_alike_is_found(
    search: SoundSearch, heard: str, sentence: str, slots: dict[str, tuple[str, object]]
) -> None:
    found = search.best(words(heard))
    assert found is not None
    assert found.sentence == sentence
    assert {s.name: (s.text, s.value) for s in found.match.slots} == slots
    assert all(" ".join(sentence.split()[s.start : s.end]) == s.text for s in found.match.slots)
    assert 0 < found.cost <= LIMIT
    assert 0.5 <= found.confidence < 1


@needs_espeak
def test_the_very_words_cost_nothing(search: SoundSearch) -> None:
    found = search.best(words("start a timer for twenty five minutes"))
    assert found is not None
    assert (found.cost, found.confidence, found.match.intent) == (0, 1, "kitchen.timer")


@needs_espeak
@pytest.mark.parametrize(
    "heard",
    ["", "what a lovely day", "is it going to rain tomorrow", "warm the kitchen", "a " * MAX_PHONEMES + "latte"],
)
def test_what_does_not_sound_like_the_grammar_is_refused(search: SoundSearch, heard: str) -> None:
    assert search.best(words(heard)) is None


@needs_espeak
def test_the_rival_means_something_else_and_a_tie_is_refused(search: SoundSearch) -> None:
    best, rival, *_ = search.nearest(words("make me a let and an express"))
    assert best.match.slots != rival.match.slots
    assert best.distance <= rival.distance
    same_meaning = search.nearest(words("i want a small latte"))  # "i want an small latte" must not be the rival
    assert same_meaning[1].match.slots != same_meaning[0].match.slots
    between = words("make me a smarge latte")
    first, second = search.nearest(between)[:2]
    gap = second.distance - first.distance
    assert search.best(between, margin=gap - 0.01) == first
    assert search.best(between, margin=gap + 0.01) is None
    assert search.best(words("make me a lattice"), limit=0.001) is None


@needs_espeak
def test_the_order_of_slots_is_no_other_meaning(phonemizer: Phonemizer) -> None:
    pack = {
        "skill": "x",
        "types": {"a": {"values": ["red", "blue"]}, "b": {"values": ["big", "tiny"]}},
        "intents": {"do": {"slots": {"a": {}, "b": {}}, "phrases": ["({a};{b})"]}},
    }
    search = SoundSearch(compile_grammar([msgspec.convert(pack, Pack)]), phonemizer)
    best, rival = search.nearest(words("big red"), limit=3)
    assert (best.sentence, best.distance) == ("big red", 0)
    assert {s.name: s.text for s in best.match.slots} != {s.name: s.text for s in rival.match.slots}


@needs_espeak
def test_only_the_wanted_intents_are_searched_and_unsayable_ones_are_passed_over(
    grammar: Grammar, phonemizer: Phonemizer
) -> None:
    said = words("set a timer for ten minutes")
    assert SoundSearch(grammar, phonemizer, ["kitchen.order", "kitchen.warm"]).best(said) is None
    assert SoundSearch(grammar, phonemizer, []).best(said) is None
    named = compile_grammar([msgspec.convert(KITCHEN, Pack)], {"room": ["Anna's room"]})
    found = SoundSearch(named, phonemizer, ["kitchen.warm"]).best(words("warm the hannah's room"))
    assert found is not None
    assert found.match.slots[0].value == "Anna's room"


@needs_espeak
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_search_finds_the_best_of_all_sentences(
    search: SoundSearch, phonemizer: Phonemizer, data: st.DataObject
) -> None:
    """Against brute force: every sentence of the timer intent, one by one."""
    sentences = [
        f"{verb} a timer for {number}{five} {unit}"
        for verb in ("set", "start")
        for number in ("two", "three", "ten", "twenty")
        for five in ("", " five")
        for unit in ("minute", "minutes")
    ]
    spare = ["said", "the", "tree", "tent", "fine", "to", "timer", "minute", "many", "for"]
    said = data.draw(st.sampled_from(sentences)).split()
    for _ in range(data.draw(st.integers(0, 3))):
        said[data.draw(st.integers(0, len(said) - 1))] = data.draw(st.sampled_from(spare))

    def flat(sentence: list[str]) -> tuple[str, ...]:
        return tuple(itertools.chain.from_iterable(phonemizer.heard(sentence)))

    ranked = sorted((distance(flat(s.split()), flat(said)), s) for s in sentences)
    best, rival = (found for found in search.nearest(said) if found.match.intent == "kitchen.timer")
    assert best.distance == pytest.approx(ranked[0][0], abs=1e-3)
    meaning = best.sentence.split(" for ")[1]
    other = next(cost for cost, sentence in ranked if sentence.split(" for ")[1] != meaning)
    assert rival.distance == pytest.approx(other, abs=1e-3)
