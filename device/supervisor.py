"""Keeps the microphone alive: a heartbeat over the ring, and reopening with growing pauses.

A microphone that silently stops delivering is the commonest way in which voice gadgets go deaf until somebody
restarts them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from device.audio.ports import Microphone
from device.audio.ring import Ring
from device.clock import Clock
from device.errors import DeviceError, MicrophoneStalled

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds between attempts to open the microphone again; doubled each time."""


class MicrophoneKeeper:
    """Watches one microphone.

    Args:
        microphone: Delivers into the ring.
        ring: Its `last_push` is the heartbeat.
        clock: Time.
        stall: Seconds of silence of the heartbeat that count as dead.
        lost: Told once each time that the microphone is lost.
        found: Told when it delivers again.
    """

    def __init__(
        self,
        microphone: Microphone,
        ring: Ring,
        clock: Clock,
        stall: float,
        lost: Callable[[DeviceError], None] = lambda _: None,
        found: Callable[[], None] = lambda: None,
    ) -> None:
        self._microphone = microphone
        self._ring = ring
        self._clock = clock
        self._stall = stall
        self._lost = lost
        self._found = found

    async def run(self) -> None:
        """Watch for ever; a finite source that has ended is left alone."""
        while not self._microphone.finished:
            silent_for = self._clock.monotonic() - self._ring.last_push
            if silent_for < self._stall:
                await self._clock.sleep(self._stall - silent_for + 0.001)
                continue
            self._lost(
                MicrophoneStalled(
                    f"{self._microphone.name} has delivered nothing for {silent_for:.0f} s.",
                    remedy="Check its plug; it is opened again by itself.",
                )
            )
            await self._revive()
            self._found()

    async def _revive(self) -> None:
        pause = FIRST_PAUSE
        while True:
            died = self._clock.monotonic()
            self._microphone.stop()
            try:
                self._microphone.start(self._ring.push)
            except DeviceError:
                pass  # still unplugged: tried again below, and the loss was already reported
            else:
                await self._clock.sleep(min(self._stall, pause))
                if self._ring.last_push > died:
                    return
            await self._clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
