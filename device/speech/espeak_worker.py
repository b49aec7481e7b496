"""The process around pyttsx3: native code that may hang or crash stays outside of the assistant.

Reads one JSON object a line from standard input, `{"text": ..., "path": ...}`, renders the text to that WAV
file, and answers one JSON object a line: `{}` or `{"error": ...}`. Runs as a script, on one thread, and imports
nothing of the device.
"""

from __future__ import annotations

import json
import os
import sys


def main(voice: str, rate: int) -> None:
    """Serve until standard input ends."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # pyttsx3 prints to standard output
        try:
            import pyttsx3

            engine = pyttsx3.init("espeak")
            engine.setProperty("voice", voice)
            engine.setProperty("rate", rate)
        except Exception as error:  # whatever it is, the parent must hear of it
            print(json.dumps({"error": f"pyttsx3 can't be used: {error}", "fatal": True}), file=answers, flush=True)
            return
        print(json.dumps({}), file=answers, flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            try:
                # One file for each run: of several before one `runAndWait` it keeps only the last.
                engine.save_to_file(request["text"], request["path"])
                engine.runAndWait()
                answer = {} if os.path.exists(request["path"]) else {"error": "nothing was rendered"}  # noqa: PTH110
            except Exception as error:  # the parent must hear of it, whatever it is
                answer = {"error": str(error)}
            print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
