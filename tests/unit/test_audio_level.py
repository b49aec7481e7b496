import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.level import FLOOR_DBFS, advise, measure


def sine(amplitude: float) -> np.ndarray:
    return np.rint(amplitude * np.sin(2 * np.pi * 100 * np.arange(16_000) / 16_000)).astype(np.int16)


def test_full_scale_sine() -> None:
    level = measure(sine(32_767))
    assert level.rms_dbfs == pytest.approx(-3.01, abs=0.01)
    assert level.peak_dbfs == pytest.approx(0, abs=0.01)
    assert not level.dead


@given(amplitude=st.floats(50, 16_000))
def test_half_the_amplitude_is_six_db(amplitude: float) -> None:
    assert measure(sine(2 * amplitude)).rms_dbfs - measure(sine(amplitude)).rms_dbfs == pytest.approx(6.02, abs=0.1)


def test_the_most_negative_sample_counts_as_full_scale() -> None:
    level = measure(np.array([-32768, 0, 0, 0], np.int16))
    assert level.peak_dbfs == 0
    assert level.clipped == 0.25


@pytest.mark.parametrize("pcm", [np.zeros(0, np.int16), np.zeros(999, np.int16), np.full(999, -3, np.int16)])
def test_no_signal_is_dead_even_with_an_offset(pcm: np.ndarray) -> None:
    level = measure(pcm)
    assert level.dead
    assert level.rms_dbfs == FLOOR_DBFS


def test_advice() -> None:
    rng = np.random.default_rng(0)
    assert advise(measure(rng.normal(0, 300, 9999).astype(np.int16))) is None
    for pcm, word in (
        (np.zeros(999, np.int16), "no signal"),
        (sine(90_000).clip(-32768, 32767).astype(np.int16) * 0 + np.int16(32767), "no signal"),
        (np.where(sine(9) > 0, 32767, -32768).astype(np.int16), "clips"),
        (rng.normal(0, 3, 9999).astype(np.int16), "quiet"),
    ):
        problem = advise(measure(pcm))
        assert problem is not None
        assert word in problem[0]
        assert problem[1]
