"""Words to phonemes by the espeak-ng program.

The program runs as a process of its own, never as a library inside ours: it is under the GPL, and a process that
hangs can be killed. One call takes any number of words (about 0.4 ms each); the vocabulary of the packs is kept in
a file, words that people said only in memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from device.errors import EngineFailed, EngineMissing
from device.nlu.phonetics import INDEX, phonemes

Sounds: TypeAlias = tuple[str, ...]

WEAK_FORMS: Final[Mapping[str, Sounds]] = {
    "a": ("ə",), "an": ("ə", "n"), "the": ("ð", "ə"), "and": ("ə", "n", "d"), "of": ("ə", "v"), "for": ("f", "ɚ"),
    "to": ("t", "ə"), "at": ("ə", "t"), "from": ("f", "ɹ", "ə", "m"), "can": ("k", "ə", "n"), "some": ("s", "ə", "m"),
}  # fmt: skip
"""Function words as they are said within a sentence (Cruttenden, Gimson's Pronunciation of English, ch. 11.3);
espeak-ng, asked for the single word, gives the stressed form."""

_FILE: Final = "phonemes-en-us-1.json"
_TIMEOUT_S: Final = 20.0
_HEARD: Final = 10_000
"""Words that people said are forgotten when they are more than this."""


class Phonemizer:
    """Pronounces words; not thread-safe.

    Args:
        cache: Folder of the vocabulary's file; None keeps nothing.
        program: Name or path of the espeak-ng program.
    """

    def __init__(self, cache: Path | None = None, program: str = "espeak-ng") -> None:
        self._program = program
        self._file = None if cache is None else cache / _FILE
        self._vocabulary = {**(_read(self._file) if self._file else {}), **WEAK_FORMS}
        self._heard: dict[str, Sounds] = {}

    def vocabulary(self, words: Iterable[str]) -> Mapping[str, Sounds]:
        """Pronounce the words of a grammar and keep them in the cache's file.

        Raises:
            EngineMissing: espeak-ng is not installed.
            EngineFailed: It broke or hung.
        """
        wanted = list(dict.fromkeys(words))
        new = [word for word in wanted if word not in self._vocabulary]
        if new:
            self._vocabulary.update(zip(new, self._pronounce(new), strict=True))
            if self._file:
                _write(self._file, self._vocabulary)
        return {word: self._vocabulary[word] for word in wanted}

    def heard(self, words: Iterable[str]) -> list[Sounds]:
        """Pronounce the words of a transcript, one tuple of phonemes each; errors as in `vocabulary`."""
        wanted = list(words)
        known = self._vocabulary
        new = list(dict.fromkeys(word for word in wanted if word not in known and word not in self._heard))
        if new:
            if len(self._heard) + len(new) > _HEARD:
                self._heard.clear()
                new = list(dict.fromkeys(word for word in wanted if word not in known))
            self._heard.update(zip(new, self._pronounce(new), strict=True))
        return [known[word] if word in known else self._heard[word] for word in wanted]

    def _pronounce(self, words: list[str]) -> list[Sounds]:
        """One tuple a word. Empty lines make every word a clause of its own, which espeak-ng answers by a line."""
        command = [self._program, "-q", "--ipa", "-v", "en-us", "--sep=_", "--stdin"]
        try:
            done = subprocess.run(
                command, input="\n\n".join(words), capture_output=True, text=True, encoding="utf-8", check=True,
                timeout=_TIMEOUT_S,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise EngineMissing(
                "The espeak-ng program is not installed.", remedy="Install it: sudo apt install espeak-ng"
            ) from error
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
            raise EngineFailed(f"espeak-ng could not pronounce {len(words)} words ({error}).") from error
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        if len(lines) == len(words):
            return [phonemes(line) for line in lines]
        if len(words) == 1:
            return [phonemes("".join(lines))]
        half = len(words) // 2  # some word made no line or several: find it
        return self._pronounce(words[:half]) + self._pronounce(words[half:])


def _read(file: Path) -> dict[str, Sounds]:
    """The vocabulary's file; empty if there is none or it is damaged, since it can be made again."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        table = {str(word): tuple(str(sounds).split()) for word, sounds in data.items()}
    except (OSError, ValueError, AttributeError):
        return {}
    return {word: sounds for word, sounds in table.items() if all(sound in INDEX for sound in sounds)}


def _write(file: Path, vocabulary: Mapping[str, Sounds]) -> None:
    """Keep the vocabulary; a cache that can't be written costs time at the next start and nothing else."""
    kept = {word: " ".join(sounds) for word, sounds in vocabulary.items() if word not in WEAK_FORMS}
    text = json.dumps(kept, ensure_ascii=False)
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(text)
            Path(temporary).replace(file)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
