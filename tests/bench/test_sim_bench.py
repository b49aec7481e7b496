"""How fast simulated time passes: typed turns a second, and hours of audio; only ratios within one run are asserted.

pytest tests/bench/test_sim_bench.py -s
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from device.config import Config
from firmware_sim.bench import Bench
from firmware_sim.board.board import Board
from firmware_sim.board.profile import load_profile
from firmware_sim.clock import VirtualClock, run
from firmware_sim.fleet.household import household
from firmware_sim.fleet.ledger import Ledger
from firmware_sim.fleet.routine import Speaker, day
from firmware_sim.fleet.shard import START
from firmware_sim.fleet.wording import wordings
from firmware_sim.gadget import Gadget
from firmware_sim.home.world import World
from firmware_sim.kit import Kit, SpeechKit, TonesKit

pytestmark = pytest.mark.bench


def routine() -> list[str]:
    """What a household says in three days, without what is said to something that rings."""
    speaker = Speaker(household(0, 1), wordings(), Random(0))
    ledger = Ledger(ZoneInfo("UTC"))
    days = [day(speaker, START + timedelta(days=n), first=not n) for n in range(3)]
    return [line.text for errands in days for errand in errands for line in errand.talk(speaker, ledger, errand.at)]


def cpu(work: Callable[[], object]) -> float:
    """CPU-seconds of this process: a busy machine does not count."""
    began = time.process_time()
    work()
    return time.process_time() - began


def test_typed_turns_a_second(tmp_path: Path) -> None:
    lines = routine()
    with Bench(tmp_path / "a", start=datetime(2027, 3, 10, 8, tzinfo=ZoneInfo("UTC"))) as bench:
        for text in lines:
            bench.say(text)
        each = sorted(min(cpu(partial(bench.say, text)) for _ in range(3)) for text in lines)
        idle = cpu(lambda: bench.advance("30 d"))
    slowest = each[-1] / sum(each)
    print(
        f"typed turns a second on one core: {len(each) / sum(each):.0f} on average of {len(each)} lines of a routine,"
    )
    print(f"  {1 / each[len(each) // 2]:.0f} by the median; the slowest line, searched by sound, takes {slowest:.0%}")
    print(f"30 idle days: {1e3 * idle:.0f} ms")
    assert idle / 30 < sum(each), "a day in which nobody speaks costs less than one in which they do"


def audio(kit: Kit, folder: Path, turns: int) -> tuple[float, float]:
    """Simulated and CPU-seconds of some spoken turns, with five seconds of listening around each."""
    person = kit.person()
    texts = (
        "hey jarvis turn on the kitchen light",
        "hey jarvis what time is it",
        "hey jarvis set a timer for ten minutes",
    )
    said = [list(person.synthesize(text)) for text in texts]

    async def live(clock: VirtualClock) -> float:
        board = Board(clock, load_profile("laptop"), folder)
        gadget = Gadget(clock, Config(), board, World.furnished(clock), kit)
        await gadget.boot()
        began = clock.monotonic()
        for turn in range(turns):
            await clock.sleep(5.0)
            for pcm in said[turn % len(said)]:
                await clock.sleep(board.hear(pcm) - clock.monotonic())
            await gadget.quiet()
        passed = clock.monotonic() - began
        await gadget.shut_down()
        return passed

    folder.mkdir()
    began = time.process_time()
    passed = run(live)
    return passed, time.process_time() - began


def test_tones_cost_less_than_real_engines(tmp_path: Path) -> None:
    audio(TonesKit(), tmp_path / "warm", 1)
    passed, spent = audio(TonesKit(), tmp_path / "tones", 12)
    print(f"audio through wake, VAD and recognizer of tones: {passed / spent:.0f} x real time on one core")
    assert passed > spent, "faster than real time"


@pytest.mark.engines
def test_audio_through_real_engines(tmp_path: Path) -> None:
    config = Config()
    kit = SpeechKit(config, tmp_path / "models")
    audio(kit, tmp_path / "warm", 1)
    passed, spent = audio(kit, tmp_path / "real", 9)
    print(f"audio through real wake word, VAD, Moonshine and eSpeak: {passed / spent:.0f} x real time on one core")
    assert passed > spent, "faster than real time"
