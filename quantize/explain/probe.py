"""Phrases tried out before they stand in a pack: what they would understand, and what they would take wrongly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from device.nlu.grammar import Grammar, compile_grammar
from device.nlu.match import match
from device.nlu.pack import IntentSpec, Pack, types_of


class Probe:
    """A grammar of nothing but some phrases, with the types and rules of the packs.

    Args:
        packs: All packs.
        phrases: Full intent name and template of each phrase; intents that no pack has are not understood.

    Raises:
        PackError: A template can't be used.
    """

    def __init__(self, packs: Sequence[Pack], phrases: Sequence[tuple[str, str]]) -> None:
        self._intents = [intent for intent, _ in phrases]
        by_skill: dict[str, dict[str, IntentSpec]] = defaultdict(dict)
        specs = intent_specs(packs)
        for number, (intent, template) in enumerate(phrases):
            if intent in specs:
                spec = msgspec.structs.replace(specs[intent], phrases=(template,))
                by_skill[intent.partition(".")[0]][f"p{number}"] = spec
        self._grammar: Grammar = compile_grammar(
            [msgspec.structs.replace(pack, intents=by_skill[pack.skill]) for pack in packs]
        )

    def matching(self, words: Sequence[str]) -> list[int]:
        """Numbers of the phrases that say precisely these words, the tightest first."""
        return [int(found.intent.partition(".p")[2]) for found in match(self._grammar, words)]

    def intent(self, words: Sequence[str]) -> str | None:
        """Intent of the tightest phrase for these words."""
        numbers = self.matching(words)
        return self._intents[numbers[0]] if numbers else None

    def taken_wrongly(self, labelled: Iterable[tuple[Sequence[str], str]]) -> set[int]:
        """Phrases that say a sentence of another intent.

        Args:
            labelled: Sentences and their intents.
        """
        return {
            number for words, intent in labelled for number in self.matching(words) if self._intents[number] != intent
        }


def says(packs: Sequence[Pack], values: Sequence[tuple[str, str, Sequence[str]]]) -> list[bool]:
    """Whether the packs know words as values of a type; free words, which may be anything, are not known.

    Args:
        packs: All packs.
        values: Intent whose pack's view of the type counts, type, and words.
    """
    specs = intent_specs(packs)
    types = {name: types_of(pack, packs) for pack in packs for name in pack.intent_names()}
    phrases: dict[tuple[str, str], str] = {}
    for intent, type_, _ in values:
        spec, seen = specs.get(intent), types.get(intent, {})
        slot = next((name for name in spec.slots if spec.slot_type(name) == type_), "") if spec else ""
        if slot and type_ in seen and not seen[type_].wildcard:
            phrases[intent, type_] = f"{{{slot}}}"
    keys = list(phrases)
    probe = Probe(packs, [(intent, phrases[intent, type_]) for intent, type_ in keys])
    found = []
    for intent, type_, words in values:
        found.append((intent, type_) in phrases and keys.index((intent, type_)) in probe.matching(words))
    return found


def intent_specs(packs: Iterable[Pack]) -> Mapping[str, IntentSpec]:
    """Intents of all packs by full name."""
    return {f"{pack.skill}.{name}": spec for pack in packs for name, spec in pack.intents.items()}
