"""Workers without threads: engines run on the loop, at once, and take virtual time if they are to."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar, TypeVarTuple

from device.clock import Clock
from device.workers import missed_deadline

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


REMEMBERED: Final = 10_000
"""Calls that are remembered: a device in sound makes 2.7 million a day."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: on which worker, begun at `at` (monotonic seconds), how many virtual seconds it took."""

    worker: str
    at: float
    seconds: float


class InlineWorkers:
    """Implements `device.workers.Workers` for simulations.

    Attributes:
        calls: The last `REMEMBERED` calls, in the order in which they ended.
    """

    def __init__(self, clock: Clock, cost: Callable[[str], float] = lambda worker: 0.0) -> None:
        """`cost(worker)` gives the virtual seconds that its next call takes: a slow board, a hung engine."""
        self.calls: deque[Call] = deque(maxlen=REMEMBERED)
        self._clock = clock
        self._cost = cost
        self._turns: dict[str, asyncio.Lock] = {}
        self._waiting: Counter[str] = Counter()
        self._closed = False

    async def run(self, worker: str, function: Callable[[*Ts], T], *args: *Ts, deadline: float | None = None) -> T:
        """See `Workers.run`; the function is called when its virtual time has passed."""
        if self._closed:
            raise RuntimeError("the workers are closed")
        turn = self._turns.setdefault(worker, asyncio.Lock())
        seconds = None if self._waiting[worker] else self._cost(worker)
        if seconds == 0.0:  # nobody has to wait: most calls, of the audio worker above all
            return self._finish(worker, self._clock.monotonic(), lambda: function(*args))
        begun = asyncio.Event()
        self._waiting[worker] += 1
        call = asyncio.ensure_future(self._call(worker, turn, begun, seconds, lambda: function(*args)))
        call.add_done_callback(lambda _: self._waiting.subtract([worker]))
        try:
            async with asyncio.timeout(deadline) as timeout:
                # Like a thread, a call that has begun goes on when nobody waits for it any more.
                return await asyncio.shield(call)
        except TimeoutError as error:
            if not timeout.expired():
                raise
            call.cancel()
            if self._turns.get(worker) is turn:
                del self._turns[worker]
            raise missed_deadline(worker, deadline) from error
        except asyncio.CancelledError:
            if not begun.is_set():
                call.cancel()
            raise

    def close(self) -> None:
        """See `Workers.close`."""
        self._closed = True

    async def _call(
        self, worker: str, turn: asyncio.Lock, begun: asyncio.Event, seconds: float | None, function: Callable[[], T]
    ) -> T:
        """A call that waits for its turn, or for its virtual time to pass; `seconds` is None if it is not known yet."""
        async with turn:
            begun.set()
            at = self._clock.monotonic()
            await self._clock.sleep(self._cost(worker) if seconds is None else seconds)
            return self._finish(worker, at, function)

    def _finish(self, worker: str, at: float, function: Callable[[], T]) -> T:
        try:
            return function()
        finally:
            self.calls.append(Call(worker, at, self._clock.monotonic() - at))


class MeasuredWorkers:
    """Implements `device.workers.Workers`: each call takes as much virtual time as it took real time.

    For demonstrations, whose timeline then shows this machine's own latencies; not for tests, which must repeat.
    """

    def __init__(self, virtual: Clock, real: Clock) -> None:
        self._virtual = virtual
        self._real = real

    async def run(self, worker: str, function: Callable[[*Ts], T], *args: *Ts, deadline: float | None = None) -> T:
        """See `Workers.run`; deadlines are not kept, since the call is over when its time is known."""
        began = self._real.monotonic()
        result = function(*args)
        await self._virtual.sleep(self._real.monotonic() - began)
        return result

    def close(self) -> None:
        """See `Workers.close`."""
