"""What time it is, here and elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from device.dialogue.spoken import say
from device.nlu.resolve.when import next_occurrence
from device.nlu.types import Moment, TimeOfDay
from device.skills.api import Outcome, Question, Request, Services
from device.skills.common import failure, named, text_of, unknown_intent
from device.skills.occasions import clock_time
from device.skills.zones import zone_of

_HERE: Final = frozenset({"", "here", "home", "my time", "local time", "our time", "this place"})


class TimeSkill:
    """See the pack `time`."""

    name = "time"

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        match request.intent:
            case "query":
                return _query(request)
            case "convert":
                return _convert(request)
        raise unknown_intent(self.name, request)


def _query(request: Request) -> Outcome:
    place = text_of(request, "place")
    if place in _HERE:
        return Outcome("done", {"time": clock_time(request.now)})
    zone = zone_of(place)
    if zone is None:
        return failure("unknown_place", {"place": place.title()})
    there = request.now.astimezone(zone)
    values = {"time": clock_time(there), "place": place.title(), "date": say(there.date(), request.now)}
    key = "place" if there.date() == request.now.date() else "place_day"
    return Outcome(key, values, mentioned={"place": named(place)})


def _convert(request: Request) -> Outcome:
    """A time of one place in another, or how far apart they are."""
    origin, target = text_of(request, "from"), text_of(request, "to")
    places: list[tuple[str, ZoneInfo | None]] = [
        (name, zone_of(name)) for name in (origin, target) if name not in _HERE
    ]
    for name, zone in places:
        if zone is None:
            return failure("unknown_place", {"place": name.title()})
    if not places:
        return Outcome(question=Question("to", "ask_place"))
    known = {name: zone for name, zone in places if zone}
    now = request.now
    there, here = known.get(target, now.tzinfo), known.get(origin, now.tzinfo)
    said = request.value("time")
    values: dict[str, object] = {"from": origin.title() or "here", "to": target.title() or "here"}
    if not isinstance(said, TimeOfDay | Moment):
        return _difference(now.astimezone(there), now.astimezone(here), values)
    at = next_occurrence(_as_said(said), None, None, now.astimezone(here))
    result = at.astimezone(there)
    values |= {"time": clock_time(at), "result": clock_time(result)}
    if result.date() != at.date():
        values["day"] = "the day after" if result.date() > at.date() else "the day before"
    key = "here" if origin in _HERE else "done"
    return Outcome(f"{key}_day" if "day" in values else key, values)


def _as_said(said: TimeOfDay | Moment) -> TimeOfDay | Moment:
    """An hour without its half of the day is taken as it stands: "seven" is 7 AM."""
    return TimeOfDay(said.time) if isinstance(said, TimeOfDay) else said


def _difference(there: datetime, here: datetime, values: dict[str, object]) -> Outcome:
    apart = (there.utcoffset() or timedelta()) - (here.utcoffset() or timedelta())
    if not apart:
        return Outcome("same", values)
    ahead = apart > timedelta()
    return Outcome("difference", {**values, "hours": abs(apart), "direction": "ahead" if ahead else "behind"})


def build(_services: Services) -> TimeSkill:
    """The skill; it needs nothing but the request's time."""
    return TimeSkill()
