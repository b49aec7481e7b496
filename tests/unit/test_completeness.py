"""Whether what was said so far is all: what the end of a command waits for."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest

from device.app import Brain, build_brain
from device.clock import SystemClock
from device.config import Config
from device.dialogue.completeness import Completeness
from device.speech.ports import Hypothesis, Transcript
from device.workers import ThreadWorkers
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.clock import VirtualClock, run

FRIDAY = datetime(2027, 3, 5, 18, 30, tzinfo=ZoneInfo("Europe/Berlin"))

T = TypeVar("T")

SAID = {
    "turn on the kitchen light": Completeness.WHOLE,
    "turn on the kitchen light please": Completeness.WHOLE,
    "turn on the kitchen light and tell me a joke": Completeness.WHOLE,
    "turn on the kitchen light and the bedroom light": Completeness.OPEN,
    "never mind": Completeness.OPEN,
    "what time is it": Completeness.OPEN,
    "set a timer for ten minutes": Completeness.OPEN,
    "turn on the kitchen light and": Completeness.PART,
    "set a timer for": Completeness.PART,
    "wake me up at": Completeness.PART,
    "set a timer": Completeness.UNKNOWN,
    "add milk to the shopping list": Completeness.UNKNOWN,
    "the purple elephants are dancing": Completeness.UNKNOWN,
    "yes": Completeness.UNKNOWN,
    "": Completeness.UNKNOWN,
}


def talk(home: Path, talked: Callable[[Brain], Awaitable[T]]) -> T:
    """Talk to a brain in virtual time."""

    async def main(clock: VirtualClock) -> T:
        brain = build_brain(Config(), home, clock, InlineWorkers(clock), Random(0))
        try:
            return await talked(brain)
        finally:
            brain.database.close()

    return run(main, FRIDAY)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Completeness]:
    async def talked(brain: Brain) -> dict[str, Completeness]:
        return {said: await brain.conversation.completeness(said) for said in SAID}

    return talk(tmp_path_factory.mktemp("home"), talked)


@pytest.mark.parametrize("said", SAID)
def test_what_the_words_so_far_are(found: dict[str, Completeness], said: str) -> None:
    assert found[said] is SAID[said]


def test_a_plain_yes_is_all_and_a_no_may_go_on(tmp_path: Path) -> None:
    async def talked(brain: Brain) -> list[Completeness]:
        await brain.conversation.turn("unlock the front door")
        return [await brain.conversation.completeness(said) for said in ("yes", "no")]

    assert talk(tmp_path, talked) == [Completeness.WHOLE, Completeness.UNKNOWN]


def test_a_sentence_that_was_found_in_half_of_one_is_not_believed(tmp_path: Path) -> None:
    half = Transcript("Set a timer for", 0.9, (Hypothesis("set a timer for four minutes", -0.1, -0.5),), 20.0)
    misheard = Transcript(
        "Turn on the chicken light.", 0.9, (Hypothesis("turn on the kitchen light", -0.2, -0.5),), 20.0
    )

    async def talked(brain: Brain) -> list[Completeness]:
        return [await brain.conversation.completeness(heard) for heard in (half, misheard)]

    assert talk(tmp_path, talked) == [Completeness.PART, Completeness.WHOLE]


def test_threads_of_their_own_read_what_the_loop_remembers(tmp_path: Path) -> None:
    async def main() -> Completeness:
        brain = build_brain(Config(), tmp_path, SystemClock("Europe/Berlin"), ThreadWorkers())
        found = await brain.conversation.completeness("turn on the kitchen light")
        brain.workers.close()
        brain.database.close()
        return found

    assert asyncio.run(main()) is Completeness.WHOLE
