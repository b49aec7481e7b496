"""The one spoken form of text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.nlu.text import number_words, spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Set a timer for 10 minutes!", "set a timer for ten minutes"),
        ("at 7:05 p.m.", "at seven oh five pm"),
        ("at 7:00 am", "at seven am"),
        ("it's 5:00", "it's five o'clock"),
        ("7 PM", "seven pm"),
        ("1h30", "one hours thirty minutes"),
        ("10 min", "ten minutes"),
        ("50%", "fifty percent"),
        ("$5", "five dollars"),
        ("3.5 miles", "three point five miles"),
        ("the 21st of May 2026", "the twenty first of may twenty twenty six"),
        ("1,000,000", "one million"),
        ("12 * 7", "twelve times seven"),
        ("72°", "seventy two degrees"),
        ("2½ cups", "two and a half cups"),
        ("channel 105", "channel one hundred five"),
        ("Don't “quote” me, James'", "don't quote me james"),
        ("twenty-one", "twenty one"),
        ("Wake me to-morrow at 15 per cent", "wake me tomorrow at fifteen percent"),
        ("-4", "minus four"),
        ("10 - 3", "ten minus three"),
        ("2^3", "two to the power of three"),
        ("3/4", "three over four"),
        ("I am 5", "i am five"),
        ("", ""),
        ("?!…", ""),
    ],
)
def test_table(written: str, said: str) -> None:
    assert spoken(written) == said


@given(st.text(max_size=60))
def test_it_is_stable_and_has_no_digits_or_capitals(text: str) -> None:
    once = spoken(text)
    assert spoken(once) == once
    assert not any(c in "0123456789" for c in once)
    assert "  " not in once


@given(st.integers(0, 10**15))
def test_every_number_has_words(value: int) -> None:
    words = number_words(str(value))
    assert words
    assert not any(c.isdigit() for c in words)
