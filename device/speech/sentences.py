"""Splits a reply into what is rendered at a time, so that the first sound need not wait for the last word."""

from __future__ import annotations

import re
from typing import Final

FIRST_CHARACTERS: Final = 48
"""A longer first sentence is spoken in two parts if it has a pause to part it at."""

_SHORT_FORMS = r"(?<!\b(?:mr|dr|st|vs|ms))(?<!\b(?:mrs|etc))(?<!\b[a-z])"
_SENTENCE_END = re.compile(rf"(?:{_SHORT_FORMS}\.+|[!?…]+[.!?…]*)[\"'”’)]*(?=\s)|\n+", re.IGNORECASE)
_PAUSE = re.compile(r"[,;:](?=\s)")


def sentences(text: str) -> list[str]:
    """Split into sentences, each with at least one letter or digit; white space is collapsed.

    A period ends a sentence only before white space and not after a single letter or a form like "Dr.", so that
    "3.5", "7 p.m. today" and "J. S. Bach" stay whole.
    """
    parts: list[str] = []
    start = 0
    for end in [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]:
        part = " ".join(text[start:end].split())
        start = end
        if any(character.isalnum() for character in part):
            parts.append(part)
    return parts


def speech_parts(text: str) -> list[str]:
    """Sentences, the first one parted at a pause if it is long."""
    parts = sentences(text)
    if not parts or len(parts[0]) <= FIRST_CHARACTERS:
        return parts
    # The earliest pause after a few words: a part of one word sounds clipped.
    for pause in _PAUSE.finditer(parts[0], 12):
        head, tail = parts[0][: pause.end()], parts[0][pause.end() :].strip()
        if any(character.isalnum() for character in tail):
            return [head, tail, *parts[1:]]
        break
    return parts
