"""Whatever the words are, resolving gives a value or None, never an exception."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.dialogue.spoken import say
from device.nlu.resolve import ResolveContext, resolve, to_json
from device.nlu.text import spoken

CONTEXT = ResolveContext(
    datetime(2026, 7, 15, 10, 0, tzinfo=ZoneInfo("Europe/Berlin")),
    {"room": ["kitchen", "living room"], "channel": ["CNN"]},
)
TYPES = (
    "duration time date recurrence number ordinal percent temperature color amount unit currency channel room "
    "list message"
).split()
WORDS = (
    "a an the and of in on at to past half quarter point minus oh zero one two seven twenty thirty hundred "
    "thousand million first third twentieth minute minutes hour hours day days week month year years am pm "
    "morning night tonight today tomorrow monday fridays may february next last this every other weekend "
    "christmas after before from now ago week percent degrees below celsius dark light blue square per "
    "kilometers kitchen dozen couple few the o'clock noon's"
).split()


@given(st.sampled_from(TYPES), st.lists(st.sampled_from(WORDS), max_size=9))
def test_words_of_the_grammars(type_: str, words: list[str]) -> None:
    value = resolve(type_, " ".join(words), CONTEXT)
    assert isinstance(say(value, CONTEXT.now), str)
    to_json(value)


@given(st.sampled_from(TYPES), st.text(max_size=60))
def test_any_text(type_: str, text: str) -> None:
    resolve(type_, spoken(text), CONTEXT)


@pytest.mark.parametrize("type_", TYPES)
def test_long_texts(type_: str) -> None:
    for word in ("one", "a", "minus", "million", "and", "half", "week from", "the day after", "per", "dark", "'s"):
        resolve(type_, f"{word} " * 2000, CONTEXT)
