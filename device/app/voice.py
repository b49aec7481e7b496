"""Ears and a mouth around a brain, built."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from device.app.brain import Brain
from device.assistant import Assistant, Parts
from device.audio.mixer import Mixer
from device.audio.ring import Ring
from device.bell import Bell
from device.config import Config
from device.dialogue.completeness import Completeness
from device.errors import BundleError, DatabaseDamaged, DeviceError
from device.events import Observation
from device.hearing import Hearing
from device.lights import Lights, NoLights
from device.skills.player import LocalPlayer
from device.speech.endpoint import EndpointConfig
from device.speech.engines import EngineOptions, make_stt, make_tts, make_vad, make_wake, make_wake_check
from device.speech.listen import ListenConfig, Listener
from device.speech.ports import SttEngine, TtsEngine, WakeEngine
from device.speech.renewable import Renewable
from device.voice import Voice

NOTHING_MISSING: Final = 0.25
"""Seconds of silence that end a command to which nothing can belong that follows; another may follow all the same.

Of 119 recorded commands, six have a longer pause inside, but none where the words until then are such a command.
"""

BREATH: Final = 0.4
"""Seconds of silence after which a command does not go on: of 119 recorded commands, none has a longer pause inside."""


def listen_config(config: Config) -> ListenConfig:
    """How the ears behave by these settings."""
    speech = config.speech
    endpoint = EndpointConfig(
        trailing_silence_s=speech.trailing_silence, max_s=speech.max_command, no_speech_timeout_s=speech.patience
    )
    return ListenConfig(endpoint, follow_up_s=speech.follow_up or ListenConfig().follow_up_s)


def pauses(config: Config) -> dict[Completeness, float]:
    """Seconds of silence that are the end of a command, by what was said until then."""
    speech = config.speech
    return {
        Completeness.WHOLE: NOTHING_MISSING,
        Completeness.OPEN: BREATH,
        Completeness.UNKNOWN: speech.trailing_silence,
        Completeness.PART: max(speech.unfinished_silence, speech.trailing_silence),
    }


def make_listener(config: Config, *, wake: bool = True) -> Listener:
    """The ears: wake words (unless not wanted), voice activity and endpoint.

    Raises:
        EngineMissing: A package is not installed.
    """
    return Listener(make_wake_engine(config) if wake else None, make_vad(), listen_config(config))


def make_wake_engine(config: Config, threads: int | None = None) -> WakeEngine | None:
    """The configured wake words; None where there are none.

    Args:
        config: Says which, and whether they are looked at again.
        threads: Of that look; as many as speech-to-text has unless told otherwise, with which it shares its decoder.

    Raises:
        BadInput: A folder holds no wake word.
        EngineMissing: A package is not installed.
    """
    speech = config.speech
    models = [Path(folder).expanduser() for folder in speech.wake_models]
    checked = speech.wake_check and (speech.wake_words or models)
    check = make_wake_check(threads or speech.stt_threads) if checked else None
    return make_wake(speech.wake_words, speech.wake_threshold, models, check)


def make_stt_engine(config: Config, home: Path) -> SttEngine:
    """The configured speech-to-text engine.

    Raises:
        EngineMissing: Its package or model is not there.
    """
    speech = config.speech
    ears = Path(speech.ears).expanduser() if speech.ears else None
    return make_stt(speech.stt, EngineOptions(home / "models", speech.stt_threads, speech.stt_beam, ears))


def make_tts_engine(config: Config, home: Path) -> TtsEngine:
    """The configured text-to-speech engine.

    Raises:
        EngineMissing: Its package, program or voice is not there.
    """
    return make_tts(config.speech.tts, EngineOptions(home / "models", config.speech.stt_threads))


class Engines(NamedTuple):
    """Ears and a mouth, loaded."""

    stt: Renewable[SttEngine]
    tts: Renewable[TtsEngine]
    listener: Listener


def load_engines(config: Config, home: Path) -> Engines:
    """The configured engines. Takes as long as all the rest of a start, and may run in a thread beside it.

    Raises:
        EngineMissing: A speech engine's package, program or model is not there.
    """
    return Engines(
        Renewable(lambda: make_stt_engine(config, home)),
        Renewable(lambda: make_tts_engine(config, home)),
        make_listener(config),
    )


async def say_problems(problems: Iterable[DeviceError], voice: Voice) -> None:
    """Say aloud what somebody who sees no screen couldn't know: another language model is in use, all was forgotten."""
    told = (problem.spoken for problem in problems if isinstance(problem, BundleError | DatabaseDamaged))
    for sentence in dict.fromkeys(told):
        with contextlib.suppress(DeviceError):  # a voice that fails is reported at the next reply
            await voice.speak(sentence, voice.begin())


def build_assistant(
    brain: Brain,
    ring: Ring,
    mixer: Mixer,
    stt: Renewable[SttEngine],
    tts: Renewable[TtsEngine],
    observe: Callable[[Observation], None],
    listener: Listener | None = None,
    lights: Lights | None = None,
) -> Assistant:
    """Put ears and a mouth around a brain, by default the configured ears. Must be called on the running loop."""
    voice = Voice(tts, mixer, brain.workers)
    if isinstance(brain.services.player, LocalPlayer):
        brain.services.player.mixer = mixer

    bell = Bell(brain.scheduler, mixer, voice, brain.clock, brain.words, observe)
    speech = brain.config.speech
    parts = Parts(
        brain.clock,
        brain.workers,
        ring,
        Hearing(listener or make_listener(brain.config), mixer, brain.clock),
        stt,
        voice,
        mixer,
        brain.conversation,
        bell,
        lights or NoLights(),
        pauses(brain.config),
        chimes=brain.config.audio.chimes,
        follow_up=speech.follow_up > 0,
    )
    return Assistant(parts, observe)
