"""That was wrong: noted with the turn it is about, where turns are kept at all."""

from __future__ import annotations

from device.clock import Clock
from device.skills.api import Change, Outcome, Request, Services
from device.skills.common import unknown_intent
from device.store.turns import History


class FeedbackSkill:
    """See the pack `feedback`."""

    name = "feedback"

    def __init__(self, history: History, clock: Clock) -> None:
        self._history = history
        self._clock = clock

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`. The turn that says so is stored after it was handled; the last other one is meant."""
        if request.intent != "wrong":
            raise unknown_intent(self.name, request)
        turn = self._history.last(but=f"{self.name}.wrong")
        if turn is None:
            return Outcome("off")
        verdict = request.words("message") or "wrong"
        self._history.mark(turn, verdict, self._clock.now())
        return Outcome("done", changes=(Change(self.name, "wrong", f"turn {turn.id}", {"verdict": verdict}),))


def build(services: Services) -> FeedbackSkill:
    """The skill with the kept turns."""
    return FeedbackSkill(History(services.database), services.clock)
