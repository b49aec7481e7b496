"""What "it", "that" and "them" stand for: names of what was spoken of take their place where the grammar has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from device.nlu.resolve import ResolveContext
from device.nlu.types import Interpretation
from device.nlu.understand import Understander

_IT: Final = frozenset({"it", "them"})
_ALL_OF: Final = (("all", "of"), ("both", "of"), ("all",), ("both",))
"""Before "them", which means no more with these."""
_POINTING: Final = frozenset({"that", "this", "those", "these"})
_NO_NOUN: Final = frozenset({"", "off", "on", "up", "down", "again", "back"})
"""Before these "that" stands for a thing; else it points to the noun behind it, or begins a clause."""


class References:
    """Reads commands that refer to something.

    Args:
        understander: Has the grammar.
    """

    def __init__(self, understander: Understander) -> None:
        self._understander = understander

    def it(
        self, words: Sequence[str], intent: str, referents: Sequence[str], context: ResolveContext
    ) -> Interpretation | None:
        """The command that the words make with a name for "it", where the grammar has precisely that.

        Args:
            words: Spoken form.
            intent: Of the last command; where a reading is not sure, it has to be of the same skill.
            referents: Names that "it" may stand for, with their article, likeliest first.
            context: Of values.
        """
        pairs = enumerate(pairwise((*words, "")))
        at = next((i for i, (word, then) in pairs if word in _IT or (word in _POINTING and then in _NO_NOUN)), None)
        if not at:
            return None
        skill = intent.partition(".")[0]
        all_of_them = words[at] == "them" and words[at - 1] in ("of", "all")
        for referent in referents:
            name = referent.split()
            said = (*words[:at], *(["the", f"{name[-1]}s"] if all_of_them else name), *words[at + 1 :])
            reading = self._understander.exact(said, context, skill)
            if reading is None or (reading.confidence < 1.0 and reading.intent.partition(".")[0] != skill):
                continue
            reason = f"“{words[at]}” stands for “{referent}”"
            return replace(reading, text=" ".join(words), reasons=(reason, *reading.reasons))
        return None

    def them(
        self, words: Sequence[str], intent: str, things: Sequence[str], context: ResolveContext
    ) -> tuple[Interpretation, ...]:
        """One command for each of the things that "them" stands for; empty if it does not stand for several.

        Args:
            words: Spoken form.
            intent: See `it`.
            things: Names of all that the last breath was about, without an article.
            context: Of values.
        """
        if "them" not in words or len(things) < 2:
            return ()
        at = list(words).index("them")
        first = next((at - len(more) for more in _ALL_OF if tuple(words[max(0, at - len(more)) : at]) == more), at)
        said = (*words[:first], *words[at:])
        each = [self.it(said, intent, (f"the {thing}",), context) for thing in things]
        return tuple(replace(meant, text=" ".join(words)) for meant in each if meant) if all(each) else ()

    def chained(self, commands: Sequence[Interpretation], context: ResolveContext) -> tuple[Interpretation, ...]:
        """Commands of one breath, in which "it" is what those before it are about."""
        done: list[Interpretation] = []
        for command in commands:
            named = [f"the {before.slots['device'].text}" for before in reversed(done) if "device" in before.slots]
            meant = self.it(command.text.split(), done[-1].intent, named, context) if named else None
            done.append(meant or command)
        return tuple(done)
