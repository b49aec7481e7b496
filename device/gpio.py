"""Light, buttons and microphone switch on the pins of a board, by gpiozero."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from device.config import CaseConfig
from device.errors import ConfigError, Missing
from device.lights import Pattern

_log = logging.getLogger(__name__)

_Rgb: TypeAlias = tuple[float, float, float]

BOUNCE_S: Final = 0.05
"""Seconds for which a contact may bounce."""


class _Look(NamedTuple):
    """How a pattern looks.

    Attributes:
        color: Of three LEDs, each 0 to 1; one LED alone is simply on.
        on: Seconds for which it is on at a time.
        off: Seconds for which it is off then; 0 for a light that stays.
    """

    color: _Rgb
    on: float = 1.0
    off: float = 0.0


LOOKS: Final[Mapping[Pattern, _Look]] = {
    Pattern.OFF: _Look((0, 0, 0)),
    Pattern.LISTENING: _Look((0, 0.4, 1)),
    Pattern.THINKING: _Look((0, 0.9, 0.8), 0.2, 0.2),
    Pattern.SPEAKING: _Look((1, 1, 1)),
    Pattern.FOLLOW_UP: _Look((0, 0.4, 1), 0.5, 0.5),
    Pattern.RINGING: _Look((1, 0.6, 0), 0.3, 0.3),
    Pattern.MUTED: _Look((1, 0, 0), 0.1, 2.9),
    Pattern.DEAF: _Look((0.7, 0, 1), 0.1, 1.4),
}
"""Patterns that one LED alone shows can be told apart by their rhythm, but for listening and speaking."""


class GpioCase:
    """Implements `Lights`; buttons and switch are told once `connect` has said to whom.

    Args:
        config: Which pins, by Broadcom's numbers.
        factory: gpiozero's pin factory; by default the one of this machine.

    Raises:
        ConfigError: A pin is used twice or can't be had.
        Missing: gpiozero is not installed, or this machine has no pins.
    """

    def __init__(self, config: CaseConfig, factory: Any = None) -> None:
        gpiozero = _gpiozero()
        self._led: Any = None
        self._buttons: dict[str, Any] = {}
        self._switch: Any = None
        try:
            if len(config.led) == 3:
                self._led = gpiozero.RGBLED(*config.led, pin_factory=factory)
            elif config.led:
                self._led = gpiozero.LED(config.led[0], pin_factory=factory)
            for name, pin in config.buttons.items():
                self._buttons[name] = gpiozero.Button(pin, bounce_time=BOUNCE_S, pin_factory=factory)
            if config.mute_switch is not None:
                self._switch = gpiozero.Button(config.mute_switch, bounce_time=BOUNCE_S, pin_factory=factory)
        except gpiozero.BadPinFactory as error:
            self.close()
            raise Missing(f"This machine has no pins: {error}.", remedy="Remove [case] from config.toml.") from error
        except (gpiozero.GPIOZeroError, OSError, ValueError) as error:
            self.close()
            raise ConfigError(f"[case]: {error}.", remedy="Give each LED and button a free pin of its own.") from error

    def connect(self, press: Callable[[str], object], switch: Callable[[bool], object]) -> None:
        """Say who is told, in a thread of gpiozero's.

        Args:
            press: Told the name of a button that went down.
            switch: Told whether the microphone is to be off, at once and whenever it changes.
        """
        for name, button in self._buttons.items():
            button.when_pressed = _told(press, name)
        if self._switch is not None:
            self._switch.when_pressed = _told(switch, True)
            self._switch.when_released = _told(switch, False)
            switch(self._switch.is_pressed)

    def show(self, pattern: Pattern) -> None:
        """See `Lights.show`."""
        if self._led is not None:
            try:
                self._show(pattern)
            except Exception as error:  # of whichever library drives the pins
                _log.warning("the light could not show %s: %s", pattern, error)

    def _show(self, pattern: Pattern) -> None:
        look = LOOKS[pattern]
        colors = {"on_color": look.color} if hasattr(self._led, "color") else {}
        if pattern is Pattern.OFF:
            self._led.off()
        elif look.off:
            self._led.blink(look.on, look.off, **colors)
        elif colors:
            self._led.color = look.color
        else:
            self._led.on()

    def close(self) -> None:
        """Let the pins go."""
        for each in (self._led, *self._buttons.values(), self._switch):
            if each is not None:
                each.close()


def _told(tell: Callable[[Any], object], what: object) -> Callable[[], object]:
    return lambda: tell(what)


def _gpiozero() -> Any:
    try:
        import gpiozero
    except ImportError as error:
        raise Missing("gpiozero is not installed.", remedy='Run: pip install "homebody[gpio]"') from error
    return gpiozero
