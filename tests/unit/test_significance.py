"""Is one run better, or lucky?"""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import BadInput
from quantize.data.example import Span
from quantize.evaluate.outcomes import Outcome
from quantize.evaluate.significance import bootstrap_f1, compare, mcnemar


def outcome(number, right, found=(), part="snips.1"):
    return Outcome(
        words=("sentence", str(number)), expected="a", predicted="a" if right else "b", likeliest="a", accepted=True,
        scope=1.0, confidence=0.9, raw_confidence=0.9, spans=(Span("room", 0, 1),), found=found, part=part,
    )  # fmt: skip


def test_mcnemar_is_the_coin_test_on_disagreements():
    assert mcnemar([True] * 50 + [True] * 6, [True] * 50 + [False] * 6) == pytest.approx(2 * 0.5**6)
    assert mcnemar([True, False], [True, False]) == 1.0
    assert mcnemar([True, False], [False, True]) == 1.0


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_mcnemar_is_symmetric(pairs):
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    assert mcnemar(first, second) == pytest.approx(mcnemar(second, first))
    assert 0 < mcnemar(first, second) <= 1


def test_bootstrap_finds_a_large_difference_and_not_a_small_one():
    good, bad = [1, 0, 0], [0, 1, 1]
    first = np.array([good] * 60 + [bad] * 40)
    better = np.array([good] * 90 + [bad] * 10)
    difference, (low, high), p = bootstrap_f1(first, better, seed=3)
    assert difference == pytest.approx(0.3)
    assert 0.15 < low < 0.3 < high < 0.45
    assert p < 0.01
    swapped = first.copy()
    swapped[[0, 99]] = swapped[[99, 0]]
    assert bootstrap_f1(first, swapped, seed=3)[2] > 0.5
    assert bootstrap_f1(first, better, seed=3) == bootstrap_f1(first, better, seed=3)


def test_two_runs_in_any_order():
    room = (Span("room", 0, 1),)
    first = [outcome(n, n < 5, room) for n in range(12)]
    second = [outcome(n, n > 0, room if n else ()) for n in reversed(range(12))]
    found = compare(first, second)
    assert found["n"] == 12
    assert found["accuracy"]["only_first"] == 1
    assert found["accuracy"]["only_second"] == 7
    assert found["accuracy"]["difference"] == 50.0
    assert found["slot_f1"]["difference"] < 0
    assert [row["text"] for row in found["newly_wrong"]] == ["sentence 0"]
    assert len(found["newly_right"]) == 7


@pytest.mark.parametrize("other", [[], [outcome(1, True)], [outcome(0, True, part="snips.2")]])
def test_runs_on_different_sentences_are_refused(other):
    with pytest.raises(BadInput, match="same sentences"):
        compare([outcome(0, True)], other)


def test_p_values_under_no_difference_are_not_small_too_often():
    chance = np.random.default_rng(5)
    small = 0
    for _, _ in product(range(10), range(10)):
        first, second = chance.random(60) < 0.8, chance.random(60) < 0.8
        small += mcnemar(first.tolist(), second.tolist()) < 0.05
    assert small <= 8
