"""What every kind of worker must do."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from device.clock import Clock, SystemClock
from device.errors import BadInput, EngineFailed
from device.workers import ThreadWorkers, Workers
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.clock import VirtualClock, run


@dataclass
class Bench:
    """Workers of a kind, and a function that hangs in the worker "tts" until it is let go."""

    make: Callable[[Clock], Workers]
    run: Callable[[Callable[[Clock], Awaitable[None]]], Any]
    hang: Callable[[], str]
    hangs: Callable[[], Awaitable[object]]
    release: Callable[[], None]


@pytest.fixture(params=["threads", "inline"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "threads":
        gate, begun = threading.Event(), threading.Event()

        def hang() -> str:
            begun.set()
            gate.wait(30)
            return "late"

        yield Bench(
            lambda clock: ThreadWorkers(),
            lambda main: asyncio.run(main(SystemClock())),
            hang,
            lambda: asyncio.to_thread(begun.wait, 30),
            gate.set,
        )
        gate.set()
    else:
        # Here the worker takes virtual time: the first call an hour, the others none.
        costs = iter([3600.0])
        yield Bench(
            lambda clock: InlineWorkers(clock, lambda worker: next(costs, 0.0) if worker == "tts" else 0.0),
            run,
            lambda: "late",
            lambda: asyncio.sleep(1),
            lambda: None,
        )


def test_returns_what_the_function_returns(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        workers = bench.make(clock)
        assert await workers.run("nlu", divmod, 17, 5) == (3, 2)
        assert await workers.run("nlu", divmod, 17, 5, deadline=10) == (3, 2)
        workers.close()

    bench.run(main)


def test_raises_what_the_function_raises_and_goes_on(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        workers = bench.make(clock)

        def fail() -> None:
            raise BadInput("no")

        with pytest.raises(BadInput, match="no"):
            await workers.run("stt", fail)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await workers.run("stt", next, iter(()))
        assert await workers.run("stt", next, iter(()), None) is None
        workers.close()

    bench.run(main)


def test_calls_of_one_worker_run_in_order(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        workers = bench.make(clock)
        order: list[int] = []
        await asyncio.gather(*(workers.run("stt", order.append, index) for index in range(20)))
        assert order == list(range(20))
        workers.close()

    bench.run(main)


def test_a_missed_deadline_is_an_engine_failure_and_the_worker_is_replaced(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        workers = bench.make(clock)
        with pytest.raises(EngineFailed, match="tts") as caught:
            await workers.run("tts", bench.hang, deadline=0.05)
        assert caught.value.recoverable
        assert await workers.run("tts", lambda: "next", deadline=5) == "next"
        bench.release()
        workers.close()

    bench.run(main)


def test_one_worker_does_not_wait_for_another(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        workers = bench.make(clock)
        hanging = asyncio.create_task(workers.run("tts", bench.hang))
        await bench.hangs()
        assert await workers.run("nlu", lambda: "nlu", deadline=5) == "nlu"
        assert not hanging.done()
        bench.release()
        assert await hanging == "late"
        workers.close()

    bench.run(main)


def test_a_cancelled_call_that_waits_never_begins(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        workers = bench.make(clock)
        hanging = asyncio.create_task(workers.run("tts", bench.hang))
        await bench.hangs()
        called: list[int] = []
        waiting = asyncio.create_task(workers.run("tts", called.append, 1))
        await clock.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        bench.release()
        await hanging
        await workers.run("tts", lambda: None)
        assert not called
        workers.close()

    bench.run(main)


def test_cancelling_what_runs_returns_at_once_and_the_next_call_comes_after_it(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        workers = bench.make(clock)
        order: list[str] = []
        running = asyncio.create_task(workers.run("tts", lambda: order.append(bench.hang())))
        await bench.hangs()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        following = asyncio.create_task(workers.run("tts", order.append, "next"))
        await clock.sleep(0)
        assert order == []
        bench.release()
        await following
        assert order == ["late", "next"]
        workers.close()

    bench.run(main)


def test_closed_workers_take_no_calls(bench: Bench) -> None:
    async def main(clock: Clock) -> None:
        workers = bench.make(clock)
        workers.close()
        with pytest.raises(RuntimeError, match="closed"):
            await workers.run("nlu", lambda: None)

    bench.run(main)


async def test_threads_are_daemons_with_a_name_and_count_replacements() -> None:
    workers = ThreadWorkers()
    thread = await workers.run("audio", threading.current_thread)
    assert thread.daemon
    assert "audio" in thread.name
    assert thread is await workers.run("audio", threading.current_thread)
    gate = threading.Event()
    calls = [workers.run("audio", gate.wait, 30, deadline=0.02) for _ in range(3)]
    for result in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(result, EngineFailed)
    assert workers.replaced == {"audio": 1}  # three gave up on one hung thread
    assert thread is not await workers.run("audio", threading.current_thread)
    gate.set()
    workers.close()


def test_inline_calls_are_recorded_in_virtual_time() -> None:
    async def main(clock: VirtualClock) -> None:
        workers = InlineWorkers(clock, {"stt": 0.2, "nlu": 0.0}.__getitem__)
        await asyncio.gather(workers.run("stt", int), workers.run("stt", int), workers.run("nlu", int))
        assert [(c.worker, c.at, round(c.seconds, 6)) for c in workers.calls] == [
            ("nlu", 0.0, 0.0),
            ("stt", 0.0, 0.2),
            ("stt", 0.2, 0.2),
        ]

    run(main)
