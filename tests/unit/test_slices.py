"""Kinds of sentences and how sure their figures are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantize.data.example import Example
from quantize.evaluate.outcomes import Outcome, named
from quantize.evaluate.slices import Known, slices, wilson


def outcome(text, right=True, expected="common", part="p"):
    return Outcome(
        words=tuple(text.split()), expected=expected, predicted=expected if right else "other", likeliest="x",
        accepted=True, scope=1.0, confidence=0.9, raw_confidence=0.9, part=part,
    )  # fmt: skip


TRAIN = [Example(("turn", "it", "on", "up", "now", "please"), "common")] * 9 + [Example(("dim", "it"), "rare")] * 2
TRAIN += [Example(("play",), f"often{n}") for n in range(3) for _ in range(9)]


def test_each_kind_counts_its_own():
    rows = slices(
        [
            outcome("turn on"),
            outcome("turn it up to 5 now"),
            outcome("turn it up to seven", right=False),
            outcome("my favourite telly on please now"),
            outcome("dim it please now", expected="rare", right=False),
            outcome("please " * 12),
            outcome("turn turn turn turn", expected="oos"),
        ],
        named,
        {"p": Known.of(TRAIN)},
    )
    found = {row["name"].split(" (")[0]: (row["n"], row["accuracy"]) for row in rows}
    assert found == {
        "all in scope": (6, 66.67),
        "short": (1, 100.0),
        "long": (1, 100.0),
        "with numbers": (2, 50.0),
        "dialect words and spellings": (1, 100.0),
        "rare intents": (1, 0.0),
        "with a word unseen in training": (3, 66.67),
    }


def test_each_part_has_its_own_training():
    other = Known.of([Example(("zither",), "common")])
    rows = slices([outcome("zither", part="q"), outcome("zither")], named, {"p": Known.of(TRAIN), "q": other})
    assert {row["name"]: row["n"] for row in rows}["with a word unseen in training"] == 1


def test_an_empty_kind_has_no_accuracy():
    assert slices([outcome("turn it on now", expected="oos")], named, {"p": Known.of(TRAIN)})[0] == {
        "name": "all in scope",
        "n": 0,
        "accuracy": None,
        "interval": None,
    }


def test_wilson_by_hand():
    # p = 9/10, z = 1.96: (0.9 + z²/20 ± z·sqrt(0.009 + z²/400)) / (1 + z²/10)
    assert wilson(9, 10) == (pytest.approx(59.59, abs=0.02), pytest.approx(98.21, abs=0.02))


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_share(n, data):
    right = data.draw(st.integers(0, n))
    low, high = wilson(right, n)
    assert 0 <= low <= round(100 * right / n, 2) <= high <= 100
    assert high - low > 0
