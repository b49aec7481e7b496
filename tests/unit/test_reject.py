import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from device.nlu.reject import FEATURES, features, in_scope, log_sum_exp

LOGITS = arrays(np.float32, (5,), elements=st.floats(-30, 30, width=32))


@given(LOGITS, st.integers(0, 4))
def test_features_are_what_they_are_called(logits, oos):
    inside = np.delete(logits.astype(np.float64), oos)
    probability = np.exp(inside) / np.exp(inside).sum()
    ordered = np.sort(inside)
    expected = [
        np.log(np.exp(inside).sum()) - logits[oos],
        ordered[-1],
        ordered[-1] - ordered[-2],
        np.log(np.exp(logits.astype(np.float64)).sum()),
        -(probability * np.log(probability)).sum(),
    ]
    assert len(FEATURES) == len(expected)
    np.testing.assert_allclose(features(logits, oos), expected, rtol=1e-3, atol=1e-3)


def test_one_and_many_agree():
    logits = np.random.default_rng(1).normal(size=(7, 6)).astype(np.float32)
    weights = np.array([1, 0.5, 0.2, -0.1, -0.3], dtype=np.float32)
    many = in_scope(logits, 2, weights, 0.1)
    assert many.shape == (7,)
    np.testing.assert_allclose(many, [in_scope(row, 2, weights, 0.1) for row in logits], rtol=1e-5)


def test_falls_as_the_out_of_scope_logit_rises():
    weights = np.array([1, 0, 0, 0, 0], dtype=np.float32)
    logits = np.zeros((3, 4), dtype=np.float32)
    logits[:, 0] = [-5, 0, 5]
    probability = in_scope(logits, 0, weights, 0.0)
    assert probability[0] > probability[1] > probability[2]
    assert probability[1] == pytest.approx(0.75, abs=1e-3)  # log 3 against 0


def test_large_logits_do_not_overflow():
    assert log_sum_exp(np.array([1e4, 1e4], dtype=np.float32)) == pytest.approx(1e4 + np.log(2))
