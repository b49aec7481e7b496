"""How loud a signal is and whether there is one at all: for the doctor, and for the check of an update."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from device.audio.ports import FRAME, Microphone, Pcm
from device.clock import Clock

FULL_SCALE: Final = 32_768.0
"""0 dBFS is this amplitude, for peak and RMS alike; a full-scale sine thus has an RMS of -3.01 dBFS."""

FLOOR_DBFS: Final = -120.0
"""What silence is given as, in place of minus infinity; 16 bits end at -90."""

QUIET_DBFS: Final = -65.0
"""RMS below which a microphone in a room is turned down too far: a quiet room alone is near -60."""

CLIPPED_SHARE: Final = 0.001
"""Share of samples at full scale above which speech is distorted."""

LISTEN_SECONDS: Final = 1.0
"""How long a microphone is listened to."""


@dataclass(frozen=True, slots=True)
class Level:
    """Measures of a stretch of sound.

    Attributes:
        rms_dbfs: Root mean square, in dB relative to `FULL_SCALE`, without the DC offset.
        peak_dbfs: Largest absolute sample, likewise.
        clipped: Share of samples at full scale, 0 to 1.
        dead: No samples, or all of them the same: not even the noise of an input, so nothing is connected, or
            the microphone is switched off.
    """

    rms_dbfs: float
    peak_dbfs: float
    clipped: float
    dead: bool


async def listen(microphone: Microphone, clock: Clock) -> Level:
    """Measure what a microphone delivers for `LISTEN_SECONDS`.

    Raises:
        AudioDeviceMissing: It can't be opened.
    """
    frames: list[Pcm] = []
    microphone.start(frames.append)
    try:
        await clock.sleep(LISTEN_SECONDS)
    finally:
        microphone.stop()
    return measure(np.concatenate(frames) if frames else np.zeros(0, np.int16))


def measure(pcm: Pcm) -> Level:
    """Measure PCM of any length."""
    if not len(pcm):
        return Level(FLOOR_DBFS, FLOOR_DBFS, 0.0, True)
    magnitude = np.abs(pcm.astype(np.int32))
    return Level(
        rms_dbfs=dbfs(float(np.std(pcm.astype(np.float64)))),
        peak_dbfs=dbfs(float(np.max(magnitude))),
        clipped=float(np.mean(magnitude >= 32_767)),
        dead=bool(np.all(pcm == pcm[0])),
    )


def dbfs(amplitude: float) -> float:
    """Amplitude in sample values to dB relative to full scale, at least `FLOOR_DBFS`."""
    return max(FLOOR_DBFS, 20.0 * float(np.log10(max(amplitude, 1e-9) / FULL_SCALE)))


def snr_db(samples: npt.NDArray[np.float32]) -> float:
    """How far speech stands above the noise of the same stretch, in dB.

    The mean power of the loudest tenth of its frames of 32 ms against that of the quietest tenth (a simple minimum
    statistic; Martin 2001, "Noise power spectral density estimation"). Samples of shape [n] in -1..1.
    """
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    if not len(frames):
        return 0.0
    power = np.sort(np.square(frames).mean(axis=1)) + 1e-10
    tenth = max(1, len(power) // 10)
    return float(10.0 * np.log10(power[-tenth:].mean() / power[:tenth].mean()))


def advise(level: Level) -> tuple[str, str] | None:
    """What is wrong with a microphone that delivers this, and what to do; None when it is well."""
    if level.dead:
        return (
            "The microphone delivers no signal at all.",
            "Check its switch and plug, and choose another one with audio.microphone.",
        )
    if level.clipped > CLIPPED_SHARE:
        return "The microphone is too loud: it clips.", "Turn its gain down (alsamixer, F4)."
    if level.rms_dbfs < QUIET_DBFS:
        return "The microphone is very quiet.", "Turn its gain up (alsamixer, F4)."
    return None
