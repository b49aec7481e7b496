"""Light, buttons and switch on pins, with gpiozero's own mock pins."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from device.app import EdgeLoop, build_brain
from device.config import CaseConfig, Config, load_config
from device.errors import ConfigError, Missing
from device.events import PhaseChanged
from device.gpio import LOOKS, GpioCase
from device.lights import Pattern
from device.speech.listen import Listener
from device.speech.renewable import Renewable
from device.turns import Phase
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.clock import VirtualClock, run
from firmware_sim.sound.engines import ToneLanguage, ToneStt, ToneTts, ToneVad, ToneWake
from firmware_sim.sound.microphone import SimulatedMicrophone
from firmware_sim.sound.speaker import SimulatedSpeaker

CASE = CaseConfig(led=(17, 27, 22), buttons={"talk": 23, "volume_up": 5}, mute_switch=24)


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory(pin_class=MockPWMPin)
    yield factory
    factory.reset()


@pytest.fixture
def case(pins: MockFactory) -> Iterator[GpioCase]:
    case = GpioCase(CASE, pins)
    yield case
    case.close()


def lit(pins: MockFactory, *numbers: int) -> tuple[float, ...]:
    return tuple(float(pins.pin(number).state) for number in numbers)


@pytest.mark.parametrize("pattern", [pattern for pattern in Pattern if not LOOKS[pattern].off])
def test_each_steady_pattern_has_its_color(case: GpioCase, pins: MockFactory, pattern: Pattern) -> None:
    case.show(pattern)
    assert lit(pins, *CASE.led) == pytest.approx(LOOKS[pattern].color)


def test_patterns_can_be_told_apart() -> None:
    assert LOOKS.keys() == set(Pattern)
    assert len(set(LOOKS.values())) == len(Pattern)
    rhythms = [(look.on, look.off) for look in LOOKS.values() if look.off]
    assert len(set(rhythms)) == len(rhythms), "one LED alone has only its rhythm"


def test_a_pattern_ends_the_rhythm_of_the_last_one(case: GpioCase, pins: MockFactory) -> None:
    case.show(Pattern.RINGING)
    case.show(Pattern.OFF)
    assert lit(pins, *CASE.led) == (0, 0, 0)


def test_one_led_alone_is_on_and_off(pins: MockFactory) -> None:
    case = GpioCase(CaseConfig(led=(17,)), pins)
    for pattern, on in ((Pattern.LISTENING, 1), (Pattern.OFF, 0), (Pattern.SPEAKING, 1)):
        case.show(pattern)
        assert lit(pins, 17) == (on,)
    case.close()


def test_a_case_without_a_light_shows_nothing(pins: MockFactory) -> None:
    case = GpioCase(CaseConfig(buttons={"talk": 23}), pins)
    case.show(Pattern.LISTENING)
    case.close()


def test_a_broken_lamp_stops_nothing(case: GpioCase, caplog: pytest.LogCaptureFixture) -> None:
    case.close()
    case.show(Pattern.LISTENING)
    assert "the light could not show listening" in caplog.text


@pytest.mark.parametrize("line", ["led = [17, 27]", "led = [17]\nmute_switch = 17", "buttons.dance = 3", "led = [99]"])
def test_a_case_that_can_not_be_is_told(tmp_path: Path, line: str) -> None:
    (tmp_path / "config.toml").write_text(f"[case]\n{line}\n")
    with pytest.raises(ConfigError):
        load_config(tmp_path, {})


def test_a_case_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        "[case]\nled = [17, 27, 22]\nbuttons = { talk = 23, volume_up = 5 }\nmute_switch = 24\n"
    )
    assert load_config(tmp_path, {}).case == CASE


def test_pins_that_somebody_else_has_are_told(case: GpioCase, pins: MockFactory) -> None:
    with pytest.raises(ConfigError, match=r"\[case\]"):
        GpioCase(CaseConfig(led=(17,)), pins)
    GpioCase(CaseConfig(led=(4,)), pins).close()


def test_a_machine_without_pins_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "none_such")
    with pytest.raises(Missing):
        GpioCase(CASE)


def test_buttons_and_switch_do_what_they_say(pins: MockFactory, tmp_path: Path) -> None:
    """Through the running device: the talk button wakes it, louder is louder, the switch closes its ears."""

    async def scenario(clock: VirtualClock) -> None:
        language, seen = ToneLanguage(), []
        brain = build_brain(Config(), tmp_path, clock, InlineWorkers(clock))
        speaker = SimulatedSpeaker(clock)
        edge = EdgeLoop(
            brain,
            SimulatedMicrophone(clock, noise_dbfs=-60.0, speaker=speaker),
            speaker,
            Renewable(lambda: ToneStt(language)),
            Renewable(lambda: ToneTts(language)),
            seen.append,
            Listener(ToneWake(), ToneVad()),
            case=GpioCase(CASE, pins),
        )
        edge.open()
        loop = asyncio.create_task(edge.run())
        await clock.sleep(0.5)
        louder = brain.volume.level() + 10
        for pin in (23, 5):
            pins.pin(pin).drive_low()
            await clock.sleep(0.5)
            pins.pin(pin).drive_high()
        assert Phase.LISTENING in [each.phase for each in seen if isinstance(each, PhaseChanged)]
        assert brain.volume.level() == louder
        pins.pin(24).drive_low()
        await clock.sleep(0.5)
        assert edge.assistant.closed
        pins.pin(24).drive_high()
        await clock.sleep(0.5)
        assert not edge.assistant.closed
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)
        edge.close()
        brain.close()

    run(scenario, limit=60)
