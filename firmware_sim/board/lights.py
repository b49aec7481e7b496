"""A ring of LEDs that remembers what it showed, and knows how that looks at any moment."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from device.clock import Clock
from device.lights import Pattern

HISTORY: Final = 10_000
"""Patterns that a ring remembers."""

_Rgb = tuple[int, int, int]

_BLUE: Final[_Rgb] = (0, 110, 255)
_CYAN: Final[_Rgb] = (0, 220, 200)
_WHITE: Final[_Rgb] = (255, 255, 255)
_AMBER: Final[_Rgb] = (255, 160, 0)
_RED: Final[_Rgb] = (255, 0, 0)
_VIOLET: Final[_Rgb] = (170, 0, 255)


class LedRing:
    """Implements `device.lights.Lights`.

    Args:
        clock: Time.
        count: How many LEDs there are; 0 for a board that has none.

    Attributes:
        count: How many LEDs there are.
        pattern: What it shows now.
        history: When it began to show what (monotonic seconds), the last `HISTORY` of them.
    """

    def __init__(self, clock: Clock, count: int) -> None:
        self.count = count
        self.pattern = Pattern.OFF
        self.history: deque[tuple[float, Pattern]] = deque(maxlen=HISTORY)
        self._clock = clock

    def show(self, pattern: Pattern) -> None:
        """See `Lights.show`."""
        self.pattern = pattern
        self.history.append((self._clock.monotonic(), pattern))

    def colors(self, now: float) -> tuple[str, ...]:
        """What the LEDs look like at a moment (monotonic seconds), one `#rrggbb` each, clockwise from the top."""
        since = self.history[-1][0] if self.history else 0.0
        return colors(self.pattern, now - since, self.count)


def colors(pattern: Pattern, seconds: float, count: int) -> tuple[str, ...]:
    """What a ring of `count` LEDs looks like when it has shown this pattern for so many seconds."""
    return tuple(_color(pattern, seconds, led / count) for led in range(count))


def _color(pattern: Pattern, seconds: float, place: float) -> str:
    """The LED at this place of the ring, 0 to 1 clockwise."""
    match pattern:
        case Pattern.LISTENING:  # one turn a second, with a tail
            return _lit(_BLUE, 0.25 + 0.75 * ((place - seconds) % 1.0) ** 2)
        case Pattern.THINKING:
            return _lit(_WHITE, 0.15 + 0.85 * _wave(1.5 * seconds))
        case Pattern.SPEAKING:  # two slow waves around the ring
            return _lit(_CYAN, 0.3 + 0.7 * _wave(0.8 * seconds - 2 * place))
        case Pattern.FOLLOW_UP:
            return _lit(_BLUE, 0.3)
        case Pattern.RINGING:  # on and off, twice a second
            return _lit(_AMBER, 1.0 if (2 * seconds) % 1.0 < 0.5 else 0.1)
        case Pattern.MUTED:
            return _lit(_RED, 0.6)
        case Pattern.DEAF:  # unlike the mute switch, which is meant: a slow breath in another colour
            return _lit(_VIOLET, 0.1 + 0.5 * _wave(0.4 * seconds))
        case Pattern.OFF:
            return "#000000"


def _wave(turns: float) -> float:
    """From 0 up to 1 and back, once a turn."""
    return 0.5 - 0.5 * math.cos(2 * math.pi * turns)


def _lit(color: _Rgb, brightness: float) -> str:
    return "#" + "".join(f"{round(channel * brightness):02x}" for channel in color)
