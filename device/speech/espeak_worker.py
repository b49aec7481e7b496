"""The process around espeak-ng: native code that may hang or crash stays outside of the assistant.

Reads one JSON object a line from standard input, `{"text": ..., "path": ...}`, renders the text to that WAV
file, and answers one JSON object a line: `{}` or `{"error": ...}`. Runs as a script, on one thread, and imports
nothing of the device.

pyttsx3 is used for its bindings of the library alone. Its engine lets espeak work in a thread of espeak's own and waits
10 ms for it, whatever that is at: on a busy machine files were read half written, settings came too late for the first
sentence, and sentences were lost.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import wave
from typing import Any


def main(voice: str, words_a_minute: int) -> None:
    """Serve until standard input ends."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # the library prints to standard output
        try:
            from pyttsx3.drivers import _espeak as espeak

            rate = espeak.Initialize(espeak.AUDIO_OUTPUT_SYNCHRONOUS, 0)
            if rate <= 0 or espeak.SetVoiceByName(voice.encode()) != espeak.EE_OK:
                raise RuntimeError(f"there is no voice {voice}")
            espeak.SetParameter(espeak.RATE, words_a_minute, 0)
        except Exception as error:  # whatever it is, the parent must hear of it
            print(json.dumps({"error": f"espeak can't be used: {error}", "fatal": True}), file=answers, flush=True)
            return
        chunks: list[bytes] = []

        def collect(samples: Any, count: int, events: Any) -> int:
            if count > 0:
                chunks.append(ctypes.string_at(samples, count * 2))
            return 0

        espeak.SetSynthCallback(collect)
        print(json.dumps({}), file=answers, flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            chunks.clear()
            try:
                espeak.Synth(request["text"].encode(), flags=espeak.ENDPAUSE | espeak.CHARS_UTF8)
                with wave.open(request["path"], "wb") as file:
                    file.setparams((1, 2, rate, 0, "NONE", ""))
                    file.writeframes(b"".join(chunks))
                answer = {}
            except Exception as error:  # the parent must hear of it, whatever it is
                answer = {"error": str(error)}
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
