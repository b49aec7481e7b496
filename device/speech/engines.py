"""The speech engines by name. Each is imported and loaded only when it is asked for.

Whatever is missing on this machine is an `EngineMissing` that names the command which brings it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from device.errors import BadInput
from device.speech.ports import SttEngine, TtsEngine, VadEngine, WakeCheck, WakeEngine

T = TypeVar("T")

VOSK_MODEL: Final = "vosk-small-en-us"
"""Name of Vosk's model in the catalogue and of its folder below the models folder."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What engines are built with.

    Attributes:
        models: Folder of fetched models.
        threads: Threads of one engine.
        beam: Sentences that a recognizer follows at once, if it is told what can be said.
        ears: Folder of an encoder for Moonshine, see `homebody train-ears`; None for the one that ships.
    """

    models: Path
    threads: int = 2
    beam: int = 16
    ears: Path | None = None


def make_stt(name: str, options: EngineOptions) -> SttEngine:
    """Build a speech-to-text engine, one of `STT`.

    Raises:
        BadInput: No such engine.
        EngineMissing: Its package or model is not there.
    """
    return _choose(STT, name, "speech-to-text")(options)


def make_tts(name: str, options: EngineOptions) -> TtsEngine:
    """Build a text-to-speech engine, one of `TTS`.

    Raises:
        BadInput: No such engine.
        EngineMissing: Its package, program or voice is not there.
    """
    return _choose(TTS, name, "text-to-speech")(options)


def make_wake(
    words: Sequence[str],
    threshold: float | None = None,
    models: Sequence[Path] = (),
    check: WakeCheck | None = None,
) -> WakeEngine | None:
    """Build the wake word engine, or None where only push-to-talk is wanted (neither words nor models).

    Args:
        words: Wake words that come with the package.
        threshold: Probability above which one of them counts; None for each one's own.
        models: Folders of trained wake words, see `device.speech.wake_onnx`.
        check: Has the last word.

    Raises:
        BadInput: An unknown wake word, or a folder without one.
        EngineMissing: Its package is not there.
    """
    engines: list[WakeEngine] = []
    if words:
        from device.speech.wake import CHECKED, THRESHOLDS, MicroWakeWord

        own = CHECKED if check else THRESHOLDS
        engines.append(MicroWakeWord(words, own if threshold is None else dict.fromkeys(words, threshold)))
    if models:
        from device.speech.wake_onnx import TrainedWake

        engines += [TrainedWake(folder, checked=check is not None) for folder in models]
    if not engines:
        return None
    from device.speech.wake_check import CheckedWake
    from device.speech.wake_onnx import AnyWake

    engine = engines[0] if len(engines) == 1 else AnyWake(engines)
    return CheckedWake(engine, check) if check else engine


def make_wake_check(threads: int = 2) -> WakeCheck:
    """Build the second look at wake words.

    Args:
        threads: Of the recognizer; the same as for speech-to-text, so that they share what is large.

    Raises:
        EngineMissing: Its package is not there.
    """
    from device.speech.wake_check import MoonshineCheck

    return MoonshineCheck(threads)


def make_vad() -> VadEngine:
    """Build the voice activity detector.

    Raises:
        EngineMissing: Its package is not there.
    """
    from device.speech.vad import SileroVad

    return SileroVad()


def _moonshine(options: EngineOptions) -> SttEngine:
    from device.speech.moonshine_model import ENCODER, SHIPPED
    from device.speech.stt_moonshine import MoonshineStt

    encoder = options.ears / ENCODER if options.ears else SHIPPED
    return MoonshineStt(options.threads, encoder, width=options.beam)


def _whisper(options: EngineOptions) -> SttEngine:
    from device.speech.stt_whisper import WhisperStt

    return WhisperStt(options.threads)


def _vosk(options: EngineOptions) -> SttEngine:
    from device.speech.stt_vosk import VoskStt

    return VoskStt(options.models / VOSK_MODEL)


def _espeak(options: EngineOptions) -> TtsEngine:
    from device.speech.tts_espeak import EspeakTts

    return EspeakTts()


def _piper(options: EngineOptions) -> TtsEngine:
    from device.speech.tts_piper import PiperTts

    return PiperTts(options.threads)


def _kokoro(options: EngineOptions) -> TtsEngine:
    from device.speech.tts_kokoro import KokoroTts

    return KokoroTts()


STT: Final[Mapping[str, Callable[[EngineOptions], SttEngine]]] = {
    "moonshine": _moonshine,
    "whisper": _whisper,
    "vosk": _vosk,
}
TTS: Final[Mapping[str, Callable[[EngineOptions], TtsEngine]]] = {
    "espeak": _espeak,
    "piper": _piper,
    "kokoro": _kokoro,
}


def _choose(engines: Mapping[str, T], name: str, what: str) -> T:
    if name not in engines:
        raise BadInput(f"There is no {what} engine {name}.", remedy=f"Choose from: {', '.join(engines)}.")
    return engines[name]
