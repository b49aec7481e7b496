"""A wake word on recordings: whom it hears, clean and in noise, and what else wakes it.

Everything runs frame by frame as on the device, once for all thresholds: a network's probabilities do not depend on
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.speech.wake import REFRACTORY, MicroWakeWord
from device.speech.wake_check import LOOKS, SECONDS, Look, MoonshineCheck
from firmware_sim.trials.recordings import noisy

RUN_IN: Final = 1.5
"""Seconds of silence, or of noise alone, before each recording: the front end has to settle, as in a room."""

AFTER: Final = 0.5
"""Seconds after a recording in which a detection is still its own, as in Picovoice's wake-word benchmark.

https://github.com/Picovoice/wake-word-benchmark, `mixer.py`. There, too, recordings lie in a stream that goes on.
"""

_APART: Final = -(-REFRACTORY // FRAME)
"""Frames from one detection to the next, at least."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that woke the first stage.

    Attributes:
        at: Sample after which the device would wake.
        look: What the second stage makes of it; None without one.
    """

    at: int
    look: Look | None

    @property
    def believed(self) -> bool:
        """Whether the device wakes."""
        return self.look is None or self.look.confirms


@dataclass(slots=True)
class Ears:
    """The wake word as the device hears it, at any threshold.

    Attributes:
        word: One of `device.speech.wake.WAKE_WORDS`.
        check: The second stage; None for the first alone.
    """

    word: str
    check: MoonshineCheck | None
    _engine: MicroWakeWord = field(init=False)

    def __post_init__(self) -> None:
        """Raises: BadInput and EngineMissing, see `MicroWakeWord`."""
        self._engine = MicroWakeWord([self.word])

    @property
    def phrase(self) -> str:
        """The word as it is spoken."""
        return self._engine.capabilities.phrases[0]

    def hear(self, pcm: Pcm, thresholds: Sequence[float]) -> dict[float, list[Hit]]:
        """What wakes at each threshold in 16 kHz mono sound, which begins in silence."""
        phrase = self.phrase
        self._engine.reset()
        whole = [pcm[begin : begin + FRAME] for begin in range(0, len(pcm), FRAME)]
        means = np.array([max((m[phrase] for m in self._engine.means(frame)), default=0.0) for frame in whole])
        looks: dict[int, Look] = {}
        found: dict[float, list[Hit]] = {}
        for threshold in thresholds:
            ends = [(index + 1) * FRAME for index in crossings(means, threshold, _APART)]
            found[threshold] = [self._hit(pcm, end, looks) for end in ends]
        return found

    def _hit(self, pcm: Pcm, end: int, looks: dict[int, Look]) -> Hit:
        """The first look that confirms what the network heard until a sample, or the last; `looks` keeps them."""
        if self.check is None:
            return Hit(end, None)
        for at in (end + later for later in LOOKS):
            if at not in looks:
                looks[at] = self.check.look(self.phrase, pcm[max(0, at - round(SECONDS * SAMPLE_RATE)) : at])
            if looks[at].confirms:
                break
        return Hit(at, looks[at])


def crossings(means: NDArray[np.float64], threshold: float, apart: int) -> list[int]:
    """Where values exceed a threshold, each at least `apart` after the one before it."""
    found: list[int] = []
    for index in np.flatnonzero(means > threshold).tolist():
        if not found or index - found[-1] >= apart:
            found.append(index)
    return found


def detect(
    ears: Ears, clips: Sequence[Pcm], thresholds: Sequence[float], noise: Pcm | None, snr_db: float, seed: int
) -> dict[float, list[bool]]:
    """Which recordings of the wake word are heard at each threshold.

    Args:
        ears: Hear them.
        clips: 16 kHz mono, each with the word in it once, whatever stands before or behind it.
        thresholds: Of the first stage.
        noise: 16 kHz mono, longer than every clip by `RUN_IN` and `AFTER`; None for the recordings as they are.
        snr_db: See `firmware_sim.sound.noise.mix`.
        seed: Picks the excerpts of noise.

    Raises:
        BadInput: The noise is too short, or it or a recording is silent.
    """
    before, after = round(RUN_IN * SAMPLE_RATE), round(AFTER * SAMPLE_RATE)
    heard: dict[float, list[bool]] = {threshold: [] for threshold in thresholds}
    for index, clip in enumerate(clips):
        sound = np.pad(clip, (before, after))
        if noise is not None:
            sound = noisy(sound, noise, snr_db, seed, index)
        for threshold, hits in ears.hear(sound, thresholds).items():
            heard[threshold].append(any(hit.believed and hit.at > before for hit in hits))
    return heard


@dataclass(frozen=True, slots=True)
class FalseAccept:
    """What should not have woken it: in which file, after how many seconds, and what the second stage made of it."""

    name: str
    seconds: float
    look: Look | None


@dataclass(slots=True)
class Talk:
    """What speech without the wake word did.

    Attributes:
        seconds: How much there was.
        first: How often the first stage alone woke, by threshold.
        accepts: What woke the device, by threshold.
    """

    seconds: float
    first: dict[float, int]
    accepts: dict[float, list[FalseAccept]]


def overhear(ears: Ears, speech: Iterable[tuple[str, Pcm]], thresholds: Sequence[float]) -> Talk:
    """What wakes at each threshold in speech without the wake word, 16 kHz mono, by the name of its file."""
    talk = Talk(0.0, dict.fromkeys(thresholds, 0), {threshold: [] for threshold in thresholds})
    for name, pcm in speech:
        talk.seconds += len(pcm) / SAMPLE_RATE
        for threshold, hits in ears.hear(pcm, thresholds).items():
            talk.first[threshold] += len(hits)
            talk.accepts[threshold] += (
                FalseAccept(name, hit.at / SAMPLE_RATE, hit.look) for hit in hits if hit.believed
            )
    return talk
