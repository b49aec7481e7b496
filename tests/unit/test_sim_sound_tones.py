"""The language of tones: as many words as a long scenario has, and a tone for each wake phrase."""

import numpy as np
import pytest

from device.audio.ports import FRAME, SAMPLE_RATE
from device.errors import BadInput
from device.speech.ports import render
from firmware_sim.sound.engines import WAKE_PHRASES, ToneLanguage, ToneStt, ToneTts, ToneWake

RNG = np.random.default_rng(0)


def word(number: int) -> str:
    return "".join(chr(97 + number // 26**place % 26) for place in (2, 1, 0)) + "q"


def woken(ears: ToneWake, pcm: np.ndarray, cut: int = FRAME) -> list[str]:
    heard = [ears.process(pcm[at : at + cut]) for at in range(0, len(pcm), cut)]
    return [phrase for phrase in heard if phrase]


def test_thousands_of_words_are_told_apart_cut_and_in_noise() -> None:
    language = ToneLanguage()
    mouth, ears = ToneTts(language), ToneStt(language)
    for number in range(2801):
        language.pitch(word(number))
    with pytest.raises(ValueError, match="no pitch left"):
        language.pitch("one more")
    for number in (*range(0, 2801, 97), 2800):
        others = f"{word(number)} {word((number + 1) % 2801)} {word(max(number - 1, 0))}"
        pcm = render(mouth, others)
        noise = RNG.normal(0, 300, len(pcm))
        cut = round(0.08 * SAMPLE_RATE)  # half of the first word
        samples = ((pcm + noise)[cut:] / 32768).astype(np.float32)
        assert ears.decode(samples, None).text == others


@pytest.mark.parametrize("phrase", WAKE_PHRASES)
@pytest.mark.parametrize("cut", [FRAME, 160, 1000])
def test_each_wake_phrase_wakes_who_listens_for_it(phrase: str, cut: int) -> None:
    language = ToneLanguage()
    sentence = render(ToneTts(language), f"well {phrase} turn it on")
    pcm = np.concatenate([np.zeros(3000, np.int16), sentence, np.zeros(SAMPLE_RATE, np.int16)])
    others = tuple(other for other in WAKE_PHRASES if other != phrase)
    assert woken(ToneWake(WAKE_PHRASES), pcm, cut) == [phrase]
    assert woken(ToneWake((phrase.replace(" ", "_"),)), pcm, cut) == [phrase], "by the name in the configuration"
    assert woken(ToneWake(others), pcm, cut) == []


def test_the_wake_phrase_is_one_word_of_the_transcript() -> None:
    language = ToneLanguage()
    samples = render(ToneTts(language), "Okay Nabu, turn on the light").astype(np.float32) / 32768
    assert ToneStt(language).decode(samples, None).text == "okay nabu turn on the light"
    assert language.tokens("Alexandra said alexa") == ["alexandra", "said", "alexa"]


@pytest.mark.parametrize("phrases", [(), ("hey siri",)])
def test_unknown_wake_phrases_are_answered_with_those_that_are_known(phrases: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="hey jarvis, okay nabu, alexa"):
        ToneWake(phrases)
