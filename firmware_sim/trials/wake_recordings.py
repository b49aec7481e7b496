"""What a wake word is tried on: recordings of people who say it, and hours of speech in which nobody does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from device.audio.files import read_audio
from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import AudioFormatError, BadInput, Missing
from device.nlu.text import spoken
from device.speech.ports import render
from firmware_sim.sound.voices import Voices
from firmware_sim.trials.recordings import ENDINGS, LONGEST

CAST: Final = ("joe", "slt", "rms", "awb", "en-gb+m3@170", "en-us+f2@180", "en-scotland@165", "en-rp+f4", "en-nyc+m7")
"""Who says the lines of a text, in turn."""

_PAUSE: Final = 0.4
"""Seconds between two lines."""

_LINES: Final = 60
"""Lines that are played in one piece."""


def read_clips(folder: Path) -> list[Pcm]:
    """The recordings of a folder, in the order of their names.

    Raises:
        BadInput: There is no folder, or nothing in it.
        AudioFormatError, Missing: See `read_clip`.
    """
    return [read_clip(path) for path in _files(folder)]


def read_clip(path: Path) -> Pcm:
    """A recording, 16 kHz mono; also a FLAC that libsndfile takes for damaged, and FFmpeg reads to the last bit.

    Raises:
        BadInput: See `read_audio`.
        AudioFormatError: It can't be read.
        Missing: It can't be read without PyAV, which is not installed.
    """
    if path.suffix.lower() != ".flac":
        return read_audio(path)
    if find_spec("av"):
        return _by_ffmpeg(path)
    pcm = read_audio(path)
    if len(pcm) < _promised(path):
        raise Missing(
            f"libsndfile can read only a part of {path}.", remedy="Run: pip install av. FFmpeg reads the whole."
        )
    return pcm


def read_speech(path: Path, phrase: str, voices: Voices) -> Iterator[tuple[str, Pcm]]:
    """Speech without the wake word: a recording, all of a folder, or a text file, whose lines are spoken by `CAST`.

    Lines with the wake word in them are left out.

    Yields:
        Name, and 16 kHz mono.

    Raises:
        BadInput: There is no such file or folder, or nothing in it.
        AudioFormatError: A recording can't be read.
        EngineMissing: A voice is not installed.
    """
    if path.suffix.lower() != ".txt":
        for file in _files(path) if path.is_dir() else [path]:
            yield file.name, read_audio(file, max_seconds=LONGEST)
        return
    lines = [line for line in map(str.strip, _text(path).splitlines()) if line and phrase not in spoken(line)]
    if not lines:
        raise BadInput(f"{path} has no lines.", remedy="Give a text file with one sentence a line.")
    for begin in range(0, len(lines), _LINES):
        yield f"{path.name}, line {begin + 1}", _say(lines[begin : begin + _LINES], voices)


def _say(lines: Sequence[str], voices: Voices) -> Pcm:
    pause = np.zeros(round(_PAUSE * SAMPLE_RATE), np.int16)
    said = (render(voices.person(CAST[index % len(CAST)]), line) for index, line in enumerate(lines))
    return np.concatenate([part for line in said for part in (line, pause)])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} can't be read: {error}.", remedy="Give a text file in UTF-8.") from error


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", remedy="Give the folder with the recordings.")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    if not files:
        raise BadInput(f"{folder} has no recordings.", remedy=f"Put {', '.join(sorted(ENDINGS))} files there.")
    return files


def _promised(path: Path) -> int:
    """Samples at 16 kHz that a file's header tells of."""
    import soundfile

    about = soundfile.info(path)
    return int(about.frames * SAMPLE_RATE // about.samplerate)


def _by_ffmpeg(path: Path) -> Pcm:
    import av

    resampler: Any = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    try:
        with av.open(str(path)) as container:
            frames = [*container.decode(audio=0), None]
            parts = [part.to_ndarray()[0] for frame in frames for part in resampler.resample(frame)]
    except av.FFmpegError as error:
        raise AudioFormatError(f"{path} can't be read as audio: {error}.", remedy="Record it again.") from error
    return np.concatenate(parts)
