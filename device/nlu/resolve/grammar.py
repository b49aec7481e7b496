"""The few helpers that all grammars of this folder share.

A grammar function takes all words and the index at which to begin, and returns what it found there together with
the index behind it, or None. Longer matches win over shorter ones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Words: TypeAlias = Sequence[str]
Found: TypeAlias = "tuple[T, int] | None"
Rule: TypeAlias = Callable[[Words, int], "tuple[T, int] | None"]


@lru_cache(maxsize=1024)
def _split(phrase: str) -> tuple[str, ...]:
    return tuple(phrase.split())


def word(words: Words, at: int) -> str:
    """The word at an index, "" outside."""
    return words[at] if 0 <= at < len(words) else ""


def skip(words: Words, at: int, *phrases: str) -> int | None:
    """The index behind the first of the phrases that stands here, or None."""
    for phrase in phrases:
        parts = _split(phrase)
        if tuple(words[at : at + len(parts)]) == parts:
            return at + len(parts)
    return None


def skip_any(words: Words, at: int, *phrases: str) -> int:
    """Like `skip`, but optional: `at` itself when none stands here."""
    end = skip(words, at, *phrases)
    return at if end is None else end


def longest(words: Words, at: int, rules: Sequence[Rule[T]]) -> Found[T]:
    """The longest match among several rules; of equally long ones the first."""
    best: Found[T] = None
    for rule in rules:
        found = rule(words, at)
        if found is not None and (best is None or found[1] > best[1]):
            best = found
    return best


def trim(words: Words, before: Collection[str] = (), behind: Collection[str] = ()) -> tuple[str, ...]:
    """Without filler words at the start and at the end, but never empty: the last word stays."""
    start, end = 0, len(words)
    while start < end - 1 and words[start] in before:
        start += 1
    while end - 1 > start and words[end - 1] in behind:
        end -= 1
    return tuple(words[start:end])
