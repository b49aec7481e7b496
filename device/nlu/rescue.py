"""Misheard words: what the grammar can say that sounds like them, searched only where the model points.

A search over all packs would take too long (and find something for every noise); over the intents of a pack
without training, or over the few that the model thinks likely, it takes some tens of milliseconds and only runs when
no exact match was found.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Final

from device.nlu.grammar import Grammar
from device.nlu.phonemes import Phonemizer, Sounds
from device.nlu.phonetics import distance
from device.nlu.sound import SoundMatch, SoundSearch

TIGHT: Final = 0.09
"""Cost per phoneme up to which a trained intent is recognized by sound: one or two sounds of a sentence are wrong."""

ALIKE: Final = 0.95
"""Distance up to which a short word is taken for another where only that one is expected: "Scott" and "star" for
"stop" (0.4, 0.9), but not "still" (1.6); one wrong phoneme of the same class costs about half."""

APART: Final = 0.03
"""Cost per phoneme by which the best intent must beat the next ("lock" and "unlock" are told apart, or neither is)."""


class SoundRescue:
    """Searches by sound; each intent's search is made when it is first needed. Not thread-safe.

    Args:
        grammar: Compiled packs.
        phonemizer: Pronounces words.
        untrained: Intents that the model does not know.
    """

    def __init__(self, grammar: Grammar, phonemizer: Phonemizer, untrained: Collection[str]) -> None:
        self._grammar = grammar
        self._phonemizer = phonemizer
        self._untrained = untrained
        self._searches: dict[str, SoundSearch] = {}

    def alike(self, word: str, wanted: str) -> bool:
        """Whether a single word may be a misheard `wanted`."""
        heard, meant = self._phonemizer.heard((word, wanted))
        return distance(heard, meant) <= ALIKE

    def pronounce(self, words: Sequence[str]) -> Sequence[Sounds]:
        """Phonemes of each of some words."""
        return self._phonemizer.heard(words)

    def untrained(self, words: Sequence[str]) -> SoundMatch | None:
        """The nearest sentence of the intents that the model does not know."""
        return self._all_untrained.best(words) if self._untrained else None

    def among(self, words: Sequence[str], intents: Sequence[str]) -> SoundMatch | None:
        """The nearest sentence of some intents, if it is very near and no other intent's is."""
        found = [
            match for match in (self._search(intent).best(words, limit=TIGHT + APART) for intent in intents) if match
        ]
        found = sorted((m for m in found if keeps_numbers(words, m.sentence.split())), key=lambda match: match.cost)
        if not found or found[0].cost > TIGHT or (len(found) > 1 and found[1].cost - found[0].cost < APART):
            return None
        return found[0]

    @cached_property
    def _all_untrained(self) -> SoundSearch:
        return SoundSearch(self._grammar, self._phonemizer, self._untrained)

    def _search(self, intent: str) -> SoundSearch:
        if intent not in self._searches:
            self._searches[intent] = SoundSearch(self._grammar, self._phonemizer, (intent,))
        return self._searches[intent]


def keeps_numbers(heard: Sequence[str], sentence: Sequence[str]) -> bool:
    """Whether all numbers and days that were heard are in the sentence, in their order.

    They are common words that recognizers know well: "minus five" is no "ninety five", and the "twenty eighth" no
    "twenty sixth", however near they sound. The sentence may have more of them ("for tea minutes").
    """
    said = iter(sentence)
    return all(word in said for word in heard if word in _EXACT)


_EXACT: Final = frozenset(
    "zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million minus "
    "point half quarter first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth monday tuesday wednesday "
    "thursday friday saturday sunday january february march april june july august september october november "
    "december years months weeks days hours minutes seconds".split()
) - {"two", "oh"}
"""Words that no search by sound may replace; "two" and "oh" are also misheard for others ("to", "or")."""
