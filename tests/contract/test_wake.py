"""What a wake word engine must do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import BadInput, EngineMissing
from device.speech.engines import make_wake, make_wake_check
from device.speech.ports import TtsEngine, WakeEngine
from device.speech.tts_piper import PiperTts
from device.speech.wake import WAKE_WORDS
from device.speech.wake_check import LOOKS, SECONDS, CheckedWake, Look, MoonshineCheck
from firmware_sim.sound.engines import ToneLanguage, ToneTts, ToneWake

pytestmark = pytest.mark.engines

QUIET = np.zeros(SAMPLE_RATE, np.int16)


@pytest.fixture(scope="module", params=["micro", "checked", "tones"])
def wake(request: pytest.FixtureRequest) -> WakeEngine:
    if request.param == "tones":
        return ToneWake()
    engine = make_wake(WAKE_WORDS, check=make_wake_check(threads=1) if request.param == "checked" else None)
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


class Yes:
    """Implements `WakeCheck`; remembers what it was asked."""

    def __init__(self, answer: bool = True) -> None:
        self.answer = answer
        self.asked: list[tuple[str, int]] = []

    def confirms(self, phrase: str, pcm: Pcm) -> bool:
        self.asked.append((phrase, len(pcm)))
        return self.answer


@pytest.mark.parametrize("answer", [True, False])
def test_a_check_has_the_last_word(answer: bool) -> None:
    check = Yes(answer)
    wake = CheckedWake(ToneWake(), check)
    voice = ToneTts(ToneLanguage())
    assert hear(wake, say(voice, "turn on the light")) == []
    assert check.asked == []
    assert hear(wake, say(voice, "hey jarvis")) == (["hey jarvis"] if answer else [])
    assert check.asked == [("hey jarvis", round(SECONDS * SAMPLE_RATE))] * (1 if answer else len(LOOKS))


def test_what_is_refused_at_first_may_be_confirmed_later() -> None:
    class Slow(Yes):
        def confirms(self, phrase: str, pcm: Pcm) -> bool:
            return not super().confirms(phrase, pcm) or len(self.asked) > 1

    for check, late in ((Yes(), 0), (Slow(), LOOKS[-1] - LOOKS[0])):
        wake = CheckedWake(ToneWake(), check)
        assert hear(wake, say(ToneTts(ToneLanguage()), "hey jarvis")) == ["hey jarvis"]
        assert len(check.asked) == 1 + (late > 0)
        assert wake.late == late


def test_a_refused_word_does_not_hide_the_next() -> None:
    check = Yes(answer=False)
    wake = CheckedWake(ToneWake(), check)
    voice = ToneTts(ToneLanguage())
    hear(wake, say(voice, "hey jarvis"))
    check.answer = True
    assert hear(wake, say(voice, "hey jarvis")) == ["hey jarvis"]


def test_a_check_is_shown_nothing_from_before_a_reset() -> None:
    check = Yes()
    wake = CheckedWake(ToneWake(), check)
    hear(wake, QUIET)
    wake.reset()
    sound = say(ToneTts(ToneLanguage()), "hey jarvis")[SAMPLE_RATE:]
    hear(wake, sound)
    assert check.asked[0][1] < len(sound)


def test_other_words_are_told_from_the_wake_word() -> None:
    check = MoonshineCheck(threads=1)
    voice = piper()
    for phrase in ("hey jarvis", "alexa"):
        assert check.confirms(phrase, say(voice, phrase.title() + ".")), phrase
    for said, phrase in (
        ("The harvest was early this year.", "hey jarvis"),
        ("Would you like some red wine?", "alexa"),
        ("Okay, Joe.", "okay nabu"),
    ):
        assert not check.confirms(phrase, say(voice, said)), said


def test_noise_and_silence_confirm_nothing() -> None:
    check = MoonshineCheck(threads=1)
    noise = np.random.default_rng(0).normal(0, 3000, SAMPLE_RATE).astype(np.int16)
    assert not check.confirms("alexa", noise)
    assert not check.confirms("alexa", QUIET)


SCORES = st.floats(-20, 0)


@given(SCORES, SCORES)
def test_what_is_likelier_is_not_refused(score: float, free: float) -> None:
    """A phrase that is believed stays so when it gets likelier, and when other words get less likely."""
    if Look(score, free, "elixir", "alexa").confirms:
        assert Look(score / 2, free, "elixir", "alexa").confirms
        assert Look(score, free - 1, "elixir", "alexa").confirms
        assert Look(score, free, "oh alexa", "alexa").confirms


def test_a_likely_word_counts_and_a_part_of_a_word_does_not() -> None:
    assert not Look(-2.3, -0.2, "election", "alexa").confirms
    assert Look(-2.3, -0.2, "alexa what", "alexa").confirms
    assert Look(-2.3, -1.2, "i think", "alexa").confirms
    assert not Look(-2.3, -0.2, "alexander", "alexa").confirms
    assert not Look(-6.0, -5.9, "i think", "alexa").confirms
