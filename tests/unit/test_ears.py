"""Ears that learn to hear in noise: weights out of the packaged files and into them, scenes, learning."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from device.errors import BadInput
from device.speech.moonshine_model import BOS, EOS, PACKAGED, packaged_folder
from quantize.ears.learn import BATCH, agreement, learn, moonshine
from quantize.ears.packaged import encoder_weights, quantized, with_encoder_weights
from quantize.ears.scenes import NO_TOKEN, Recording, stage
from quantize.ears.train import train, understood
from quantize.wake.voices import SAMPLE_RATE

FINITE = st.floats(-8, 8, width=32)


def speechlike(seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tune = np.sin(2 * np.pi * (120 + 40 * np.sin(3 * time)) * time) * (1 + np.sin(2 * np.pi * 4 * time))
    return np.asarray(6000 * (tune + 0.2 * rng.standard_normal(len(time))), np.int16)


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(20 * SAMPLE_RATE).astype(np.float32)


@given(arrays(np.float32, (3, 5), elements=FINITE))
@example(np.array([[-8.0, 8.0]], np.float32))
@example(np.full((3, 5), 5.745e-42, np.float32))
def test_a_matrix_in_8_bits_is_a_step_away_at_most(matrix: np.ndarray) -> None:
    stored, scale, zero = quantized(matrix)
    back = (stored.astype(np.float32) - np.float32(zero)) * scale
    assert np.abs(back - matrix).max() <= scale * 1.01  # the zero point is rounded, too
    again = quantized(back)[0].astype(int)
    assert np.abs(again - stored).max() <= 1 or scale < 1e-6  # a half, such as -8 in -8 … 8, may be rounded either way


@pytest.mark.engines
def test_weights_that_did_not_change_give_the_same_file() -> None:
    folder = packaged_folder()
    assert with_encoder_weights(folder, encoder_weights(folder)) == (folder / PACKAGED).read_bytes()


@pytest.mark.engines
def test_other_weights_are_read_again(tmp_path: Path) -> None:
    weights = encoder_weights(packaged_folder())
    weights = {name: value * np.float32(0.5) for name, value in weights.items()}
    (tmp_path / PACKAGED).write_bytes(with_encoder_weights(packaged_folder(), weights))
    again = encoder_weights(tmp_path)
    assert again.keys() == weights.keys()
    for name, value in weights.items():
        np.testing.assert_allclose(again[name], value, atol=float(np.ptp(value)) / 250)


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / PACKAGED).write_bytes(b"no network at all")
    with pytest.raises(BadInput, match=r"encoder_model\.ort"):
        encoder_weights(tmp_path)


@pytest.mark.parametrize("snr_db", [0.0, 12.0])
def test_a_scene_has_the_noise_that_was_asked_for(snr_db: float) -> None:
    recordings = [Recording(speechlike(2.0, seed), (BOS, 5, EOS)) for seed in range(4)]
    batch = stage(recordings, [noise()], np.random.default_rng(1), snr_db)
    assert batch.clean.shape == batch.heard.shape
    assert batch.tokens.tolist() == [[BOS, 5, EOS]] * 4
    silence = stage(recordings, [noise()], np.random.default_rng(1), 200.0).heard
    for heard, wet in zip(batch.heard.numpy(), silence.numpy(), strict=True):
        gain = float(heard @ wet / (wet @ wet))  # what is too loud is turned down as a whole
        rest = heard - gain * wet
        loudest = np.sqrt(((gain * wet[: len(wet) // 2048 * 2048].reshape(-1, 2048)) ** 2).mean(axis=1).max())
        assert 20 * np.log10(loudest / rest.std()) == pytest.approx(snr_db, abs=0.5)
        assert np.abs(heard).max() <= 1


def test_what_is_shorter_is_filled_up() -> None:
    recordings = [Recording(speechlike(1.2), (BOS, 5, 6, EOS)), Recording(speechlike(2.0), (BOS, EOS))]
    batch = stage(recordings, [noise()], np.random.default_rng(0))
    assert batch.tokens.tolist() == [[BOS, 5, 6, EOS], [BOS, EOS, NO_TOKEN, NO_TOKEN]]
    assert batch.heard.shape[1] > 2.2 * SAMPLE_RATE


@pytest.mark.engines
def test_the_pupil_comes_nearer_to_its_teacher_and_the_decoder_stays() -> None:
    teacher = moonshine(packaged_folder())
    recordings = [Recording(speechlike(1.2, seed), (BOS, 306, 310, EOS)) for seed in range(BATCH)]
    pupil = learn(teacher, recordings, [noise()], steps=8, seed=0)
    batch = stage(recordings, [noise(1)], np.random.default_rng(7), 0.0)
    before, after = agreement(teacher, teacher, [batch]), agreement(teacher, pupil, [batch])
    assert after.divergence < before.divergence
    for name, value in teacher.state_dict().items():
        if ".encoder." not in name or "encoder_attn" in name:
            assert torch.equal(value, pupil.state_dict()[name])


@pytest.mark.engines
def test_what_is_not_understood_is_not_learned_from(tmp_path: Path) -> None:
    hiss = np.asarray(3000 * noise()[: 2 * SAMPLE_RATE], np.int16)
    assert understood([hiss, speechlike(0.5), speechlike(9.0)]) == []
    with pytest.raises(BadInput, match="at least 176 are needed"):
        train([hiss], tmp_path)
