"""The device as a service: what systemd is told over its socket, and when it is told nothing any more."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from device.app import EdgeLoop, build_brain
from device.audio.ring import Ring
from device.config import Config
from device.errors import AudioDeviceMissing, EngineFailed, EngineHung, MicrophoneStalled
from device.events import Observation, Trouble, TurnDone
from device.service import PAUSE, Notifier
from device.serving import live
from device.speech.listen import Listener
from device.speech.ports import TtsEngine, render
from device.speech.renewable import Renewable
from device.turns import Phase
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.clock import VirtualClock, run
from firmware_sim.manual_clock import ManualClock
from firmware_sim.sound.engines import ToneLanguage, ToneStt, ToneTts, ToneVad, ToneWake
from firmware_sim.sound.microphone import SimulatedMicrophone
from firmware_sim.sound.speaker import SimulatedSpeaker

ALIVE = "WATCHDOG=1"


class Minder:
    """Systemd's side: a datagram socket."""

    def __init__(self, address: str) -> None:
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._wire.bind(address)

    def next(self, seconds: float) -> str:
        self._wire.settimeout(seconds)
        return self._wire.recv(4096).decode()

    def told(self) -> list[str]:
        """All that was told since, without waiting."""
        self._wire.setblocking(False)
        said: list[str] = []
        try:
            while True:
                said.append(self._wire.recv(4096).decode())
        except BlockingIOError:
            return said

    def close(self) -> None:
        self._wire.close()


@pytest.fixture
def minder(tmp_path: Path) -> Iterator[Minder]:
    minder = Minder(str(tmp_path / "notify"))
    yield minder
    minder.close()


@pytest.fixture
def notifier(minder: Minder, tmp_path: Path) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"})


# The protocol --------------------------------------------------------------------------------------------------


def test_each_state_is_one_datagram(minder: Minder, notifier: Notifier) -> None:
    notifier.status("Loading.")
    notifier.ready("Listening.")
    notifier.alive("Listening.")
    notifier.stopping()
    assert minder.told() == [
        "STATUS=Loading.",
        "READY=1\nSTATUS=Listening.",
        "WATCHDOG=1\nSTATUS=Listening.",
        "STOPPING=1",
    ]


def test_an_at_sign_begins_an_abstract_address(tmp_path: Path) -> None:
    name = f"homebody-{tmp_path}"[-90:]
    minder = Minder(f"\0{name}")
    Notifier({"NOTIFY_SOCKET": f"@{name}"}).stopping()
    assert minder.told() == ["STOPPING=1"]
    minder.close()


def test_without_systemd_nothing_is_told(minder: Minder) -> None:
    Notifier({}).ready("Listening.")
    assert minder.told() == []


def test_a_service_goes_on_where_systemd_can_not_be_told(
    minder: Minder, notifier: Notifier, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "notify").unlink()
    notifier.alive("Listening.")
    assert "could not be told" in caplog.text


def test_a_minder_that_does_not_read_blocks_nobody(minder: Minder, notifier: Notifier) -> None:
    for _ in range(10_000):
        notifier.alive("Listening.")
    assert 0 < len(minder.told()) < 10_000


@pytest.mark.parametrize(
    ("environ", "pause"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, PAUSE),
        ({"WATCHDOG_USEC": "0"}, PAUSE),
        ({"WATCHDOG_USEC": "soon"}, PAUSE),
        ({}, PAUSE),
    ],
)
def test_signs_of_life_come_twice_as_often_as_they_must(environ: dict[str, str], pause: float) -> None:
    assert Notifier(environ).pause == pause


# Frames that nobody reads --------------------------------------------------------------------------------------


async def test_the_ring_knows_how_long_nobody_has_read(clock: ManualClock) -> None:
    ring = Ring(clock)
    frame = render(ToneTts(ToneLanguage()), "hello")[:512]
    clock.advance(9)
    assert ring.unread_for == 0.0, "nothing waits"
    ring.push(frame)
    clock.advance(2)
    ring.push(frame)
    clock.advance(1)
    assert ring.unread_for == 3.0
    await ring.read()
    clock.advance(1)
    assert ring.unread_for == 1.0, "one still waits, but reading goes on"
    await ring.read()
    assert ring.unread_for == 0.0


# The service ---------------------------------------------------------------------------------------------------


class House:
    """A service that runs in virtual time, with tones for speech."""

    def __init__(self, clock: VirtualClock, home: Path, notifier: Notifier, voice: type[ToneTts]) -> None:
        self.clock = clock
        self.seen: list[Observation] = []
        self.costs: dict[str, float] = {}
        self.outdated = False
        self._notifier = notifier
        self._language = ToneLanguage()
        workers = InlineWorkers(clock, lambda worker: self.costs.get(worker, 0.0))
        self.brain = build_brain(Config(), home, clock, workers, Random(0))
        self.speaker = SimulatedSpeaker(clock)
        self.microphone = SimulatedMicrophone(clock, noise_dbfs=-60.0, speaker=self.speaker)

        def tts() -> TtsEngine:
            return voice(self._language)

        self.edge = EdgeLoop(
            self.brain,
            self.microphone,
            self.speaker,
            Renewable(lambda: ToneStt(self._language)),
            Renewable(tts),
            self.seen.append,
            Listener(ToneWake(), ToneVad()),
        )

    async def serve(self) -> None:
        try:
            await live(self.edge, self._notifier, self.clock, self.seen.append, lambda: self.outdated)
        finally:
            self.edge.close()
            self.brain.database.close()

    def say(self, text: str) -> None:
        self.microphone.say(render(ToneTts(self._language), text))

    @property
    def troubles(self) -> list[type[Exception]]:
        return [type(seen.error) for seen in self.seen if isinstance(seen, Trouble)]


Scenario = Callable[[House], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path, notifier: Notifier) -> Callable[..., None]:
    """Run a service through a scenario; `before` may change the house before it starts."""

    def play(
        scenario: Scenario, before: Callable[[House], None] = lambda house: None, voice: type[ToneTts] = ToneTts
    ) -> None:
        async def main(clock: VirtualClock) -> None:
            house = House(clock, tmp_path / "home", notifier, voice)
            before(house)
            service = asyncio.create_task(house.serve())
            acts = asyncio.ensure_future(scenario(house))
            await asyncio.wait((service, acts), return_when=asyncio.FIRST_COMPLETED)
            for task in (service, acts):
                task.cancel()
            for ended in await asyncio.gather(acts, service, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended

        run(main, limit=3600)

    return play


def test_it_is_ready_when_it_listens_and_then_shows_that_it_lives(play: Callable[..., None], minder: Minder) -> None:
    async def scenario(house: House) -> None:
        await house.clock.sleep(0.1)
        assert minder.told() == ["READY=1\nSTATUS=Listening."]
        house.say("hey jarvis turn on the kitchen light")
        await house.clock.sleep(14)
        assert house.brain.services.house.state("light.kitchen")["on"]
        assert sum(isinstance(seen, TurnDone) for seen in house.seen) == 1, "warming up is no turn"
        assert minder.told() == []
        await house.clock.sleep(31)
        assert minder.told() == ["WATCHDOG=1\nSTATUS=Listening."] * 3

    play(scenario)


def test_it_listens_while_its_engines_warm_up(play: Callable[..., None], minder: Minder) -> None:
    """What is said within 20 s of warming up is done after it; nothing of that makes it look stuck."""

    def slow(house: House) -> None:
        house.costs.update(tts=10.0, stt=10.0)

    async def scenario(house: House) -> None:
        await house.clock.sleep(0.1)
        assert minder.told() == ["READY=1\nSTATUS=Listening."]
        await house.clock.sleep(11)
        house.costs.clear()
        house.say("hey jarvis turn on the kitchen light")
        await house.clock.sleep(14)
        assert house.brain.services.house.state("light.kitchen")["on"]
        assert sum(isinstance(seen, TurnDone) for seen in house.seen) == 1
        assert not house.troubles

    play(scenario, slow)


def test_a_model_that_was_installed_is_taken_up_once_nobody_talks_to_it(
    play: Callable[..., None], minder: Minder
) -> None:
    houses: list[House] = []

    async def scenario(house: House) -> None:
        houses.append(house)
        await house.clock.sleep(14)
        house.say("hey jarvis turn on the kitchen light")
        await house.clock.sleep(0.9)
        house.outdated = True
        await house.clock.sleep(0.5)
        assert house.edge.assistant.phase is Phase.LISTENING, "and it has just shown that it lives"
        await house.clock.sleep(60)
        raise AssertionError("it should have ended")

    play(scenario)
    assert sum(isinstance(seen, TurnDone) for seen in houses[0].seen) == 1, "a command that had begun was carried out"
    assert minder.told()[-1] == "STATUS=Starts anew, with the language model that was installed."


class Broken(ToneTts):
    """A voice that breaks."""

    def render(self, sentence: str) -> tuple[object, int]:  # type: ignore[override]
        raise EngineFailed("the voice broke")


def test_a_voice_that_breaks_ends_the_service(play: Callable[..., None], minder: Minder) -> None:
    async def scenario(house: House) -> None:
        await house.clock.sleep(60)

    with pytest.raises(ExceptionGroup) as ended:
        play(scenario, voice=Broken)
    assert ended.group_contains(EngineFailed, match="the voice broke")
    assert not any(ALIVE in told for told in minder.told())


def test_an_engine_that_hangs_while_it_warms_up_ends_the_service(play: Callable[..., None], minder: Minder) -> None:
    async def scenario(house: House) -> None:
        await house.clock.sleep(3000)

    with pytest.raises(ExceptionGroup) as ended:
        play(scenario, lambda house: house.costs.update(stt=1e6))
    assert ended.group_contains(EngineHung, match="'stt'")


def test_without_a_microphone_it_lives_deaf_until_there_is_one(play: Callable[..., None], minder: Minder) -> None:
    async def scenario(house: House) -> None:
        await house.clock.sleep(20)
        ready, alive = minder.told()
        assert ready == "READY=1\nSTATUS=The simulated microphone is unplugged."
        assert alive == "WATCHDOG=1\nSTATUS=Deaf: no sound comes from the microphone."
        assert house.troubles == [AudioDeviceMissing, MicrophoneStalled]
        house.microphone.plug()
        await house.clock.sleep(60)
        assert minder.told()[-1] == "WATCHDOG=1\nSTATUS=Listening."
        house.say("hey jarvis turn on the kitchen light")
        await house.clock.sleep(8)
        assert house.brain.services.house.state("light.kitchen")["on"]

    play(scenario, lambda house: house.microphone.unplug())


def test_ears_that_are_stuck_are_no_life(play: Callable[..., None], minder: Minder) -> None:
    async def scenario(house: House) -> None:
        await house.clock.sleep(20)
        assert len(minder.told()) == 2
        house.costs["audio"] = 1e6
        await house.clock.sleep(60)
        *_, stuck = minder.told()
        assert stuck == "STATUS=Stuck: The ears are stuck: sound waits, and they take none of it."
        await house.clock.sleep(60)
        assert minder.told() == []
        assert house.troubles == [EngineHung], "it is told once"

    play(scenario)


def test_a_turn_that_does_not_end_is_no_life(play: Callable[..., None], minder: Minder) -> None:
    async def scenario(house: House) -> None:
        await house.clock.sleep(0.1)
        house.costs["nlu"] = 1e6
        house.say("hey jarvis turn on the bedroom light")
        await house.clock.sleep(50)
        assert house.edge.assistant.phase is Phase.THINKING
        assert all(told.startswith((ALIVE, "READY")) for told in minder.told()), "a slow turn is still one"
        await house.clock.sleep(60)
        *_, stuck = minder.told()
        assert stuck == "STATUS=Stuck: A turn has not ended for 60 s."
        await house.clock.sleep(60)
        assert minder.told() == []

    play(scenario)


def test_a_microphone_that_is_switched_off_is_no_trouble(play: Callable[..., None], minder: Minder) -> None:
    async def scenario(house: House) -> None:
        house.edge.assistant.switch(True)
        house.microphone.switch(True)
        await house.clock.sleep(16)
        assert minder.told()[-1] == "WATCHDOG=1\nSTATUS=The microphone is switched off."
        assert not house.troubles

    play(scenario)


@pytest.mark.engines
def test_the_program_serves_without_a_sound_card_until_it_is_told_to_end(minder: Minder, tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {**os.environ, "HOMEBODY_HOME": str(home), "NOTIFY_SOCKET": str(tmp_path / "notify")}
    environment |= {"WATCHDOG_USEC": "400000", "HOMEBODY_AUDIO__MICROPHONE": "none", "HOMEBODY_AUDIO__SPEAKER": "none"}
    program = subprocess.Popen(
        [Path(sys.executable).with_name("homebody"), "serve"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert minder.next(60) == "STATUS=Loading."
        assert minder.next(60).startswith("READY=1\n")
        assert minder.next(60).startswith(ALIVE)
        program.send_signal(signal.SIGTERM)
        out, errors = program.communicate(timeout=60)
    finally:
        program.kill()
    assert program.returncode == 0
    assert minder.told()[-1] == "STOPPING=1"
    assert out == ""
    assert "microphone" in errors
    assert [path.name for path in home.glob("homebody.db*")] == ["homebody.db"], "its log is folded in"
