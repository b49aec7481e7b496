"""What the assistant tells the world: frozen facts for displays, lights, logs and tests. Nobody can answer back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from device.dialogue.conversation import Turn
from device.errors import DeviceError
from device.skills.schedule import Ring
from device.turns import Phase


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """The machine entered a phase; `at` is monotonic seconds."""

    phase: Phase
    at: float


@dataclass(frozen=True, slots=True)
class TurnDone:
    """A turn was understood and carried out; its reply is about to be spoken.

    Attributes:
        turn: What it led to.
        at: Monotonic seconds.
        ignored: It was talk in the follow-up window that made no sense: nothing is said.
    """

    turn: Turn
    at: float
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class SoundBegan:
    """The first sample of a reply left the speaker.

    Attributes:
        latency: Seconds since the end of speech was detected.
        after_speech: Seconds since the last word, with the pause that proved it was the last.
        at: Monotonic seconds.
    """

    latency: float
    after_speech: float
    at: float


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What the device was saying or doing was cut short, by a wake word or by "stop"."""

    at: float


@dataclass(frozen=True, slots=True)
class Rang:
    """An alarm, timer or reminder rings; `words` are what it says."""

    ring: Ring
    words: str
    at: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something broke; the device goes on."""

    error: DeviceError
    at: float


Observation: TypeAlias = PhaseChanged | TurnDone | SoundBegan | Interrupted | Rang | Trouble
