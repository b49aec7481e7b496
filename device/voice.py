"""The mouth: text through the TTS worker into the mixer, sentence by sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from device.audio.mixer import Mixer
from device.audio.playback import Playback
from device.audio.volume import SoundKind
from device.errors import EngineHung
from device.speech.ports import TtsEngine
from device.speech.renewable import Renewable
from device.workers import Workers

T = TypeVar("T")

SENTENCE_DEADLINE: Final = 10.0
"""Seconds after which a sentence that was not rendered counts as hung."""


class Voice:
    """Speaks through the mixer; TTS never owns an output."""

    def __init__(self, tts: Renewable[TtsEngine], mixer: Mixer, workers: Workers) -> None:
        self._tts = tts
        self._mixer = mixer
        self._workers = workers

    def begin(self, kind: SoundKind = "speech") -> Playback:
        """Open a stream to speak into."""
        return self._mixer.play(kind=kind)

    async def speak(self, text: str, playback: Playback) -> None:
        """Render and feed all sentences; returns when the last was fed, or nothing more is wanted.

        Raises:
            EngineFailed: The engine broke or hung; what was fed before is still played.
            EngineMissing: It hung before and can't be made anew.
        """
        try:
            sentences = await self._render(lambda: iter(self._tts.take().synthesize(text)))
            while True:
                pcm = await self._render(lambda: next(sentences, None))
                if pcm is None or not playback.feed(pcm):
                    return
        finally:
            playback.end()

    async def _render(self, call: Callable[[], T]) -> T:
        try:
            return await self._workers.run("tts", call, deadline=SENTENCE_DEADLINE)
        except EngineHung:
            self._tts.lose()
            raise
