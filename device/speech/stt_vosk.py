"""Vosk (https://alphacephei.com/vosk): streaming speech-to-text with partial results and a grammar.

It decodes while the person speaks, so that little is left to do at the end. Given a grammar it hears nothing
else, which suits a small device with a closed set of commands.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import EngineFailed, EngineMissing
from device.speech.bias.sentences import Sentences
from device.speech.buffered import MAX_SECONDS
from device.speech.ports import SttCapabilities, Transcript, VadEngine
from device.speech.vad import SileroVad, holds_speech

_UNKNOWN = "[unk]"


class VoskStt:
    """`SttEngine` over a Vosk model folder.

    Args:
        folder: The unpacked model; `homebody models fetch vosk-small-en-us` puts the English one in place.
        language: BCP 47 tag of the model.
        vad: Says whether there was speech at all; Silero by default.

    Raises:
        EngineMissing: The package or the model is not there, or the model is damaged.
    """

    name = "vosk"

    def __init__(self, folder: Path, language: str = "en", vad: VadEngine | None = None) -> None:
        self.capabilities = SttCapabilities(streaming=True, partials=True, bias=True, language=language)
        self._vad = vad or SileroVad()
        try:
            import vosk
        except (ImportError, OSError) as error:
            raise EngineMissing("Vosk is not installed.", remedy="Run: pip install vosk") from error
        vosk.SetLogLevel(-1)
        if not (folder / "conf").is_dir():
            raise EngineMissing(
                f"There is no Vosk model in {folder}.", remedy="Run: homebody models fetch vosk-small-en-us"
            )
        try:
            self._model = vosk.Model(str(folder))
        except Exception as error:  # Vosk raises nothing more specific
            raise EngineMissing(
                f"The Vosk model in {folder} can't be loaded.",
                remedy="Delete that folder, then run: homebody models fetch vosk-small-en-us",
            ) from error
        self._new_recognizer = vosk.KaldiRecognizer
        self.start()

    def start(self, bias: Sentences | None = None) -> None:
        """See `SttEngine.start`; with a bias, words that it does not have are dropped from the text."""
        grammar = [json.dumps([*bias.vocabulary, _UNKNOWN], ensure_ascii=False)] if bias else []
        self._recognizer = self._new_recognizer(self._model, float(SAMPLE_RATE), *grammar)
        self._recognizer.SetWords(True)
        self._forget()

    def feed(self, pcm: Pcm) -> None:
        """See `SttEngine.feed`.

        Raises:
            EngineFailed: The decoder broke.
        """
        taken = pcm[: self._room].copy()
        self._room -= len(taken)
        self._audio.append(taken)
        try:
            if len(taken) and self._recognizer.AcceptWaveform(taken.tobytes()):
                self._words += json.loads(self._recognizer.Result()).get("result", [])
        except Exception as error:  # Vosk raises nothing more specific
            raise EngineFailed(f"Vosk could not decode: {error}.") from error

    def partial(self) -> str:
        """See `SttEngine.partial`."""
        unfinished = json.loads(self._recognizer.PartialResult()).get("partial", "")
        return _text([*(word["word"] for word in self._words), *unfinished.split()])

    def finish(self) -> Transcript:
        """See `SttEngine.finish`; the confidence is the mean of the words'."""
        words = self._words + json.loads(self._recognizer.FinalResult()).get("result", [])
        pcm = np.concatenate([np.empty(0, np.int16), *self._audio])
        self._forget()
        known = [word for word in words if word["word"] != _UNKNOWN]
        if not known or not holds_speech(self._vad, pcm):
            return Transcript("")
        return Transcript(_text([word["word"] for word in known]), float(np.mean([word["conf"] for word in known])))

    def _forget(self) -> None:
        self._words: list[dict[str, Any]] = []
        self._audio: list[Pcm] = []
        self._room = MAX_SECONDS * SAMPLE_RATE


def _text(words: Sequence[str]) -> str:
    return " ".join(word for word in words if word != _UNKNOWN)
