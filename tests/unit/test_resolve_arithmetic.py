from __future__ import annotations

import contextlib
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import SkillError
from device.nlu.resolve.arithmetic import (
    DivisionByZeroError,
    ExpressionError,
    NotAnExpressionError,
    NotRealError,
    TooLargeError,
    evaluate,
)
from device.nlu.text import number_words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("two plus two", "4"),
        ("two plus two times three", "8"),
        ("twelve minus five minus three", "4"),
        ("what is six times seven", "42"),
        ("point one plus point two", "3/10"),
        ("ten divided by four", "5/2"),
        ("ten over four", "5/2"),
        ("twenty four divided by two divided by three", "4"),
        ("seventeen mod five", "2"),
        ("fifteen percent of eighty", "12"),
        ("fifteen percent of eighty plus two", "14"),
        ("eighty plus ten percent", "88"),
        ("eighty minus twenty five percent", "60"),
        ("twenty five percent", "1/4"),
        ("half of ten", "5"),
        ("two thirds of ninety", "60"),
        ("a quarter of a hundred", "25"),
        ("one third plus one sixth", "1/2"),
        ("three squared", "9"),
        ("minus three squared", "-9"),
        ("two cubed plus one", "9"),
        ("two to the power of ten", "1024"),
        ("two to the tenth", "1024"),
        ("two to the third power", "8"),
        ("eight to the power of minus two", "1/64"),
        ("two to the power of three to the power of two", "512"),
        ("the square root of sixteen", "4"),
        ("square root of nine plus sixteen", "19"),
        ("square root of one quarter", "1/2"),
        ("cube root of twenty seven", "3"),
        ("cube root of minus eight", "-2"),
        ("seven factorial", "5040"),
        ("the sum of four and five", "9"),
        ("the difference between four and nine", "5"),
        ("the product of four and five", "20"),
        ("subtract three from ten", "7"),
        ("divide ten by four", "5/2"),
        ("add four to six", "10"),
        ("twice eleven", "22"),
        ("one oh five times two", "210"),
        ("minus four plus ten", "6"),
        ("zero to the power of zero", "1"),
    ],
)
def test_value(text: str, value: str) -> None:
    assert evaluate(text) == Fraction(value)


def test_irrational_roots_are_near() -> None:
    assert float(evaluate("the square root of two")) == pytest.approx(math.sqrt(2), rel=1e-15)
    assert float(evaluate("two to the power of one point five")) == pytest.approx(2**1.5, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("five divided by zero", DivisionByZeroError),
        ("five mod zero", DivisionByZeroError),
        ("zero to the power of minus one", DivisionByZeroError),
        ("nine to the power of nine to the power of nine", TooLargeError),
        ("two to the power of ten thousand", TooLargeError),
        ("nine hundred squared" + " squared" * 20, TooLargeError),
        ("one thousand factorial", TooLargeError),
        ("square root of minus four", NotRealError),
        ("minus one factorial", None),
        ("half factorial", NotRealError),
        ("banana", NotAnExpressionError),
        ("two plus", NotAnExpressionError),
        ("two two plus banana", NotAnExpressionError),
        ("sum of two", NotAnExpressionError),
        ("", NotAnExpressionError),
        ("minus " * 500 + "one", NotAnExpressionError),
        ("half of " * 500 + "one", NotAnExpressionError),
    ],
)
def test_fault(text: str, error: type[ExpressionError] | None) -> None:
    if error is None:  # the sign is looser than the factorial
        assert evaluate(text) == -1
        return
    with pytest.raises(error) as raised:
        evaluate(text)
    assert isinstance(raised.value, SkillError)
    assert not raised.value.recoverable
    assert raised.value.spoken != SkillError.spoken


@given(st.integers(0, 9999), st.integers(1, 9999), st.sampled_from(["plus", "minus", "times", "divided by"]))
def test_agrees_with_fractions(left: int, right: int, operator: str) -> None:
    expected = {
        "plus": Fraction(left + right),
        "minus": Fraction(left - right),
        "times": Fraction(left * right),
        "divided by": Fraction(left, right),
    }[operator]
    assert evaluate(f"{number_words(str(left))} {operator} {number_words(str(right))}") == expected


@given(
    st.lists(
        st.sampled_from("two half minus percent of squared plus over zero to the power root square and sum".split()),
        max_size=14,
    )
)
def test_only_typed_errors(words: list[str]) -> None:
    with contextlib.suppress(ExpressionError):
        evaluate(" ".join(words))
