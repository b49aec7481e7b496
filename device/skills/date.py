"""Which day it is, and how far away another one."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from device.dialogue.spoken import number_of, say
from device.nlu.types import DateValue, Moment
from device.skills.api import Outcome, Request, Services
from device.skills.common import failure, says, unknown_intent

_NEAR: Final[Mapping[str, int]] = {"tomorrow": 1, "yesterday": -1}
"""Days that are asked for without a slot: "what day is tomorrow"."""


class DateSkill:
    """See the pack `date`."""

    name = "date"

    async def handle(self, request: Request) -> Outcome:
        """See `Skill.handle`."""
        if request.intent != "query":
            raise unknown_intent(self.name, request)
        today = request.now.date()
        near = next((word for word in _NEAR if says(request, word)), "")
        if not request.words("date") and near:
            return _other_day(request, near, today + timedelta(days=_NEAR[near]), today)
        if not request.words("date"):
            return _today(request, today)
        value = request.value("date")
        if isinstance(value, Moment):
            day = (request.now + value.offset).date()
        elif isinstance(value, DateValue):
            day = value.start
        else:
            return failure("unknown", {"date": request.words("date")})
        return _other_day(request, request.words("date"), day, today)


def _today(request: Request, today: date) -> Outcome:
    if says(request, "month") and not says(request, "day"):
        return Outcome("month", {"month": calendar.month_name[today.month]})
    if says(request, "year") and not says(request, "week"):
        return Outcome("year", {"year": str(today.year)})
    if says(request, "week") and not says(request, "day"):
        return Outcome("week", {"week": today.isocalendar().week})
    return Outcome("done", {"date": _full(today)})


def _other_day(request: Request, said: str, day: date, today: date) -> Outcome:
    apart = (day - today).days
    values = {"date": said, "count": _apart(request, abs(apart)), "weekday": calendar.day_name[day.weekday()]}
    values |= {"be": "was" if apart < 0 else "is", "day": _full(day)}
    if says(request, "how", "until", "till", "since", "ago"):
        return Outcome("today" if not apart else "until" if apart > 0 else "since", values)
    if says(request, "when", "date"):
        return Outcome("when", values)
    return Outcome("day", values)


def _apart(request: Request, days: int) -> str:
    """Days, or weeks and days where weeks were asked for."""
    weeks, rest = divmod(days, 7)
    if not says(request, "weeks") or not weeks:
        return number_of(days, "day")
    return number_of(weeks, "week") + (f" and {number_of(rest, 'day')}" if rest else "")


def _full(day: date) -> str:
    """Such as "Monday, November twenty-third, 2026"."""
    return f"{calendar.day_name[day.weekday()]}, {say(day).removeprefix('on ')}"


def build(_services: Services) -> DateSkill:
    """The skill; it needs nothing but the request's time."""
    return DateSkill()
