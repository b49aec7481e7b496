"""Virtual time: an event loop that never waits, and the device's `Clock` on top of it.

When nothing is ready the loop moves its time to the next scheduled callback and goes on, so that thirty days
pass in a second, and every run is the same. Whatever uses asyncio's own time (`asyncio.timeout`, `wait_for`,
`sleep`) lives in virtual time too.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextvars import Context
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, TypeVar, TypeVarTuple
from zoneinfo import ZoneInfo

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

DEFAULT_START: Final = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""Wall time at which a simulation begins unless told otherwise: a Monday morning."""

_BUSY_TURNS: Final = 16
"""Turns of a loop that has callbacks ready, one of which also looks for wake-ups from outside."""


class DeadlockError(RuntimeError):
    """Everything waits and nothing is scheduled: in real life this would hang for ever."""


class TimeLimitError(RuntimeError):
    """The simulation went on longer than it was allowed to in virtual time."""


class _VirtualSelector(selectors.DefaultSelector):
    """Instead of waiting, moves the time."""

    def __init__(self, limit: float) -> None:
        super().__init__()
        self.time = 0.0
        self._limit = limit
        self._busy = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # While callbacks are ready, asking the system each time would cost more than they do.
        if timeout == 0:
            self._busy = (self._busy + 1) % _BUSY_TURNS
            if self._busy:
                return []
        # What is ready now (a wake-up from a thread, a signal) comes before time moves.
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise DeadlockError("deadlock: every task waits and nothing is left to happen")
        self.time += timeout
        if self.time > self._limit:
            raise TimeLimitError(f"the simulation did not end within {self._limit} virtual seconds")
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop in virtual time that begins at 0."""

    def __init__(self, limit: float = float("inf")) -> None:
        """`limit`: virtual seconds after which the run is called stuck."""
        self._virtual = _VirtualSelector(limit)
        super().__init__(self._virtual)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual.time

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As in asyncio, but from the loop itself without waking it up: it never sleeps."""
        if asyncio._get_running_loop() is self:
            return self.call_soon(callback, *args, context=context)
        return super().call_soon_threadsafe(callback, *args, context=context)


class VirtualClock:
    """Implements `device.clock.Clock` on a `VirtualLoop`; its wall clock can be wrong as real ones are."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime = DEFAULT_START) -> None:
        """`start` must be aware; its zone is the device's zone.

        Raises:
            ValueError: `start` is naive.
        """
        if start.tzinfo is None:
            raise ValueError("start needs a time zone")
        self._loop = loop
        self._zone: tzinfo = start.tzinfo
        self._wall = start.astimezone(UTC)
        self._since = loop.time()
        self._rate = 1.0

    def monotonic(self) -> float:
        """See `Clock.monotonic`; the loop's time."""
        return self._loop.time()

    def now(self) -> datetime:
        """Wall time as this clock believes it to be, in its zone."""
        elapsed = (self.monotonic() - self._since) * self._rate
        # Adding in UTC: a day on which the zone changes to summer time has 23 hours.
        return (self._wall + timedelta(seconds=elapsed)).astimezone(self._zone)

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        await asyncio.sleep(seconds)

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """See `Clock.call_at`."""
        return self._loop.call_at(when, callback)

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as a time server does; monotonic time goes on evenly."""
        self._settle()
        self._wall += timedelta(seconds=seconds)

    def drift(self, rate: float) -> None:
        """Let the wall clock run at `rate` seconds a second from now on, e.g. 1.0001."""
        self._settle()
        self._rate = rate

    def set_zone(self, zone: str) -> None:
        """Move the device to another IANA zone; the instant stays.

        Raises:
            ZoneInfoNotFoundError: No such zone.
        """
        self._zone = ZoneInfo(zone)

    def _settle(self) -> None:
        self._wall = self.now().astimezone(UTC)
        self._since = self.monotonic()


def run(
    main: Callable[[VirtualClock], Coroutine[Any, Any, T]],
    start: datetime = DEFAULT_START,
    *,
    limit: float = float("inf"),
) -> T:
    """Run `main(clock)` in virtual time until it returns; tasks that are left over are cancelled.

    Args:
        main: The simulation.
        start: Wall time at the beginning, aware.
        limit: Virtual seconds after which the run is called stuck: a microphone that delivers for ever keeps a
            loop busy although nobody gets what they wait for.

    Raises:
        DeadlockError: Every task waits and nothing is scheduled.
        TimeLimitError: `limit` has passed.
    """
    loop = VirtualLoop(limit)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main(VirtualClock(loop, start)))
