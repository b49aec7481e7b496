"""Reviewed sentences as training sentences: `{room}` becomes rooms of the packs, several times."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Final

from device.nlu.pack import IntentSpec, Pack
from device.nlu.report import WITHHELD
from device.nlu.types import OOS, Act
from quantize.data.example import Example, Span
from quantize.data.mapping import INTENT_ACTS
from quantize.data.sample import PackSampler
from quantize.feedback.intake import Item, slot_types

SOURCE: Final = "feedback"
COPIES: Final = 6
"""How often a reviewed sentence stands among the training sentences, each time with other values."""

_ANYTHING: Final = ("name", "item", "title")
"""Slot types whose values stand for words that a device withheld."""


def examples(items: Iterable[Item], packs: Sequence[Pack], seed: int, copies: int = COPIES) -> list[Example]:
    """Training sentences of what was accepted.

    The same sentence gets the same values whatever else is reviewed. Where words were withheld, or hold a slot that
    the intent does not have, only the slots that are marked count as labelled.

    Args:
        items: Reviewed sentences; others are left out.
        packs: They define the values.
        seed: Of the values.
        copies: Sentences for each.
    """
    found: list[Example] = []
    for item in items:
        decision = item.decision
        if decision and decision.verdict == "accepted" and decision.intent:
            text = decision.text or item.text
            sampler = PackSampler(packs, random.Random(f"{seed} {text}"))
            found += [_filled(text, decision.intent, sampler) for _ in range(copies)]
    return found


def _filled(text: str, intent: str, sampler: PackSampler) -> Example:
    pack, spec = sampler.intents.get(intent, (Pack("common"), IntentSpec()))
    own = {spec.slot_type(slot) for slot in spec.slots}
    said: list[str] = []
    spans: list[Span] = []
    for word in text.split():
        if not word.startswith("{"):
            said.append(word)
            continue
        type_ = word[1:-1]
        value = sampler.value(type_ if type_ != WITHHELD else _ANYTHING[len(said) % len(_ANYTHING)], pack)
        if type_ in own:
            spans.append(Span(type_, len(said), len(said) + len(value)))
        said += value
    types = frozenset(slot_types(text))
    annotated = None if types <= own and intent != OOS else types & own
    act = INTENT_ACTS.get(intent, Act.COMMAND)
    return Example(tuple(said), intent, act, tuple(spans), annotated, source=SOURCE)
