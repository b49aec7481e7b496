"""What people and things of a scenario sound like at a microphone."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from device.audio.files import read_audio
from device.audio.ports import SAMPLE_RATE, Pcm
from device.speech.ports import render
from firmware_sim.kit import Kit, voices
from firmware_sim.scenario.model import Said, Sound
from firmware_sim.scenario.values import seconds
from firmware_sim.sound import scenery
from firmware_sim.sound.acoustics import Response, space
from firmware_sim.sound.air import Bed

TUNES: Final = (("Slow Elevator", 220.0), ("Paper Moonrise", 261.63), ("Low Water", 196.0))
"""Titles of the music library, and the pitch in Hz on which each piece stands."""

PAUSE: Final = " ... "
"""What a pause is written as."""

_TUNE_SECONDS: Final = 120
_BED_SECONDS: Final = 20.0
_LOUDNESS: Final = 3000
_NEAREST: Final = 0.1

_FAINT: Final = 0.02
"""Share of the largest sample below which a voice has not begun yet, or has ended."""


class Sounds:
    """Renders what is said and what sounds.

    Args:
        kit: Gives people a voice.
        folder: Where recordings are looked for.
        seed: Of noise.
    """

    def __init__(self, kit: Kit, folder: Path, seed: int) -> None:
        self._kit = kit
        self._folder = folder
        self._seed = seed

    def said(self, said: Said, device: int = 0) -> Pcm:
        """What somebody says, as it reaches a device: half as loud at twice the distance.

        Raises:
            BadInput: There is no such voice or recording.
        """
        pcm = self._paused(said) if said.text else read_audio(self._folder / said.file)
        if not said.distance:
            return pcm
        return np.asarray(np.rint(pcm / max(said.distance[device], _NEAREST)).clip(-32768, 32767), np.int16)

    def way(self, said: Said) -> Response | None:
        """The way from the mouth to the microphone.

        Raises:
            BadInput: There is no such room.
        """
        return space(said.room).speech() if said.room else None

    def bed(self, sound: Sound, now: float) -> Bed:
        """Something else that sounds from now on.

        Raises:
            BadInput: There is no such voice or recording.
        """
        if sound.noise:
            return Bed(self._noise(sound.noise), sound.dbfs, now, now + seconds(sound.seconds))
        pcm = self._spoken(sound.talk, sound.voice) if sound.talk else read_audio(self._folder / sound.file)
        return Bed(pcm, sound.dbfs, now, now + len(pcm) / SAMPLE_RATE)

    def _noise(self, kind: str) -> Pcm:
        """A bed that is repeated for as long as it has to last."""
        match kind:
            case "white":
                return scenery.white(_BED_SECONDS, self._seed)
            case "pink":
                return scenery.pink(_BED_SECONDS, self._seed)
            case "babble":
                return scenery.babble(voices(), seed=self._seed)
            case "talker":
                return scenery.talker(voices(), scenery.BABBLE_VOICES[0], self._seed)
        return scenery.television(voices(), seed=self._seed)

    def _paused(self, said: Said) -> Pcm:
        """What is said piece by piece, with just the pauses between."""
        if PAUSE not in said.text:
            return self._spoken(said.text, said.voice)
        silence = np.zeros(round(seconds(said.pause) * SAMPLE_RATE), np.int16)
        first, *rest = (_trimmed(self._spoken(piece, said.voice)) for piece in said.text.split(PAUSE))
        return np.concatenate([first, *(part for piece in rest for part in (silence, piece))])

    def _spoken(self, text: str, voice: str) -> Pcm:
        return render(self._kit.person(voice), text)


def _trimmed(pcm: Pcm) -> Pcm:
    """Without the silence before and after."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > _FAINT * np.abs(pcm.astype(np.int32)).max(initial=0))
    return pcm[loud[0] : loud[-1] + 1] if len(loud) else pcm


@cache
def music_folder() -> Path:
    """A small library of pieces that nobody wrote: chords, two minutes each."""
    import soundfile

    folder = Path(tempfile.mkdtemp(prefix="homebody-sim-music-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    time = np.arange(_TUNE_SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    for title, hertz in TUNES:
        chord = sum(np.sin(2 * np.pi * hertz * step * time) for step in (1.0, 1.25, 1.5))
        pcm = np.rint(_LOUDNESS / 3 * chord).astype(np.int16)
        soundfile.write(folder / f"{title}.flac", pcm, SAMPLE_RATE)
    return folder
