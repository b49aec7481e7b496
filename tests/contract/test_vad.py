"""What a voice activity detector must do."""

import numpy as np
import pytest

from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.errors import EngineMissing
from device.speech.engines import make_vad
from device.speech.ports import VadEngine
from device.speech.tts_espeak import EspeakTts
from device.speech.vad import holds_speech
from firmware_sim.sound.engines import ToneLanguage, ToneTts, ToneVad

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module", params=["silero", "tones"])
def vad(request: pytest.FixtureRequest) -> VadEngine:
    return make_vad() if request.param == "silero" else ToneVad()


@pytest.fixture(scope="module")
def speech(vad: VadEngine) -> Pcm:
    if isinstance(vad, ToneVad):
        return np.concatenate(list(ToneTts(ToneLanguage()).synthesize("Set a timer for ten minutes.")))
    try:
        voice = EspeakTts()
    except EngineMissing as missing:
        pytest.skip(str(missing))
    pcm = np.concatenate(list(voice.synthesize("Set a timer for ten minutes.")))
    voice.close()
    return pcm


def probabilities(vad: VadEngine, pcm: Pcm) -> list[float]:
    vad.reset()
    return [vad.process(pcm[start : start + FRAME]) for start in range(0, len(pcm) - FRAME + 1, FRAME)]


def test_speech_is_probable_and_noise_is_not(vad: VadEngine, speech: Pcm) -> None:
    spoken = probabilities(vad, speech)
    assert all(0 <= p <= 1 for p in spoken)
    assert np.mean(np.array(spoken) > 0.5) > 0.6
    noise = np.random.default_rng(0).normal(0, 1000, SAMPLE_RATE).astype(np.int16)
    assert max(probabilities(vad, noise)) < 0.35
    assert max(probabilities(vad, np.zeros(SAMPLE_RATE, np.int16))) < 0.35


def test_reset_forgets(vad: VadEngine, speech: Pcm) -> None:
    assert probabilities(vad, speech) == probabilities(vad, speech)


def test_a_wrong_frame_is_refused(vad: VadEngine) -> None:
    with pytest.raises(ValueError, match="512"):
        vad.process(np.zeros(FRAME - 1, np.int16))


def test_holds_speech(vad: VadEngine, speech: Pcm) -> None:
    quiet = np.zeros(SAMPLE_RATE, np.int16)
    assert holds_speech(vad, np.concatenate([quiet, speech]))
    assert not holds_speech(vad, quiet)
    assert not holds_speech(vad, speech[:1000])
    assert not holds_speech(vad, np.empty(0, np.int16))
