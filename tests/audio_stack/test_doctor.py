"""What the doctor and a start say about real devices: there, silent, or none at all."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from tests.audio_stack.stack import HOMEBODY, VOICE_RATE, SoundServer, eventually, stereo, tone

pytestmark = pytest.mark.engines


def findings(environment: Mapping[str, str]) -> dict[str, Any]:
    done = subprocess.run([HOMEBODY, "doctor", "--json"], env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return {finding["what"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_the_doctor_finds_the_devices_and_hears_a_tone(server: SoundServer, environment: Mapping[str, str]) -> None:
    with server.keep_saying(stereo(tone(440, VOICE_RATE, 90, amplitude=3276.8))):
        eventually(lambda: server.streams("sink-inputs"), "the tone")
        found = findings(environment)
    assert "kitchen_microphone" in found["microphone"]["detail"]
    assert "kitchen_speaker" in found["speaker"]["detail"]
    # A sine of a tenth of full scale.
    assert found["signal"] == {
        "what": "signal",
        "state": "ok",
        "detail": "kitchen_microphone, room at -23 dB",
        "remedy": "",
    }


def test_the_doctor_says_that_a_silent_microphone_is_dead(server: SoundServer, environment: Mapping[str, str]) -> None:
    signal = findings(environment)["signal"]
    assert signal["state"] == "warning"
    assert "no signal at all" in signal["detail"]
    assert "audio.microphone" in signal["remedy"]


def test_without_a_sound_server_a_start_says_what_to_do(server: SoundServer, environment: Mapping[str, str]) -> None:
    server.stop()
    done = subprocess.run([HOMEBODY, "talk", "--json"], env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 3
    assert "microphone" in done.stdout + done.stderr
    assert "homebody doctor" in done.stdout + done.stderr
