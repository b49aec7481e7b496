"""Sentence splitting, clauses for phonemes, trimming, and the cache of rendered speech."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.speech.rendered import trim
from device.speech.sentences import FIRST_CHARACTERS, sentences, speech_parts
from device.speech.tts_cache import PcmCache
from device.speech.tts_piper import join_clauses, phoneme_ids, split_clauses


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Timer set. Anything else?", ["Timer set.", "Anything else?"]),
        ("It is 3.5 miles.", ["It is 3.5 miles."]),
        ("At 7 p.m. today.", ["At 7 p.m. today."]),
        ("J. S. Bach is playing.", ["J. S. Bach is playing."]),
        ("Dr. Who! Really?!  Yes…", ["Dr. Who!", "Really?!", "Yes…"]),
        ('He said "no." Then he left', ['He said "no."', "Then he left"]),
        ("One\nTwo\n\nThree", ["One", "Two", "Three"]),
        ("... !? \n -", []),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_long_first_sentence_is_parted_at_its_first_pause() -> None:
    text = "I can set timers and alarms, keep your lists, and play music. What shall I do, now?"
    assert speech_parts(text) == [
        "I can set timers and alarms,",
        "keep your lists, and play music.",
        "What shall I do, now?",
    ]
    assert speech_parts("Sorry, no.") == ["Sorry, no."]


@given(st.text(alphabet="ab1 .,!?\n\"'…;:", max_size=200))
def test_no_letter_is_lost(text: str) -> None:
    def letters(parts: list[str]) -> list[str]:
        return [c for c in "".join(parts) if c.isalnum()]

    assert letters(sentences(text)) == letters([text])
    assert letters(speech_parts(text)) == letters([text])


@given(st.text(alphabet="ab .,!?\n", max_size=80))
def test_a_sentence_is_one_sentence(text: str) -> None:
    for sentence in sentences(text):
        assert sentences(sentence) == [sentence]
        if len(sentence) <= FIRST_CHARACTERS:
            assert speech_parts(sentence) == [sentence]


def test_clauses_carry_their_marks() -> None:
    assert split_clauses("Sorry, it's 7:05 - or 3.5 miles!") == [
        ("Sorry", ","),
        ("it's 7:05", ","),
        ("or 3.5 miles", "!"),
    ]
    assert split_clauses("At 7 p.m. today") == [("At 7 p.m. today", ".")]
    assert split_clauses("Dr. No…") == [("Dr. No", ".")]


def test_phonemes_of_clauses_are_joined_with_marks() -> None:
    assert join_clauses(["sˈɑːɹi", "(fr)wˈi(en-us)"], [",", "."]) == "sˈɑːɹi, wˈi."
    assert join_clauses(["a", "b", "c"], [":", "!"]) == "a, b, c!"
    assert join_clauses([], []) == ""


def test_phoneme_ids_are_padded_and_framed() -> None:
    ids = {"_": [0], "^": [1], "$": [2], "a": [14], "\u0303": [99]}
    assert phoneme_ids("aã?", ids) == [1, 0, 14, 0, 14, 0, 99, 0, 2]


def test_trim_leaves_a_little_silence() -> None:
    pcm = np.concatenate([np.zeros(5000), np.full(100, 3000), np.zeros(9000)]).astype(np.int16)
    trimmed = trim(pcm)
    assert len(trimmed) == 160 + 100 + 3200
    assert trimmed[160] == 3000
    assert len(trim(np.zeros(1000, np.int16))) == 0


def test_cache_keeps_within_its_bound_and_drops_the_least_used() -> None:
    cache = PcmCache(1000)
    for name in "abcd":
        cache.put(name, np.full(125, ord(name), np.int16))
    assert cache.size == 1000
    assert cache.get("a") is not None
    cache.put("e", np.zeros(125, np.int16))
    assert cache.size == 1000
    assert cache.get("b") is None
    assert cache.get("a") is not None
    cache.put("long", np.zeros(126, np.int16))
    assert cache.get("long") is None


def test_cached_audio_can_not_be_changed() -> None:
    cache = PcmCache(1000)
    mine = np.ones(10, np.int16)
    cache.put("a", mine)
    mine[:] = 0
    kept = cache.get("a")
    assert kept is not None
    assert kept.all()
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 5
