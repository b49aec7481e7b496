"""Names of rooms, devices, channels, people: what was heard against what the household has.

Scores are rapidfuzz's `token_sort_ratio` on words without articles and plurals, or `ratio` without word breaks. A part
of a name ("the ceiling" of "kitchen ceiling light") scores `PART`; only the kind of thing in the plural ("the lights")
names no single one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz, process

from device.nlu.resolve.context import ResolveContext
from device.nlu.text import spoken

NEAR: Final = 85.0
"""From this score on a name counts as meant; "living room" and "dining room" score 82."""

MARGIN: Final = 4.0
"""A runner-up that is closer makes the words ambiguous."""

PART: Final = 90.0
_LISTED: Final = 60.0
_LETTERS: Final = re.compile(r"\b[a-z](?: [a-z])+\b")
_DROPPED: Final = frozenset({"the", "a", "an", "my", "our", "your", "please", "in", "on", "of"})


@dataclass(frozen=True, slots=True)
class _Index:
    """Names by their normal form, ready to search."""

    keys: tuple[str, ...]
    joined: tuple[str, ...]
    names: tuple[str, ...]
    tokens: tuple[frozenset[str], ...]


def candidates(type_: str, text: str, context: ResolveContext) -> list[tuple[str, float]]:
    """The household's names of a type that the words may stand for.

    Args:
        type_: Slot type, a key of `context.names`.
        text: Words in spoken form.
        context: Holds the names.

    Returns:
        Canonical name and score (0 to 100, 100 is exact), best first; several of nearly the same score are
        ambiguous. Empty if none is near.
    """
    return [(name, score) for name, score, _ in _scored(type_, text, context)]


def resolve_name(type_: str, text: str, context: ResolveContext) -> str:
    """The canonical name, or the words without their article where no single name of the household is meant."""
    scored = _scored(type_, text, context)
    words = text.split()
    if scored:
        name, score, telling = scored[0]
        alone = len(scored) == 1 or score - scored[1][1] >= MARGIN
        several = words[-1] != _singular(words[-1])  # "the lights" may be more than the one that is called a light
        if score == 100.0 or (score >= NEAR and alone and (telling or not several)):
            return name
    return " ".join(words[1:] if len(words) > 1 and words[0] in ("the", "my", "our", "a", "an") else words)


def _scored(type_: str, text: str, context: ResolveContext) -> list[tuple[str, float, bool]]:
    """Name, score, and whether the words tell it from other things of its kind."""
    names = context.names.get(type_, ())
    if not names:
        return []
    known = set(names)
    aliases = tuple((alias, name) for alias, name in context.aliases.items() if name in known)
    index = _index(tuple(names), aliases)
    key = normal(text)
    query = frozenset(key.split())
    best: dict[str, tuple[float, bool]] = {}
    found = process.extract(key, index.keys, scorer=fuzz.token_sort_ratio, limit=8, score_cutoff=_LISTED)
    # Word breaks are the recogniser's guess: "you tube", "bed room".
    found += process.extract(key.replace(" ", ""), index.joined, scorer=fuzz.ratio, limit=8, score_cutoff=NEAR)
    for _, score, at in found:
        best[index.names[at]] = max(best.get(index.names[at], (0.0, False)), (score, True))
    for at, tokens in enumerate(index.tokens):
        if query and query < tokens:
            telling = query != {index.keys[at].split()[-1]}
            best[index.names[at]] = max(best.get(index.names[at], (0.0, False)), (PART, telling))
    ordered = sorted(best.items(), key=lambda item: -item[1][0])
    return [(name, score, telling) for name, (score, telling) in ordered]


@lru_cache(maxsize=64)
def _index(names: Sequence[str], aliases: Sequence[tuple[str, str]]) -> _Index:
    pairs = [(normal(name), name) for name in names] + [(normal(alias), name) for alias, name in aliases]
    keys = tuple(key for key, _ in pairs)
    return _Index(
        keys,
        tuple(key.replace(" ", "") for key in keys),
        tuple(name for _, name in pairs),
        tuple(frozenset(key.split()) for key in keys),
    )


@lru_cache(maxsize=4096)
def normal(text: str) -> str:
    """Spoken form without articles and prepositions, every word in the singular, spelled letters joined ("c n n")."""
    words = _LETTERS.sub(lambda letters: letters[0].replace(" ", ""), spoken(text)).split()
    kept = [word for word in words if word not in _DROPPED] or words
    return " ".join(_singular(word.removesuffix("'s")) for word in kept)


def _singular(word: str) -> str:
    """Strip a regular plural; applied to both sides, so a wrong guess ("bus" to "bu") does no harm."""
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
