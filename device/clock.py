"""Time, injected: the only module that may ask the operating system what time it is.

Everything else takes a `Clock`. The simulator's clock runs thirty days in seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

from dateutil import tz


class Cancellable(Protocol):
    """A scheduled callback that can be called off."""

    def cancel(self) -> None:
        """Call it off; harmless if it already ran."""


class Clock(Protocol):
    """Monotonic time in seconds, wall time with a zone, and waiting."""

    def monotonic(self) -> float:
        """Seconds that never jump; the origin is arbitrary."""

    def now(self) -> datetime:
        """Wall time, always aware."""

    async def sleep(self, seconds: float) -> None:
        """Wait; zero only yields."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Cancellable:
        """Call `callback` on the loop when `monotonic()` reaches `when`."""


class SystemClock:
    """The real clock; `sleep` and `call_at` use the running asyncio loop."""

    def __init__(self, zone: str = "") -> None:
        # The machine's own zone with its rules, not just the present offset: daylight saving must come right.
        self._zone: tzinfo | None = ZoneInfo(zone) if zone else tz.gettz()

    def monotonic(self) -> float:
        """See `Clock.monotonic`; the same origin as asyncio's `loop.time()` on Linux."""
        return time.monotonic()

    def now(self) -> datetime:
        """Wall time in the configured zone, or the machine's own."""
        return datetime.now(self._zone or UTC)

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        await asyncio.sleep(seconds)

    def call_at(self, when: float, callback: Callable[[], None]) -> Cancellable:
        """See `Clock.call_at`."""
        loop = asyncio.get_running_loop()
        return loop.call_at(loop.time() + (when - self.monotonic()), callback)
