"""Reviewing sentence by sentence: a line of input to a decision. No terminal here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import msgspec
from rapidfuzz import fuzz, process

from device.nlu.report import WITHHELD, Words
from quantize.feedback.intake import Decision, Item, Known, Review, slot_types

NEAR: Final = 70
"""Similarity (0 to 100) from which on a typed name may mean an intent."""


@dataclass(frozen=True)
class Decided:
    """The sentence got this decision."""

    decision: Decision


@dataclass(frozen=True)
class Edited:
    """The sentence now reads so; it is still to be decided."""

    text: str


@dataclass(frozen=True)
class Told:
    """The line was no decision, and why."""

    message: str


Answer: TypeAlias = Decided | Edited | Told | Literal["undo", "quit", "help"]


def parse(line: str, text: str, candidates: Sequence[str], known: Known) -> Answer:
    """What a reviewer's line means.

    Args:
        line: Empty accepts the first candidate, a number another one, an intent's name or a part of it that one;
            `r` rejects, `s` skips, `u` takes back, `e TEXT` changes the sentence, `q` quits, `?` helps.
        text: The sentence as it reads now.
        candidates: Intents that are offered, likeliest first.
        known: Intents and slot types that exist.
    """
    line = line.strip()
    key, _, rest = line.partition(" ")
    if key == "e":
        return _edited(" ".join(rest.split()), known)
    if line in ("u", "q", "?"):
        return {"u": "undo", "q": "quit", "?": "help"}[line]  # type: ignore[return-value]
    if line in ("r", "s"):
        return Decided(Decision("rejected" if line == "r" else "later"))
    if line.isdecimal() or not line:
        at = int(line or 1) - 1
        if not 0 <= at < len(candidates):
            return Told(f"Choose from 1 to {len(candidates)}, or type an intent." if candidates else "Type an intent.")
        return _accepted(candidates[at], text)
    return _named(line, text, known)


def accept_confirmed(review: Review) -> int:
    """Accept what people confirmed and nobody called wrong; returns how many."""
    count = 0
    for item in review.items:
        if item.decision is None and item.confirmed and not item.wrong and not item.meant and item.suggestion:
            decide(review, item, Decision("accepted", item.suggestion, item.text))
            count += 1
    return count


def open_items(review: Review) -> list[Item]:
    """What is still to be decided: never seen first, then what was skipped."""
    new = [item for item in review.items if item.decision is None]
    return [*new, *(item for item in review.items if item.decision and item.decision.verdict == "later")]


def decide(review: Review, item: Item, decision: Decision) -> None:
    """Note a decision."""
    item.decision = decision
    review.history = [*(text for text in review.history if text != item.text), item.text]


def undo(review: Review) -> Item | None:
    """Open the sentence that was decided last again; None if there is none."""
    while review.history:
        text = review.history.pop()
        for item in review.items:
            if item.text == text:
                item.decision = None
                return item
    return None


def candidates(item: Item, text: str, predict: Callable[[str], Sequence[str]], count: int = 5) -> list[str]:
    """Intents to offer: what devices suggest, what else they meant, what the model thinks, what they understood."""
    voted = sorted(item.meant, key=lambda intent: -item.meant[intent])
    suggested = [item.suggestion] if item.suggestion else []
    understood = sorted(item.understood, key=lambda intent: -item.understood[intent])
    return list(dict.fromkeys([*suggested, *voted, *predict(text), *understood]))[:count]


def _edited(text: str, known: Known) -> Answer:
    try:
        msgspec.convert(text, Words)
    except msgspec.ValidationError:
        return Told("Type e and the sentence: lower-case words without digits, slots as {room}.")
    unknown = [type_ for type_ in slot_types(text) if type_ not in known.types]
    if unknown:
        types = ", ".join(sorted(known.types - {WITHHELD}))
        return Told(f"There is no slot type {unknown[0]}. There are: {types}.")
    return Edited(text)


def _named(name: str, text: str, known: Known) -> Answer:
    if name in known.intents:
        return _accepted(name, text)
    within = sorted(intent for intent in known.intents if name in intent)
    if len(within) == 1:
        return _accepted(within[0], text)
    near = [match[0] for match in process.extract(name, sorted(known.intents), scorer=fuzz.WRatio, score_cutoff=NEAR)]
    offered = within or near
    return Told(f"{name}? Did you mean {', '.join(offered[:6])}?" if offered else f"There is no intent {name}.")


def _accepted(intent: str, text: str) -> Answer:
    return Decided(Decision("accepted", intent, text))
