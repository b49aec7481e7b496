import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from firmware_sim.clock import DEFAULT_START, DeadlockError, TimeLimitError, VirtualClock, run


def test_thirty_days_of_minutes_pass_in_seconds() -> None:
    async def main(clock: VirtualClock) -> int:
        ticks = 0
        while clock.now() < DEFAULT_START + timedelta(days=30):
            await clock.sleep(60)
            ticks += 1
        return ticks

    began = time.perf_counter()
    assert run(main) == 30 * 24 * 60
    assert time.perf_counter() - began < 20


def test_callbacks_come_in_the_order_of_their_times() -> None:
    async def main(clock: VirtualClock) -> list[tuple[str, float]]:
        calls: list[tuple[str, float]] = []
        for name, when in (("c", 3.0), ("a", 1.0), ("b", 2.5)):
            clock.call_at(when, lambda name=name: calls.append((name, clock.monotonic())))
        clock.call_at(2.0, lambda: calls.append(("never", 0))).cancel()
        await clock.sleep(5)
        return calls

    assert run(main) == [("a", 1.0), ("b", 2.5), ("c", 3.0)]


def test_asyncio_timeouts_are_virtual() -> None:
    async def main(clock: VirtualClock) -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await clock.sleep(7200)
        return clock.monotonic()

    assert run(main) == pytest.approx(3600)


def test_waiting_for_nothing_is_an_error_and_not_a_hang() -> None:
    cleaned: list[bool] = []

    async def main(clock: VirtualClock) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    with pytest.raises(DeadlockError, match="nothing is left to happen"):
        run(main)
    assert cleaned == [True]


def test_waiting_beside_something_endless_ends_at_the_limit() -> None:
    async def main(clock: VirtualClock) -> None:
        async def tick() -> None:
            while True:
                await clock.sleep(1)

        await asyncio.gather(tick(), asyncio.Event().wait())

    with pytest.raises(TimeLimitError, match="60"):
        run(main, limit=60)


def test_errors_and_leftover_tasks() -> None:
    ended: list[str] = []

    async def background(clock: VirtualClock) -> None:
        try:
            await clock.sleep(1e6)
        finally:
            ended.append("cancelled")

    async def main(clock: VirtualClock) -> None:
        task = asyncio.create_task(background(clock))
        await clock.sleep(1)
        assert not task.done()
        raise KeyError("boom")

    with pytest.raises(KeyError, match="boom"):
        run(main)
    assert ended == ["cancelled"]


def test_steps_and_drift_move_the_wall_and_not_the_monotonic_clock() -> None:
    start = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    async def main(clock: VirtualClock) -> None:
        clock.step(-3600)
        assert clock.now() == start - timedelta(hours=1)
        clock.drift(1.5)
        await clock.sleep(100)
        assert clock.now() == start - timedelta(hours=1) + timedelta(seconds=150)
        clock.drift(1.0)
        await clock.sleep(100)
        assert clock.now() == start - timedelta(hours=1) + timedelta(seconds=250)
        assert clock.monotonic() == pytest.approx(200)

    run(main, start)


def test_summer_time_and_a_move_keep_the_instant() -> None:
    start = datetime(2026, 3, 28, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))

    async def main(clock: VirtualClock) -> None:
        await clock.sleep(24 * 3600)  # the night of 29 March has 23 hours
        assert (clock.now().hour, clock.now().day) == (13, 29)
        before = clock.now()
        clock.set_zone("America/New_York")
        assert clock.now() == before
        assert clock.now().hour == 7

    run(main, start)


def test_naive_start_is_refused() -> None:
    async def main(clock: VirtualClock) -> None: ...

    with pytest.raises(ValueError, match="zone"):
        run(main, datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_thread_can_still_wake_the_loop() -> None:
    async def main(clock: VirtualClock) -> float:
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        loop.call_soon_threadsafe(event.set)
        await event.wait()
        return clock.monotonic()

    assert run(main) == 0.0


def test_a_busy_loop_still_hears_the_outside() -> None:
    reader, writer = os.pipe()

    async def main(clock: VirtualClock) -> float:
        event = asyncio.Event()
        asyncio.get_running_loop().add_reader(reader, event.set)
        os.write(writer, b"x")
        while not event.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0)
        asyncio.get_running_loop().remove_reader(reader)
        return clock.monotonic()

    assert run(main) == 0.0
    os.close(reader)
    os.close(writer)
