"""The audio worker's side of the edge loop: frames lose the device's own sound, then go through the ears."""

from __future__ import annotations

from typing import Final

from device.audio.echo import EchoCanceller
from device.audio.mixer import EchoReference, Mixer
from device.audio.ports import Pcm
from device.clock import Clock
from device.speech.listen import Listener, ListenEvent, Mode

ECHO_TAIL: Final = 0.5
"""Seconds for which echo is cancelled after the last sound: rooms ring on."""


class Hearing:
    """Echo cancellation and listener as one.

    `feed` belongs to the audio worker; `listen` and `hold` may be called from the loop meanwhile and take effect with
    the next frame.

    Args:
        listener: Wake word, voice activity and endpoint.
        mixer: Knows what the device sounds.
        clock: Time.
    """

    def __init__(self, listener: Listener, mixer: Mixer, clock: Clock) -> None:
        self._listener = listener
        self._mixer = mixer
        self._clock = clock
        self._request: tuple[Mode, int | None] | None = ("idle", None)
        self._hold: tuple[int, float] | None = None
        self._canceller: EchoCanceller | None = None
        self._reference: EchoReference | None = None
        self._sounded_at = float("-inf")

    @property
    def speaking(self) -> bool:
        """True while somebody speaks, not in a pause."""
        return self._listener.speaking

    @property
    def begun(self) -> bool:
        """True once somebody has begun to speak, in a pause as well."""
        return self._listener.begun

    @property
    def position(self) -> int:
        """Samples heard so far: the scale of all positions in events."""
        return self._listener.position

    def listen(self, mode: Mode, since: int | None = None) -> None:
        """See `Listener.listen`."""
        self._request = (mode, since)

    def hold(self, at: int, seconds: float) -> None:
        """See `Listener.hold`."""
        self._hold = (at, seconds)

    def feed(self, frame: Pcm) -> list[ListenEvent]:
        """Take the next frame; say what happened."""
        request, self._request = self._request, None
        if request:
            self._listener.listen(*request)
        hold, self._hold = self._hold, None
        if hold:
            self._listener.hold(*hold)
        return self._listener.feed(self._without_echo(frame))

    def _without_echo(self, frame: Pcm) -> Pcm:
        """The frame without the device's own sound, while there is any."""
        now = self._clock.monotonic()
        if self._mixer.playing():
            self._sounded_at = now
        if now - self._sounded_at > ECHO_TAIL:
            self._reference = None
            return frame
        # What the canceller has learned about the room is kept from one reply to the next.
        if self._canceller is None:
            self._canceller = EchoCanceller()
        if self._reference is None:
            self._reference = self._mixer.reference()
        return self._canceller.process(frame, self._reference.read(len(frame)))
