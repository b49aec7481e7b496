"""The television set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from device.errors import SkillError
from device.nlu.text import spoken
from device.skills.api import Change, Outcome, Question, Request, Services
from device.skills.common import closest, failure, named, one_of, says, text_of, unknown_intent
from device.skills.ports import Channel, Json, Television

EXAMPLES: Final = 5
"""Channels of the line-up that are read out."""


class TvSkill:
    """See the pack `tv`."""

    name = "tv"

    def __init__(self, television: Television) -> None:
        self._tv = television

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`; everything but "off" turns a set on that is off."""
        match request.intent:
            case "on" | "off":
                return await self._power(request, on=request.intent == "on")
            case "channel":
                return await self._channel(request)
            case "channel_up":
                return await self._zap(request, 1)
            case "channel_down":
                return await self._zap(request, -1)
            case "input":
                return await self._pick(request, "input", self._tv.inputs())
            case "app":
                return await self._pick(request, "app", self._tv.apps())
            case "subtitles":
                return await self._subtitles(request)
            case "guide":
                return self._guide()
        raise unknown_intent(self.name, request)

    async def _power(self, request: Request, *, on: bool) -> Outcome:
        if self._tv.state()["on"] == on:
            return Outcome("already", mentioned={"device": named("tv")})
        return replace(await self._apply(request, {"on": on}, Outcome("done")), mentioned={"device": named("tv")})

    async def _channel(self, request: Request) -> Outcome:
        said, number = request.value("channel"), request.value("number")
        number = said if isinstance(said, int) else number
        channels = self._tv.channels()
        if isinstance(number, int | float):
            found = [channel for channel in channels if channel.number == number]
        elif isinstance(said, str):
            position = closest(said, [channel.name for channel in channels])
            found = [] if position is None else [channels[position]]
        else:
            return Outcome(question=Question("channel", "ask"))
        if not found:
            return failure("none")
        key = "number" if isinstance(number, int | float) else "done"
        return await self._tune(request, found[0], key)

    async def _zap(self, request: Request, step: int) -> Outcome:
        """The line-up goes round."""
        channels = self._tv.channels()
        numbers = [channel.number for channel in channels]
        present = self._tv.state()["channel"]
        at = next((at for at, number in enumerate(numbers) if number == present), -1)
        return await self._tune(request, channels[(at + step) % len(channels)], "done")

    async def _tune(self, request: Request, channel: Channel, key: str) -> Outcome:
        values = {"channel": channel.name, "number": channel.number}
        return await self._apply(request, {"channel": channel.number}, Outcome(key, values))

    async def _pick(self, request: Request, slot: str, options: Sequence[str]) -> Outcome:
        """An input or an app by name; several that fit equally are offered."""
        said = text_of(request, slot)
        exact = [name for name in options if spoken(name) == spoken(said)]
        starting = exact or [name for name in options if spoken(name).startswith(f"{spoken(said)} ")]
        if len(starting) > 1:
            return Outcome(question=Question(slot, "which", {"options": one_of(starting)}, tuple(starting)))
        position = closest(starting[0] if starting else said, options)
        if position is None:
            return failure("unknown", {"said": said, "options": tuple(options)}) if options else failure("none")
        title = text_of(request, "title")
        values = {slot: options[position], "title": title}
        key = "title" if title else "done"
        return await self._apply(request, {slot: options[position]}, Outcome(key, values))

    async def _subtitles(self, request: Request) -> Outcome:
        """Without a word for on or off they change over."""
        if says(request, "off", "hide", "disable", "remove", "without", "no"):
            on = False
        elif says(request, "on", "show", "enable", "with", "display"):
            on = True
        else:
            on = not self._tv.state()["subtitles"]
        return await self._apply(request, {"subtitles": on}, Outcome("on" if on else "off"))

    def _guide(self) -> Outcome:
        """There is no programme data without a connection: the line-up is what the device knows."""
        names = tuple(channel.name for channel in self._tv.channels())
        return Outcome("channels", {"channels": names[:EXAMPLES], "count": len(names)}) if names else failure("none")

    async def _apply(self, request: Request, change: Mapping[str, Json], done: Outcome) -> Outcome:
        before = self._tv.state()
        if not before["on"] and "on" not in change:
            change = {"on": True, **change}
        try:
            await self._tv.apply(change)
        except SkillError:
            return failure("offline")

        async def undo() -> None:
            old = {key: before[key] for key in change if key != "on"}
            await self._tv.apply(old if before["on"] else {"on": False})

        return replace(done, changes=(Change(self.name, request.intent, "tv", change),), undo=undo)


def build(services: Services) -> TvSkill:
    """The skill with its set."""
    return TvSkill(services.television)
