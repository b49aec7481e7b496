"""What a wake word engine must do."""

import numpy as np
import pytest

from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import BadInput, EngineMissing
from device.speech.engines import make_wake
from device.speech.ports import TtsEngine, WakeEngine
from device.speech.tts_piper import PiperTts
from device.speech.wake import WAKE_WORDS
from firmware_sim.sound.engines import ToneLanguage, ToneTts, ToneWake

pytestmark = pytest.mark.engines

QUIET = np.zeros(SAMPLE_RATE, np.int16)


@pytest.fixture(scope="module", params=["micro", "tones"])
def wake(request: pytest.FixtureRequest) -> WakeEngine:
    if request.param == "tones":
        return ToneWake()
    engine = make_wake(WAKE_WORDS)
    assert engine is not None
    return engine


@pytest.fixture(scope="module")
def voice(wake: WakeEngine) -> TtsEngine:
    if isinstance(wake, ToneWake):
        return ToneTts(ToneLanguage())
    return piper()


def piper() -> TtsEngine:
    try:
        return PiperTts(threads=1, variation=0)
    except EngineMissing as missing:
        pytest.skip(str(missing))


def say(voice: TtsEngine, text: str) -> Pcm:
    return np.concatenate([QUIET, *voice.synthesize(text), QUIET])


def hear(wake: WakeEngine, pcm: Pcm, chunk: int = 512) -> list[str]:
    heard = (wake.process(pcm[start : start + chunk]) for start in range(0, len(pcm), chunk))
    return [phrase for phrase in heard if phrase]


@pytest.mark.parametrize("phrase", ["hey jarvis", "okay nabu", "alexa"])
def test_each_word_wakes_once(wake: WakeEngine, voice: TtsEngine, phrase: str) -> None:
    if phrase not in wake.capabilities.phrases:
        pytest.skip("not a phrase of this engine")
    wake.reset()
    assert hear(wake, say(voice, phrase)) == [phrase]
    assert hear(wake, say(voice, phrase)) == [phrase]


def test_other_speech_does_not_wake(wake: WakeEngine, voice: TtsEngine) -> None:
    wake.reset()
    text = "Turn on the kitchen light. What is the weather like tomorrow in the evening? Play some jazz, please."
    assert hear(wake, say(voice, text)) == []


def test_noise_does_not_wake(wake: WakeEngine) -> None:
    wake.reset()
    noise = np.random.default_rng(0).normal(0, 3000, 5 * SAMPLE_RATE).astype(np.int16)
    assert hear(wake, noise) == []


@pytest.mark.parametrize("chunk", [160, 777, 16_000])
def test_chunks_of_any_size(wake: WakeEngine, voice: TtsEngine, chunk: int) -> None:
    wake.reset()
    assert hear(wake, say(voice, "hey jarvis"), chunk) == ["hey jarvis"]


def test_reset_forgets_half_a_word(wake: WakeEngine, voice: TtsEngine) -> None:
    wake.reset()
    pcm = say(voice, "hey jarvis")
    middle = SAMPLE_RATE + SAMPLE_RATE // 3
    assert hear(wake, pcm[:middle]) == []
    wake.reset()
    assert hear(wake, pcm[middle:]) == []


def test_words_are_chosen() -> None:
    assert make_wake(()) is None
    one = make_wake(["alexa"])
    assert one is not None
    assert one.capabilities.phrases == ("alexa",)
    with pytest.raises(BadInput, match="hey_mycroft"):
        make_wake(["hey_mycroft"])


def test_an_impossible_threshold_never_wakes() -> None:
    voice = piper()
    strict = make_wake(["hey_jarvis"], threshold=1.0)
    assert strict is not None
    assert hear(strict, say(voice, "hey jarvis")) == []
