"""A tone through the real stack, both ways: its frequency is right and nothing drops out.

The house works at 16 kHz; what resamples is PulseAudio where a card takes any rate, and the house itself where a card
takes only its own.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE
from tests.audio_stack.card import AMPLITUDE, HERTZ
from tests.audio_stack.stack import VOICE_RATE, SoundServer, eventually, stereo, tone

SECONDS = 5.0
STEADY = 1.5
"""Seconds of sound, and of how many without any break."""

CARDS = pytest.mark.parametrize("rate", [0, 44_100], ids=["a card of any rate", "a card of 44.1 kHz stereo"])


@contextmanager
def card(what: str, rate: int, path: Path, environment: Mapping[str, str]) -> Iterator[None]:
    program = Path(__file__).with_name("card.py")
    process = subprocess.Popen([sys.executable, program, what, str(rate), path], env=environment, stdin=subprocess.PIPE)
    try:
        yield
    finally:
        process.communicate(timeout=30)
    assert process.returncode == 0


@CARDS
def test_what_the_speaker_plays(server: SoundServer, environment: Mapping[str, str], tmp_path: Path, rate: int) -> None:
    with card("play", rate, tmp_path, environment), server.record("speaker.monitor") as heard:
        heard.wait_for_sound(SECONDS)
        sound = heard.sound()
    judge(sound[heard.rate // 2 :], heard.rate)


@CARDS
def test_what_the_microphone_delivers(
    server: SoundServer, environment: Mapping[str, str], tmp_path: Path, rate: int
) -> None:
    path = tmp_path / "recorded.raw"
    with (
        server.keep_saying(stereo(tone(HERTZ, VOICE_RATE, 60, AMPLITUDE))),
        card("record", rate, path, environment),
    ):
        eventually(lambda: path.exists() and path.stat().st_size > 2 * SECONDS * SAMPLE_RATE, "the recording")
    judge(np.fromfile(path, np.int16)[SAMPLE_RATE // 2 :].astype(float), SAMPLE_RATE)


def judge(sound: NDArray[np.float64], rate: int) -> None:
    """The pitch within 0.5 %, the loudness as it was, and a phase that does not jump.

    A machine that is busy with something else may make the sound stop for a moment; a wrong resampler would break
    each of the thirty blocks of a second.
    """
    carrier = np.exp(-2j * np.pi * HERTZ * np.arange(len(sound)) / rate)
    size = rate // 100  # ten whole periods
    steps = (sound * carrier)[: len(sound) // size * size].reshape(-1, size).mean(axis=1)
    off = np.abs(2 * np.abs(steps) / AMPLITUDE - 1) > 0.02
    jump = np.abs(np.angle(steps[1:] / steps[:-1])) > 0.1
    breaks = np.flatnonzero(np.r_[True, off[1:] | off[:-1] | jump, True])
    longest = int(np.argmax(np.diff(breaks)))
    steady = steps[breaks[longest] : breaks[longest + 1]]
    slope = np.polyfit(np.arange(len(steady)), np.unwrap(np.angle(steady)), 1)[0]
    hertz = HERTZ + slope / (2 * np.pi * size / rate)
    print(f"\n{hertz:.3f} Hz, steady for {len(steady) / 100:.2f} of {len(steps) / 100:.2f} s")
    assert len(steady) / 100 > STEADY
    assert hertz == pytest.approx(HERTZ, rel=0.005)
