"""Whole time phrases: clock, part of the day, date, offset and repetition in any order.

"Every weekday at half past six", "tomorrow evening at seven" and "in two days at noon" are one phrase each, whatever
slot their words were put into; `resolve` then takes the component that the slot's type asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from device.nlu.resolve.context import ResolveContext
from device.nlu.resolve.dates import calendar
from device.nlu.resolve.durations import Offset, offset
from device.nlu.resolve.grammar import Found, Words, skip, skip_any, trim
from device.nlu.resolve.recurrences import Rule, recurrence
from device.nlu.resolve.times import Clock, PartOfDay, clock, part_of_day, time_of_day
from device.nlu.types import DateValue, Moment, Recurrence, TimeOfDay

_FILLERS: Final = frozenset(
    "at on for by in the around about until till from starting of please exactly sharp before after again later".split()
)
_POSSESSIVE_NAMES: Final = ("year's", "valentine's")
MAX_WORDS: Final = 40
"""Longer texts are no value; the bound keeps the grammars' recursion shallow."""


@dataclass(frozen=True, slots=True)
class When:
    """What a time phrase holds; at least one is set.

    Attributes:
        time: Clock time, or an offset from now.
        date: Day or span of days; an offset when it is finer than days.
        recurrence: Repetition, with the time when one was said.
    """

    time: TimeOfDay | Moment | None = None
    date: DateValue | Moment | None = None
    recurrence: Recurrence | None = None


def parse_when(text: str, context: ResolveContext) -> When | None:
    """Understand a whole time phrase; None if any of its words is something else.

    Several slots of one command may be joined ("tomorrow evening" + "seven"), so that the evening fixes the hour.
    """
    words = [_bare(word) for word in text.split()]
    if not words or len(words) > MAX_WORDS:
        return None
    parts: list[Clock | PartOfDay | DateValue | Offset | Rule] = []
    at = 0
    while at < len(words):
        best = _part(words, at, context)
        if best is not None:
            parts.append(best[0])
            at = best[1]
        elif words[at] in _FILLERS:
            at += 1
        else:
            distance = _bare_offset(words)
            return _combine([distance], context.now) if distance else None
    return _combine(parts, context.now)


def _bare(word: str) -> str:
    """Without the possessive that a slot takes along ("tomorrow's"); "tuesdays" stays a repetition."""
    if word in ("todays", "tomorrows"):
        return word[:-1]
    return word if word in _POSSESSIVE_NAMES else word.removesuffix("'s")


def _part(words: Words, at: int, context: ResolveContext) -> Found[Clock | PartOfDay | DateValue | Offset | Rule]:
    """The longest component that begins here."""
    found = [
        match
        for match in (
            recurrence(words, at),
            _offset_from_now(words, at),
            calendar(words, at, context.today),
            clock(words, at),
            part_of_day(words, at),
        )
        if match
    ]
    return max(found, key=lambda match: match[1]) if found else None


def _offset_from_now(words: Words, at: int) -> Found[Offset]:
    """Such as "in ten minutes", "an hour from now", "now"."""
    now = skip(words, at, "right now", "now", "immediately")
    if now is not None:
        return Offset(0, timedelta(0)), now
    inside = skip(words, at, "in about", "in", "within")
    found = offset(words, at if inside is None else inside)
    if found is None:
        return None
    behind = skip(words, found[1], "from now", "later")
    if behind is not None:
        return found[0], behind
    return (found[0], skip_any(words, found[1], "time")) if inside is not None else None


def _bare_offset(words: Words) -> Offset | None:
    """Such as "ten minutes", when the slot left its preposition outside."""
    core = trim(words, _FILLERS, _FILLERS)
    found = offset(core, 0)
    return found[0] if found and found[1] == len(core) else None


def _combine(parts: list[Clock | PartOfDay | DateValue | Offset | Rule], now: datetime) -> When | None:
    """Components to slots; None for two of a kind, which would be a guess."""
    clocks = [part for part in parts if isinstance(part, Clock)]
    dates = [part for part in parts if isinstance(part, DateValue)]
    offsets = [part for part in parts if isinstance(part, Offset)]
    rules = [part for part in parts if isinstance(part, Rule)]
    dayparts = [part for part in parts if isinstance(part, PartOfDay)]
    if not parts or any(len(kind) > 1 for kind in (clocks, dates, offsets, rules)) or (offsets and (dates or rules)):
        return None
    daypart = dayparts[-1].part if dayparts else rules[0].part if rules else None
    time: TimeOfDay | Moment | None = None
    date: DateValue | Moment | None = dates[0] if dates else None
    if clocks or daypart:
        time = time_of_day(clocks[0] if clocks else None, daypart)
    if date is None and any(part.today for part in dayparts):
        date = DateValue(now.date(), now.date())
    if offsets:
        naive = now.replace(tzinfo=None)
        later = offsets[0].after(naive)
        if offsets[0].whole_days:
            date = DateValue(later.date(), later.date())
        elif time is not None:
            return None
        else:
            date = Moment(later - naive)
        time = time or Moment(later - naive)
    repeated = Recurrence(rules[0].rrule, time if isinstance(time, TimeOfDay) else None) if rules else None
    return When(time, date, repeated)
