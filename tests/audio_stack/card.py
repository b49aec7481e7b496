"""The sound card's code in a process of its own, since PortAudio reads its surroundings once.

Usage: card.py play|record RATE PATH. “play” sounds a tone until its input ends; “record” writes frames as int16 to
PATH until then. RATE is the only one that the card accepts, in stereo, as hardware does; 0 for one that takes any.
"""

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import sounddevice

from device.audio.card import SoundCardMicrophone, SoundCardSpeaker
from device.audio.ports import SAMPLE_RATE, Pcm

HERTZ = 1000.0
AMPLITUDE = 9000


def insist(stream: type[Any], rate: int) -> type[Any]:
    class Hardware(stream):  # type: ignore[misc]
        """Refuses all but its own rate and stereo."""

        def __init__(self, **settings: Any) -> None:
            if settings["samplerate"] != rate or settings["channels"] != 2:
                raise sounddevice.PortAudioError("Invalid sample rate")
            super().__init__(**settings)

    return Hardware


def main(what: str, rate: int, path: str) -> None:
    if rate:
        sounddevice.InputStream = insist(sounddevice.InputStream, rate)
        sounddevice.OutputStream = insist(sounddevice.OutputStream, rate)
    position = 0

    def pull(count: int) -> Pcm:
        nonlocal position
        at = (position + np.arange(count)) % SAMPLE_RATE
        position += count
        return np.rint(AMPLITUDE * np.sin(2 * math.pi * HERTZ * at / SAMPLE_RATE)).astype(np.int16)

    if what == "play":
        speaker = SoundCardSpeaker("kitchen_speaker")
        speaker.start(pull)
        sys.stdin.read()
        speaker.stop()
    else:
        microphone = SoundCardMicrophone("kitchen_microphone")
        with Path(path).open("wb", buffering=0) as file:
            microphone.start(lambda frame: file.write(frame.tobytes()))
            sys.stdin.read()
            microphone.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
