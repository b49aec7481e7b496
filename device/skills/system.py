"""The device itself: help, who it is, stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from device.nlu.pack import Pack
from device.skills.api import Change, Outcome, Request, Services
from device.skills.common import unknown_intent

EXAMPLES: Final = 3
"""As many as a listener keeps in mind."""

_NOT_SHOWN: Final = frozenset({"common", "system", "smalltalk", "feedback", "privacy", "weather", "news", "currency"})
"""Skills that make no good first example."""


class SystemSkill:
    """See the pack `system`. Repeating and cancelling are the dialogue's own."""

    name = "system"

    def __init__(self, services: Services) -> None:
        self._packs = services.packs
        self._random = services.random
        self._scheduler = services.scheduler
        self._player = services.player

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        match request.intent:
            case "help":
                return self._help(request)
            case "identity":
                return Outcome("done")
            case "stop":
                return await self._stop()
            case "cancel":
                return Outcome("none")
        raise unknown_intent(self.name, request)

    def _help(self, request: Request) -> Outcome:
        """Examples of the skill that was named, else one each of a few."""
        said = {word.removesuffix("s") for word in request.text.split()}
        for pack in self._packs:
            if pack.skill in said and pack.skill not in ("common", "system"):
                return Outcome("skill", {"skill": pack.skill, "examples": _quoted(_examples(pack)[:EXAMPLES])})
        shown = [pack for pack in self._packs if pack.skill not in _NOT_SHOWN and _examples(pack)]
        picked = self._random.sample(shown, min(EXAMPLES, len(shown)))
        return Outcome("done", {"examples": _quoted([_examples(pack)[0] for pack in picked])})

    async def _stop(self) -> Outcome:
        """What makes a noise ends: first what rings, then the music."""
        rings = self._scheduler.stop_ringing()
        if rings:
            changes = tuple(Change(ring.kind, "stop", f"{ring.kind} {ring.label}".strip()) for ring in rings)
            return Outcome("done", changes=changes)
        if self._player.state()["playing"]:
            await self._player.pause()
            return Outcome("done", changes=(Change("media", "pause", "player", {"paused": True}),))
        return Outcome("done")


def _examples(pack: Pack) -> list[str]:
    """The first example of each intent, then the others."""
    firsts = [intent.examples[0] for intent in pack.intents.values() if intent.examples]
    return firsts + [example for intent in pack.intents.values() for example in intent.examples[1:]]


def _quoted(examples: Sequence[str]) -> str:
    return ", or ".join(f"“{example}”" for example in examples)


def build(services: Services) -> SystemSkill:
    """The skill with all packs."""
    return SystemSkill(services)
