"""eSpeak NG through pyttsx3: small, instant, robotic; the default voice.

espeak runs in a process of its own (`espeak_worker`), because it can hang or take the process down. It is
started with the engine, killed when it misses a deadline and started again for the next sentence. A sentence
takes about 4 ms this way.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import weakref
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

from device.audio.ports import Pcm
from device.errors import EngineFailed, EngineMissing
from device.speech import espeak_worker
from device.speech.ports import TtsCapabilities
from device.speech.rendered import CACHE_BYTES, RenderedTts

START_SECONDS: Final = 10.0
RENDER_SECONDS: Final = 5.0
"""Deadlines of the worker: to come up, and to render one sentence."""


class EspeakTts(RenderedTts):
    """`TtsEngine` over pyttsx3 and espeak-ng.

    Args:
        voice: An espeak-ng voice such as "gmw/en-us".
        rate: Words a minute.
        cache_bytes: See `RenderedTts`.

    Raises:
        EngineMissing: pyttsx3 or espeak-ng's library is not installed.
    """

    name = "espeak"
    capabilities = TtsCapabilities(language="en-US", voices=("gmw/en-us",))

    def __init__(self, voice: str = "gmw/en-us", rate: int = 170, cache_bytes: int = CACHE_BYTES) -> None:
        super().__init__(cache_bytes)
        if importlib.util.find_spec("pyttsx3") is None:
            raise EngineMissing("pyttsx3 is not installed.", remedy="Run: pip install pyttsx3")
        if shutil.which("espeak-ng") is None:
            raise EngineMissing("espeak-ng is not installed.", remedy="Run: sudo apt install espeak-ng")
        self._voice, self._rate = voice, rate
        self._folder = tempfile.TemporaryDirectory(prefix="homebody-tts-")
        self._worker: _Worker | None = _Worker(voice, rate)

    def render(self, sentence: str) -> tuple[Pcm, int]:
        """See `RenderedTts.render`."""
        worker, self._worker = self._worker, None  # kept only if it does its work
        if worker is None or worker.dead:
            worker = _Worker(self._voice, self._rate)
        path = Path(self._folder.name) / "sentence.wav"
        path.unlink(missing_ok=True)
        try:
            worker.ask({"text": sentence, "path": str(path)})
            pcm, rate = soundfile.read(path, dtype="int16")
        except EngineFailed:
            worker.kill()
            raise
        except (OSError, soundfile.SoundFileError) as error:
            worker.kill()
            raise EngineFailed(f"espeak did not render a sentence: {error}.") from error
        if not pcm.any():
            worker.kill()
            raise EngineFailed(f"espeak rendered silence for {sentence!r}.")
        self._worker = worker
        return np.asarray(pcm, np.int16).reshape(-1), int(rate)

    def close(self) -> None:
        """End the worker; the engine starts another one if it is used again."""
        if self._worker:
            self._worker.kill()
            self._worker = None


class _Worker:
    """The child process; `ask` sends one request and waits for its answer, with a deadline."""

    def __init__(self, voice: str, rate: int) -> None:
        # -P keeps this folder's modules from hiding the standard library's.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(espeak_worker.__file__), voice, str(rate)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._started = False
        self._buffer = b""
        self.kill = weakref.finalize(self, _end, self._process)

    @property
    def dead(self) -> bool:
        """True if the process has ended by itself."""
        return self._process.poll() is not None

    def ask(self, request: dict[str, str]) -> None:
        """Raises: EngineFailed, EngineMissing."""
        if not self._started:
            self._answer(START_SECONDS)
            self._started = True
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
        except OSError as error:
            raise EngineFailed("espeak's process has ended.") from error
        self._answer(RENDER_SECONDS)

    def _answer(self, seconds: float) -> None:
        answer = json.loads(self._line(seconds))
        if "fatal" in answer:
            raise EngineMissing(f"{answer['error']}.", remedy="Run: sudo apt install espeak-ng")
        if "error" in answer:
            raise EngineFailed(f"espeak failed: {answer['error']}.")

    def _line(self, seconds: float) -> bytes:
        stdout = self._process.stdout
        assert stdout is not None
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([stdout], [], [], seconds)
            chunk = os.read(stdout.fileno(), 65536) if ready else b""
            if not chunk:
                raise EngineFailed("espeak's process has ended." if ready else "espeak missed its deadline.")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line


def _end(process: subprocess.Popen[Any]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream:
            with contextlib.suppress(OSError):  # unsent bytes of a dead process
                stream.close()
