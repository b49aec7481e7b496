"""Keeps microphone and speaker alive: a heartbeat each, and reopening with growing pauses.

A microphone that silently stops delivering is the commonest way in which voice gadgets go deaf until somebody
restarts them; one that delivers nothing but zeros is no better. A sound server that is restarted takes the speaker too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from device.audio.mixer import Mixer
from device.audio.ports import Microphone, Speaker
from device.audio.ring import Ring
from device.clock import Clock
from device.errors import DeviceError, MicrophoneSilent, MicrophoneStalled, SpeakerStalled

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds between attempts to open a device again; doubled each time."""

DEAD_AFTER: Final = 10.0
"""Seconds of samples that are all the same after which a microphone counts as dead.

Every input that is alive has some noise. Longer than a sound server takes to move a stream, and than noise gates close
between the words of somebody who is talking to the device.
"""


class _Keeper(ABC):
    """Watches one heartbeat and opens its device again when it stops."""

    def __init__(
        self, clock: Clock, stall: float, lost: Callable[[DeviceError], None], found: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._stall = stall
        self._lost = lost
        self._found = found

    async def run(self) -> None:
        """Watch for ever; a finite source that has ended is left alone."""
        while not self._finished():
            silent_for = self._clock.monotonic() - self._last_beat()
            if silent_for < self._stall:
                await self._clock.sleep(self._stall - silent_for + 0.001)
                continue
            self._lost(self._loss(silent_for))
            await self._revive()
            self._found()

    async def _revive(self) -> None:
        pause = FIRST_PAUSE
        while True:
            self._stop()
            try:
                self._start()
            except DeviceError:
                pass  # still unplugged: tried again below, and the loss was already reported
            else:
                trial = min(self._stall, pause)
                opened = self._clock.monotonic()
                await self._clock.sleep(trial)
                # Beats of the first half may only have filled buffers that nobody empties.
                if self._last_beat() > opened + trial / 2:
                    return
            await self._clock.sleep(pause)
            if self._last_beat() > self._clock.monotonic() - pause / 2:
                return  # it came back by itself
            pause = min(2 * pause, LONGEST_PAUSE)

    @abstractmethod
    def _last_beat(self) -> float: ...

    @abstractmethod
    def _loss(self, silent_for: float) -> DeviceError: ...

    @abstractmethod
    def _start(self) -> None: ...

    @abstractmethod
    def _stop(self) -> None: ...

    def _finished(self) -> bool:
        return False


class MicrophoneKeeper(_Keeper):
    """Watches one microphone.

    Args:
        microphone: Delivers into the ring.
        ring: Its `last_push` and `last_signal` are the heartbeat.
        clock: Time.
        stall: Seconds of silence of the heartbeat that count as dead.
        lost: Told once each time that the microphone is lost.
        found: Told when it delivers again.
        off: Whether somebody has switched it off: then it is silent, and well.
    """

    def __init__(
        self,
        microphone: Microphone,
        ring: Ring,
        clock: Clock,
        stall: float,
        lost: Callable[[DeviceError], None] = lambda _: None,
        found: Callable[[], None] = lambda: None,
        off: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(clock, stall, lost, found)
        self._microphone = microphone
        self._ring = ring
        self._off = off
        self._off_at = float("-inf")

    def _last_beat(self) -> float:
        """Of samples; of sound only where that is missing for longer."""
        if self._off():
            self._off_at = self._clock.monotonic()
        signal = max(self._ring.last_signal, self._off_at)
        return min(self._ring.last_push, signal + max(DEAD_AFTER - self._stall, 0.0))

    def _loss(self, silent_for: float) -> DeviceError:
        if self._clock.monotonic() - self._ring.last_push < self._stall:
            return MicrophoneSilent(
                f"{self._microphone.name} has delivered nothing but silence for {DEAD_AFTER:.0f} s.",
                remedy="Check its switch and its plug; it is opened again by itself.",
            )
        return MicrophoneStalled(
            f"{self._microphone.name} has delivered nothing for {silent_for:.0f} s.",
            remedy="Check its plug; it is opened again by itself.",
        )

    def _start(self) -> None:
        self._microphone.start(self._ring.push)

    def _stop(self) -> None:
        self._microphone.stop()

    def _finished(self) -> bool:
        return self._microphone.finished


class SpeakerKeeper(_Keeper):
    """Watches one speaker.

    Args:
        speaker: Pulls from the mixer.
        mixer: Its `last_pull` is the heartbeat.
        clock: Time.
        stall: Seconds without a pull that count as dead.
        lost: Told once each time that the speaker is lost.
        found: Told when it pulls again.
    """

    def __init__(
        self,
        speaker: Speaker,
        mixer: Mixer,
        clock: Clock,
        stall: float,
        lost: Callable[[DeviceError], None] = lambda _: None,
        found: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(clock, stall, lost, found)
        self._speaker = speaker
        self._mixer = mixer

    def _last_beat(self) -> float:
        return self._mixer.last_pull

    def _loss(self, silent_for: float) -> DeviceError:
        return SpeakerStalled(
            f"{self._speaker.name} has taken nothing for {silent_for:.0f} s.",
            remedy="Check its plug; it is opened again by itself.",
        )

    def _start(self) -> None:
        self._speaker.start(self._mixer.pull)

    def _stop(self) -> None:
        self._speaker.stop()
