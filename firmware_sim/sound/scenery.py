"""What goes on in a room behind what is said: noises, many voices, somebody else who talks, a television.

Each function makes a sound that is repeated as a `Bed` of the microphone; the same for the same seed and voices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from device.audio.level import dbfs
from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import BadInput
from device.speech.ports import render
from firmware_sim.sound.levels import Samples, active_rms, amplitude, db, scaled
from firmware_sim.sound.voices import Voices

SENTENCES: Final = (
    "The birch canoe slid on the smooth planks.",
    "Glue the sheet to the dark blue background.",
    "It's easy to tell the depth of a well.",
    "These days a chicken leg is a rare dish.",
    "Rice is often served in round bowls.",
    "The juice of lemons makes fine punch.",
    "The box was thrown beside the parked truck.",
    "The hogs were fed chopped corn and garbage.",
    "Four hours of steady work faced us.",
    "A large size in stockings is hard to sell.",
)
"""Phonetically balanced sentences, which no device should mistake for a command: the first of the Harvard lists.

IEEE Recommended Practice for Speech Quality Measurements, 1969, list 1.
"""

BROADCAST: Final = (
    "Good evening, and welcome to the programme.",
    "The bridge across the river will stay closed until the spring, the council said today.",
    "Farmers in the north have begun the harvest two weeks early.",
    "Our reporter has been talking to people at the harbour.",
    "Well, I have lived here all my life, and I have never seen the water so high.",
    "More about that after the break.",
    "And now the sport. The home team lost by a single goal in the last minute.",
    "It stays dry in the east, with showers along the coast towards the evening.",
)
"""What a television says."""

BABBLE_VOICES: Final = (
    "en-gb+m3@165",
    "en-us+f2@185",
    "en-rp+f4@170/60",
    "en-lancaster@190",
    "en-nyc+m7@160",
    "en-us+f1",
)
TELEVISION_VOICES: Final = ("en-rp@180", "en-us+f3@190/55", "en-gb+m5@170")
"""Who speaks unless somebody else is named."""

_PEAK: Final = 16_384
"""Largest sample of a bed that is made here: half of full scale."""

_WHITE, _PINK = 1, 2
"""Streams of random numbers, so that sounds of the same seed, the microphone's noise included, are not the same."""

_HUM_DB: Final = -25.0
"""A television's own noise under its speech."""


def white(seconds: float, seed: int = 0) -> Pcm:
    """White noise: the same power at each frequency; shape [seconds * SAMPLE_RATE].

    Raises:
        BadInput: `seconds` is not positive.
    """
    return _peaked(np.random.default_rng((_WHITE, seed)).standard_normal(_count(seconds)))


def pink(seconds: float, seed: int = 0) -> Pcm:
    """Pink noise: the same power in each octave from 20 Hz on, as of rain, fans, rooms; it repeats without a seam.

    Raises:
        BadInput: `seconds` is not positive.
    """
    count = _count(seconds)
    spectrum = np.fft.rfft(np.random.default_rng((_PINK, seed)).standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    spectrum *= np.where(hertz < 20, 0, 1 / np.sqrt(np.maximum(hertz, 20)))
    return _peaked(np.fft.irfft(spectrum, count))


def talker(voices: Voices, voice: str, seed: int = 0, lines: Sequence[str] = SENTENCES, pause: float = 1.0) -> Pcm:
    """Somebody else who talks: the lines in an order by chance, with pauses by chance between them.

    Args:
        voices: Who can speak.
        voice: Who does.
        seed: Of the order and the pauses.
        lines: What is said.
        pause: Longest pause in s.

    Raises:
        BadInput: There are no lines, or no such voice.
    """
    if not lines:
        raise BadInput("Somebody who talks needs something to say.", remedy="Give at least one line.")
    rng = np.random.default_rng(seed)
    parts: list[Pcm] = []
    for index in rng.permutation(len(lines)):
        parts.append(render(voices.person(voice), lines[index]))
        parts.append(np.zeros(round(rng.uniform(0, pause) * SAMPLE_RATE), np.int16))
    return np.concatenate(parts)


def babble(
    voices: Voices, names: Sequence[str] = BABBLE_VOICES, seed: int = 0, lines: Sequence[str] = SENTENCES
) -> Pcm:
    """Several voices at once, all equally loud, each with the lines in an order of its own.

    Raises:
        BadInput: There are no names, no lines, or no such voice.
    """
    if not names:
        raise BadInput("A babble needs voices.", remedy="Name at least one.")
    talks = [talker(voices, name, seed + index, lines, pause=0.2) for index, name in enumerate(names)]
    longest = max(map(len, talks))
    level = amplitude(-20)
    return _peaked(np.sum([scaled(np.resize(talk, longest), level) for talk in talks], axis=0))


def television(
    voices: Voices,
    names: Sequence[str] = TELEVISION_VOICES,
    seed: int = 0,
    lines: Sequence[str] = BROADCAST,
) -> Pcm:
    """A television that plays: the lines in their order, by changing voices and without pauses, over a little noise.

    Args:
        voices: Who can speak.
        names: Who does.
        seed: Of who says what.
        lines: What is said; a wake word may be among it.

    Raises:
        BadInput: There are no names, no lines, or no such voice.
    """
    if not names or not lines:
        raise BadInput("A television needs voices and lines.", remedy="Give at least one of each.")
    rng = np.random.default_rng(seed)
    level = amplitude(-20)
    said: list[Samples] = [
        scaled(render(voices.person(names[int(rng.integers(len(names)))]), line), level) for line in lines
    ]
    speech = np.concatenate(said)
    hum = pink(len(speech) / SAMPLE_RATE, seed)
    return _peaked(speech + scaled(hum, level * db(_HUM_DB))[: len(speech)])


def under(speech: Pcm, snr_db: float) -> float:
    """The level in dBFS at which a bed lies `snr_db` under this speech, pauses of both not counted."""
    return dbfs(active_rms(speech)) - snr_db


def _count(seconds: float) -> int:
    if seconds <= 0:
        raise BadInput(f"A noise can't last {seconds} s.", remedy="Give more than 0 s.")
    return round(seconds * SAMPLE_RATE)


def _peaked(samples: Samples) -> Pcm:
    pcm: Pcm = np.rint(samples * (_PEAK / max(float(np.abs(samples).max()), 1e-9))).astype(np.int16)
    return pcm
