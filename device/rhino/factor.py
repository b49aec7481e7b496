"""Phrases with much in common as few readable templates: what is the same is written once.

A set of phrases is written as a product around a piece that all of them have, as pieces in any order, as an optional
part, or group by group; each part the same way again. The templates say exactly these phrases and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb, factorial
from typing import TypeAlias

from device.nlu.template import MAX_PERMUTATION

Pieces: TypeAlias = tuple[str, ...]
"""A phrase: words, slots and alternatives, each as it is written in a template."""


def templates(phrases: Sequence[Pieces]) -> list[str]:
    """Templates that say these phrases.

    Args:
        phrases: Each has at least one piece that is not empty; repetitions do no harm.
    """
    return _factor(tuple(dict.fromkeys(phrases)))


def one_of(options: Sequence[str], *, optional: bool = False) -> str:
    """A template that says one of several."""
    inside = "|".join(options)
    if optional:
        return inside if len(options) == 1 and _is_optional(inside) else f"[{inside}]"
    return inside if len(options) == 1 else f"({inside})"


def _is_optional(template: str) -> bool:
    """Whether a template is one pair of square brackets."""
    depth = 0
    for at, letter in enumerate(template):
        depth += (letter == "[") - (letter == "]")
        if depth == 0:
            return letter == "]" and at == len(template) - 1
    return False


def _factor(phrases: tuple[Pieces, ...]) -> list[str]:
    if len(phrases) == 1:
        return [" ".join(phrases[0])]
    if written := _any_order(phrases):
        return [written]
    if () in phrases:
        return [one_of(_factor(tuple(phrase for phrase in phrases if phrase)), optional=True)]
    if split := _product(phrases):
        before, piece, after = split
        return [" ".join(filter(None, (one_of(_factor(before)), piece, one_of(_factor(after)))))]
    groups = min(_grouped(phrases, lambda phrase: phrase[0]), _grouped(phrases, lambda phrase: phrase[-1]), key=len)
    return [template for group in groups for template in _factor(group)]


def _any_order(phrases: tuple[Pieces, ...]) -> str:
    """The same pieces in all orders, some of which may be missing, as a permutation; empty if it is none.

    Phrases without repetitions can't be more than that, so that it is enough to count them.
    """
    pieces = list(dict.fromkeys(piece for phrase in phrases for piece in phrase))
    if not 2 <= len(pieces) <= MAX_PERMUTATION or any(len(set(phrase)) < len(phrase) for phrase in phrases):
        return ""
    always = [piece for piece in pieces if all(piece in phrase for phrase in phrases)]
    free = len(pieces) - len(always)
    if len(phrases) != sum(comb(free, n) * factorial(len(always) + n) for n in range(free + 1)):
        return ""
    return f"({';'.join(piece if piece in always else one_of([piece], optional=True) for piece in pieces)})"


def _product(phrases: tuple[Pieces, ...]) -> tuple[tuple[Pieces, ...], str, tuple[Pieces, ...]] | None:
    """A piece that stands in every phrase, where all that comes before goes with all that comes after."""
    first, last = phrases[0][0], phrases[0][-1]
    if all(phrase[0] == first for phrase in phrases):
        return ((),), first, tuple(phrase[1:] for phrase in phrases)
    if all(phrase[-1] == last for phrase in phrases):
        return tuple(phrase[:-1] for phrase in phrases), last, ((),)
    for piece in phrases[0]:
        if all(phrase.count(piece) == 1 for phrase in phrases):
            places = [phrase.index(piece) for phrase in phrases]
            before = dict.fromkeys(phrase[:at] for phrase, at in zip(phrases, places, strict=True))
            after = dict.fromkeys(phrase[at + 1 :] for phrase, at in zip(phrases, places, strict=True))
            if len(before) * len(after) == len(phrases):
                return tuple(before), piece, tuple(after)
    return None


def _grouped(phrases: tuple[Pieces, ...], key: Callable[[Pieces], str]) -> list[tuple[Pieces, ...]]:
    groups: dict[str, list[Pieces]] = {}
    for phrase in phrases:
        groups.setdefault(key(phrase), []).append(phrase)
    return [tuple(group) for group in groups.values()]
