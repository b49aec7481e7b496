"""Real time with a wall clock that can be set wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from device.clock import Cancellable, Clock


class SteppedClock:
    """Implements `Clock` over another one; its wall time can be set, as a time server does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = timedelta(0)

    def monotonic(self) -> float:
        """See `Clock.monotonic`; steps don't touch it."""
        return self._clock.monotonic()

    def now(self) -> datetime:
        """Wall time as this clock believes it to be."""
        now = self._clock.now()
        # Adding in UTC: a day on which the zone changes to summer time has 23 hours.
        return (now.astimezone(UTC) + self._offset).astimezone(now.tzinfo)

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        await self._clock.sleep(seconds)

    def call_at(self, when: float, callback: Callable[[], None]) -> Cancellable:
        """See `Clock.call_at`."""
        return self._clock.call_at(when, callback)

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back."""
        self._offset += timedelta(seconds=seconds)

    @property
    def offset(self) -> float:
        """Seconds by which it is ahead of the right time."""
        return self._offset.total_seconds()
