"""What rings: waits for the next timer, alarm or reminder, sounds and speaks until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from device.audio.chimes import chime
from device.audio.mixer import Mixer
from device.audio.playback import Playback
from device.clock import Clock
from device.errors import DeviceError, reportable
from device.events import Observation, Rang, Trouble
from device.skills.schedule import Ring, Scheduler
from device.voice import Voice

GIVE_UP: Final = {"timer": 120.0, "reminder": 30.0, "alarm": 600.0}
"""Seconds after which nobody is there to hear it."""

PAUSE: Final = 1.5
"""Seconds of silence between two rings, in which "stop" is easily heard."""

LONGEST_WAIT: Final = 3600.0
"""Seconds after which it is looked again for what is due."""

CLOCK_LOOK: Final = 20.0
"""Seconds within which it is noticed that the wall clock was set: fewer than `GRACE`, or what is due is missed."""

_STEP: Final = 0.5
"""Seconds between wall and monotonic time that count as set, not as drift."""

AFTER_FAILURE: Final = 5.0
"""Seconds until it is tried again when something broke."""

Words = Callable[[Ring], str]


class Bell:
    """Rings what is due.

    Args:
        scheduler: What is due and what rings.
        mixer: Where it sounds.
        voice: Says what it is.
        clock: Time.
        words: What to say for a ring.
        observe: Told when something rings.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        mixer: Mixer,
        voice: Voice,
        clock: Clock,
        words: Words,
        observe: Callable[[Observation], None] = lambda _: None,
    ) -> None:
        self._scheduler = scheduler
        self._mixer = mixer
        self._voice = voice
        self._clock = clock
        self._words = words
        self._observe = observe
        self._changed = asyncio.Event()
        self._sounding: Playback | None = None
        self._begun: dict[int, tuple[float, str]] = {}

    def changed(self) -> None:
        """Something was set, stopped or snoozed: look again."""
        self._changed.set()

    def stop(self) -> None:
        """Stop all that rings: silent for good, even if that can't be written down."""
        try:
            self._scheduler.stop_ringing()
        except DeviceError as error:
            self._trouble(error)
        self.hush()
        self.changed()

    def hush(self) -> None:
        """Be silent at once; it goes on when quiet unless it was stopped."""
        if self._sounding:
            self._sounding.stop()

    async def run(self, changed: Callable[[bool], None], quiet: Callable[[], bool]) -> None:
        """Ring for ever.

        Args:
            changed: Told when ringing begins (True) and ends (False).
            quiet: Whether it may sound now.
        """
        ringing = False
        while True:
            self._changed.clear()
            try:
                rings = self._look()
                if bool(rings) is not ringing:
                    ringing = bool(rings)
                    changed(ringing)
                if rings and quiet():
                    await self._sound(rings)
                pause = PAUSE if rings else self._until_next()
            except Exception as error:  # a bell that broke once must ring the next time
                self._trouble(error)
                pause = AFTER_FAILURE
            await self._wait(pause)

    def _look(self) -> list[Ring]:
        """What rings now; announces what is new and gives up what nobody heard."""
        now = self._clock.monotonic()
        for ring in self._scheduler.due():
            words = self._words(ring)
            self._begun[ring.id] = now, words
            self._observe(Rang(ring, words, now))
            if ring.trouble:
                self._trouble(ring.trouble)
        rings = [ring for ring in self._scheduler.ringing() if ring.id in self._begun]
        if rings and all(now - self._begun[ring.id][0] > GIVE_UP[ring.kind] for ring in rings):
            self.stop()
            return []
        return rings

    async def _sound(self, rings: list[Ring]) -> None:
        """One round: the bell, then what it is for; the bell alone where the voice fails."""
        self._sounding = self._mixer.play(chime("alarm" if rings[0].kind == "alarm" else "timer"), kind="alarm")
        if await self._sounding.wait() == "stopped":
            return
        self._sounding = self._voice.begin("alarm")
        try:
            await self._voice.speak(" ".join(self._begun[ring.id][1] for ring in rings), self._sounding)
        except DeviceError as error:
            self._trouble(error)
        await self._sounding.wait()

    def _trouble(self, error: Exception) -> None:
        self._observe(Trouble(reportable(error), self._clock.monotonic()))

    def _until_next(self) -> float:
        following = self._scheduler.next_due()
        if following is None:
            return LONGEST_WAIT
        return min(max((following - self._clock.now()).total_seconds(), 0.0), LONGEST_WAIT)

    async def _wait(self, seconds: float) -> None:
        """Sleep, or less when something changed or the wall clock was set."""
        ends, offset = self._clock.monotonic() + seconds, self._offset()
        while not self._changed.is_set() and abs(self._offset() - offset) < _STEP:
            left = ends - self._clock.monotonic()
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, CLOCK_LOOK)):
                    await self._changed.wait()

    def _offset(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()
