"""The loudness that the user asked for, and what it means for each kind of sound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, TypeAlias

SoundKind: TypeAlias = Literal["speech", "chime", "alarm", "media"]
"""What a stream is: it decides about ducking and about the alarm's floor."""

ALARM_FLOOR: Final = 30
"""Alarms (timers and reminders too) are never played below this level, muted or not: one sleeps through silence."""


def perceptual_gain(level: int) -> float:
    """Amplitude gain, 0 to 1, of a volume level, 0 to 100: the cube of the fraction.

    Half the level is -18 dB, about a quarter as loud; zero is exact silence. The cubic mapping is the one of
    PulseAudio's software volumes (`pa_sw_volume_to_linear`); why a linear one is wrong, and powers approximate
    the ideal exponential well: dr-lex.be/info-stuff/volumecontrols.html.
    """
    return float((level / 100) ** 3)


class DeviceVolume:
    """Implements `device.skills.ports.Volume`; ducking happens in the mixer and never comes here."""

    def __init__(
        self, level: int = 60, muted: bool = False, *, save: Callable[[int, bool], None] | None = None
    ) -> None:
        """Begin with what was saved.

        `save(level, muted)` is called after each change; it may raise `StorageError`, which is passed on
        although the change is already audible.
        """
        self._level = _clamp(level)
        self._muted = muted
        self._save = save

    def level(self) -> int:
        """0 to 100."""
        return self._level

    def muted(self) -> bool:
        """True when muted."""
        return self._muted

    def set_level(self, level: int) -> None:
        """Set 0 to 100 (values beyond are held to the nearest end) and unmute."""
        self._change(_clamp(level), False)

    def set_muted(self, muted: bool) -> None:
        """Mute or unmute; the level stays."""
        self._change(self._level, muted)

    def gain(self, kind: SoundKind) -> float:
        """Amplitude gain, 0 to 1, for a stream of this kind. May be called from any thread."""
        level = 0 if self._muted else self._level
        return perceptual_gain(max(level, ALARM_FLOOR) if kind == "alarm" else level)

    def _change(self, level: int, muted: bool) -> None:
        if (level, muted) == (self._level, self._muted):
            return
        self._level, self._muted = level, muted
        if self._save is not None:
            self._save(level, muted)


def _clamp(level: int) -> int:
    return max(0, min(100, level))
