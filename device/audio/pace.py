"""Calls something at a fixed period by the injected clock: the heartbeat of every source and sink without a card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from device.audio.ports import FRAME, SAMPLE_RATE
from device.clock import Cancellable, Clock

FRAME_SECONDS: Final = FRAME / SAMPLE_RATE
"""Seconds that one frame lasts: 0.032."""


class Pacer:
    """Calls `tick` once a period, by default a frame; each time is counted from the start, so that errors don't add up.

    When the loop was busy, the missed ticks follow at once: like a card, it owes one frame for each 32 ms.
    """

    def __init__(
        self, clock: Clock, tick: Callable[[], bool], *, first: float = 0.0, period: float = FRAME_SECONDS
    ) -> None:
        """`tick` returns False to end; `first` is the delay in seconds before the first call."""
        self._clock = clock
        self._tick = tick
        self._first = first
        self._period = period
        self._next: Cancellable | None = None
        self._origin = 0.0
        self._count = 0

    @property
    def running(self) -> bool:
        """True between `start` and `stop` (or the last tick)."""
        return self._next is not None

    def start(self) -> None:
        """Begin now, on the running loop."""
        self.stop()
        self._origin = self._clock.monotonic() + self._first
        self._count = 0
        self._next = self._clock.call_at(self._origin, self._run)

    def stop(self) -> None:
        """End; no call follows."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _run(self) -> None:
        self._count += 1
        # The next call is booked first: `tick` itself may call `stop`.
        self._next = self._clock.call_at(self._origin + self._count * self._period, self._run)
        if not self._tick():
            self.stop()
