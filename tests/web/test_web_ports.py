"""A microphone and a speaker whose other end is a browser, on the virtual clock."""

from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.errors import AudioDeviceMissing, BadInput
from device.lights import Pattern
from firmware_sim.clock import VirtualClock, run
from firmware_sim.web.ports import CAPACITY, PREBUFFER, PageLight, StreamMicrophone, StreamSpeaker

PERIOD = FRAME / SAMPLE_RATE
SOUND = np.arange(1, SAMPLE_RATE // 2 + 1, dtype=np.int16)

Scenario = Callable[[VirtualClock, StreamMicrophone, list[Pcm]], Awaitable[None]]


def hear(scenario: Scenario, noise_dbfs: float = -200.0) -> Pcm:
    """Play a scenario with a microphone that runs, by default without noise, and return all that it delivered."""
    frames: list[Pcm] = []

    async def main(clock: VirtualClock) -> None:
        microphone = StreamMicrophone(clock, noise_dbfs)
        microphone.start(lambda frame: frames.append(frame.copy()))
        await scenario(clock, microphone, frames)
        microphone.stop()

    run(main, limit=60)
    return np.concatenate([np.zeros(0, np.int16), *frames])


def loud(pcm: Pcm) -> Pcm:
    return pcm[pcm != 0]


def test_noise_comes_at_the_pace_of_time_when_nobody_streams() -> None:
    async def scenario(clock: VirtualClock, microphone: StreamMicrophone, frames: list[Pcm]) -> None:
        await clock.sleep(1.0)
        assert len(frames) == pytest.approx(1.0 / PERIOD, abs=1)
        assert not microphone.finished
        assert microphone.name

    heard = hear(scenario, -71.0)
    assert heard.dtype == np.int16
    assert 20 * np.log10(np.std(heard) / 32768) == pytest.approx(-71, abs=0.3)
    assert all(np.any(heard[begin : begin + FRAME]) for begin in range(0, len(heard), FRAME))  # no frame is dead


def test_noise_is_under_what_is_streamed_and_nothing_wraps_round() -> None:
    async def scenario(clock: VirtualClock, microphone: StreamMicrophone, frames: list[Pcm]) -> None:
        microphone.feed(np.full(PREBUFFER, 32767, np.int16).tobytes())
        await clock.sleep(0.5)

    heard = hear(scenario, -71.0)
    assert np.count_nonzero(heard > 32000) == PREBUFFER
    assert heard.min() > -100


def test_the_mute_switch_leaves_exact_zeros() -> None:
    async def scenario(clock: VirtualClock, microphone: StreamMicrophone, frames: list[Pcm]) -> None:
        microphone.switch(True)
        microphone.feed(SOUND.tobytes())
        await clock.sleep(0.5)
        assert frames
        assert not any(np.any(frame) for frame in frames)
        microphone.switch(False)
        await clock.sleep(0.1)
        assert np.any(frames[-1])

    hear(scenario, -71.0)


def test_what_is_streamed_is_delivered_whole_in_frames() -> None:
    async def scenario(clock: VirtualClock, microphone: StreamMicrophone, frames: list[Pcm]) -> None:
        for begin in range(0, len(SOUND), 700):  # no multiple of a frame
            microphone.feed(SOUND[begin : begin + 700].tobytes())
            await clock.sleep(700 / SAMPLE_RATE)
        await clock.sleep(0.5)
        assert all(frame.shape == (FRAME,) for frame in frames)
        assert microphone.dropped == 0

    heard = loud(hear(scenario))
    np.testing.assert_array_equal(heard, SOUND[: len(heard)])
    assert len(heard) > len(SOUND) - FRAME  # less than a frame is left waiting


def test_a_gust_after_a_lull_is_not_torn() -> None:
    """While too little has come, silence is delivered, and then all in one piece."""

    async def scenario(clock: VirtualClock, microphone: StreamMicrophone, frames: list[Pcm]) -> None:
        microphone.feed(SOUND[: PREBUFFER - 1].tobytes())
        await clock.sleep(0.3)
        assert not any(np.any(frame) for frame in frames)
        microphone.feed(SOUND[PREBUFFER - 1 : 3 * PREBUFFER].tobytes())
        await clock.sleep(0.5)

    heard = hear(scenario)
    (sounding,) = np.nonzero(heard)
    assert sounding[-1] - sounding[0] + 1 == len(sounding) == 3 * PREBUFFER


def test_too_much_drops_the_oldest_and_says_so() -> None:
    async def scenario(clock: VirtualClock, microphone: StreamMicrophone, frames: list[Pcm]) -> None:
        for _ in range(2):
            microphone.feed(SOUND.tobytes())
        microphone.feed(SOUND[:100].tobytes())
        assert microphone.dropped == 2 * len(SOUND) + 100 - CAPACITY
        await clock.sleep(1.0)

    heard = loud(hear(scenario))
    assert heard[0] == SOUND[100]  # what came last is kept
    assert len(heard) <= CAPACITY


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4000), st.floats(0, 0.3)), max_size=12))
def test_every_sample_is_delivered_waits_or_was_dropped(gusts: list[tuple[int, float]]) -> None:
    async def scenario(clock: VirtualClock, microphone: StreamMicrophone, frames: list[Pcm]) -> None:
        fed = 0
        for count, pause in gusts:
            microphone.feed(np.ones(count, np.int16).tobytes())
            fed += count
            await clock.sleep(pause)
        await clock.sleep(1.0)
        delivered = sum(int(np.count_nonzero(frame)) for frame in frames)
        assert 0 <= fed - microphone.dropped - delivered < PREBUFFER

    hear(scenario)


@pytest.mark.parametrize("data", [b"\0", bytes(2 * SAMPLE_RATE + 2)])
def test_what_is_no_sound_is_refused(data: bytes) -> None:
    async def scenario(clock: VirtualClock, microphone: StreamMicrophone, frames: list[Pcm]) -> None:
        with pytest.raises(BadInput, match="no piece of 16-bit sound"):
            microphone.feed(data)

    hear(scenario)


def test_a_microphone_can_be_unplugged_and_be_silent() -> None:
    async def scenario(clock: VirtualClock, microphone: StreamMicrophone, frames: list[Pcm]) -> None:
        microphone.silence()
        microphone.feed(SOUND.tobytes())
        await clock.sleep(0.5)
        assert frames  # it lives
        assert not any(np.any(frame) for frame in frames)
        microphone.unplug()
        count = len(frames)
        await clock.sleep(0.5)
        assert len(frames) == count
        with pytest.raises(AudioDeviceMissing, match="unplugged"):
            microphone.start(frames.append)
        microphone.plug()
        microphone.start(frames.append)
        microphone.feed(SOUND.tobytes())
        await clock.sleep(0.5)
        assert any(np.any(frame) for frame in frames)

    hear(scenario)


def test_nothing_is_kept_for_a_microphone_that_does_not_run() -> None:
    async def scenario(clock: VirtualClock, microphone: StreamMicrophone, frames: list[Pcm]) -> None:
        microphone.stop()
        microphone.feed(SOUND.tobytes())
        microphone.start(frames.append)
        await clock.sleep(0.5)

    assert not np.any(hear(scenario))


def test_a_speaker_hands_on_what_is_not_silent() -> None:
    sent: list[bytes] = []

    async def main(clock: VirtualClock) -> None:
        speaker = StreamSpeaker(clock, sent.append)
        pulled: list[int] = []

        def pull(count: int) -> Pcm:
            pulled.append(count)
            return np.full(count, len(pulled) if len(pulled) % 2 else 0, np.int16)

        speaker.start(pull)
        await clock.sleep(4.5 * PERIOD)
        speaker.unplug()
        await clock.sleep(1.0)
        assert pulled == [FRAME] * 5
        with pytest.raises(AudioDeviceMissing):
            speaker.start(pull)
        speaker.plug()
        speaker.start(pull)
        await clock.sleep(PERIOD / 2)
        speaker.stop()
        await clock.sleep(1.0)
        assert len(pulled) == 6

    run(main)
    assert [np.frombuffer(data, "<i2").tolist() for data in sent] == [[value] * FRAME for value in (1, 3, 5)]


def test_a_light_remembers_and_tells() -> None:
    told: list[Pattern] = []
    light = PageLight(lambda: told.append(light.pattern))
    light.show(Pattern.MUTED)
    assert told == [Pattern.MUTED]
