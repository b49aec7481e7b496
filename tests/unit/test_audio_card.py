"""The sound card's code on a PortAudio-shaped stand-in, and once on the real PortAudio with ALSA's null device."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from device.audio.card import SoundCardMicrophone, SoundCardSpeaker, to_mono
from device.audio.devices import DeviceInfo, find_device, list_devices
from device.audio.ports import FRAME, SAMPLE_RATE
from device.errors import AudioDeviceMissing


class PortAudioError(Exception):
    pass


class Stream:
    """A stream that runs when the test says so."""

    opened: ClassVar[list["Stream"]] = []

    def __init__(self, **settings: Any) -> None:
        info = BACKEND.devices[settings["device"]]
        if settings["samplerate"] not in info["rates"] or settings["channels"] not in info["channels"]:
            raise PortAudioError("Invalid sample rate or number of channels")
        self.__dict__.update(settings)
        self.suggested = settings["latency"]
        self.latency = 0.05
        self.running = False
        Stream.opened.append(self)

    def start(self) -> None:
        if BACKEND.busy:
            raise PortAudioError("Device unavailable")
        self.running = True

    def abort(self) -> None:
        self.running = False

    def close(self) -> None:
        self.running = False


def card(name: str, *, rates: tuple[int, ...], channels: tuple[int, ...]) -> dict[str, Any]:
    return {
        "name": name,
        "max_input_channels": max(channels),
        "max_output_channels": max(channels),
        "default_samplerate": float(rates[0]),
        "rates": rates,
        "channels": channels,
    }


BACKEND = SimpleNamespace(devices=[], busy=False)
FINE = SimpleNamespace(input_overflow=False, output_underflow=False)
XRUN = SimpleNamespace(input_overflow=True, output_underflow=True)


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    BACKEND.devices = [card("Built-in Audio", rates=(48_000, 16_000), channels=(1, 2))]
    BACKEND.busy = False
    Stream.opened = []
    fake = SimpleNamespace(
        PortAudioError=PortAudioError,
        InputStream=Stream,
        OutputStream=Stream,
        default=SimpleNamespace(device=[0, 0]),
        query_devices=lambda: BACKEND.devices,
    )
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return BACKEND


def tone(rate: int, seconds: float) -> np.ndarray:
    return np.rint(9000 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)).astype(np.int16)


def hertz(pcm: np.ndarray, rate: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(pcm))) * rate / len(pcm))


def record(microphone: SoundCardMicrophone, sound: np.ndarray, frames: int) -> np.ndarray:
    """Let the card record `sound`, shape [n, channels], until so many frames came out."""
    got: list[np.ndarray] = []
    enough = threading.Event()

    def take(frame: np.ndarray) -> None:
        got.append(np.array(frame))
        if len(got) == frames:
            enough.set()

    microphone.start(take)
    stream = Stream.opened[-1]
    buffer = np.zeros((stream.blocksize, stream.channels), np.int16)
    for start in range(0, len(sound) - stream.blocksize + 1, stream.blocksize):
        buffer[:] = sound[start : start + stream.blocksize]  # PortAudio reuses its buffer
        stream.callback(buffer, stream.blocksize, None, FINE)
    assert enough.wait(10)
    microphone.stop()
    assert not stream.running
    return np.concatenate(got)


def test_16k_mono_passes_through_untouched(backend: SimpleNamespace) -> None:
    microphone = SoundCardMicrophone()
    sound = tone(SAMPLE_RATE, 1.0)
    got = record(microphone, sound[:, np.newaxis], 31)
    stream = Stream.opened[-1]
    assert (stream.samplerate, stream.channels, stream.blocksize) == (SAMPLE_RATE, 1, FRAME)
    np.testing.assert_array_equal(got, sound[: len(got)])
    assert microphone.name == "Built-in Audio"
    assert microphone.overflows == 0


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000, 8_000])
def test_other_rates_and_stereo_become_16k_mono(backend: SimpleNamespace, rate: int) -> None:
    backend.devices[:] = [card("USB", rates=(rate,), channels=(2,))]
    sound = tone(rate, 1.5)
    got = record(SoundCardMicrophone(), np.column_stack((sound, sound)), 40)
    assert (Stream.opened[-1].samplerate, Stream.opened[-1].channels) == (rate, 2)
    assert hertz(got[:SAMPLE_RATE], SAMPLE_RATE) == pytest.approx(440, abs=1)
    assert np.max(np.abs(got)) == pytest.approx(9000, rel=0.05)


def test_downmix() -> None:
    np.testing.assert_array_equal(to_mono(np.array([[100, 301], [-5, -5]], np.int16)), [200, -5])
    loud = np.full((3, 2), 32767, np.int16)
    np.testing.assert_array_equal(to_mono(loud), [32767] * 3)
    array = np.array([[1, 900, 900, 900, 900, 900]] * 3, np.int16)  # a microphone array: channel 0 is its output
    np.testing.assert_array_equal(to_mono(array), [1, 1, 1])


def test_overflows_of_the_card_and_of_our_queue_are_counted(backend: SimpleNamespace) -> None:
    microphone = SoundCardMicrophone()
    blocked, release = threading.Event(), threading.Event()

    def slow(frame: np.ndarray) -> None:
        blocked.set()
        release.wait(10)

    microphone.start(slow)
    stream = Stream.opened[-1]
    block = np.zeros((FRAME, 1), np.int16)
    stream.callback(block, FRAME, None, XRUN)
    assert microphone.overflows == 1
    assert blocked.wait(10)
    for _ in range(64 + 5):
        stream.callback(block, FRAME, None, FINE)
    assert microphone.overflows == 1 + 5
    release.set()
    microphone.stop()


def test_nothing_is_delivered_after_stop(backend: SimpleNamespace) -> None:
    microphone = SoundCardMicrophone()
    got: list[np.ndarray] = []
    microphone.start(got.append)
    stream = Stream.opened[-1]
    microphone.stop()
    count = len(got)
    stream.callback(np.ones((FRAME, 1), np.int16), FRAME, None, FINE)  # a late one
    assert len(got) == count
    microphone.start(got.append)  # and again
    assert Stream.opened[-1].running
    microphone.stop()


def play(speaker: SoundCardSpeaker, seconds: float) -> np.ndarray:
    sound = tone(SAMPLE_RATE, seconds + 1)
    position = 0

    def pull(count: int) -> np.ndarray:
        nonlocal position
        position += count
        return sound[position - count : position]

    speaker.start(pull)
    stream = Stream.opened[-1]
    blocks = []
    for _ in range(round(seconds * stream.samplerate / stream.blocksize)):
        block = np.zeros((stream.blocksize, stream.channels), np.int16)
        stream.callback(block, stream.blocksize, None, FINE)
        blocks.append(block)
    return np.concatenate(blocks)


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (48_000, 2), (44_100, 2)])
def test_speaker_plays_at_any_rate_in_all_channels(backend: SimpleNamespace, rate: int, channels: int) -> None:
    backend.devices[:] = [card("HDMI", rates=(rate,), channels=(channels,))]
    speaker = SoundCardSpeaker()
    played = play(speaker, 1.0)
    assert played.shape[1] == channels
    assert np.all(played == played[:, :1])
    assert hertz(played[:, 0], rate) == pytest.approx(440, abs=2)
    assert speaker.latency == 0.05
    assert Stream.opened[-1].suggested >= 4 * FRAME / SAMPLE_RATE, "PortAudio's own choice stutters under load"
    Stream.opened[-1].callback(np.zeros((10, channels), np.int16), 10, None, XRUN)
    assert speaker.underflows == 1
    speaker.stop()
    assert not Stream.opened[-1].running


def test_a_device_in_use_is_an_error_with_a_remedy_and_leaves_nothing_running(
    backend: SimpleNamespace,
) -> None:
    backend.busy = True
    before = threading.active_count()
    for device in (SoundCardMicrophone(), SoundCardSpeaker()):
        with pytest.raises(AudioDeviceMissing, match="unavailable") as caught:
            device.start(lambda _: np.zeros(0, np.int16))
        assert "Close programs" in caught.value.remedy
    assert threading.active_count() == before


def test_a_device_that_accepts_nothing(backend: SimpleNamespace) -> None:
    backend.devices[:] = [card("Odd", rates=(7,), channels=(2,))]
    backend.devices[0]["rates"] = ()
    with pytest.raises(AudioDeviceMissing, match="Odd"):
        SoundCardMicrophone().start(lambda _: None)


def test_list_devices(backend: SimpleNamespace) -> None:
    backend.devices.append(card("Speakerphone", rates=(44_100,), channels=(1,)))
    assert list_devices() == [
        DeviceInfo(0, "Built-in Audio", 2, 2, 48_000, True, True),
        DeviceInfo(1, "Speakerphone", 1, 1, 44_100, False, False),
    ]


def test_devices_are_found_by_part_of_their_name() -> None:
    devices = [
        DeviceInfo(0, "HDMI", 0, 8, 48_000, False, True),
        DeviceInfo(1, "Webcam", 2, 0, 44_100, False, False),
        DeviceInfo(2, "USB Speakerphone", 1, 2, 48_000, True, False),
    ]
    assert find_device(devices, "", "input").index == 2
    assert find_device(devices, "", "output").index == 0
    assert find_device(devices, "speakerPHONE", "output").index == 2
    assert find_device(devices, "webcam", "input").index == 1
    with pytest.raises(AudioDeviceMissing, match="“HDMI”") as caught:
        find_device(devices, "webcam", "output")
    assert "audio.speaker" in caught.value.remedy
    assert find_device(devices[:2], "", "input").index == 1  # no default: the first that can
    with pytest.raises(AudioDeviceMissing, match="no microphone"):
        find_device(devices[:1], "", "input")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    for start in (list_devices, lambda: SoundCardMicrophone().start(lambda _: None)):
        with pytest.raises(AudioDeviceMissing, match="libportaudio2") as caught:
            start()
        assert caught.value.exit_code == 3


def test_without_the_shared_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AudioDeviceMissing, match="libportaudio2"):
        list_devices()


REAL = """
import asyncio
import numpy as np
from device.audio.card import SoundCardMicrophone, SoundCardSpeaker
from device.audio.devices import list_devices
from device.audio.mixer import Mixer
from device.audio.ring import Ring
from device.audio.volume import DeviceVolume
from device.clock import SystemClock
from device.errors import AudioDeviceMissing

async def main():
    clock = SystemClock()
    ring, mixer = Ring(clock), Mixer(clock, DeviceVolume(100))
    microphone, speaker = SoundCardMicrophone(), SoundCardSpeaker()
    for _ in range(2):  # opened, closed and opened again
        microphone.start(ring.push)
        frame = await asyncio.wait_for(ring.read(), 10)
        assert frame.shape == (512,) and frame.dtype == np.int16
        microphone.stop()
    speaker.start(mixer.pull)
    mixer.latency = speaker.latency
    playback = mixer.play(np.ones(3200, np.int16), kind="chime")
    assert await asyncio.wait_for(playback.wait(), 10) == "finished"
    speaker.stop()
    print("well", speaker.latency > 0)

try:
    usable = any(device.inputs for device in list_devices())
except AudioDeviceMissing:
    usable = False
print("") if not usable else asyncio.run(main())
"""


def test_real_portaudio_with_alsas_null_device(tmp_path: Path) -> None:
    config = tmp_path / "asound.conf"
    config.write_text('pcm.nothing { type null }\npcm.!default { type plug slave.pcm "nothing" }\n')
    done = subprocess.run(
        [sys.executable, "-c", REAL],
        env={**os.environ, "ALSA_CONFIG_PATH": str(config)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if not done.stdout.strip():
        pytest.skip("no PortAudio with ALSA on this machine")
    assert done.stdout.split() == ["well", "True"]
