"""What every microphone must do; the real card is held to it where there is one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.audio.card import SoundCardMicrophone
from device.audio.devices import list_devices
from device.audio.fileports import FileMicrophone
from device.audio.files import write_wav
from device.audio.ports import FRAME, SAMPLE_RATE, Microphone
from device.clock import Clock, SystemClock
from device.errors import AudioDeviceMissing, DeviceError
from firmware_sim.clock import run
from firmware_sim.sound.microphone import SimulatedMicrophone

PERIOD = FRAME / SAMPLE_RATE
NOISE = np.random.default_rng(7).integers(-999, 999, 5 * SAMPLE_RATE).astype(np.int16)


@dataclass(frozen=True)
class Bench:
    """How to make a microphone and in which kind of time to try it."""

    make: Callable[[Clock], Microphone]
    run: Callable[[Callable[[Clock], Awaitable[None]]], Any]
    tolerance: float


def no_card(direction: str) -> bool:
    try:
        return not any(d.inputs if direction == "input" else d.outputs for d in list_devices())
    except DeviceError:
        return True


@pytest.fixture(
    params=[
        "file",
        "pcm",
        "simulated",
        pytest.param("card", marks=pytest.mark.skipif(no_card("input"), reason="this machine has no microphone")),
    ]
)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    path = tmp_path / "noise.wav"
    write_wav(path, NOISE)
    makers: dict[str, Callable[[Clock], Microphone]] = {
        "file": lambda clock: FileMicrophone(path, clock),
        "pcm": lambda clock: FileMicrophone(NOISE, clock),
        "simulated": SimulatedMicrophone,
        "card": lambda clock: SoundCardMicrophone(),
    }
    if request.param == "card":
        return Bench(makers["card"], lambda main: asyncio.run(main(SystemClock())), tolerance=0.5)
    return Bench(makers[request.param], run, tolerance=1e-6)


def test_delivers_whole_frames_at_the_pace_of_sound(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        microphone = bench.make(clock)
        frames: list[np.ndarray] = []
        began = clock.monotonic()
        microphone.start(lambda frame: frames.append(np.array(frame)))
        await clock.sleep(0.5)
        microphone.stop()
        assert clock.monotonic() - began < 0.5 + bench.tolerance
        assert len(frames) == pytest.approx(0.5 / PERIOD, abs=1 + bench.tolerance / PERIOD)
        assert all(frame.shape == (FRAME,) and frame.dtype == np.int16 for frame in frames)
        assert not microphone.finished
        assert microphone.name

    bench.run(main)


def test_nothing_comes_before_the_start_or_after_the_stop(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        microphone = bench.make(clock)
        frames: list[np.ndarray] = []
        microphone.stop()  # harmless
        await clock.sleep(0.1)
        microphone.start(frames.append)
        await clock.sleep(0.2)
        microphone.stop()
        count = len(frames)
        assert count
        await clock.sleep(0.2)
        assert len(frames) == count

    bench.run(main)


def test_can_be_started_again_even_without_a_stop(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        microphone = bench.make(clock)
        first: list[np.ndarray] = []
        second: list[np.ndarray] = []
        microphone.start(first.append)
        await clock.sleep(0.2)
        microphone.start(second.append)
        count = len(first)
        await clock.sleep(0.2)
        microphone.stop()
        assert len(first) == count
        assert second

    bench.run(main)


# ------------------------------------------------------------------ the file's own


def test_file_ends_and_says_so_with_its_last_frame() -> None:
    async def main(clock: Clock) -> None:
        pcm = NOISE[:1000]
        microphone = FileMicrophone(pcm, clock, tail_silence=0.1)
        frames: list[np.ndarray] = []
        ends: list[bool] = []

        def take(frame: np.ndarray) -> None:
            frames.append(np.array(frame))
            ends.append(microphone.finished)

        microphone.start(take)
        await clock.sleep(10)
        assert ends == [False] * 5 + [True]  # 1000 + 1600 samples in frames of 512
        sound = np.concatenate(frames)
        np.testing.assert_array_equal(sound[:1000], pcm)
        assert not np.any(sound[1000:])
        microphone.start(take)
        await clock.sleep(1)
        assert len(frames) == 6

    run(main)


def test_file_goes_on_where_it_was_stopped() -> None:
    async def main(clock: Clock) -> None:
        microphone = FileMicrophone(NOISE, clock, tail_silence=0)
        frames: list[np.ndarray] = []
        while not microphone.finished:
            microphone.start(lambda frame: frames.append(np.array(frame)))
            await clock.sleep(0.7)
            microphone.stop()
            await clock.sleep(0.3)
        np.testing.assert_array_equal(np.concatenate(frames)[: len(NOISE)], NOISE)

    run(main)


def test_file_is_silent_about_nothing() -> None:
    async def main(clock: Clock) -> None:
        microphone = FileMicrophone(np.zeros(0, np.int16), clock, tail_silence=0)
        microphone.start(lambda frame: pytest.fail("there is nothing to deliver"))
        assert microphone.finished
        await clock.sleep(1)

    run(main)


async def test_file_keeps_real_time_under_the_systems_clock() -> None:
    clock = SystemClock()
    microphone = FileMicrophone(NOISE[: 4 * FRAME], clock, tail_silence=0)
    done = asyncio.Event()
    times: list[float] = []

    def take(frame: np.ndarray) -> None:
        times.append(clock.monotonic())
        if microphone.finished:
            done.set()

    began = clock.monotonic()
    microphone.start(take)
    await asyncio.wait_for(done.wait(), 10)
    assert len(times) == 4
    assert all(at - began >= (index + 1) * PERIOD - 0.002 for index, at in enumerate(times))


# ------------------------------------------------------------------ the simulation's own


def record(microphone: SimulatedMicrophone) -> list[np.ndarray]:
    frames: list[np.ndarray] = []
    microphone.start(lambda frame: frames.append(np.array(frame)))
    return frames


def test_simulated_room_is_the_same_for_the_same_seed() -> None:
    async def main(clock: Clock, seed: int) -> np.ndarray:
        microphone = SimulatedMicrophone(clock, seed=seed)
        frames = record(microphone)
        await clock.sleep(1)
        return np.concatenate(frames)

    one, again, other = (run(lambda clock, seed=seed: main(clock, seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert np.any(one != other)
    assert 20 * np.log10(np.std(one) / 32768) == pytest.approx(-60, abs=0.3)


def test_simulated_speech_lies_where_it_was_said_and_as_loud_as_asked() -> None:
    async def main(clock: Clock) -> None:
        microphone = SimulatedMicrophone(clock, noise_dbfs=-50)
        frames = record(microphone)
        speech = NOISE[:SAMPLE_RATE]
        assert microphone.say(speech, snr_db=20, at=1.003) == pytest.approx(2.003)
        assert microphone.say(speech, at=3.0) == 4.0
        await clock.sleep(5)
        sound = np.concatenate(frames).astype(float)
        begin = round(1.003 * SAMPLE_RATE)
        noise = np.std(sound[: begin - 1])
        assert 20 * np.log10(np.std(sound[begin : begin + SAMPLE_RATE]) / noise) == pytest.approx(20, abs=0.3)
        assert np.std(sound[begin - 500 : begin]) == pytest.approx(noise, rel=0.3)
        assert np.argmax(np.correlate(sound, speech.astype(float), mode="valid")) == begin
        as_it_is = sound[3 * SAMPLE_RATE : 4 * SAMPLE_RATE] - speech
        assert np.std(as_it_is) == pytest.approx(noise, rel=0.05)  # nothing but the background is left

    run(main)


def test_pauses_of_the_speech_do_not_count_for_the_snr() -> None:
    async def main(clock: Clock) -> None:
        microphone = SimulatedMicrophone(clock)
        frames = record(microphone)
        pause = np.zeros(2 * SAMPLE_RATE // FRAME * FRAME, np.int16)
        microphone.say(np.concatenate((pause, NOISE[: 20 * FRAME], pause)), snr_db=30, at=0.0)
        await clock.sleep(5)
        sound = np.concatenate(frames).astype(float)
        loud = np.std(sound[len(pause) : len(pause) + 20 * FRAME])
        assert 20 * np.log10(loud / np.std(sound[: len(pause)])) == pytest.approx(30, abs=0.5)

    run(main)


def test_recorded_background() -> None:
    async def main(clock: Clock) -> None:
        microphone = SimulatedMicrophone(clock, noise=NOISE[:1000], noise_dbfs=-30)
        frames = record(microphone)
        await clock.sleep(1)
        sound = np.concatenate(frames).astype(float)
        np.testing.assert_array_equal(sound[:1000], sound[1000:2000])  # repeated
        assert 20 * np.log10(np.std(sound) / 32768) == pytest.approx(-30, abs=0.2)

    run(main)


def test_unplugged_it_stalls_and_has_to_be_opened_again() -> None:
    async def main(clock: Clock) -> None:
        microphone = SimulatedMicrophone(clock)
        frames = record(microphone)
        await clock.sleep(0.5)
        microphone.unplug()
        count = len(frames)
        with pytest.raises(AudioDeviceMissing, match="unplugged"):
            microphone.start(frames.append)
        await clock.sleep(0.5)
        microphone.plug()
        await clock.sleep(0.5)
        assert len(frames) == count  # as with a real one, the old stream is dead
        microphone.start(frames.append)
        await clock.sleep(0.5)
        assert len(frames) > count

    run(main)


def test_silenced_it_delivers_exact_zeros() -> None:
    async def main(clock: Clock) -> None:
        microphone = SimulatedMicrophone(clock)
        frames = record(microphone)
        await clock.sleep(0.32)
        microphone.silence()
        await clock.sleep(0.32)
        microphone.plug()
        await clock.sleep(0.32)
        assert [bool(np.any(frame)) for frame in frames] == [True] * 10 + [False] * 10 + [True] * 10

    run(main)
