"""The encoder that ships: it is what its manifest says, and hears in noise what the one it came from does not."""

import hashlib
import json

import numpy as np
import pytest
import torch

from device.audio.ports import Pcm
from device.errors import EngineMissing
from device.nlu.text import spoken
from device.speech.moonshine_model import SHIPPED, packaged_folder
from device.speech.stt_moonshine import MoonshineStt
from device.speech.tts_piper import PiperTts
from quantize.ears.learn import agreement, moonshine
from quantize.ears.packaged import encoder_weights
from quantize.ears.scenes import stage
from quantize.ears.train import understood
from quantize.wake.rooms import noise

pytestmark = pytest.mark.engines

SENTENCES = (
    "Could you turn on the kitchen light?",
    "Set a timer for twenty minutes.",
    "What will the weather be like tomorrow?",
    "Remind me to call my sister in the evening.",
)


def said() -> list[Pcm]:
    try:
        voice = PiperTts(threads=1, variation=0)
    except EngineMissing as missing:
        pytest.skip(str(missing))
    return [np.concatenate(list(voice.synthesize(sentence))) for sentence in SENTENCES]


def test_it_is_the_file_of_its_manifest() -> None:
    manifest = json.loads(SHIPPED.with_name("manifest.json").read_text(encoding="utf-8"))
    assert hashlib.sha256(SHIPPED.read_bytes()).hexdigest() == manifest["sha256"]


def test_without_noise_it_hears_what_was_said() -> None:
    engine = MoonshineStt(threads=1)
    for pcm, sentence in zip(said(), SENTENCES, strict=True):
        samples = np.pad(pcm, 4000).astype(np.float32) / np.float32(32768)
        assert spoken(engine.decode(samples, None).text) == spoken(sentence)


def test_in_noise_it_is_nearer_to_what_was_said() -> None:
    recordings = understood(said())
    assert len(recordings) == len(SENTENCES)
    teacher, pupil = moonshine(packaged_folder()), moonshine(packaged_folder())
    weights = encoder_weights(SHIPPED.parent, SHIPPED.name)
    pupil.model.encoder.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    rng = np.random.default_rng(0)
    talk = [recording.pcm.astype(np.float32) / np.float32(32768) for recording in recordings]
    noises = [noise(rng, talk) for _ in range(12)]
    scenes = [stage(recordings, noises, rng, snr_db=6.0) for _ in range(6)]
    before, after = agreement(teacher, teacher, scenes), agreement(teacher, pupil, scenes)
    assert after.divergence < 0.9 * before.divergence
    assert after.same > before.same
