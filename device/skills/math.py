"""Arithmetic."""

from __future__ import annotations

from device.dialogue.spoken import say
from device.nlu.resolve.arithmetic import evaluate
from device.skills.api import Outcome, Question, Request, Services
from device.skills.common import unknown_intent


class MathSkill:
    """See the pack `math`. What can't be computed is raised; the error's `spoken` says why."""

    name = "math"

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        if request.intent != "compute":
            raise unknown_intent(self.name, request)
        expression = request.words("expression")
        if not expression:
            return Outcome(question=Question("expression", "ask_expression"))
        return Outcome("done", {"expression": expression, "result": say(evaluate(expression))})


def build(_services: Services) -> MathSkill:
    """The skill; it needs nothing."""
    return MathSkill()
