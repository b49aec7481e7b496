"""The real audio stack: PulseAudio with null sinks as microphone and speaker, PortAudio, and the program as it ships.

Here time is real. What is waited for are events and files, with generous deadlines.
"""

import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE
from device.speech.ports import render
from device.speech.stt_whisper import WhisperStt
from device.speech.tts_piper import PiperTts
from tests.audio_stack.stack import HOMEBODY, VOICE_RATE, SoundServer, Talk, stereo, what_is_missing


@pytest.fixture(scope="session")
def _usable() -> None:
    reason = what_is_missing()
    if reason:
        pytest.skip(reason)


@pytest.fixture
def server(_usable: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoundServer]:
    """A sound server of this test's own."""
    server = SoundServer(tmp_path_factory.mktemp("pa"))  # a short name: paths of sockets are limited
    try:
        if reason := server.start():
            pytest.skip(reason)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def _warm_cache(_usable: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("warm")
    subprocess.run([HOMEBODY, "ask", "hello"], env={"HOMEBODY_HOME": str(home)}, check=True, capture_output=True)
    return home / "cache"


@pytest.fixture
def environment(server: SoundServer, _warm_cache: Path, tmp_path: Path) -> dict[str, str]:
    """What a program must be given to use this server and an empty home."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "cache").symlink_to(_warm_cache)
    return {
        **server.environment,
        "HOMEBODY_HOME": str(tmp_path / "home"),
        "HOMEBODY_AUDIO__MICROPHONE": "kitchen_microphone",
        "HOMEBODY_AUDIO__SPEAKER": "kitchen_speaker",
        "COLUMNS": "400",
    }


@pytest.fixture
def talk(server: SoundServer, environment: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Talk]:
    """A device that listens; the parameter, if there is one, is its voice."""
    talk = Talk(server, {**environment, "HOMEBODY_SPEECH__TTS": getattr(request, "param", "espeak")})
    try:
        yield talk
    finally:
        talk.close()


@pytest.fixture(scope="session")
def voice(_usable: None) -> Callable[[str], NDArray[np.int16]]:
    """Renders what a person says, always the same, in stereo at `VOICE_RATE`, shape [n, 2]."""
    tts = PiperTts(variation=0)

    @cache
    def speak(text: str) -> NDArray[np.int16]:
        return stereo(soxr.resample(render(tts, text), SAMPLE_RATE, VOICE_RATE))

    return speak


@pytest.fixture(scope="session")
def transcribe(_usable: None) -> Callable[[NDArray[np.float64], int], str]:
    """What a listener, who is not the device's own, understands of a recording at some rate; in lower case."""
    stt = WhisperStt()

    def listen(sound: NDArray[np.float64], rate: int) -> str:
        stt.start()
        stt.feed(np.rint(soxr.resample(sound, rate, SAMPLE_RATE)).astype(np.int16))
        return stt.finish().text.lower()

    return listen
