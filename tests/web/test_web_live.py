"""The device of the page with its plug and its faults, on the virtual clock, with engines that speak and hear tones."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from device.audio.ports import FRAME, SAMPLE_RATE
from device.config import Config
from device.errors import BadInput
from device.speech.ports import render
from firmware_sim.board.profile import load_profile
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.clock import VirtualClock, run
from firmware_sim.kit import TonesKit
from firmware_sim.web import messages
from firmware_sim.web.live import LiveGadget
from firmware_sim.web.messages import Message, Note, State, TurnTaken

Scenario = Callable[["Table"], Awaitable[None]]


class Table:
    """A gadget on a table, and somebody who sits there."""

    def __init__(self, gadget: LiveGadget, clock: VirtualClock, kit: TonesKit) -> None:
        self.gadget = gadget
        self.clock = clock
        self.told: list[Message] = []
        self.sounds: list[float] = []
        self._person = kit.person()
        gadget.tell = self.told.append
        gadget.play = lambda _: self.sounds.append(clock.monotonic())

    async def booted(self) -> None:
        await self.gadget.plug(True)
        await self.clock.sleep(1.0)

    async def say(self, text: str) -> None:
        """Speak into the page's microphone, as a browser streams it, and wait for the answer."""
        pcm = render(self._person, text)
        for begin in range(0, len(pcm), FRAME):
            self.gadget.microphone.feed(pcm[begin : begin + FRAME].tobytes())
            await self.clock.sleep(FRAME / SAMPLE_RATE)
        await self.clock.sleep(3.0)

    async def type(self, text: str) -> None:
        await self.gadget.obey(messages.Say(text))
        await self.clock.sleep(3.0)

    async def fault(self, name: messages.FaultName, on: bool = True) -> None:
        await self.gadget.obey(messages.Fault(name, on))

    @property
    def state(self) -> State:
        return self.gadget.state()

    def lamp(self, name: str) -> object:
        return self.state.house[f"light.{name}"]["on"]  # type: ignore[index]

    @property
    def reply(self) -> str:
        return str([m for m in self.told if isinstance(m, TurnTaken)][-1].turn["reply"])

    def notes(self, kind: str) -> list[str]:
        return [m.text for m in self.told if isinstance(m, Note) and m.kind == kind]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def play(home: Path) -> Callable[..., None]:
    """Set a gadget up and play a scenario with it. The home folder stays, for the compiled grammar's sake."""

    def play(scenario: Scenario, config: Config | None = None) -> None:
        async def main(clock: VirtualClock) -> None:
            kit = TonesKit()
            gadget = LiveGadget(
                config or Config(), home, load_profile("speaker-pi4"), clock, lambda: InlineWorkers(clock), kit
            )
            with gadget.flash:
                await scenario(Table(gadget, clock, kit))
                await gadget.plug(False)

        (home / "homebody.db").unlink(missing_ok=True)
        run(main, limit=3600)

    return play


def test_a_command_through_the_microphone_turns_the_lamp_on_and_is_told(play: Callable[..., None]) -> None:
    async def scenario(table: Table) -> None:
        await table.booted()
        assert not table.lamp("kitchen")
        await table.say("hey jarvis turn on the kitchen light")
        assert table.lamp("kitchen")
        assert table.reply == "Okay, the kitchen light is on."
        assert table.sounds
        kinds = [type(message) for message in table.told]
        assert kinds.index(TurnTaken) < kinds.index(messages.FirstSound)
        lit = [m for m in table.told if isinstance(m, State) and m.house and m.house["light.kitchen"]["on"]]  # type: ignore[index]
        assert lit

    play(scenario)


def test_power_comes_and_goes_and_what_was_promised_stays(play: Callable[..., None]) -> None:
    async def scenario(table: Table) -> None:
        gadget = table.gadget
        assert table.state.power == "off"
        with pytest.raises(BadInput, match="no power"):
            await gadget.obey(messages.Press())
        await table.booted()
        steps = [m.power for m in table.told if isinstance(m, State) and m.power]
        assert list(dict.fromkeys(steps)) == ["booting", "on"]
        await table.type("turn on the kitchen light")
        await table.type("set a timer for ten minutes")
        await gadget.obey(messages.Press())
        await table.clock.sleep(0.1)
        assert table.state.light == "listening"
        await gadget.obey(messages.Plug(False))
        assert table.state.power == "off"
        assert table.state.light == "off"
        assert not table.state.timers
        assert table.lamp("kitchen")  # the world does not go dark with the gadget
        count = len(table.sounds)
        await table.clock.sleep(60)
        assert len(table.sounds) == count
        await table.booted()
        assert table.state.power == "on"
        (timer,) = table.state.timers  # type: ignore[misc]
        assert timer.ends - table.state.now < 540  # it went on meanwhile
        await table.say("hey jarvis turn off the kitchen light")
        assert not table.lamp("kitchen")

    play(scenario)


def test_a_device_in_a_quiet_room_stays_well(play: Callable[..., None]) -> None:
    async def scenario(table: Table) -> None:
        await table.booted()
        await table.clock.sleep(120)
        assert table.state.light == "off"
        assert not table.notes("trouble")

    play(scenario)


def test_a_plug_pulled_while_it_boots_leaves_it_dark(play: Callable[..., None]) -> None:
    async def scenario(table: Table) -> None:
        await table.gadget.plug(True)
        await table.clock.sleep(0.01)
        assert table.state.power == "booting"
        await table.gadget.plug(False)
        await table.clock.sleep(5)
        assert table.state.power == "off"

    play(scenario)


def test_a_device_that_cannot_start_says_why(play: Callable[..., None]) -> None:
    async def scenario(table: Table) -> None:
        await table.booted()
        assert table.state.power == "failed"
        assert table.notes("trouble") == ["There is no house driver `castle`."]
        await table.gadget.plug(True)  # it may be tried again
        await table.clock.sleep(1)
        assert len(table.notes("trouble")) == 2

    play(scenario, replace(Config(), home=replace(Config().home, house="castle")))


def test_a_microphone_that_is_gone_is_noticed_and_found_again(play: Callable[..., None]) -> None:
    async def scenario(table: Table) -> None:
        await table.fault("microphone_unplugged")
        await table.booted()
        assert table.state.power == "on"
        await table.clock.sleep(5)
        assert table.state.light == "deaf"
        await table.fault("microphone_unplugged", False)
        await table.clock.sleep(40)
        assert table.state.light == "off"
        await table.fault("microphone_silent")
        await table.say("hey jarvis turn on the office light")
        assert not table.lamp("office")
        await table.clock.sleep(10)
        assert table.state.light == "deaf"
        await table.fault("microphone_silent", False)
        await table.clock.sleep(40)
        await table.say("hey jarvis turn on the office light")
        assert table.lamp("office")

    play(scenario)


def test_a_speaker_that_is_gone_is_noticed_and_found_again(play: Callable[..., None]) -> None:
    async def scenario(table: Table) -> None:
        await table.booted()
        await table.fault("speaker_gone")
        await table.clock.sleep(5)
        assert any("speaker" in text for text in table.notes("trouble"))
        await table.fault("speaker_gone", False)
        await table.clock.sleep(40)
        table.sounds.clear()
        await table.type("turn on the office light")
        assert table.sounds

    play(scenario)


@pytest.mark.parametrize("name", ["flash_full", "flash_read_only"])
def test_a_flash_that_takes_nothing_is_told_and_nothing_is_promised(
    play: Callable[..., None], name: messages.FaultName
) -> None:
    async def scenario(table: Table) -> None:
        await table.booted()
        await table.fault(name)
        await table.type("set an alarm for seven tomorrow morning")
        assert "storage is full or read-only" in table.reply
        assert not table.state.appointments
        await table.fault(name, False)
        await table.type("set an alarm for seven tomorrow morning")
        (alarm,) = table.state.appointments  # type: ignore[misc]
        assert alarm.at.endswith("T07:00")

    play(scenario)


def test_engines_that_crash_are_told_and_come_back(play: Callable[..., None]) -> None:
    async def scenario(table: Table) -> None:
        await table.booted()
        await table.fault("stt_broken")
        await table.say("hey jarvis turn on the office light")
        assert not table.lamp("office")
        assert table.notes("trouble")
        await table.fault("stt_broken", False)
        await table.fault("tts_broken")
        await table.clock.sleep(10)
        await table.type("turn on the office light")
        assert table.lamp("office")
        assert len(table.notes("trouble")) > 1

    play(scenario)


def test_what_does_not_answer(play: Callable[..., None]) -> None:
    async def scenario(table: Table) -> None:
        await table.booted()
        for thing in ("light.office", "television"):
            await table.gadget.obey(messages.Unreachable(thing, True))
        assert table.state.unreachable == ("light.office", "television")
        await table.type("turn on the office light")
        await table.type("turn on the television")
        assert not table.lamp("office")
        assert not table.state.television["on"]  # type: ignore[index]
        for thing in ("light.office", "television"):
            await table.gadget.obey(messages.Unreachable(thing, False))
        await table.type("turn on the television")
        assert table.state.television["on"]  # type: ignore[index]
        with pytest.raises(BadInput, match="no appliance"):
            await table.gadget.obey(messages.Unreachable("light.moon", True))

    play(scenario)


def test_the_mute_switch_stands_where_it_was_when_the_power_comes_back(play: Callable[..., None]) -> None:
    async def scenario(table: Table) -> None:
        await table.booted()
        await table.gadget.obey(messages.Mute(True))
        assert table.state.light == "muted"
        await table.gadget.obey(messages.Mute(False))
        await table.gadget.obey(messages.Switch(True))
        await table.say("hey jarvis turn on the office light")
        await table.gadget.obey(messages.Plug(False))
        await table.booted()
        assert table.state.switched_off
        await table.clock.sleep(60)
        assert table.state.light == "muted"  # switched off is not dead
        assert not table.notes("trouble")
        assert not table.lamp("office")

    play(scenario)


def test_the_clock_can_be_set_and_a_running_timer_does_not_care(play: Callable[..., None]) -> None:
    async def scenario(table: Table) -> None:
        await table.booted()
        await table.type("set a timer for two minutes")
        await table.gadget.obey(messages.StepClock(3600))
        await table.clock.sleep(60)
        assert table.state.clock_offset == 3600
        assert len(table.state.timers) == 1  # type: ignore[arg-type]
        await table.clock.sleep(60)
        assert table.state.light == "ringing"
        assert table.state.ringing
        assert table.notes("ring")

    play(scenario)


def test_a_page_that_comes_later_is_told_everything(play: Callable[..., None]) -> None:
    async def scenario(table: Table) -> None:
        await table.booted()
        await table.type("put milk on my shopping list")
        await table.gadget.obey(messages.SetVolume(35))
        welcome = table.gadget.welcome()
        assert welcome.leds == 12
        assert welcome.wake_words == ("hey jarvis", "okay nabu")
        assert {"light.kitchen", "lock.front_door"} <= {thing.id for thing in welcome.things}
        assert welcome.state.volume == 35
        assert welcome.state.lists == {"shopping": ("milk",)}
        assert any(isinstance(event, TurnTaken) for event in welcome.past)

    play(scenario)
