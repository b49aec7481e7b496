"""Slots in fragments: what a few words are worth as slots of an intent that is already known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from rapidfuzz import fuzz, process

from device.nlu.acts import strip_fillers
from device.nlu.pack import Pack, TypeSpec, all_types
from device.nlu.resolve import ResolveContext, parse_when, resolve
from device.nlu.resolve.numbers import ordinal_position
from device.nlu.types import Slot
from device.nlu.understand import Understander

NAME_SCORE: Final = 80.0
"""rapidfuzz ratio (0 to 100) from which words stand for a name."""


Strict: TypeAlias = bool | Literal["wholly"]


class Fragments:
    """Reads answers, corrections and follow-ons as slots.

    Args:
        understander: Has the model, which sees slots where the whole is no single value.
        packs: Their slot types say which values are closed lists and which free words.
    """

    def __init__(self, understander: Understander, packs: Sequence[Pack]) -> None:
        self._understander = understander
        self._shared = all_types(packs)
        self._own = {pack.skill: pack.types for pack in packs}

    def fill(
        self, words: Sequence[str], intent: str, context: ResolveContext, wanted: str = "", strict: Strict = True
    ) -> dict[str, Slot]:
        """Slots of an intent in a fragment: the whole of it as one value, else the spans that the model sees.

        Args:
            words: The fragment.
            intent: Whose slots.
            context: For resolving.
            wanted: Only this slot may be the whole fragment.
            strict: Names must be known ones; "wholly" if the words must be no more than the name, and nothing but
                the whole counts.
        """
        spec = self._understander.specs.get(intent)
        if spec is None:
            return {}
        whole = self.whole(words, intent, context, wanted, strict)
        if whole or strict == "wholly":
            return whole
        prediction = self._understander.predict(words, "")
        found = self._understander.slots(prediction, intent, words, context) if prediction else {}
        return {
            name: slot
            for name, slot in found.items()
            if slot.value is not None and (name == wanted or not self.type_of(intent, name).wildcard)
        }

    def whole(
        self, words: Sequence[str], intent: str, context: ResolveContext, wanted: str = "", strict: Strict = True
    ) -> dict[str, Slot]:
        """All the words as the value of one slot, or as a time with its day."""
        slots = self._understander.specs[intent].slots
        core = strip_fillers(words)
        if {"time", "date"} <= slots.keys() and wanted in ("", "time", "date"):
            when = parse_when(" ".join(core), context)
            if when and when.time and when.date:
                text = " ".join(core)
                return {"time": Slot(text, when.time), "date": Slot(text, when.date)}
        for name in [wanted] if wanted else slots:
            value = self._value(core, intent, name, context, strict)
            if value:
                return {name: value}
        return {}

    def _value(
        self, words: Sequence[str], intent: str, slot: str, context: ResolveContext, strict: Strict
    ) -> Slot | None:
        """All words as one value of a slot that is no free text."""
        text = " ".join(words)
        type_ = self._understander.specs[intent].slot_type(slot)
        spec = self.type_of(intent, slot)
        if spec.wildcard:
            return None
        if strict and (spec.household or spec.values):
            listed = [value if isinstance(value, str) else value.spoken for value in spec.values]
            own = context.names.get(f"{intent.partition('.')[0]}.{type_}")
            names = [*(context.names.get(type_, ()) if own is None else own), *listed]
            # "The bedroom" is the room, though "the bedroom light" has it in its name.
            elsewhere = any(text in other for key, other in context.names.items() if not key.endswith(type_))
            if strict == "wholly":
                names = [name for name in names if len(name.split()) >= len(words)]
            if closest(text, names, parts=not elsewhere) is None:
                return None
        value = resolve(type_, text, context)
        # Words that come back as they are were not understood as a value of a closed type.
        return None if value is None or (value == text and spec.template) else Slot(text, value)

    def type_of(self, intent: str, slot: str) -> TypeSpec:
        """Type of a slot: the skill's own definition before the shared one."""
        name = self._understander.specs[intent].slot_type(slot)
        return self._own.get(intent.partition(".")[0], {}).get(name) or self._shared[name]

    def is_known(self, text: str, intent: str, slot: str, context: ResolveContext) -> bool:
        """Whether words are a value of a slot, and a name among those that the household knows."""
        return self._value(strip_fillers(text.split()), intent, slot, context, strict="wholly") is not None


def choose(words: Sequence[str], options: Sequence[str]) -> str | None:
    """The option that is meant, by name or by position ("the second one", "the last")."""
    position = ordinal_position(" ".join(words))
    if position is not None and -len(options) <= position < len(options):
        return options[position]
    return closest(" ".join(strip_fillers(words)), options)


def closest(text: str, names: Sequence[str], *, parts: bool = True) -> str | None:
    """The name that the words stand for, or (`parts`) clearly contain; None if there is none, or two alike."""
    found = process.extractOne(text, names, scorer=fuzz.ratio, score_cutoff=NAME_SCORE)
    if found or not parts:
        return str(found[0]) if found else None
    contained = process.extract(text, names, scorer=fuzz.token_set_ratio, score_cutoff=95.0, limit=2)
    return str(contained[0][0]) if len(contained) == 1 else None
