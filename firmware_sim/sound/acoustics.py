"""Rooms: what walls and distance make of a sound, as impulse responses by pyroomacoustics.

Shoebox rooms (image sources for the early reflections, ray tracing for the tail). A response is relative to the sound
at 1 m in the open: its first peak is about `1 / distance`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE
from device.errors import BadInput
from firmware_sim.sound.levels import Samples, db

Response: TypeAlias = NDArray[np.float32]
"""Impulse response at 16 kHz, float32 of shape [n]."""

Point: TypeAlias = tuple[float, float, float]
"""Metres from a corner: length, width, height."""

_REFLECTIONS: Final = 3
_RAYS: Final = 10_000
"""Order up to which reflections are exact, and rays that make the tail."""

_SEED: Final = 0

_ACROSS: Final = ((0.23, 0.31, 0.42), (0.71, 0.64, 0.58))
"""Two points, in shares of a room's sides, between which its decay is measured."""

_DECAY_DB: Final = 30
"""The decay is measured over so many dB, as ISO 3382 does for T30."""

_FLOOR_DB: Final = -60.0
"""A response ends where what is left of its energy has fallen by this."""


@dataclass(frozen=True, slots=True)
class Space:
    """A room and who is where in it.

    Attributes:
        size: Length, width and height in m.
        rt60: Reverberation time in s: in which sound decays by 60 dB.
        device: Where the microphone is.
        person: Where somebody speaks.
        television: Where a television stands.
        loudspeaker: Where the device's own loudspeaker is.

    Raises:
        BadInput: A size or time that no room has, or a point outside the room.
    """

    size: Point
    rt60: float
    device: Point
    person: Point
    television: Point
    loudspeaker: Point

    def __post_init__(self) -> None:
        """Raises: BadInput."""
        if not (all(1 <= side <= 50 for side in self.size) and 0.1 <= self.rt60 <= 3):
            raise BadInput(
                f"There is no room of {self.size} m with an RT60 of {self.rt60} s.",
                remedy="Give sides of 1 to 50 m and 0.1 to 3 s.",
            )
        for name in ("device", "person", "television", "loudspeaker"):
            point: Point = getattr(self, name)
            if not all(0 < at < side for at, side in zip(point, self.size, strict=True)):
                raise BadInput(
                    f"The {name} at {point} m is outside of a room of {self.size} m.", remedy="Put it inside."
                )

    def speech(self) -> Response:
        """From the person to the microphone."""
        return impulse_response(self.size, self.rt60, self.person, self.device)

    def broadcast(self) -> Response:
        """From the television to the microphone."""
        return impulse_response(self.size, self.rt60, self.television, self.device)

    def echo(self, gain_db: float) -> Response:
        """From the loudspeaker to the microphone of the same case, the direct sound at `gain_db`."""
        response = impulse_response(self.size, self.rt60, self.loudspeaker, self.device)
        return response * np.float32(math.dist(self.loudspeaker, self.device) * db(gain_db))


SPACES: Final[Mapping[str, Space]] = MappingProxyType(
    {
        "near": Space((5.0, 4.0, 2.6), 0.4, (2.0, 2.0, 0.8), (2.4, 2.0, 1.1), (4.6, 3.2, 1.0), (2.08, 2.0, 0.8)),
        "across": Space((6.0, 4.5, 2.6), 0.5, (0.8, 1.0, 0.9), (3.5, 2.2, 1.2), (5.6, 3.6, 1.0), (0.88, 1.0, 0.9)),
        "kitchen": Space((3.6, 3.0, 2.5), 0.55, (0.5, 0.6, 1.0), (1.9, 1.7, 1.6), (3.2, 2.6, 1.2), (0.58, 0.6, 1.0)),
        "bathroom": Space((2.6, 2.2, 2.4), 0.8, (0.4, 0.5, 1.1), (1.4, 1.3, 1.6), (2.3, 1.9, 1.3), (0.48, 0.5, 1.1)),
    }
)
"""By name: 0.5 m before the device; 3 m across a living room; a kitchen; a bathroom with tiles."""


def space(name: str) -> Space:
    """One of `SPACES`.

    Raises:
        BadInput: There is no such one.
    """
    if name not in SPACES:
        raise BadInput(f"There is no room `{name}`.", remedy=f"Choose from: {', '.join(SPACES)}, or give its numbers.")
    return SPACES[name]


@lru_cache(maxsize=64)
def impulse_response(size: Point, rt60: float, source: Point, microphone: Point) -> Response:
    """The response between two points of a shoebox room; the same for the same numbers, and read-only.

    Args:
        size: Length, width and height in m.
        rt60: Reverberation time in s.
        source: Where the sound comes from.
        microphone: Where it is heard.

    Raises:
        BadInput: Absorption can't make such a room so dry.
    """
    response = _trace(size, _absorption(size, rt60), source, microphone)
    left = np.cumsum(np.square(response)[::-1])[::-1]
    end = int(np.searchsorted(-left, -left[0] * 10 ** (_FLOOR_DB / 10)))
    result: Response = response[:end].astype(np.float32)
    result.flags.writeable = False
    return result


def reverberate(samples: NDArray[Any], response: Response) -> Samples:
    """A sound as it arrives: shape [n], [m] -> [n + m - 1]."""
    from scipy.signal import fftconvolve

    arrived: Samples = fftconvolve(samples.astype(np.float64), response.astype(np.float64))
    return arrived


@lru_cache(maxsize=64)
def _absorption(size: Point, rt60: float) -> float:
    """Share of the energy that the walls absorb, so that sound across the room decays in `rt60`."""
    import pyroomacoustics as pra

    here, there = (tuple(share * side for side, share in zip(size, shares, strict=True)) for shares in _ACROSS)
    asked = rt60
    for last in (False, True):
        try:
            absorption, _order = pra.inverse_sabine(asked, size)
        except ValueError as error:
            raise BadInput(
                f"A room of {size} m can't have an RT60 as short as {rt60} s.", remedy="Make it longer."
            ) from error
        if not last:  # Sabine's formula assumes a diffuse field: once more, by what was measured
            response = _trace(size, absorption, here, there)
            asked *= rt60 / float(pra.experimental.measure_rt60(response, fs=SAMPLE_RATE, decay_db=_DECAY_DB))
    return float(absorption)


def _trace(
    size: Point, absorption: float, source: tuple[float, ...], microphone: tuple[float, ...]
) -> NDArray[np.float64]:
    import pyroomacoustics as pra

    pra.random.seed(_SEED)  # the tail is drawn at random
    room = pra.ShoeBox(
        size, fs=SAMPLE_RATE, materials=pra.Material(absorption), max_order=_REFLECTIONS, ray_tracing=True
    )
    room.set_ray_tracing(n_rays=_RAYS)
    room.add_source(source)
    room.add_microphone(microphone)
    room.compute_rir()
    lead = pra.constants.get("frac_delay_length") // 2  # half of the filter that places reflections between samples
    response: NDArray[np.float64] = np.asarray(room.rir[0][0], np.float64)[lead:]
    return response
