"""Questions about the world: what WordNet says about people, places and things is all that is known offline."""

from __future__ import annotations

from collections.abc import Callable

from device.errors import Missing
from device.skills.api import Outcome, Question, Request, Services
from device.skills.common import failure, unknown_intent
from device.skills.word import spoken_gloss
from device.skills.wordnet import WordNet, find_wordnet

_WHO_OR_WHAT = frozenset({"who", "who's", "what", "what's", "tell", "do", "explain", "describe"})
"""First words of questions that a definition answers."""

_ARTICLES = ("the ", "a ", "an ")


class FactSkill:
    """See the pack `fact`.

    Args:
        dictionary: Finds the dictionary when it is first needed; raises `Missing` where there is none.
    """

    name = "fact"

    def __init__(self, dictionary: Callable[[], WordNet]) -> None:
        self._dictionary = dictionary

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`. "How tall is it" gets the whole entry and a word about its limits."""
        if request.intent != "ask":
            raise unknown_intent(self.name, request)
        query = request.words("query")
        if not query:
            return Outcome(question=Question("query", "ask_query"))
        try:
            dictionary = self._dictionary()
        except Missing:
            return failure("not_found", {"query": query})
        bare = next((query.removeprefix(a) for a in _ARTICLES if query.startswith(a)), query)
        senses = [sense for sense in dictionary.senses(bare) if sense.part == "noun"]
        if not senses:
            return failure("not_found", {"query": query})
        definition = not request.text or request.text.split()[0] in _WHO_OR_WHAT
        answer = spoken_gloss(senses[0]) if definition else senses[0].gloss
        name = next((word for word in senses[0].words if word.lower() == bare), query)
        return Outcome("done" if definition else "limited", {"query": query, "answer": f"{name}: {answer}."})


def build(_services: Services) -> FactSkill:
    """The skill with this machine's WordNet."""
    return FactSkill(find_wordnet)
