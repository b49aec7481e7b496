"""A gadget loses its power and comes back; idle time costs nothing and loses nothing."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from device.config import Config
from device.events import Interrupted, Observation, Rang, SoundBegan, TurnDone
from device.lights import Pattern
from device.speech.ports import render
from device.turns import Phase
from firmware_sim.board.board import Board
from firmware_sim.board.profile import load_profile
from firmware_sim.clock import VirtualClock, run
from firmware_sim.gadget import Gadget
from firmware_sim.home.world import World
from firmware_sim.kit import TonesKit

MONDAY = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


class Try:
    """A gadget, and what it told."""

    def __init__(self, clock: VirtualClock, home: Path, kit: TonesKit | None) -> None:
        self.clock = clock
        self.kit = kit
        self.seen: list[Observation] = []
        board = Board(clock, load_profile("laptop"), home, record=True)
        self.gadget = Gadget(clock, Config(), board, World.furnished(clock), kit, self.seen.append)

    async def say(self, text: str) -> None:
        assert self.kit
        ends = self.gadget.board.hear(render(self.kit.person(), text))
        await self.clock.sleep(ends - self.clock.monotonic())
        await self.gadget.quiet()

    def turns(self) -> list[TurnDone]:
        return [seen for seen in self.seen if isinstance(seen, TurnDone)]


@pytest.fixture
def perform(tmp_path: Path) -> Callable[..., None]:
    def perform(story: Callable[[Try], Awaitable[None]], *, ears: bool = True) -> None:
        async def main(clock: VirtualClock) -> None:
            home = tmp_path / "home"
            home.mkdir()
            it = Try(clock, home, TonesKit() if ears else None)
            await it.gadget.boot()
            try:
                await story(it)
            finally:
                await it.gadget.shut_down()

        run(main, MONDAY, limit=100_000)

    return perform


def test_hours_in_which_nothing_happens_are_not_computed(perform: Callable[..., None]) -> None:
    async def story(it: Try) -> None:
        await it.gadget.advance(8 * 3600)
        frames = it.gadget.board.recorded()
        assert it.clock.monotonic() == pytest.approx(8 * 3600, abs=1)
        assert len(frames[: 7 * 3600 * 16000].nonzero()[0]) < 16000 * 60, "the room's noise was not made"
        await it.say("hey jarvis turn on the kitchen light")
        assert it.gadget.world.house.state("light.kitchen")["on"], "it hears as before"

    perform(story)


@pytest.mark.parametrize("ears", [True, False])
def test_an_alarm_rings_on_time_in_idle_hours(perform: Callable[..., None], ears: bool) -> None:
    async def story(it: Try) -> None:
        await it.gadget.type("wake me up at eleven am")
        await it.gadget.advance(4 * 3600)
        (rang,) = (seen for seen in it.seen if isinstance(seen, Rang))
        assert rang.at == pytest.approx(3 * 3600, abs=0.2)
        if ears:
            assert it.gadget.board.sounds_since(0) >= {"alarm"}

    perform(story, ears=ears)


def test_what_is_typed_into_a_device_with_ears_is_answered_aloud(perform: Callable[..., None]) -> None:
    async def story(it: Try) -> None:
        await it.gadget.type("turn on the kitchen light")
        assert it.turns()[-1].turn.changes
        assert [seen for seen in it.seen if isinstance(seen, SoundBegan)]
        assert it.gadget.phase is Phase.FOLLOW_UP

    perform(story)


@pytest.mark.parametrize("power", [True, False])
def test_after_a_cut_nothing_is_told_and_what_was_confirmed_is_there(perform: Callable[..., None], power: bool) -> None:
    async def story(it: Try) -> None:
        await it.gadget.type("set a timer for ten minutes")
        it.gadget.assistant.type("what can you do")  # type: ignore[union-attr]
        await it.gadget.sounding(0.5)
        told = len(it.seen)
        await it.gadget.cut(power=power)
        await it.clock.sleep(60)
        assert len(it.seen) == told
        assert not it.gadget.on
        assert it.gadget.board.lights.pattern is Pattern.OFF
        sounds = len(it.gadget.board.audible)
        await it.gadget.boot()
        assert it.gadget.board.audible[sounds:] == []
        (timer,) = it.gadget.brain.scheduler.timers()
        assert timer.remaining.total_seconds() < 540, "it went on while the power was off"
        assert not [seen for seen in it.seen if isinstance(seen, Interrupted)]

    perform(story)


def test_a_cut_in_the_middle_of_a_write_ends_the_program_there(perform: Callable[..., None]) -> None:
    async def story(it: Try) -> None:
        await it.gadget.type("add milk to my shopping list")
        it.gadget.board.flash.cut(after_writes=2)
        await it.gadget.type("add eggs to my shopping list")
        assert it.gadget.died.is_set()
        assert len(it.turns()) == 1, "nothing was confirmed"
        await it.gadget.bury()
        await it.gadget.boot()
        await it.gadget.type("what's on my shopping list")
        assert "milk" in it.turns()[-1].turn.reply.lower()

    perform(story, ears=False)


def test_the_switch_on_the_case_survives_a_restart(perform: Callable[..., None]) -> None:
    async def story(it: Try) -> None:
        it.gadget.switch(True)
        await it.gadget.cut()
        await it.gadget.boot()
        assert it.gadget.board.lights.pattern is Pattern.MUTED
        await it.say("hey jarvis turn on the kitchen light")
        assert it.turns() == []

    perform(story)
