"""Definitions from WordNet, synonyms, spelling."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from device.errors import Missing
from device.skills.api import Outcome, Question, Request, Services
from device.skills.common import failure, says, unknown_intent
from device.skills.wordnet import Sense, WordNet, find_wordnet

SYNONYMS: Final = 5
"""As many as a listener keeps in mind."""

_ASIDE: Final = re.compile(r"\s*\([^)]*\)")


class WordSkill:
    """See the pack `word`.

    Args:
        dictionary: Finds the dictionary when it is first needed; raises `Missing` where there is none.
    """

    name = "word"

    def __init__(self, dictionary: Callable[[], WordNet]) -> None:
        self._dictionary = dictionary

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        word = request.words("word")
        if not word:
            return Outcome(question=Question("word", "ask_word"))
        match request.intent:
            case "define":
                return self._define(request, word)
            case "spell":
                return Outcome("done", {"word": word, "letters": spelled(word)})
        raise unknown_intent(self.name, request)

    def _define(self, request: Request, word: str) -> Outcome:
        try:
            senses = self._dictionary().senses(word)
        except Missing:
            return failure("no_dictionary")
        if not senses:
            return failure("not_found", {"word": word})
        if says(request, "synonym", "synonyms", "another"):
            others = tuple(dict.fromkeys(w for s in senses for w in s.words if w.lower() != word.lower()))
            if not others:
                return failure("no_synonyms", {"word": word})
            return Outcome("synonyms", {"word": word, "synonyms": others[:SYNONYMS]})
        values = {"word": word, "definition": spoken_gloss(senses[0]), "count": len(senses)}
        return Outcome("done" if len(senses) == 1 else "several", values)


def spelled(word: str) -> str:
    """Letter by letter, as a voice reads it: "N, E, C"."""
    names = {" ": "space", "'": "apostrophe", "-": "hyphen"}
    return ", ".join(names.get(letter, letter.upper()) for letter in word)


def spoken_gloss(sense: Sense) -> str:
    """A definition without its asides in brackets and what follows the first semicolon."""
    return _ASIDE.sub("", sense.gloss).partition(";")[0].strip() or sense.gloss


def build(_services: Services) -> WordSkill:
    """The skill with this machine's WordNet."""
    return WordSkill(find_wordnet)
