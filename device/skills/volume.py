"""The device's own loudness."""

from __future__ import annotations

from typing import Final

from device.nlu.types import Percent
from device.skills.api import Change, Outcome, Question, Request, Services
from device.skills.common import failure, says, unknown_intent
from device.skills.ports import Volume

STEP: Final = 10
"""Percentage points of one "louder"."""


class VolumeSkill:
    """See the pack `volume`."""

    name = "volume"

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        match request.intent:
            case "set":
                return self._set(request)
            case "up":
                return self._step(request, 1)
            case "down":
                return self._step(request, -1)
            case "mute" | "unmute":
                return self._mute(request, muted=request.intent == "mute")
        raise unknown_intent(self.name, request)

    def _set(self, request: Request) -> Outcome:
        said = request.value("percent")
        if not isinstance(said, Percent):
            return Outcome(question=Question("percent", "ask_percent"))
        if not 0 <= said.percent <= 100:
            return failure("range")
        return self._to(request, round(said.percent))

    def _step(self, request: Request, direction: int) -> Outcome:
        """A step for "up by twenty", a level for "up to eighty"."""
        said = request.value("percent")
        if isinstance(said, Percent) and says(request, "to"):
            return self._set(request)
        step = round(said.percent) if isinstance(said, Percent) else STEP
        level = min(max(self._volume.level() + direction * step, 0), 100)
        if level == self._volume.level() and not self._volume.muted():
            return Outcome("maximum" if direction > 0 else "minimum")
        return self._to(request, level)

    def _mute(self, request: Request, *, muted: bool) -> Outcome:
        values = {"percent": Percent(self._volume.level())}
        if self._volume.muted() == muted:
            return Outcome("already", values)
        self._volume.set_muted(muted)
        return Outcome("done", values, (Change(self.name, request.intent, "volume", {"muted": muted}),))

    def _to(self, request: Request, level: int) -> Outcome:
        before, muted = self._volume.level(), self._volume.muted()
        self._volume.set_level(level)

        async def undo() -> None:
            self._volume.set_level(before)
            self._volume.set_muted(muted)

        done = Change(self.name, request.intent, "volume", {"level": level})
        return Outcome("done", {"percent": Percent(level)}, (done,), undo=undo)


def build(services: Services) -> VolumeSkill:
    """The skill with the device's loudness."""
    return VolumeSkill(services.volume)
