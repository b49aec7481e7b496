from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device.nlu.resolve.numbers import number, ordinal_number, ordinal_position
from device.nlu.text import number_words, spoken


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a hundred and five", 105),
        ("two hundred one thousand and forty", 201_040),
        ("two and a half", 2.5),
        ("three quarters", 0.75),
        ("half", 0.5),
        ("one third", 1 / 3),
        ("minus four", -4),
        ("negative one point five", -1.5),
        ("one point five", 1.5),
        ("one point oh five", 1.05),
        ("three point one four one five", 3.1415),
        ("point five", 0.5),
        ("two and a half million", 2_500_000),
        ("half a million", 500_000),
        ("half a dozen", 6),
        ("a couple", 2),
        ("a few", 3),
        ("a dozen", 12),
        ("two dozen", 24),
        ("oh seven", 7),
        ("one zero five", 105),
        ("one oh five", 105),
        ("one twenty five", 125),
        ("twenty twenty seven", 2027),
        ("nineteen thirty", 1930),
        ("zero", 0),
        ("the third", 3),
        ("twenty first", 21),
        ("number nine", 9),
    ],
)
def test_number(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    "text", ["", "blue", "five apples", "and", "and five", "point", "five and", "minus", "a", "two thirds three"]
)
def test_not_a_number(text: str) -> None:
    assert number(text) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("the second one", 2),
        ("the first", 1),
        ("twenty first", 21),
        ("the one hundred and fifth", 105),
        ("number two", 2),
        ("option three", 3),
        ("two", 2),
        ("last one", -1),
        ("the last", -1),
        ("second to last", -2),
        ("the red one", None),
        ("the lamp", None),
        ("zero", None),
        ("", None),
    ],
)
def test_ordinal_number(text: str, place: int | None) -> None:
    assert ordinal_number(text) == place


def test_ordinal_position_indexes_a_sequence() -> None:
    options = ("kitchen", "bedroom", "hall")
    picked = [ordinal_position(text) for text in ("the first", "the third one", "last")]
    assert [options[at] for at in picked if at is not None] == ["kitchen", "hall", "hall"]


@given(st.integers(0, 999_999))
@example(1105)
@example(2010)
@example(1200)
@example(100_000)
def test_integers_come_back(value: int) -> None:
    assert number(number_words(str(value))) == value


@given(st.integers(1, 999_999))
def test_ordinals_come_back(value: int) -> None:
    assert ordinal_number(number_words(str(value), ordinal=True)) == value


@given(st.integers(0, 9999), st.integers(1, 999))
def test_decimals_come_back(whole: int, thousandths: int) -> None:
    digits = f"{whole}.{thousandths:03d}"
    assert number(spoken(digits)) == float(digits)
