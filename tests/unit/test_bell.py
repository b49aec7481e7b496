"""What rings: rounds with pauses, given up at last, silent while somebody is listened to, never broken for good."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from device.audio.mixer import Mixer
from device.audio.ports import FRAME, SAMPLE_RATE
from device.audio.volume import DeviceVolume
from device.bell import AFTER_FAILURE, CLOCK_LOOK, GIVE_UP, PAUSE, Bell
from device.clock import Clock
from device.errors import StorageError
from device.events import Observation, Rang, Trouble
from device.skills.schedule import Ring, Scheduler
from device.speech.renewable import Renewable
from device.store.database import Database
from device.voice import Voice
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.clock import VirtualClock, run
from firmware_sim.sound.engines import ToneLanguage, ToneTts
from firmware_sim.sound.speaker import Heard, SimulatedSpeaker


class Nightstand:
    """A bell with all that it needs."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.seen: list[Observation] = []
        self.changes: list[bool] = []
        self.quiet = True
        self.scheduler = Scheduler(Database(), clock)
        mixer = Mixer(clock, DeviceVolume(100))
        voice = Voice(Renewable(lambda: ToneTts(ToneLanguage())), mixer, InlineWorkers(clock))
        self.speaker = SimulatedSpeaker(clock)
        self.speaker.start(mixer.pull)
        self.bell = Bell(self.scheduler, mixer, voice, clock, self._words, self.seen.append)

    def _words(self, ring: Ring) -> str:
        return f"{ring.kind} number {len(self.seen)}"

    def rounds(self) -> list[Heard]:
        """The first sound of each round: what comes after a pause."""
        ends = [float("-inf"), *(heard.at + len(heard.pcm) / SAMPLE_RATE for heard in self.speaker.heard)]
        return [h for h, end in zip(self.speaker.heard, ends, strict=False) if h.at - end > PAUSE - 0.2]


def night(scenario: Callable[[Nightstand], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        stand = Nightstand(clock)
        ringing = asyncio.create_task(stand.bell.run(stand.changes.append, lambda: stand.quiet))
        await clock.sleep(0)
        await scenario(stand)
        assert not ringing.done(), "a bell rings for ever"
        ringing.cancel()

    run(main, limit=7200)


async def timer(stand: Nightstand, seconds: float) -> None:
    stand.scheduler.start_timer(timedelta(seconds=seconds))
    stand.bell.changed()
    await stand.clock.sleep(seconds)


def test_it_rings_at_the_second_in_rounds_with_pauses_for_a_stop() -> None:
    async def scenario(stand: Nightstand) -> None:
        await timer(stand, 60)
        begin = stand.clock.monotonic()
        await stand.clock.sleep(12)
        assert [type(seen) for seen in stand.seen] == [Rang]
        assert stand.changes == [True]
        rounds = stand.rounds()
        assert 0 <= rounds[0].at - begin < 0.1
        assert len(rounds) >= 3

    night(scenario)


def test_stop_is_obeyed_within_a_frame_and_for_good() -> None:
    async def scenario(stand: Nightstand) -> None:
        await timer(stand, 10)
        await stand.clock.sleep(0.5)
        stand.bell.stop()
        stopped = stand.clock.monotonic()
        await stand.clock.sleep(20)
        assert stand.changes == [True, False]
        last = stand.speaker.heard[-1]
        assert last.at + len(last.pcm) / SAMPLE_RATE <= stopped + 2 * FRAME / SAMPLE_RATE
        assert stand.scheduler.ringing() == []

    night(scenario)


def test_it_waits_until_it_is_quiet_and_is_hushed_by_a_wake_word() -> None:
    async def scenario(stand: Nightstand) -> None:
        stand.quiet = False
        await timer(stand, 10)
        await stand.clock.sleep(10)
        assert stand.changes == [True]
        assert stand.speaker.heard == ()
        stand.quiet = True
        await stand.clock.sleep(PAUSE + 0.5)
        assert stand.speaker.heard
        stand.quiet = False
        stand.bell.hush()
        hushed = stand.clock.monotonic()
        await stand.clock.sleep(10)
        assert not [heard for heard in stand.speaker.heard if heard.at > hushed]
        stand.quiet = True
        await stand.clock.sleep(PAUSE + 0.5)
        assert [heard for heard in stand.speaker.heard if heard.at > hushed], "it goes on: nobody stopped it"

    night(scenario)


def test_it_gives_up_when_nobody_is_there() -> None:
    async def scenario(stand: Nightstand) -> None:
        await timer(stand, 10)
        await stand.clock.sleep(GIVE_UP["timer"] - 5)
        assert stand.changes == [True]
        await stand.clock.sleep(20)
        assert stand.changes == [True, False]
        assert stand.scheduler.ringing() == []

    night(scenario)


def test_what_it_says_is_what_was_announced() -> None:
    async def scenario(stand: Nightstand) -> None:
        spoken: list[str] = []
        stand.bell._voice.speak = _spy(stand.bell._voice.speak, spoken)  # type: ignore[method-assign]
        await timer(stand, 10)
        await stand.clock.sleep(15)
        (rang,) = (seen for seen in stand.seen if isinstance(seen, Rang))
        assert len(spoken) >= 2
        assert set(spoken) == {rang.words}

    night(scenario)


def _spy(speak: Callable[..., Awaitable[None]], spoken: list[str]) -> Callable[..., Awaitable[None]]:
    async def spying(text: str, playback: object) -> None:
        spoken.append(text)
        await speak(text, playback)

    return spying


def test_a_broken_store_is_reported_and_the_bell_rings_once_it_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(stand: Nightstand) -> None:
        def broken() -> list[Ring]:
            raise StorageError("The disk is gone.")

        with monkeypatch.context() as patch:
            patch.setattr(stand.scheduler, "due", broken)
            patch.setattr(stand.scheduler, "next_due", broken)
            await timer(stand, 10)
            await stand.clock.sleep(30)
        troubles = [seen for seen in stand.seen if isinstance(seen, Trouble)]
        assert 1 <= len(troubles) <= 40 / AFTER_FAILURE + 2, "reported, but not without end"
        await stand.clock.sleep(2 * AFTER_FAILURE)
        assert stand.changes == [True]
        assert stand.rounds()

    night(scenario)


def test_it_rings_in_time_after_the_wall_clock_was_set_or_summer_time_began() -> None:
    async def scenario(stand: Nightstand, clock: VirtualClock) -> None:
        ringing = asyncio.create_task(stand.bell.run(stand.changes.append, lambda: True))
        stand.scheduler.add("alarm", datetime.fromisoformat("2027-03-28T03:15"))
        await clock.sleep(60)
        clock.step(600)
        await clock.sleep(2630)
        assert not stand.seen
        await clock.sleep(10 + CLOCK_LOOK)
        [rang] = stand.seen
        assert isinstance(rang, Rang)
        assert not rang.ring.missed
        ringing.cancel()

    async def main(clock: VirtualClock) -> None:
        await scenario(Nightstand(clock), clock)

    run(main, datetime(2027, 3, 28, 1, 20, tzinfo=ZoneInfo("Europe/Berlin")), limit=7200)


def test_it_rings_on_when_the_wall_clock_is_set_back() -> None:
    async def main(clock: VirtualClock) -> None:
        stand = Nightstand(clock)
        ringing = asyncio.create_task(stand.bell.run(stand.changes.append, lambda: True))
        stand.scheduler.add("alarm", clock.now() + timedelta(seconds=60))
        await clock.sleep(70)
        clock.step(-3600)
        await clock.sleep(60)
        assert [ring.kind for ring in stand.scheduler.ringing()] == ["alarm"]
        stand.bell.stop()
        await clock.sleep(4000)
        assert len(stand.seen) == 1
        ringing.cancel()

    run(main, limit=7200)
