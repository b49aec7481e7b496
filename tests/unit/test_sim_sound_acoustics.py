"""Rooms: decay, distance, the same for the same numbers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.ports import SAMPLE_RATE
from device.errors import BadInput
from firmware_sim.sound.acoustics import SPACES, Space, impulse_response, reverberate, space

ROOM = (5.0, 4.0, 2.6)


def decay(response: np.ndarray) -> float:
    """RT60 by a line through the backward integral between -5 and -25 dB (Schroeder 1965)."""
    left = np.cumsum(np.square(response.astype(float))[::-1])[::-1]
    level = 10 * np.log10(left / left[0])
    begin, end = (int(np.argmax(level < edge)) for edge in (-5, -25))
    slope = np.polyfit(np.arange(begin, end) / SAMPLE_RATE, level[begin:end], 1)[0]
    return -60 / float(slope)


@pytest.mark.parametrize("rt60", [0.25, 0.5, 0.9])
@pytest.mark.parametrize("size", [ROOM, (3.0, 2.4, 2.5), (8.0, 6.0, 3.0)])
def test_sound_across_a_room_decays_in_the_asked_time(size: tuple[float, float, float], rt60: float) -> None:
    response = impulse_response(size, rt60, (0.6, 0.7, 1.0), (size[0] - 0.7, size[1] - 0.6, 1.5))
    assert decay(response) == pytest.approx(rt60, rel=0.2)
    assert response.dtype == np.float32


@settings(max_examples=15, deadline=None)
@given(x=st.floats(1.0, 3.6), y=st.floats(0.3, 3.5))
def test_the_direct_sound_comes_when_and_as_strong_as_the_distance_wants(x: float, y: float) -> None:
    microphone = (0.5, 2.0, 1.0)
    response = impulse_response(ROOM, 0.3, (x, y, 1.5), microphone)
    distance = math.dist((x, y, 1.5), microphone)
    arrival = round(distance / 343 * SAMPLE_RATE)
    # A peak between two samples is spread over both of them.
    assert np.abs(response[arrival - 2 : arrival + 3]).max() == pytest.approx(1 / distance, rel=0.45)
    assert np.abs(response[: max(arrival - 45, 0)]).max(initial=0) < 0.05 / distance


def test_the_same_numbers_are_the_same_room_and_computed_once() -> None:
    arguments = (ROOM, 0.4, (1.0, 1.0, 1.0), (3.0, 3.0, 1.0))
    first = impulse_response(*arguments)
    assert impulse_response(*arguments) is first
    impulse_response.cache_clear()
    again = impulse_response(*arguments)
    assert again is not first
    np.testing.assert_array_equal(again, first)
    with pytest.raises(ValueError, match="read-only"):
        again[0] = 1


def test_presets_are_what_they_say() -> None:
    near, across = SPACES["near"], SPACES["across"]
    assert math.dist(near.person, near.device) == pytest.approx(0.5, abs=0.01)
    assert math.dist(across.person, across.device) == pytest.approx(3, abs=0.05)
    assert decay(SPACES["bathroom"].speech()) > decay(across.speech()) > decay(near.broadcast())
    assert direct_share(near.speech()) > 4 * direct_share(across.speech())


def direct_share(response: np.ndarray) -> float:
    """Of the energy, in the first 5 ms from the first arrival."""
    energy = np.square(response.astype(float))
    begin = int(np.argmax(energy > energy.max() / 100))
    return float(energy[begin : begin + 80].sum() / energy.sum())


def test_the_case_lets_back_in_what_was_asked() -> None:
    response = SPACES["near"].echo(-20)
    assert 10 * np.log10(np.sum(np.square(response[:40].astype(float)))) == pytest.approx(-20, abs=1)


def test_reverberation_is_a_convolution() -> None:
    rng = np.random.default_rng(0)
    pcm, response = rng.integers(-999, 999, 700).astype(np.int16), rng.standard_normal(90).astype(np.float32)
    np.testing.assert_allclose(reverberate(pcm, response), np.convolve(pcm, response.astype(float)), atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [{"size": (0.5, 3.0, 2.0)}, {"rt60": 9.0}, {"rt60": 0.0}, {"person": (9.0, 1.0, 1.0)}, {"device": (0.0, 1.0, 1.0)}],
)
def test_impossible_rooms_are_refused(change: dict[str, object]) -> None:
    inside = {
        name: (1.0 + 0.1 * n, 1.0, 1.0) for n, name in enumerate(("device", "person", "television", "loudspeaker"))
    }
    with pytest.raises(BadInput):
        Space(**{"size": ROOM, "rt60": 0.4, **inside, **change})  # type: ignore[arg-type]


def test_a_room_that_can_not_be_so_dry_is_refused() -> None:
    with pytest.raises(BadInput, match="longer"):
        impulse_response((20.0, 18.0, 8.0), 0.1, (1.0, 1.0, 1.0), (3.0, 3.0, 1.0))


def test_an_unknown_room_is_answered_with_those_that_are_known() -> None:
    assert space("kitchen") is SPACES["kitchen"]
    with pytest.raises(BadInput, match="near, across, kitchen, bathroom"):
        space("cellar")
