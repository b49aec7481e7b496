"""What every speaker must do; the real card is held to it where there is one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.audio.card import SoundCardSpeaker
from device.audio.devices import list_devices
from device.audio.fileports import FileSpeaker
from device.audio.files import read_audio
from device.audio.mixer import Mixer
from device.audio.ports import FRAME, SAMPLE_RATE, Speaker
from device.audio.volume import DeviceVolume
from device.clock import Clock, SystemClock
from device.errors import AudioDeviceMissing, BadInput, DeviceError
from firmware_sim.clock import VirtualClock, run
from firmware_sim.sound.microphone import SimulatedMicrophone
from firmware_sim.sound.speaker import SimulatedSpeaker


@dataclass(frozen=True)
class Bench:
    """How to make a speaker and in which kind of time to try it."""

    make: Callable[[Clock], Speaker]
    run: Callable[[Callable[[Clock], Awaitable[None]]], Any]
    tolerance: float


class Source:
    """Counts 1, 2, 3... and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def pull(self, count: int) -> np.ndarray:
        begin = sum(self.asked)
        self.asked.append(count)
        return (1 + (begin + np.arange(count)) % 30_000).astype(np.int16)


def no_card() -> bool:
    try:
        return not any(device.outputs for device in list_devices())
    except DeviceError:
        return True


@pytest.fixture(
    params=[
        "file",
        "simulated",
        pytest.param("card", marks=pytest.mark.skipif(no_card(), reason="this machine has no speaker")),
    ]
)
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "card":
        return Bench(lambda clock: SoundCardSpeaker(), lambda main: asyncio.run(main(SystemClock())), tolerance=1.0)
    return Bench({"file": FileSpeaker, "simulated": SimulatedSpeaker}[request.param], run, tolerance=0.0)


def test_pulls_at_the_pace_of_sound(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        speaker, source = bench.make(clock), Source()
        speaker.start(source.pull)
        await clock.sleep(0.5)
        speaker.stop()
        assert sum(source.asked) / SAMPLE_RATE == pytest.approx(0.5, abs=0.04 + bench.tolerance)
        assert speaker.name

    bench.run(main)


def test_pulls_nothing_before_the_start_or_after_the_stop(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        speaker, source = bench.make(clock), Source()
        speaker.stop()  # harmless
        await clock.sleep(0.1)
        speaker.start(source.pull)
        await clock.sleep(0.2)
        speaker.stop()
        count = len(source.asked)
        assert count
        await clock.sleep(0.2)
        assert len(source.asked) == count
        speaker.start(source.pull)
        await clock.sleep(0.2)
        speaker.stop()
        assert len(source.asked) > count

    bench.run(main)


def test_a_playback_of_the_mixer_finishes_on_it(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        speaker, mixer = bench.make(clock), Mixer(clock, DeviceVolume(100))
        speaker.start(mixer.pull)
        playback = mixer.play(np.full(3200, 900, np.int16), kind="speech")
        async with asyncio.timeout(5):
            assert await playback.wait() == "finished"
        speaker.stop()

    bench.run(main)


def test_recorders_keep_every_sample_in_order() -> None:
    async def main(clock: VirtualClock) -> None:
        file, simulated = FileSpeaker(clock), SimulatedSpeaker(clock)
        sources = [Source(), Source()]
        file.start(sources[0].pull)
        simulated.start(sources[1].pull)
        await clock.sleep(1)
        expected = Source().pull(sum(sources[0].asked))
        np.testing.assert_array_equal(file.played, expected)
        np.testing.assert_array_equal(simulated.recording(), expected)

    run(main)


# ------------------------------------------------------------------ the file's own


def test_file_writes_what_was_played(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        speaker, source = FileSpeaker(clock, tmp_path / "reply.wav"), Source()
        speaker.start(source.pull)
        await clock.sleep(1)
        speaker.stop()
        np.testing.assert_array_equal(read_audio(tmp_path / "reply.wav"), Source().pull(sum(source.asked)))

    run(main)


def test_file_that_can_not_be_written_is_an_error(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        speaker = FileSpeaker(clock, tmp_path / "nowhere" / "reply.wav")
        speaker.start(Source().pull)
        with pytest.raises(BadInput):
            speaker.stop()

    run(main)


def test_file_keeps_a_bounded_length() -> None:
    async def main(clock: VirtualClock) -> None:
        speaker, source = FileSpeaker(clock, max_seconds=0.5), Source()
        speaker.start(source.pull)
        await clock.sleep(0.4)
        assert not speaker.truncated
        await clock.sleep(2)
        assert speaker.truncated
        assert len(speaker.played) == 0.5 * SAMPLE_RATE // FRAME * FRAME
        assert sum(source.asked) > 2 * SAMPLE_RATE

    run(main)


# ------------------------------------------------------------------ the simulation's own


def test_simulated_speaker_remembers_sounds_with_their_times(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        speaker, mixer = SimulatedSpeaker(clock), Mixer(clock, DeviceVolume(100))
        speaker.start(mixer.pull)
        for seconds, value in ((0.32, 100), (0.64, 200)):
            await clock.sleep(3)
            await mixer.play(np.full(round(seconds * SAMPLE_RATE), value, np.int16), kind="speech").wait()
        first, second = speaker.heard
        assert first.at == pytest.approx(3.0, abs=0.032)
        assert second.at == pytest.approx(6.32, abs=0.064)
        assert set(first.pcm) == {100}
        assert len(second.pcm) == round(0.64 * SAMPLE_RATE)
        assert len(speaker.recording()) == round((second.at + 0.64 - first.at) * SAMPLE_RATE)
        speaker.write(tmp_path / "all.wav")
        assert len(read_audio(tmp_path / "all.wav")) == len(speaker.recording())

    run(main)


def test_simulated_speaker_can_be_unplugged() -> None:
    async def main(clock: VirtualClock) -> None:
        speaker, source = SimulatedSpeaker(clock), Source()
        speaker.start(source.pull)
        speaker.unplug()
        await clock.sleep(1)
        assert not source.asked
        with pytest.raises(AudioDeviceMissing):
            speaker.start(source.pull)
        speaker.plug()
        speaker.start(source.pull)
        await clock.sleep(1)
        assert source.asked

    run(main)


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.1])
def test_echo_comes_back_weaker_and_later(delay: float) -> None:
    async def main(clock: VirtualClock) -> None:
        speaker, mixer = SimulatedSpeaker(clock), Mixer(clock, DeviceVolume(100))
        microphone = SimulatedMicrophone(clock, noise_dbfs=-90, speaker=speaker)
        microphone.echo(0.5, delay)
        frames: list[np.ndarray] = []
        microphone.start(lambda frame: frames.append(np.array(frame)))
        await clock.sleep(0.005)  # the two cards are not in step
        speaker.start(mixer.pull)
        await clock.sleep(1)
        sound = np.random.default_rng(0).integers(-9000, 9000, SAMPLE_RATE).astype(np.int16)
        playback = mixer.play(sound, kind="media")
        await playback.wait()
        await clock.sleep(0.5)
        assert playback.started_at is not None
        begin = round((playback.started_at + delay) * SAMPLE_RATE)
        heard = np.concatenate(frames)[begin : begin + len(sound)]
        np.testing.assert_allclose(heard, 0.5 * sound, atol=8)

    run(main)


def test_an_echo_needs_a_speaker() -> None:
    async def main(clock: VirtualClock) -> None:
        with pytest.raises(ValueError, match="speaker"):
            SimulatedMicrophone(clock).echo(0.5, 0.0)

    run(main)
