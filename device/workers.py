"""Where engines run: one thread for each named worker, every call with a deadline."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Protocol, TypeVar, TypeVarTuple

from device.errors import EngineHung

_log = logging.getLogger(__name__)

CLOSE_S: Final = 2.0
"""Seconds that each worker's call has to end when the workers are closed."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Workers(Protocol):
    """Runs blocking functions away from the loop, one at a time for each worker.

    An engine belongs to one worker ("audio", "stt", "nlu", "tts"), so that it is never used by two threads.
    """

    async def run(self, worker: str, function: Callable[[*Ts], T], *args: *Ts, deadline: float | None = None) -> T:
        """Call `function(*args)` on that worker and return its result; calls for one worker run in order.

        A cancelled call that has not begun never begins; one that runs is no longer waited for, and the next
        call of that worker comes after it. What the function raises is raised here, except `StopIteration`,
        which becomes a `RuntimeError` as in a generator (PEP 479): take `next(iterator, None)`.

        Args:
            worker: Name of the worker.
            function: What to call.
            *args: Its arguments.
            deadline: Seconds until the result is needed, time in the queue included; None waits for ever.

        Raises:
            EngineHung: The deadline passed. The worker is replaced, so that the next call runs; the engine
                may still be in use by the lost call and has to be made anew.
        """

    def close(self) -> None:
        """Take no more calls; what runs is waited for, but not for ever."""


class ThreadWorkers:
    """The real workers: daemon threads, begun at their first call.

    Threads of `concurrent.futures` are joined when the interpreter exits, which a hung engine would block for
    ever; hence threads of our own.

    Attributes:
        replaced: How many times each worker missed a deadline and was replaced.
    """

    def __init__(self) -> None:
        self.replaced: dict[str, int] = {}
        self._threads: dict[str, _Worker] = {}
        self._closed = False

    async def run(self, worker: str, function: Callable[[*Ts], T], *args: *Ts, deadline: float | None = None) -> T:
        """See `Workers.run`."""
        if self._closed:
            raise RuntimeError("the workers are closed")
        thread = self._threads.get(worker)
        if thread is None:
            thread = self._threads[worker] = _Worker(worker)
        future = asyncio.wrap_future(thread.submit(lambda: function(*args)))
        try:
            async with asyncio.timeout(deadline) as timeout:
                return await future
        except TimeoutError as error:
            if not timeout.expired():
                raise
            self._replace(worker, thread)
            raise missed_deadline(worker, deadline) from error

    def close(self) -> None:
        """See `Workers.close`."""
        self._closed = True
        for thread in self._threads.values():
            thread.quit()
        # The interpreter aborts when it ends while a thread is inside a network.
        for thread in self._threads.values():
            thread.join(CLOSE_S)

    def _replace(self, name: str, thread: _Worker) -> None:
        # Of several calls that wait for one hung thread, the first to give up replaces it.
        if self._threads.get(name) is thread:
            del self._threads[name]
            thread.quit()
            self.replaced[name] = self.replaced.get(name, 0) + 1
            _log.warning("worker %s missed its deadline and was replaced", name)


def missed_deadline(worker: str, deadline: float | None) -> EngineHung:
    """The error of a call that took too long."""
    return EngineHung(f"The worker {worker!r} did not answer within {deadline} s.", remedy="Try again.")


class _Worker:
    """A daemon thread that calls one function after the other."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=f"homebody-{name}", daemon=True)
        self._thread.start()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        self._calls.put((future, call))
        return future

    def quit(self) -> None:
        self._calls.put(None)

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _work(self) -> None:
        while (item := self._calls.get()) is not None:
            future, call = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except StopIteration as error:
                future.set_exception(_stop_iteration(error))
            except BaseException as error:  # the waiting call decides, as with concurrent.futures
                future.set_exception(error)


def _stop_iteration(cause: StopIteration) -> RuntimeError:
    error = RuntimeError("the worker's function raised StopIteration")
    error.__cause__ = cause
    return error
