import asyncio
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.mixer import DUCKED, KNEE, Mixer, saturate
from device.audio.playback import FADE, MAX_BUFFER
from device.audio.ports import FRAME, SAMPLE_RATE
from device.audio.volume import ALARM_FLOOR, DeviceVolume, perceptual_gain
from device.clock import SystemClock
from firmware_sim.clock import VirtualClock, run
from firmware_sim.sound.speaker import SimulatedSpeaker


def constant(seconds: float, value: int = 1000) -> np.ndarray:
    return np.full(round(seconds * SAMPLE_RATE), value, np.int16)


def pull_all(mixer: Mixer, seconds: float) -> np.ndarray:
    return np.concatenate([mixer.pull(FRAME) for _ in range(round(seconds * SAMPLE_RATE / FRAME))])


# ------------------------------------------------------------------ the sum


@given(
    values=st.lists(st.integers(-32768, 32767), min_size=1, max_size=4),
    offsets=st.lists(st.integers(0, 2000), min_size=4, max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_the_sum_is_exact_below_the_knee_and_never_wraps(values: list[int], offsets: list[int]) -> None:
    async def main(clock: VirtualClock) -> None:
        mixer = Mixer(clock, DeviceVolume(100))
        expected = np.zeros(2 * SAMPLE_RATE, np.int64)
        for value, offset in zip(values, offsets, strict=False):
            pcm = np.concatenate((np.zeros(offset, np.int16), np.full(3000, value, np.int16)))
            mixer.play(pcm, kind="media")
            expected[: len(pcm)] += pcm
        got = pull_all(mixer, 1.0).astype(int)
        expected = expected[: len(got)]
        inside = np.abs(expected) <= KNEE
        np.testing.assert_array_equal(got[inside], expected[inside])
        assert np.all(np.sign(got[~inside]) == np.sign(expected[~inside]))
        assert np.all(np.abs(got[~inside]) >= KNEE)

    run(main)


@given(low=st.integers(-(2**20), 2**20), step=st.integers(0, 2**20))
def test_saturation_keeps_order_and_range(low: int, step: int) -> None:
    a, b = saturate(np.array([low, low + step], np.int32)).astype(int)
    assert -32767 <= a <= b <= 32767


@given(cuts=st.lists(st.integers(1, 700), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_the_size_of_the_pulls_does_not_matter(cuts: list[int]) -> None:
    async def main(clock: VirtualClock) -> None:
        noise = np.random.default_rng(1).integers(-9000, 9000, 20_000).astype(np.int16)
        mixed = []
        for sizes in (cuts, [sum(cuts)]):
            mixer = Mixer(clock, volume := DeviceVolume(100))
            mixer.play(noise, kind="media")
            mixer.pull(100)
            volume.set_level(60)  # the gain now moves while the pulls go on
            mixed.append(np.concatenate([mixer.pull(size) for size in sizes]).astype(int))
        assert np.max(np.abs(mixed[0] - mixed[1])) <= 1  # rounding of the moving gain

    run(main)


def test_silence_when_nothing_plays() -> None:
    async def main(clock: VirtualClock) -> None:
        mixer = Mixer(clock, DeviceVolume(100))
        assert not np.any(mixer.pull(FRAME))
        mixer.play(np.arange(1, 1001, dtype=np.int16), kind="chime")
        mixer.pull(FRAME)
        mixer.pull(FRAME)
        assert not mixer.playing()

    run(main)


# ------------------------------------------------------------------ volume and ducking


def test_ducking_never_touches_the_users_volume() -> None:
    async def main(clock: VirtualClock) -> None:
        volume = DeviceVolume(100)
        mixer = Mixer(clock, volume)
        mixer.play(constant(60, 10_000), kind="media")
        assert pull_all(mixer, 0.2)[-1] == 10_000
        with mixer.duck():
            assert mixer.ducked
            assert pull_all(mixer, 0.2)[-1] == 10_000 * DUCKED
            volume.set_level(50)  # "set the volume to fifty", said while it listens
            assert volume.level() == 50
            assert pull_all(mixer, 0.2)[-1] == round(10_000 * perceptual_gain(50) * DUCKED)
        assert volume.level() == 50
        assert pull_all(mixer, 0.2)[-1] == round(10_000 * perceptual_gain(50))

    run(main)


@given(events=st.lists(st.sampled_from(["hold", "release", "speak", "pull"]), max_size=25))
@settings(max_examples=60, deadline=None)
def test_media_is_always_restored(events: list[str]) -> None:
    async def main(clock: VirtualClock) -> None:
        mixer = Mixer(clock, DeviceVolume(100))
        mixer.play(constant(120, 5000), kind="media")
        holds = []
        for event in events:
            if event == "hold":
                holds.append(mixer.duck())
                holds[-1].__enter__()
            elif event == "release" and holds:
                holds.pop(0).__exit__(None, None, None)
            elif event == "speak":
                mixer.play(constant(0.3, 0), kind="speech")
            else:
                mixer.pull(FRAME)
        for hold in holds:
            hold.__exit__(None, None, None)
        pull_all(mixer, 0.4)  # whatever still speaks ends
        assert not mixer.ducked
        assert pull_all(mixer, 0.2)[-1] == 5000

    run(main)


def test_speech_and_alarms_duck_media_but_chimes_do_not() -> None:
    async def main(clock: VirtualClock) -> None:
        for kind, ducks in (("speech", True), ("alarm", True), ("chime", False), ("media", False)):
            mixer = Mixer(clock, DeviceVolume(100))
            mixer.play(None, kind=kind)
            assert mixer.ducked is ducks

    run(main)


def test_gain_moves_smoothly() -> None:
    async def main(clock: VirtualClock) -> None:
        mixer = Mixer(clock, DeviceVolume(100))
        mixer.play(constant(2, 20_000), kind="media")
        pull_all(mixer, 0.1)
        with mixer.duck():
            ramp = pull_all(mixer, 0.2).astype(int)
        assert ramp[-1] == 4000
        assert np.min(np.diff(ramp)) >= -13 - 1  # 20000 / (0.1 s) at 16 kHz = 12.5 a sample

    run(main)


def test_muted_means_silent_except_for_alarms() -> None:
    async def main(clock: VirtualClock) -> None:
        for volume in (DeviceVolume(80, muted=True), DeviceVolume(0)):
            for kind in ("speech", "chime", "media", "alarm"):
                mixer = Mixer(clock, volume)
                mixer.play(constant(1, 10_000), kind=kind)
                expected = round(10_000 * perceptual_gain(ALARM_FLOOR)) if kind == "alarm" else 0
                assert mixer.pull(FRAME)[-1] == expected

    run(main)


def test_stream_gain_multiplies() -> None:
    async def main(clock: VirtualClock) -> None:
        mixer = Mixer(clock, DeviceVolume(100))
        mixer.play(constant(1, 10_000), kind="media", gain=0.5)
        assert mixer.pull(FRAME)[-1] == 5000

    run(main)


# ------------------------------------------------------------------ a playback's life


def test_finished_comes_when_the_last_sample_has_left_the_speaker() -> None:
    async def main(clock: VirtualClock) -> None:
        mixer, speaker = Mixer(clock, DeviceVolume(100)), SimulatedSpeaker(clock)
        mixer.latency = 0.25
        speaker.start(mixer.pull)
        await clock.sleep(0.5)  # between two pulls: the next one is at 0.512
        playback = mixer.play(constant(1.0), kind="speech")
        await playback.started.wait()
        assert clock.monotonic() == pytest.approx(0.512)
        assert playback.started_at == pytest.approx(0.512 + 0.25)
        assert await playback.wait() == "finished"
        assert clock.monotonic() == pytest.approx(0.512 + 1.0 + 0.25, abs=1e-6)
        assert playback.position == SAMPLE_RATE
        speaker.stop()

    run(main)


def test_feeding_a_reply_sentence_by_sentence() -> None:
    async def main(clock: VirtualClock) -> None:
        mixer, speaker = Mixer(clock, DeviceVolume(100)), SimulatedSpeaker(clock)
        speaker.start(mixer.pull)
        playback = mixer.play(kind="speech")
        assert mixer.ducked
        await clock.sleep(1)
        assert not playback.started.is_set()
        assert playback.feed(constant(0.5, 100))
        assert playback.buffered == 0.5
        await clock.sleep(2)  # the second sentence is late: a pause, not the end
        assert playback.underruns == 1
        assert playback.feed(constant(0.5, 200))
        playback.end()
        assert not playback.feed(constant(0.1, 300))
        assert await playback.wait() == "finished"
        assert playback.dropped == 1600
        sounds = speaker.heard
        assert [int(sound.pcm[0]) for sound in sounds] == [100, 200]
        assert sounds[1].at == pytest.approx(sounds[0].at + 2.0, abs=0.033)
        assert await playback.wait() == "finished"  # may be asked again

    run(main)


def test_ending_after_everything_was_pulled_finishes_at_once() -> None:
    async def main(clock: VirtualClock) -> None:
        mixer, speaker = Mixer(clock, DeviceVolume(100)), SimulatedSpeaker(clock)
        speaker.start(mixer.pull)
        playback = mixer.play(kind="speech")
        playback.feed(constant(0.1))
        await clock.sleep(3)
        playback.end()
        assert await playback.wait() == "finished"
        assert clock.monotonic() == pytest.approx(3)

    run(main)


def test_nothing_to_say_finishes_without_a_speaker() -> None:
    async def main(clock: VirtualClock) -> None:
        mixer = Mixer(clock, DeviceVolume(100))
        assert await mixer.play(np.zeros(0, np.int16), kind="speech").wait() == "finished"
        empty = mixer.play(kind="speech")
        empty.end()
        assert await empty.wait() == "finished"
        assert not mixer.ducked

    run(main)


def test_stop_fades_out_within_ten_milliseconds() -> None:
    async def main(clock: VirtualClock) -> None:
        mixer = Mixer(clock, DeviceVolume(100))
        playback = mixer.play(constant(5, 16_000), kind="speech")
        mixer.pull(FRAME)
        playback.stop()
        playback.stop()  # twice is once
        assert await playback.wait() == "stopped"
        tail = mixer.pull(FRAME).astype(int)
        assert 0 < tail[0] < 16_000
        assert np.all(np.diff(tail[:FADE]) < 0)
        assert np.min(np.diff(tail)) >= -101  # no click: 16000 / 160 a sample
        assert not np.any(tail[FADE:])
        assert playback.over
        assert not playback.feed(constant(1))
        assert not mixer.playing()

    run(main)


def test_stopped_before_its_first_sample_it_is_never_heard() -> None:
    async def main(clock: VirtualClock) -> None:
        mixer = Mixer(clock, DeviceVolume(100))
        playback = mixer.play(constant(5), kind="speech")
        playback.stop()
        assert await playback.wait() == "stopped"
        assert not np.any(mixer.pull(FRAME))
        assert not playback.started.is_set()

    run(main)


def test_stop_needs_no_speaker() -> None:
    """A speaker that died must not hang the turn that is being stopped."""

    async def main(clock: VirtualClock) -> None:
        mixer = Mixer(clock, DeviceVolume(100))
        playback = mixer.play(constant(5), kind="speech")
        mixer.pull(FRAME)
        waiting = asyncio.create_task(playback.wait())
        await clock.sleep(10)
        assert not waiting.done()
        playback.stop()
        assert await waiting == "stopped"

    run(main)


def test_cancelling_one_who_waits_leaves_the_playback_alone() -> None:
    async def main(clock: VirtualClock) -> None:
        mixer, speaker = Mixer(clock, DeviceVolume(100)), SimulatedSpeaker(clock)
        speaker.start(mixer.pull)
        playback = mixer.play(constant(1), kind="speech")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await playback.wait()
        assert await playback.wait() == "finished"

    run(main)


def test_room_holds_a_fast_source_back() -> None:
    async def main(clock: VirtualClock) -> None:
        mixer, speaker = Mixer(clock, DeviceVolume(100)), SimulatedSpeaker(clock)
        speaker.start(mixer.pull)
        playback = mixer.play(kind="media")
        most = 0.0
        for _ in range(40):
            await playback.room()
            playback.feed(constant(0.5))
            most = max(most, playback.buffered)
        assert most < 1.6
        assert 17 < clock.monotonic() < 20
        assert playback.underruns == 0
        playback.stop()
        await playback.room()

    run(main)


def test_the_buffer_is_bounded_and_counts_what_it_refused() -> None:
    async def main(clock: VirtualClock) -> None:
        playback = Mixer(clock, DeviceVolume()).play(kind="speech")
        assert playback.feed(np.zeros(MAX_BUFFER, np.int16))
        assert not playback.feed(constant(0.1))
        assert playback.dropped == 1600

    run(main)


async def test_real_threads_feed_and_pull() -> None:
    mixer = Mixer(SystemClock(), DeviceVolume(100))
    playback = mixer.play(kind="speech")
    pcm = np.arange(1, 20_001, dtype=np.int16)
    pulled: list[np.ndarray] = []

    def feed() -> None:
        for start in range(0, len(pcm), 1000):
            playback.feed(pcm[start : start + 1000])
        playback.end()

    def pull() -> None:
        while not playback.over:
            pulled.append(mixer.pull(160))

    threads = [threading.Thread(target=feed), threading.Thread(target=pull)]
    for thread in threads:
        thread.start()
    assert await asyncio.wait_for(playback.wait(), 20) == "finished"
    for thread in threads:
        thread.join()
    heard = np.concatenate(pulled)
    np.testing.assert_array_equal(heard[heard != 0], pcm)


def test_the_speakers_thread_survives_the_end_of_the_loop() -> None:
    async def main() -> Mixer:
        mixer = Mixer(SystemClock(), DeviceVolume(100))
        mixer.play(constant(0.01), kind="chime")
        return mixer

    mixer = asyncio.run(main())
    assert np.any(mixer.pull(FRAME))
    assert not np.any(mixer.pull(FRAME))
