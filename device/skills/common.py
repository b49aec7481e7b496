"""Small words that several skills share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rapidfuzz import fuzz, process

from device.errors import SkillError
from device.nlu.text import spoken
from device.nlu.types import Slot
from device.skills.api import Outcome, Request

ALL_WORDS: Final = frozenset({"all", "every", "everything", "everywhere", "whole", "entire"})

CLOSE: Final = 82.0
"""rapidfuzz score (0 to 100) from which two names are taken for the same: one mishearing in a short name."""


_YOURS: Final[Mapping[str, str]] = {
    "i": "you", "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "i'm": "you're", "i've": "you've",
    "i'll": "you'll", "i'd": "you'd",
}  # fmt: skip
_YOUR_VERBS: Final[Mapping[str, str]] = {"am": "are", "was": "were"}


def unknown_intent(skill: str, request: Request) -> SkillError:
    """The pack declares an intent that its skill does not implement."""
    return SkillError(f"The skill {skill} can't do `{request.intent}`.", remedy="Update its pack or its module.")


def failure(reply: str, values: Mapping[str, object] | None = None) -> Outcome:
    """An honest "that could not be done"."""
    return Outcome(reply, values or {}, failed=True)


def says(request: Request, *wanted: str) -> bool:
    """True if one of these words is among the command's."""
    return not frozenset(wanted).isdisjoint(request.text.split())


def wants_all(request: Request, *plurals: str) -> bool:
    """True if the words mean every one: "all", "every", or a plural such as "timers"."""
    return says(request, *ALL_WORDS, *plurals)


def text_of(request: Request, slot: str) -> str:
    """A slot as text: its resolved value where that is text, else its words; "" if it is not filled."""
    value = request.value(slot)
    return value if isinstance(value, str) else request.words(slot)


def named(name: str) -> Slot:
    """A slot that holds a name."""
    return Slot(name, name)


def closest(said: str, names: Sequence[str], *, parts: bool = True, cutoff: float = CLOSE) -> int | None:
    """Position of the name that was most likely meant, or None.

    Args:
        said: What was said.
        names: Names among which to choose.
        parts: Some words of a name stand for it, "lantern" for "lantern song"; the shortest such name wins.
        cutoff: Least rapidfuzz `ratio` or `token_sort_ratio` of a name that was misheard.
    """
    wanted = spoken(said)
    forms = [spoken(name) for name in names]
    if wanted in forms or not wanted:
        return forms.index(wanted) if wanted in forms else None
    words = frozenset(wanted.split())
    longer = [form for form in forms if words < frozenset(form.split())] if parts else []
    if longer:
        return forms.index(min(longer, key=len))
    scored = [
        process.extractOne(wanted, forms, scorer=s, score_cutoff=cutoff) for s in (fuzz.ratio, fuzz.token_sort_ratio)
    ]
    found = [(best[1], best[2]) for best in scored if best]
    return max(found)[1] if found else None


def one_of(names: Sequence[str]) -> str:
    """Names to choose from: "front door or back door"."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def to_you(said: str) -> str:
    """The user's words as the device says them back: "call my mum" becomes "call your mum"."""
    words = said.split()
    turned = [_YOURS.get(word, word) for word in words]
    for at, word in enumerate(words[:-1]):  # verbs that must agree: "i am" and "i was"
        if word == "i" and words[at + 1] in _YOUR_VERBS:
            turned[at + 1] = _YOUR_VERBS[words[at + 1]]
    return " ".join(turned)
