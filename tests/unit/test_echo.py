"""The device's own sound is taken out of the microphone, and the reference for it is read in order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from device.audio.echo import EchoCanceller
from device.audio.mixer import LARGEST_LAG, EchoReference, Mixer
from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.audio.volume import DeviceVolume
from firmware_sim.clock import VirtualClock, run

SECONDS = 4


def voice(seed: int, seconds: float = SECONDS) -> NDArray[np.float64]:
    """Something like speech: noise with a spectrum that falls, in syllables of a quarter of a second."""
    rng = np.random.default_rng(seed)
    count = round(seconds * SAMPLE_RATE)
    falling = np.convolve(rng.standard_normal(count + 64), 0.9 ** np.arange(64), "valid")[:count]
    syllables = np.repeat(rng.uniform(0.05, 1.0, count // 4000 + 1), 4000)[:count]
    sound = falling * np.convolve(syllables, np.hanning(800) / 400, "same")
    return sound * (6000 / np.abs(sound).max())


def room(far: NDArray[np.float64], delay: float, gain: float = 1.0) -> NDArray[np.float64]:
    """What a small room makes of it: a delay, then reflections that decay by 60 dB in 200 ms."""
    tail = np.arange(SAMPLE_RATE // 10)
    impulse = np.random.default_rng(9).standard_normal(len(tail)) * np.exp(-6.9 * tail / (0.2 * SAMPLE_RATE))
    impulse[0] = 2.0
    heard = np.convolve(far, impulse / np.linalg.norm(impulse))[: len(far)]
    return gain * np.concatenate([np.zeros(round(delay * SAMPLE_RATE)), heard])[: len(far)]


def cancel(near: NDArray[np.float64], far: NDArray[np.float64]) -> NDArray[np.float64]:
    canceller = EchoCanceller()
    frames = range(0, len(near) - FRAME + 1, FRAME)
    pcm = [canceller.process(as_pcm(near[i : i + FRAME]), as_pcm(far[i : i + FRAME])) for i in frames]
    return np.concatenate(pcm).astype(np.float64)


def as_pcm(sound: NDArray[np.float64]) -> Pcm:
    return np.rint(sound).clip(-32768, 32767).astype(np.int16)


def decibels(sound: NDArray[np.float64]) -> float:
    return float(10 * np.log10(np.mean(np.square(sound)) + 1e-9))


@pytest.mark.parametrize("delay", [0.0, 0.03, 0.08, 0.15])
def test_echo_is_20_db_quieter_after_a_second(delay: float) -> None:
    far = voice(1)
    heard = room(far, delay)
    left = cancel(heard, far)
    last = slice(SAMPLE_RATE, len(left))
    assert decibels(heard[last]) - decibels(left[last]) > 20


def test_a_person_who_speaks_over_the_device_survives() -> None:
    far, person = voice(1), voice(2)
    person[: 2 * SAMPLE_RATE] = 0
    left = cancel(room(far, 0.03, gain=0.1) + person, far)
    last = slice(2 * SAMPLE_RATE, len(left))
    assert abs(decibels(left[last]) - decibels(person[last])) < 6
    assert correlation(left[last], person[last]) > 0.6


def correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The best over the 10 ms by which the output may be late."""
    count = len(a) - 320
    return max(float(np.corrcoef(a[late : late + count], b[:count])[0, 1]) for late in range(320))


def test_without_a_far_sound_the_near_one_passes() -> None:
    person = voice(2)
    left = cancel(person, np.zeros(len(person)))
    assert abs(decibels(left[SAMPLE_RATE:]) - decibels(person[SAMPLE_RATE:])) < 3


@given(st.lists(st.integers(1, 900), min_size=1, max_size=20))
@settings(max_examples=25, deadline=None)
def test_frames_of_any_length_come_back_in_that_length(lengths: list[int]) -> None:
    canceller = EchoCanceller()
    for length in lengths:
        assert len(canceller.process(np.ones(length, np.int16), np.zeros(length, np.int16))) == length


# ------------------------------------------------------------------ the reference


class Pulled:
    """A speaker that has pulled the samples 0, 1, 2, ... so far."""

    def __init__(self) -> None:
        self.total = 0

    def __call__(self, since: int) -> tuple[Pcm, int]:
        return np.arange(max(since, 0), self.total).astype(np.int16), self.total


def test_the_first_read_gives_the_latest() -> None:
    pulled = Pulled()
    pulled.total = 2000
    assert EchoReference(pulled).read(512).tolist() == list(range(1488, 2000))


@given(st.lists(st.tuples(st.integers(0, 1024), st.integers(1, 1024)), max_size=40))
def test_it_never_repeats_and_skips_only_when_too_far_behind(steps: list[tuple[int, int]]) -> None:
    pulled = Pulled()
    pulled.total = 1024
    reference = EchoReference(pulled)
    last = -1
    for gain, count in steps:
        pulled.total += gain
        read = reference.read(count)
        assert len(read) == count
        fresh = read[read > 0]
        if len(fresh):
            assert (np.diff(fresh) == 1).all(), "in order, without a gap inside one read"
            assert fresh[0] > last, "nothing twice"
            if last >= 0 and fresh[0] != last + 1:
                assert pulled.total - last - 1 > LARGEST_LAG * SAMPLE_RATE, "a jump only from far behind"
            last = int(fresh[-1])


def test_bursts_of_microphone_frames_leave_the_echo_cancelled() -> None:
    """A sound card delivers two frames at once while the speaker pulls blocks of a thousand samples."""

    async def main(clock: VirtualClock) -> None:
        mixer = Mixer(clock, DeviceVolume(100))
        far = voice(1)
        mixer.play(as_pcm(far), kind="speech")
        reference, canceller = mixer.reference(), EchoCanceller()
        pulled, heard, left = np.zeros(0), [], []
        for begin in range(0, len(far) - 4096, 1024):
            pulled = np.concatenate([pulled, mixer.pull(1024)])
            echo = room(pulled, 0.06)
            for at in (begin, begin + FRAME):
                near = as_pcm(echo[at : at + FRAME])
                heard.append(near.astype(np.float64))
                left.append(canceller.process(near, reference.read(FRAME)).astype(np.float64))
        last = slice(len(heard) // 4, None)
        assert decibels(np.concatenate(heard[last])) - decibels(np.concatenate(left[last])) > 20

    run(main)


def test_the_mixer_remembers_a_second_of_what_was_pulled() -> None:
    async def main(clock: VirtualClock) -> None:
        mixer = Mixer(clock, DeviceVolume(100))
        mixer.play(np.arange(1, 1001, dtype=np.int16), kind="chime")
        mixer.pull(FRAME)
        mixer.pull(FRAME)
        fresh, total = mixer.pulled(FRAME)
        assert total == 2 * FRAME
        np.testing.assert_array_equal(fresh[: 1000 - FRAME], np.arange(FRAME + 1, 1001))
        for _ in range(40):
            mixer.pull(FRAME)
        assert len(mixer.pulled(0)[0]) == SAMPLE_RATE

    run(main)
