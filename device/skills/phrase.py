"""Phrases of the user's own: say this, mean that. The listener looks them up before anything else."""

from __future__ import annotations

from device.nlu.text import spoken
from device.skills.api import Change, Outcome, Question, Request, Services
from device.skills.common import failure, unknown_intent
from device.store.phrases import TaughtPhrases


class PhraseSkill:
    """See the pack `phrase`."""

    name = "phrase"

    def __init__(self, phrases: TaughtPhrases) -> None:
        self._phrases = phrases

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`. A command that is itself a taught phrase is followed now: there are no circles."""
        if request.intent != "teach":
            raise unknown_intent(self.name, request)
        phrase, said = spoken(request.words("phrase")), spoken(request.words("command"))
        for slot, words in (("phrase", phrase), ("command", said)):
            if not words:
                return Outcome(question=Question(slot, f"ask_{slot}"))
        command = self._phrases.command(said) or said
        if command == phrase:
            return failure("unknown", {"phrase": phrase, "command": said})
        before = self._phrases.command(phrase)
        self._phrases.teach(phrase, command)

        async def undo() -> None:
            if before is None:
                self._phrases.forget(phrase)
            else:
                self._phrases.teach(phrase, before)

        change = Change(self.name, "teach", phrase, {"command": command})
        return Outcome("done", {"phrase": phrase, "command": command}, (change,), undo=undo)


def build(services: Services) -> PhraseSkill:
    """The skill with the stored phrases."""
    return PhraseSkill(TaughtPhrases(services.database))
