"""The engines of a simulated device, real ones or tones, and what can go wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from device.app import listen_config, make_wake_engine
from device.audio.ports import Pcm
from device.config import Config, home_folder
from device.errors import EngineFailed
from device.speech.bias.sentences import Sentences
from device.speech.engines import EngineOptions, make_stt, make_tts, make_vad
from device.speech.listen import Listener
from device.speech.ports import SttEngine, Transcript, TtsEngine, WakeCapabilities, WakeEngine
from firmware_sim.sound.engines import ToneLanguage, ToneStt, ToneTts, ToneVad, ToneWake
from firmware_sim.sound.voices import PIPER, Voices

E = TypeVar("E")


@dataclass(slots=True)
class Faults:
    """What is wrong with the engines of one device.

    Attributes:
        broken: Engines that fail when called: `stt`, `tts`, `ears`.
        hung: Workers whose calls never come back: `stt`, `tts`.
        sound: Microphone or loudspeaker are not as they should be.
    """

    broken: set[str] = field(default_factory=set)
    hung: set[str] = field(default_factory=set)
    sound: bool = False

    def check(self, engine: str) -> None:
        """Fail, if that engine is to fail now.

        Raises:
            EngineFailed: It is broken.
        """
        if engine in self.broken:
            raise EngineFailed(f"The {engine} engine crashed.", remedy="It is started again by itself.")


class Kit(Protocol):
    """Builds the engines of a device, and gives people a voice that they understand."""

    def stt(self, faults: Faults) -> SttEngine:
        """Speech to text."""

    def tts(self, faults: Faults) -> TtsEngine:
        """Text to speech."""

    def listener(self, config: Config, faults: Faults) -> Listener:
        """Wake word, voice activity and endpoint."""

    def person(self, name: str = "") -> TtsEngine:
        """A person's voice.

        Raises:
            BadInput: There is no such voice.
        """


class TonesKit:
    """Implements `Kit` in the language of tones, which all devices and people of one scenario share."""

    def __init__(self) -> None:
        self._language = ToneLanguage()

    def stt(self, faults: Faults) -> SttEngine:
        """See `Kit.stt`."""
        return _FaultyStt(ToneStt(self._language), faults)

    def tts(self, faults: Faults) -> TtsEngine:
        """See `Kit.tts`."""
        return _FaultyTts(ToneTts(self._language), faults)

    def listener(self, config: Config, faults: Faults) -> Listener:
        """See `Kit.listener`."""
        phrases = tuple(word.replace("_", " ") for word in config.speech.wake_words)
        wake = _FaultyWake(ToneWake(phrases), faults) if phrases else None
        return Listener(wake, ToneVad(), listen_config(config))

    def person(self, name: str = "") -> TtsEngine:
        """See `Kit.person`: in this language all speak alike."""
        return ToneTts(self._language)


class SpeechKit:
    """Implements `Kit` with the engines that ship.

    Args:
        config: Names the engines.
        models: Folder of fetched models.
    """

    def __init__(self, config: Config, models: Path) -> None:
        self._config = config
        self._models = models

    def stt(self, faults: Faults) -> SttEngine:
        """See `Kit.stt`."""
        return _FaultyStt(_stt(self._config.speech.stt, self._models), faults)

    def tts(self, faults: Faults) -> TtsEngine:
        """See `Kit.tts`."""
        # A new one each time: what eSpeak renders depends on what it has rendered before.
        engine = make_tts(self._config.speech.tts, EngineOptions(self._models, threads=1))
        return _FaultyTts(engine, faults)

    def listener(self, config: Config, faults: Faults) -> Listener:
        """See `Kit.listener`."""
        wake = make_wake_engine(config, threads=1)
        return Listener(_FaultyWake(wake, faults) if wake else None, make_vad(), listen_config(config))

    def person(self, name: str = "") -> TtsEngine:
        """See `Kit.person`."""
        return voices().person(name or PIPER)


@cache
def voices() -> Voices:
    """People whose sentences are kept from one run to the next: a voice takes longer to speak than a device to hear."""
    return Voices(home_folder() / "cache" / "voices")


@cache
def _stt(name: str, models: Path) -> SttEngine:
    """Engines take long to load and are without memory between utterances: one serves all scenarios."""
    return make_stt(name, EngineOptions(models, threads=1))


class _Faulty(Generic[E]):
    def __init__(self, engine: E, faults: Faults) -> None:
        self._engine = engine
        self._faults = faults


class _FaultyStt(_Faulty[SttEngine]):
    """Implements `SttEngine`."""

    def __init__(self, engine: SttEngine, faults: Faults) -> None:
        super().__init__(engine, faults)
        self.name, self.capabilities = engine.name, engine.capabilities

    def start(self, bias: Sentences | None = None) -> None:
        self._engine.start(bias)

    def feed(self, pcm: Pcm) -> None:
        self._engine.feed(pcm)

    def partial(self) -> str:
        return self._engine.partial()

    def finish(self) -> Transcript:
        self._faults.check("stt")
        return self._engine.finish()


class _FaultyTts(_Faulty[TtsEngine]):
    """Implements `TtsEngine`."""

    def __init__(self, engine: TtsEngine, faults: Faults) -> None:
        super().__init__(engine, faults)
        self.name, self.capabilities = engine.name, engine.capabilities

    def synthesize(self, text: str) -> Iterator[Pcm]:
        self._faults.check("tts")
        yield from self._engine.synthesize(text)


class _FaultyWake(_Faulty[WakeEngine]):
    """Implements `WakeEngine`."""

    def __init__(self, engine: WakeEngine, faults: Faults) -> None:
        super().__init__(engine, faults)
        self.capabilities: WakeCapabilities = engine.capabilities

    @property
    def late(self) -> int:
        return self._engine.late

    def process(self, frame: Pcm) -> str | None:
        self._faults.check("ears")
        return self._engine.process(frame)

    def reset(self) -> None:
        self._engine.reset()
