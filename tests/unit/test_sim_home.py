"""The network to the home, the HDMI-CEC bus, and the television on it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import BadInput, SkillError
from device.skills.ports import Json
from firmware_sim.clock import DEFAULT_START, VirtualClock, run
from firmware_sim.home import cec
from firmware_sim.home.cec import Bus, Frame, Key, Opcode, Source
from firmware_sim.home.house import SimulatedHouse
from firmware_sim.home.line_up import LineUp, load_line_up
from firmware_sim.home.network import TIME_OUT, Network, NetworkState
from firmware_sim.home.television import SimulatedTelevision
from firmware_sim.manual_clock import ManualClock

# The network ------------------------------------------------------------------------------------------------------


def test_a_slow_network_takes_virtual_time_and_nothing_is_lost() -> None:
    async def main(clock: VirtualClock) -> None:
        network = Network(clock)
        house, tv = SimulatedHouse(network=network), SimulatedTelevision(network=network)
        network.slow(latency=4.0)
        before = clock.monotonic()
        await house.apply("light.desk", {"on": True})
        await tv.apply({"on": True})
        assert clock.monotonic() - before == pytest.approx(8.0)
        assert (network.delivered, network.lost) == (2, 0)
        assert house.state("light.desk")["on"]
        assert tv.state()["on"]

    run(main)


def test_what_does_not_arrive_is_said_and_changes_nothing() -> None:
    async def main(clock: VirtualClock) -> None:
        network = Network(clock)
        house, tv = SimulatedHouse(network=network), SimulatedTelevision(network=network)
        for fail, seconds in ((network.offline, 0.0), (lambda: network.lossy(1.0), TIME_OUT)):
            fail()
            before = clock.monotonic()
            with pytest.raises(SkillError, match=r"light\.desk does not answer") as caught:
                await house.apply("light.desk", {"on": True})
            assert caught.value.remedy
            assert clock.monotonic() - before == pytest.approx(seconds)
            with pytest.raises(SkillError, match="does not answer"):
                await tv.apply({"on": True})
        assert not house.state("light.desk")["on"]
        assert not tv.state()["on"]
        network.online()
        assert (await tv.apply({"on": True}))["on"]

    run(main)


def test_what_is_on_its_way_when_the_network_goes_is_lost() -> None:
    async def main(clock: VirtualClock) -> None:
        network = Network(clock)
        network.slow(latency=5.0)
        message = asyncio.create_task(network.reach("lamp"))
        await clock.sleep(1.0)
        network.offline()
        with pytest.raises(SkillError):
            await message

    run(main)


@given(st.integers(0, 1000), st.floats(0.0, 1.0))
@settings(max_examples=30, deadline=None)
def test_a_lossy_network_loses_its_share_and_the_same_for_the_same_seed(seed: int, share: float) -> None:
    async def main(clock: VirtualClock) -> list[bool]:
        network = Network(clock, seed)
        network.lossy(share)
        arrived = []
        for _ in range(200):
            try:
                await network.reach("lamp")
                arrived.append(True)
            except SkillError:
                arrived.append(False)
        return arrived

    first = run(main)
    assert first == run(main)
    assert abs(first.count(False) / 200 - share) < 0.2


@given(st.floats(0.1, 1e4), st.floats(0.1, 1e4), st.floats(0.0, 1e5))
def test_flapping_follows_from_the_clock(up: float, down: float, later: float) -> None:
    clock = ManualClock(DEFAULT_START)
    clock.advance(17.0)
    network = Network(clock)
    network.flap(up, down)
    assert network.state is NetworkState.ONLINE
    clock.advance(up + down / 2)
    assert network.state is NetworkState.OFFLINE
    clock.advance(down / 2 + up / 2)
    assert network.state is NetworkState.ONLINE
    clock.advance(later)
    network.lossy()
    assert network.state is NetworkState.LOSSY


def test_impossible_networks_are_refused(clock: ManualClock) -> None:
    network = Network(clock)
    for wrong in (lambda: network.slow(-1), lambda: network.lossy(1.5), lambda: network.flap(0, 3)):
        with pytest.raises(ValueError, match=r"must be|at least|between"):
            wrong()
    assert network.state is NetworkState.ONLINE


# Frames -----------------------------------------------------------------------------------------------------------

frames = st.builds(Frame, st.integers(0, 15), st.integers(0, 15), st.integers(0, 255), st.binary(max_size=14))


@given(frames)
def test_a_frame_is_read_as_it_is_written(frame: Frame) -> None:
    assert Frame.parse(str(frame)) == frame
    assert bytes.fromhex(str(frame).replace(":", "")) == bytes(frame)


def test_frames_look_as_in_other_tools() -> None:
    assert str(Frame(4, 0, Opcode.STANDBY)) == "40:36"
    assert str(Frame(4, 15, Opcode.ACTIVE_SOURCE, bytes((0x10, 0)))) == "4F:82:10:00"


@pytest.mark.parametrize("text", ["", "40", "4", "40:3", "xy:36", "40:36" + ":00" * 15])
def test_what_is_no_frame_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="CEC frame"):
        Frame.parse(text)


def test_addresses_on_the_bus_are_unique(clock: ManualClock) -> None:
    bus = Bus(clock)
    SimulatedTelevision(bus=bus)
    for taken in (cec.TV, cec.PLAYBACK_1, cec.BROADCAST):
        with pytest.raises(ValueError, match="not free"):
            Source(bus, taken, "Twin")


# The television on the bus ----------------------------------------------------------------------------------------


class Den:
    """A television on a bus with another player at HDMI 2 and a remote control."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.bus = Bus(clock)
        self.tv = SimulatedTelevision(bus=self.bus)
        self.told: list[Mapping[str, Json]] = []
        self.tv.on_change = self.told.append
        self.player = Source(self.bus, cec.PLAYBACK_2, "Disc player", 0x2000)
        self.remote = Source(self.bus, cec.FREE_USE, "Remote")

    def log(self) -> list[str]:
        """What was sent since the last look."""
        log = [str(logged.frame) for logged in self.bus.log]
        self.bus.log.clear()
        return log


@pytest.fixture
def den(clock: ManualClock) -> Den:
    return Den(clock)


async def test_turn_the_tv_on_and_off(den: Den) -> None:
    den.clock.advance(12.0)
    await den.tv.apply({"on": True})
    assert [(logged.at, str(logged.frame), logged.acknowledged) for logged in den.bus.log] == [(12.0, "40:04", True)]
    await den.tv.apply({"on": False})
    assert den.log() == ["40:04", "40:36"]
    await den.tv.apply({"on": False})
    assert den.log() == [], "it is off already"


async def test_standby_from_the_remote_changes_the_state(den: Den) -> None:
    await den.tv.apply({"on": True})
    den.told.clear()
    assert den.remote.standby()
    assert not den.tv.state()["on"]
    assert [state["on"] for state in den.told] == [False]
    with pytest.raises(SkillError, match="off"):
        await den.tv.apply({"channel": 3})
    den.remote.press(Key.POWER)
    assert den.tv.state()["on"]


async def test_channels_are_typed(den: Den) -> None:
    await den.tv.apply({"on": True, "app": "Streambox"})
    den.log()
    await den.tv.apply({"channel": 7})
    assert den.log() == ["40:44:20", "40:45", "40:44:27", "40:45"]
    assert (den.tv.state()["channel"], den.tv.state()["app"]) == (7, "")
    den.remote.press(Key.NUMBER_0 + 9)
    assert den.tv.state()["channel"] == 7, "it could become a longer number"
    den.remote.press(Key.ENTER)
    assert den.tv.state()["channel"] == 9
    den.remote.press(Key.NUMBER_0 + 1)
    den.remote.press(Key.CHANNEL_UP)
    den.remote.press(Key.ENTER)
    assert den.tv.state()["channel"] == 10, "another key ends a number"
    for digit in (9, 9):
        den.remote.press(Key.NUMBER_0 + digit)
    assert den.tv.state()["channel"] == 10, "there is no such channel"
    for _ in range(10):
        den.remote.press(Key.CHANNEL_DOWN)
    assert den.tv.state()["channel"] == 20, "the line-up goes round"


async def test_volume_is_a_key_held_down_and_is_reported(den: Den) -> None:
    await den.tv.apply({"on": True})
    den.log()
    await den.tv.apply({"volume": 33})
    assert den.log() == ["40:44:41"] * 3 + ["40:45", "04:7A:21"]
    await den.tv.apply({"volume": 32, "muted": True})
    assert den.log() == ["40:44:42", "40:45", "04:7A:20", "40:44:43", "40:45", "04:7A:A0"]
    den.remote.press(Key.VOLUME_DOWN, times=200)
    assert den.tv.state()["volume"] == 0
    await den.tv.apply({"volume": 10.4})
    assert den.tv.state()["volume"] == 10.4


async def test_inputs_by_stream_path_and_the_source_there_answers(den: Den) -> None:
    await den.tv.apply({"on": True})
    den.log()
    await den.tv.apply({"input": "HDMI 2"})
    assert den.log() == ["4F:86:20:00", "8F:82:20:00"]
    assert den.tv.state()["input"] == "HDMI 2"
    await den.tv.apply({"input": "AV"})
    assert den.log() == [], "CEC has no name for it"
    assert den.tv.state()["input"] == "AV"


async def test_another_player_shows_its_picture(den: Den) -> None:
    assert den.player.show()
    assert (den.tv.state()["on"], den.tv.state()["input"]) == (True, "HDMI 2")
    den.log()
    den.remote.press(Key.INPUT_SELECT)
    assert den.tv.state()["input"] == "HDMI 3"
    assert "0F:80:20:00:30:00" in den.log()
    den.remote.press(Key.CHANNEL_UP)
    assert (den.tv.state()["input"], den.tv.state()["channel"]) == ("TV", 2)
    assert "0F:82:00:00" in den.log()


async def test_questions_are_answered_and_nonsense_is_aborted(den: Den) -> None:
    for question, answer in {
        "80:8F": "08:90:01",
        "80:46": "08:47:54:56",
        "80:71": "08:7A:1E",
        "48:46": "84:47:44:69:73:63:20:70:6C:61:79:65:72",
        "48:8F": "84:90:00",
        "80:9F": "08:00:9F:00",
        "80:44:41": "08:00:44:01",
    }.items():
        den.bus.transmit(Frame.parse(question))
        assert den.log() == [question, answer]
    await den.tv.apply({"on": True})
    den.log()
    den.bus.transmit(Frame.parse("80:44:7F"))
    assert den.log() == ["80:44:7F", "08:00:44:03"]
    den.bus.transmit(Frame.parse("8F:9F"))
    assert den.log() == ["8F:9F"], "what is for everybody is not refused"


async def test_a_set_without_power_acknowledges_nothing(den: Den) -> None:
    den.tv.reachable = False
    assert not den.remote.turn_on()
    assert not den.bus.log[-1].acknowledged
    with pytest.raises(SkillError, match="does not answer"):
        await den.tv.apply({"on": True})
    den.tv.reachable = True
    assert den.remote.turn_on()
    assert den.tv.state()["on"]


changes = st.fixed_dictionaries(
    {},
    optional={
        "on": st.booleans(),
        "channel": st.integers(1, 20),
        "input": st.sampled_from(LineUp().inputs),
        "app": st.sampled_from(LineUp().apps),
        "subtitles": st.booleans(),
        "volume": st.one_of(st.integers(0, 100), st.floats(0, 100)),
        "muted": st.booleans(),
    },
)


@given(st.lists(changes, max_size=6))
@settings(max_examples=100, deadline=None)
def test_over_the_bus_or_directly_it_comes_to_the_same(wanted: list[dict[str, Json]]) -> None:
    async def main(clock: VirtualClock) -> None:
        direct, wired = SimulatedTelevision(), SimulatedTelevision(bus=Bus(clock))
        for change in ({"on": True}, *wanted):
            results: list[object] = []
            for tv in (direct, wired):
                try:
                    results.append(await tv.apply(change))  # type: ignore[arg-type]
                except SkillError as error:
                    results.append(str(error))
            assert results[0] == results[1]
            assert direct.state() == wired.state()

    run(main)


@given(st.lists(frames, max_size=20))
@settings(deadline=None)
def test_no_frame_breaks_the_set(sent: list[Frame]) -> None:
    async def main(clock: VirtualClock) -> None:
        bus = Bus(clock)
        tv = SimulatedTelevision(bus=bus)
        for frame in sent:
            bus.transmit(frame)
        state = tv.state()
        assert state["channel"] in range(1, 21)
        assert state["input"] in tv.inputs()
        await tv.apply({**state, "on": True})  # what it reports it also takes

    run(main)


# Its own line-up --------------------------------------------------------------------------------------------------


def test_a_line_up_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "set.toml"
    path.write_text('channels = ["First", "Second"]\ninputs = ["TV", "HDMI 1"]', encoding="utf-8")
    tv = SimulatedTelevision(line_up=load_line_up(path))
    assert [(channel.number, channel.name) for channel in tv.channels()] == [(1, "First"), (2, "Second")]
    assert tuple(tv.apps()) == LineUp().apps


@pytest.mark.parametrize("text", ["chanels = []", "channels = 3", "channels = []", 'inputs = ["AV"]', "channels = ["])
def test_a_wrong_line_up_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "set.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"set\.toml") as caught:
        load_line_up(path)
    assert "channels, inputs, apps" in caught.value.remedy


async def test_what_was_saved_for_another_line_up_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "television.json"
    await SimulatedTelevision(path).apply({"on": True, "channel": 15, "volume": 44})
    small = SimulatedTelevision(path, line_up=LineUp(channels=("Only",)))
    assert (small.state()["channel"], small.state()["volume"]) == (1, 44)
