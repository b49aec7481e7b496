"""Board profiles, the processor and the ring of LEDs."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import BadInput
from device.lights import Pattern
from firmware_sim.board.lights import LedRing, colors
from firmware_sim.board.processor import FOOTPRINT_MB, REFERENCE, Processor
from firmware_sim.board.profile import PROFILES, Profile, load_profile, shipped
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.clock import DEFAULT_START, VirtualClock, run
from firmware_sim.manual_clock import ManualClock


def fresh_clock() -> ManualClock:
    return ManualClock(DEFAULT_START)


def board(**changes: object) -> Profile:
    return msgspec.structs.replace(load_profile("speaker-pi4"), **changes)


# Profiles ---------------------------------------------------------------------------------------------------------


def test_four_boards_ship() -> None:
    assert shipped() == ("laptop", "speaker-pi4", "speaker-pi5", "tv-arm")


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_board_is_whole_and_can_run_the_device(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.memory_mb > FOOTPRINT_MB
    assert REFERENCE["audio"] / profile.speed < 0.032, "it hears a frame in less time than the frame lasts"
    assert profile == load_profile(PROFILES / f"{name}.toml")


def test_an_unknown_board_is_answered_with_what_there_is() -> None:
    with pytest.raises(BadInput, match="no board 'speaker-pi6'") as caught:
        load_profile("speaker-pi6")
    assert "Did you mean `speaker-pi" in caught.value.remedy
    assert "laptop, speaker-pi4, speaker-pi5, tv-arm" in caught.value.remedy


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("speed =", "sped =", "Did you mean `speed`"),
        ("heating =", "heatng =", "Did you mean `heating`"),
        ('"talk"', '"shout"', "shout"),
        ("cores = 4", "cores = 0", "cores"),
        ("cores = 4", "", "cores"),
        ("resume_at = 77.0", "resume_at = 90.0", "must rise"),
        ("cores = 4", "cores = ", "TOML"),
    ],
)
def test_a_wrong_file_is_said_with_the_nearest_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (PROFILES / "speaker-pi4.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BadInput, match=r"mine\.toml") as caught:
        load_profile(path)
    assert message in str(caught.value)
    assert caught.value.remedy


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="can't be read"):
        load_profile(tmp_path / "none.toml")


def test_every_field_is_documented() -> None:
    structs = [Profile, *(f.type for f in msgspec.structs.fields(Profile) if msgspec.inspect.is_struct_type(f.type))]
    assert len(structs) == 6
    for struct in structs:
        for field in msgspec.structs.fields(struct):
            assert f"{field.name}: " in (struct.__doc__ or "")


# The processor ----------------------------------------------------------------------------------------------------


@given(st.floats(0.01, 10.0), st.sampled_from(sorted(REFERENCE.keys() - {"audio"})), st.integers(0, 99))
def test_costs_scale_with_speed(speed: float, worker: str, seed: int) -> None:
    one = Processor(board(speed=1.0), fresh_clock(), seed).cost(worker)
    other = Processor(board(speed=speed), fresh_clock(), seed).cost(worker)
    assert one == pytest.approx(other * speed)
    assert REFERENCE[worker] / 2 < one < REFERENCE[worker] * 2


def test_more_calls_than_cores_take_longer() -> None:
    profile, clock = board(cores=2), fresh_clock()
    crowded, alone = Processor(profile, fresh_clock()), Processor(profile, clock)
    ratios = []
    for _ in range(4):
        ratios.append(crowded.cost("stt") / alone.cost("stt"))
        clock.advance(60.0)
    assert ratios == pytest.approx([1.0, 1.0, 1.5, 2.0])
    assert crowded.busy_seconds == pytest.approx(alone.busy_seconds), "waiting for a core is no work"


def test_frames_are_load_but_never_late() -> None:
    processor = Processor(board(), fresh_clock())
    assert [processor.cost("audio") for _ in range(100)] == [0.0] * 100
    assert processor.busy_seconds["audio"] == pytest.approx(100 * REFERENCE["audio"] / board().speed, rel=0.1)
    assert processor.cost("media") == 0.0, "what nobody measured is free"


def test_it_heats_throttles_and_recovers() -> None:
    clock = fresh_clock()
    profile = board()
    processor = Processor(profile, clock)
    cool, thermal = processor.temperature, profile.thermal
    assert (cool, processor.throttled) == (thermal.ambient, False)
    single = processor.cost("stt")
    seen = [cool]
    while not processor.throttled:
        for _ in range(profile.cores):
            processor.cost("stt")
        clock.advance(single)
        seen.append(processor.temperature)
    assert seen == sorted(seen)
    assert processor.peak_temperature >= thermal.throttle_at
    hot = [processor.cost("nlu") for _ in range(2)]
    clock.advance(5.0)
    assert processor.throttled, "it takes a while to cool down"
    clock.advance(10 * thermal.cooling)
    assert not processor.throttled
    assert processor.temperature == pytest.approx(thermal.ambient, abs=0.01)
    recovered = Processor(profile, clock).cost("nlu")
    assert min(hot) > 1.2 * recovered
    assert processor.peak_temperature >= thermal.throttle_at


@given(st.lists(st.tuples(st.sampled_from(sorted(REFERENCE)), st.floats(0.0, 100.0)), max_size=40))
def test_the_temperature_keeps_within_what_its_cores_can_do(calls: list[tuple[str, float]]) -> None:
    clock = fresh_clock()
    profile = board()
    processor = Processor(profile, clock)
    limit = profile.thermal.ambient + profile.thermal.heating * profile.thermal.cooling * profile.cores
    for worker, pause in calls:
        processor.cost(worker)
        clock.advance(pause)
        assert profile.thermal.ambient - 1e-9 <= processor.temperature <= limit + 1e-9
        assert processor.temperature <= processor.peak_temperature


@given(st.lists(st.floats(0.001, 5.0), min_size=1, max_size=20))
def test_how_often_one_looks_changes_no_temperature(pauses: list[float]) -> None:
    clocks = fresh_clock(), fresh_clock()
    watched, unwatched = (Processor(board(speed=0.01), clock) for clock in clocks)
    for processor in (watched, unwatched):
        processor.cost("stt")
    for pause in pauses:
        clocks[0].advance(pause)
        assert watched.temperature > board().thermal.ambient
    clocks[1].advance(sum(pauses))
    assert watched.temperature == pytest.approx(unwatched.temperature)


def test_a_board_without_memory_fails_what_needs_it() -> None:
    assert Processor(board(memory_mb=100), fresh_clock()).pressure
    processor = Processor(board(), fresh_clock())
    assert not processor.pressure
    processor.pressure = True
    for worker in ("stt", "tts"):
        with pytest.raises(MemoryError, match=worker):
            processor.cost(worker)
    assert processor.cost("nlu") > 0
    processor.pressure = False
    assert processor.cost("stt") > 0


def test_workers_take_the_time_of_the_board() -> None:
    async def main(clock: VirtualClock) -> None:
        processor = Processor(board(), clock)
        workers = InlineWorkers(clock, processor.cost)
        await workers.run("stt", int)
        assert clock.monotonic() == pytest.approx(processor.busy_seconds["stt"])
        assert clock.monotonic() > REFERENCE["stt"]
        processor.pressure = True
        with pytest.raises(MemoryError):
            await workers.run("tts", int)
        processor.pressure = False
        assert await workers.run("tts", int) == 0, "the worker goes on"

    run(main)


# The lights -------------------------------------------------------------------------------------------------------


@given(st.sampled_from(Pattern), st.floats(0.0, 1e7), st.integers(0, 24))
def test_colors_are_colors_and_follow_from_pattern_and_time(pattern: Pattern, seconds: float, count: int) -> None:
    shown = colors(pattern, seconds, count)
    assert len(shown) == count
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in shown)
    assert shown == colors(pattern, seconds, count)


def test_no_two_patterns_look_alike() -> None:
    films = {pattern: tuple(colors(pattern, t / 10, 12) for t in range(50)) for pattern in Pattern}
    assert len(set(films.values())) == len(Pattern)
    assert set(films[Pattern.OFF]) == {("#000000",) * 12}


def test_listening_goes_round() -> None:
    first = colors(Pattern.LISTENING, 0.0, 12)
    assert len(set(first)) == 12
    assert colors(Pattern.LISTENING, 0.25, 12) == first[-3:] + first[:-3]


def test_a_ring_remembers_what_it_showed() -> None:
    clock = fresh_clock()
    ring = LedRing(clock, 3)
    assert ring.colors(clock.monotonic()) == ("#000000",) * 3
    clock.advance(2.0)
    ring.show(Pattern.LISTENING)
    clock.advance(1.5)
    ring.show(Pattern.MUTED)
    assert list(ring.history) == [(2.0, Pattern.LISTENING), (3.5, Pattern.MUTED)]
    assert ring.pattern is Pattern.MUTED
    assert ring.colors(4.0) == colors(Pattern.MUTED, 0.5, 3)
