"""Entity F1 by type and overlap, as HWU64's authors count it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2

from quantize.data.example import Span
from quantize.evaluate.overlap import Counts, one_to_one, published, strict

DATE, TIME = Span("date", 2, 4), Span("time", 5, 8)


@pytest.mark.parametrize(
    ("guess", "expected"),
    [
        ([DATE], Counts(1, 0, 0)),
        ([Span("date", 3, 6)], Counts(1, 0, 0)),  # the last true word lies within
        ([Span("date", 0, 3)], Counts(1, 0, 0)),  # the first does
        ([Span("date", 1, 9)], Counts(1, 0, 0)),
        ([Span("time", 2, 4)], Counts(0, 0, 1)),  # another type, which occurs nowhere: no false positive
        ([Span("date", 4, 6)], Counts(0, 1, 1)),  # beside it
        ([], Counts(0, 0, 1)),
        ([Span("date", 2, 3), Span("date", 3, 4)], Counts(1, 1, 0)),
    ],
)
def test_one_true_entity(guess, expected):
    assert published([([DATE], guess)]) == expected


def test_a_prediction_strictly_inside_is_no_match_for_the_authors():
    pair = [TIME], [Span("time", 6, 7)]
    assert published([pair]) == Counts(0, 1, 1)
    assert one_to_one([pair]) == Counts(1, 0, 0)


def test_one_prediction_over_two_entities_counts_twice_for_the_authors():
    pair = [Span("date", 0, 1), Span("date", 2, 3)], [Span("date", 0, 3)]
    assert published([pair]) == Counts(2, -1, 0)
    assert one_to_one([pair]) == Counts(1, 0, 1)


def test_a_type_that_occurs_elsewhere_is_a_false_positive():
    assert published([([DATE], [DATE, TIME]), ([TIME], [TIME])]) == Counts(2, 1, 0)


def test_f1_is_micro_over_types():
    counts = published([([DATE, TIME], [DATE]), ([DATE], [Span("date", 8, 9)])])
    assert counts == Counts(1, 1, 2)
    assert counts.f1 == pytest.approx(2 / 5)
    assert Counts().f1 == 0


@st.composite
def sentences(draw):
    """Spans of six words, not overlapping."""
    labels = draw(st.lists(st.sampled_from(["", "", "a", "b"]), min_size=6, max_size=6))
    spans, at = [], 0
    while at < 6:
        length = draw(st.integers(1, 6 - at))
        if labels[at]:
            spans.append(Span(labels[at], at, at + length))
        at += length
    return spans


def tags(spans):
    found = ["O"] * 6
    for span in spans:
        found[span.start : span.end] = [f"B-{span.type}"] + [f"I-{span.type}"] * (span.end - span.start - 1)
    return found


@given(st.lists(st.tuples(sentences(), sentences()), min_size=1, max_size=5))
def test_strict_is_seqeval(pairs):
    gold, guess = [tags(g) for g, _ in pairs], [tags(p) for _, p in pairs]
    expected = f1_score(gold, guess, mode="strict", scheme=IOB2, zero_division=0)
    assert strict(pairs).f1 == pytest.approx(expected)


@given(st.lists(st.tuples(sentences(), sentences()), min_size=1, max_size=5))
def test_looser_matches_never_find_fewer(pairs):
    assert strict(pairs).tp <= one_to_one(pairs).tp
    assert one_to_one(pairs).tp <= min(sum(len(g) for g, _ in pairs), sum(len(p) for _, p in pairs))
