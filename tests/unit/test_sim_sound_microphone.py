"""The simulated microphone's board side and the simulated loudspeaker: levels, beds, echo paths, faults."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.level import dbfs
from device.audio.mixer import Mixer
from device.audio.ports import FRAME, SAMPLE_RATE
from device.audio.volume import DeviceVolume
from device.errors import AudioDeviceMissing
from firmware_sim.clock import VirtualClock, run
from firmware_sim.sound.air import Bed
from firmware_sim.sound.levels import active_rms
from firmware_sim.sound.microphone import SimulatedMicrophone
from firmware_sim.sound.scenery import white
from firmware_sim.sound.speaker import SimulatedSpeaker

SPEECH = np.random.default_rng(5).integers(-3000, 3000, SAMPLE_RATE).astype(np.int16)
SPARSE = np.zeros(700, np.float32)
SPARSE[[0, 120, 699]] = 0.5, 0.25, -0.125


def record(
    prepare: Callable[[SimulatedMicrophone, VirtualClock], None] = lambda microphone, clock: None,
    seconds: float = 2.0,
    **options: object,
) -> np.ndarray:
    """What a microphone delivers, prepared so, shape [frames, FRAME]."""

    async def main(clock: VirtualClock) -> np.ndarray:
        microphone = SimulatedMicrophone(clock, **options)  # type: ignore[arg-type]
        frames: list[np.ndarray] = []
        prepare(microphone, clock)
        microphone.start(lambda frame: frames.append(np.array(frame)))
        await clock.sleep(seconds)
        return np.array(frames)

    return run(main)


def level(pcm: np.ndarray) -> float:
    return dbfs(float(np.std(pcm.astype(float))))


# ------------------------------------------------------------------ levels


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"noise_dbfs": -50.0}, -50.0),
        ({"noise_dbfs": -50.0, "gain_db": 20.0}, -30.0),
        ({"noise_dbfs": -90.0, "self_noise_dbfs": -60.0}, -60.0),
        ({"noise_dbfs": -60.0, "self_noise_dbfs": -60.0}, -57.0),
        ({"noise_dbfs": -40.0, "noise": white(0.3), "self_noise_dbfs": -40.0, "gain_db": -6.0}, -43.0),
    ],
)
def test_noise_self_noise_and_gain_add_up(options: dict[str, object], expected: float) -> None:
    assert level(record(**options)) == pytest.approx(expected, abs=0.3)


@settings(max_examples=12, deadline=None)
@given(snr=st.floats(-5, 25), noise=st.floats(-60, -45), under=st.none() | st.floats(-50, -40))
def test_speech_is_as_loud_over_the_noise_and_the_beds_as_asked(snr: float, noise: float, under: float | None) -> None:
    def prepare(microphone: SimulatedMicrophone, clock: VirtualClock) -> None:
        if under is not None:
            microphone.lay(Bed(white(1.3, 9), under))
        microphone.say(SPEECH, snr_db=snr, at=2.0)

    with_speech = record(prepare, 4, noise_dbfs=noise).reshape(-1).astype(float)
    around = with_speech[: 2 * SAMPLE_RATE]
    mixed = with_speech[2 * SAMPLE_RATE : 3 * SAMPLE_RATE]
    speech_power = np.var(mixed) - np.var(around)
    assert np.var(mixed) / np.var(around) == pytest.approx(1 + 10 ** (snr / 10), rel=0.1)
    if snr > 6:
        assert 10 * np.log10(speech_power / np.var(around)) == pytest.approx(snr, abs=0.5)


def test_reverberant_speech_has_the_asked_snr_and_rings_on() -> None:
    response = (np.random.default_rng(1).standard_normal(8000) * np.exp(-np.arange(8000) / 1000)).astype(np.float32)
    ends: list[float] = []

    def prepare(microphone: SimulatedMicrophone, clock: VirtualClock) -> None:
        ends.append(microphone.say(SPEECH, snr_db=60, at=0.5, through=response))
        assert microphone.spoken()[0][1] is SPEECH

    pcm = record(prepare, 3, noise_dbfs=-90).reshape(-1)
    assert ends == [1.5]
    spoken = pcm[SAMPLE_RATE // 2 : 2 * SAMPLE_RATE].astype(float)
    assert dbfs(active_rms(spoken)) == pytest.approx(-30, abs=0.5)
    assert level(pcm[round(1.5 * SAMPLE_RATE) : round(1.52 * SAMPLE_RATE)]) > -45, "reverberation"
    assert level(pcm[2 * SAMPLE_RATE :]) == pytest.approx(-90, abs=0.7)


def test_too_much_gain_clips() -> None:
    def shout(microphone: SimulatedMicrophone, clock: VirtualClock) -> None:
        microphone.say(SPEECH, at=0.5)
        clock.call_at(1.0, lambda: microphone.amplify(40.0))

    pcm = record(shout).reshape(-1).astype(int)
    before, after = (pcm[a:b] for a, b in ((8200, 15800), (16600, 23800)))
    assert np.abs(before).max() < 3200
    assert after.max() == 32767
    assert after.min() == -32768
    assert np.mean(np.abs(after) >= 32767) > 0.5


# ------------------------------------------------------------------ beds


def test_a_bed_begins_and_ends_in_time_at_its_level_and_repeats() -> None:
    bed = Bed(white(0.37, 2), -35.0, begin=1.0, end=3.0)
    pcm = record(lambda microphone, clock: microphone.lay(bed), 4, noise_dbfs=-80).reshape(-1).astype(float)
    levels = [level(pcm[round(a * SAMPLE_RATE) : round(b * SAMPLE_RATE)]) for a, b in ((0, 1), (1, 3), (3, 4))]
    assert levels == pytest.approx([-80, -35, -80], abs=0.4)
    period = round(0.37 * SAMPLE_RATE)
    bedded = pcm[SAMPLE_RATE : 3 * SAMPLE_RATE]
    assert np.corrcoef(bedded[:-period], bedded[period:])[0, 1] > 0.999


@settings(max_examples=25, deadline=None)
@given(period=st.integers(1, 1500), begin=st.integers(0, 2000))
def test_beds_of_any_length_have_no_seam(period: int, begin: int) -> None:
    loop = np.random.default_rng(period).integers(1, 9000, period).astype(np.int16)
    bed = Bed(loop, dbfs(active_rms(loop)), begin=begin / SAMPLE_RATE)
    pcm = record(lambda microphone, clock: microphone.lay(bed), 0.3, noise_dbfs=-120).reshape(-1)
    expected = np.concatenate([np.zeros(begin, np.int16), np.resize(loop, len(pcm))])[: len(pcm)]
    np.testing.assert_allclose(pcm, expected, atol=1)


def test_a_bed_comes_through_a_room_without_a_seam() -> None:
    loop = white(0.25, 3)
    bed = Bed(loop, -30.0, through=SPARSE)
    pcm = record(lambda microphone, clock: microphone.lay(bed), 1.5, noise_dbfs=-110).reshape(-1).astype(float)
    around = np.tile(loop.astype(float), 3)
    circular = np.convolve(around, SPARSE)[len(loop) : 2 * len(loop)]
    assert np.corrcoef(pcm[: len(loop)], circular)[0, 1] > 0.999
    assert level(pcm) == pytest.approx(-30, abs=0.3)


def test_an_empty_bed_is_refused() -> None:
    with pytest.raises(ValueError, match="bed"):
        record(lambda microphone, clock: microphone.lay(Bed(np.zeros(0, np.int16), -30)))


# ------------------------------------------------------------------ the echo path


@pytest.mark.parametrize("response", [SPARSE, SPARSE[:1], np.zeros(3, np.float32)])
def test_the_loudspeaker_comes_back_through_an_impulse_response(response: np.ndarray) -> None:
    async def main(clock: VirtualClock) -> None:
        speaker, mixer = SimulatedSpeaker(clock), Mixer(clock, DeviceVolume(100))
        microphone = SimulatedMicrophone(clock, noise_dbfs=-110, speaker=speaker)
        microphone.echo_through(response)
        frames: list[np.ndarray] = []
        microphone.start(lambda frame: frames.append(np.array(frame)))
        await clock.sleep(0.007)
        speaker.start(mixer.pull)
        await clock.sleep(0.3)
        await mixer.play(SPEECH, kind="media").wait()
        await clock.sleep(0.3)
        pcm = np.concatenate(frames)
        played = speaker.between(0.0, len(pcm)).astype(float)
        np.testing.assert_allclose(pcm, np.convolve(played, response)[: len(pcm)], atol=1.01)

    run(main)


def test_an_echo_path_needs_a_speaker() -> None:
    with pytest.raises(ValueError, match="speaker"):
        record(lambda microphone, clock: microphone.echo_through(SPARSE))


# ------------------------------------------------------------------ what goes wrong


def test_the_switch_wins_over_everything() -> None:
    def prepare(microphone: SimulatedMicrophone, clock: VirtualClock) -> None:
        microphone.say(SPEECH, at=0.0)
        microphone.switch(True)
        clock.call_at(0.4, microphone.plug)
        clock.call_at(0.8, lambda: microphone.switch(False))

    loud = [bool(frame.any()) for frame in record(prepare, 1.28)]
    assert loud == [False] * 24 + [True] * 16


def test_slow_delivers_its_share_and_loses_what_lies_between() -> None:
    ramp = np.arange(1, 2 * SAMPLE_RATE + 1).astype(np.int16)  # each sample says where it lay

    def prepare(microphone: SimulatedMicrophone, clock: VirtualClock) -> None:
        microphone.say(ramp, at=0.0)
        microphone.slow(0.8)

    frames = record(prepare, 2.0, noise_dbfs=-110)
    assert len(frames) in (49, 50)
    begins = frames[:, 0].astype(np.uint16).astype(int)
    assert np.all(np.abs(np.diff(begins) - FRAME / 0.8) <= 2)
    assert np.all(np.abs(np.diff(frames[5].astype(int)) - 1) <= 1)


def test_slow_can_begin_and_end_while_it_runs() -> None:
    def prepare(microphone: SimulatedMicrophone, clock: VirtualClock) -> None:
        clock.call_at(0.65, lambda: microphone.slow(0.5))
        clock.call_at(1.30, lambda: microphone.slow(1.0))

    assert len(record(prepare, 1.95)) == 20 + 10 + 20


@pytest.mark.parametrize("rate", [0.0, -1.0, 1.5])
def test_impossible_rates_are_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        record(lambda microphone, clock: microphone.slow(rate))
    with pytest.raises(ValueError, match="rate"):
        record(lambda microphone, clock: microphone.xruns(rate or 2.0))


def test_xruns_drop_frames_by_chance_and_by_seed() -> None:
    def frames(rate: float, seed: int) -> np.ndarray:
        return record(lambda microphone, clock: microphone.xruns(rate, seed), 20)

    all_of_them = frames(0.0, 0)
    one, again, other = (frames(0.2, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert one.shape != other.shape or np.any(one != other)
    assert len(one) / len(all_of_them) == pytest.approx(0.8, abs=0.06)
    kept = {frame.tobytes() for frame in all_of_them}
    assert all(frame.tobytes() in kept for frame in one), "what comes is whole"
    assert len(frames(1.0, 0)) == 0


def test_frames_are_read_only() -> None:
    async def main(clock: VirtualClock) -> None:
        microphone = SimulatedMicrophone(clock)
        frames: list[np.ndarray] = []
        microphone.start(frames.append)
        await clock.sleep(0.1)
        with pytest.raises(ValueError, match="read-only"):
            frames[0][0] = 1

    run(main)


def test_all_of_it_is_the_same_once_more() -> None:
    def everything(microphone: SimulatedMicrophone, clock: VirtualClock) -> None:
        microphone.lay(Bed(white(1.0, 4), -40, begin=0.3, end=1.7, through=SPARSE))
        microphone.say(SPEECH, snr_db=3, at=0.6, through=SPARSE)
        microphone.xruns(0.1, 3)
        clock.call_at(1.0, lambda: microphone.slow(0.9))
        clock.call_at(1.2, lambda: microphone.amplify(12))

    np.testing.assert_array_equal(*(record(everything, 3, seed=8, self_noise_dbfs=-70) for _ in range(2)))


# ------------------------------------------------------------------ the loudspeaker


def test_the_speaker_goes_silent_without_its_plug_and_on_with_it() -> None:
    async def main(clock: VirtualClock) -> None:
        speaker, asked = SimulatedSpeaker(clock), itertools.count()

        def pull(count: int) -> np.ndarray:
            next(asked)
            return np.full(count, 3277, np.int16)

        speaker.plug()  # harmless
        speaker.start(pull)
        await clock.sleep(0.5)
        speaker.unplug()
        await clock.sleep(1)
        with pytest.raises(AudioDeviceMissing, match="unplugged"):
            speaker.start(pull)
        speaker.plug()
        await clock.sleep(0.5)
        first, second = speaker.heard
        assert (first.at, second.at) == (0.0, 1.5)
        assert next(asked) == (len(first.pcm) + len(second.pcm)) // FRAME
        assert first.level.peak_dbfs == pytest.approx(-20, abs=0.01)
        assert speaker.level(0.6, 0.8).dead
        speaker.stop()
        speaker.unplug()
        speaker.plug()
        await clock.sleep(0.5)
        assert len(speaker.heard) == 2, "what was stopped stays stopped"

    run(main)


@settings(max_examples=40, deadline=None)
@given(pattern=st.lists(st.booleans(), max_size=40), start=st.integers(-600, 20_000), count=st.integers(0, 4000))
def test_what_was_heard_is_the_same_by_sounds_and_by_stretches(pattern: list[bool], start: int, count: int) -> None:
    async def main(clock: VirtualClock) -> None:
        speaker, plan = SimulatedSpeaker(clock), iter(pattern)

        def pull(wanted: int) -> np.ndarray:
            value = 1 + round(clock.monotonic() * 1000) if next(plan, False) else 0
            return np.full(wanted, value, np.int16)

        speaker.start(pull)
        for _ in range(3):  # asking in between changes nothing
            await clock.sleep(0.45)
            heard = speaker.heard
        line = np.zeros(60_000, np.int16)
        for sound in heard:
            at = 1000 + round(sound.at * SAMPLE_RATE)
            line[at : at + len(sound.pcm)] = sound.pcm
        expected = line[1000 + start : 1000 + start + count]
        np.testing.assert_array_equal(speaker.between(start / SAMPLE_RATE, count), expected)
        assert len(heard) == sum(now and not before for before, now in itertools.pairwise([False, *pattern]))
        assert len(speaker.recording()) == (0 if not heard else np.ptp(np.flatnonzero(line)) + 1)

    run(main)
