"""A clock that stands still until it is told to go on."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(slots=True)
class _Call:
    callback: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class ManualClock:
    """Implements `device.clock.Clock`. `advance` runs what falls due, in order; `step` sets the wall clock.

    Args:
        start: First wall time: naive in `zone`, or aware.
        zone: IANA zone of `now()`.
    """

    def __init__(self, start: datetime, zone: str = "UTC") -> None:
        self._zone = ZoneInfo(zone)
        first = start if start.tzinfo else start.replace(tzinfo=self._zone)
        self._wall = first.astimezone(UTC)
        self._monotonic = 0.0
        self._calls: list[tuple[float, int, _Call]] = []
        self._order = itertools.count()

    def monotonic(self) -> float:
        """See `Clock.monotonic`; begins at zero."""
        return self._monotonic

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._wall.astimezone(self._zone)

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`; returns once somebody has called `advance` far enough."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        self.call_at(self._monotonic + seconds, woken.set)
        await woken.wait()

    def call_at(self, when: float, callback: Callable[[], None]) -> _Call:
        """See `Clock.call_at`."""
        call = _Call(callback)
        heapq.heappush(self._calls, (when, next(self._order), call))
        return call

    def advance(self, seconds: float) -> None:
        """Let time pass, running due callbacks at their own times."""
        end = self._monotonic + seconds
        while self._calls and self._calls[0][0] <= end:
            when, _, call = heapq.heappop(self._calls)
            self._go(max(when, self._monotonic))
            if not call.cancelled:
                call.callback()
        self._go(end)

    def step(self, by: timedelta) -> None:
        """Set the wall clock forward or back; monotonic time does not notice."""
        self._wall += by

    def _go(self, to: float) -> None:
        self._wall += timedelta(seconds=to - self._monotonic)
        self._monotonic = to
