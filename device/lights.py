"""What the light on the case shows: one pattern for each state in which a person would look at it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Protocol

from device.turns import Phase, TurnState


class Pattern(StrEnum):
    """What is shown; how it looks is the driver's: a ring of LEDs, one lamp, a corner of a screen."""

    OFF = "off"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    FOLLOW_UP = "follow_up"
    RINGING = "ringing"
    MUTED = "muted"
    DEAF = "deaf"


class Lights(Protocol):
    """A light on the case."""

    def show(self, pattern: Pattern) -> None:
        """Show this from now on; returns at once and raises nothing: a broken lamp must not stop the device."""


class NoLights:
    """Implements `Lights` for a device that has none."""

    def show(self, pattern: Pattern) -> None:
        """See `Lights.show`."""


_BUSY: Final = {
    Phase.LISTENING: Pattern.LISTENING,
    Phase.THINKING: Pattern.THINKING,
    Phase.SPEAKING: Pattern.SPEAKING,
    Phase.FOLLOW_UP: Pattern.FOLLOW_UP,
}


def pattern(state: TurnState) -> Pattern:
    """What a person should see: the turn first, then what rings, then why the device would not hear."""
    if state.phase in _BUSY:
        return _BUSY[state.phase]
    if state.ringing:
        return Pattern.RINGING
    if state.closed:
        return Pattern.MUTED
    return Pattern.DEAF if state.deaf else Pattern.OFF
