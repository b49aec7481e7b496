"""Blinds, curtains, garage doors: open, close, or to a position."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from device.nlu.text import spoken
from device.nlu.types import Percent
from device.skills.api import Outcome, Question, Request, Services
from device.skills.appliances import change, find, the
from device.skills.common import says, unknown_intent
from device.skills.ports import House

_WAYS_IN: Final = frozenset({"door", "gate", "garage"})
"""Words of names behind which a burglar gets in: they are opened after a yes only."""


class CoverSkill:
    """See the pack `cover`."""

    name = "cover"

    def __init__(self, house: House) -> None:
        self._house = house

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`; a percentage is the position to open to."""
        if request.intent not in ("open", "close"):
            raise unknown_intent(self.name, request)
        found = find(self._house, request, "cover")
        if found.problem:
            return found.problem
        if len(found.appliances) > 1 and not says(request, *_WAYS_IN):
            blinds = tuple(a for a in found.appliances if _WAYS_IN.isdisjoint(spoken(a.name).split()))
            found = replace(found, appliances=blinds or found.appliances)  # a garage door is none of "all blinds"
        ways_in = tuple(a for a in found.appliances if not _WAYS_IN.isdisjoint(spoken(a.name).split()))
        if request.intent == "open" and ways_in and not request.confirmed:
            return Outcome(question=Question("", "confirm", {"target": the(found.target)}))
        said = request.value("percent")
        position, done = (100 if request.intent == "open" else 0), Outcome("done")
        if says(request, "halfway") and said is None:
            said = Percent(50)
        if isinstance(said, Percent):
            position = round(min(max(said.percent, 0.0), 100.0))
            done = Outcome("position", {"percent": Percent(position)})
        outcome = await change(
            self._house, request, self.name, found, lambda _: {"position": position}, done, Outcome("already")
        )
        # As with locks, a correction must not open a way in that was just closed.
        return replace(outcome, undo=None) if ways_in else outcome


def build(services: Services) -> CoverSkill:
    """The skill with its house."""
    return CoverSkill(services.house)
