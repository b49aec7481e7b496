"""Durations and moments as scenarios write them."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(ms|s|sec|min|h|d)\s*")


def seconds(duration: str | int | float) -> float:
    """Seconds of a duration.

    Raises:
        ValueError: It is none.
    """
    if isinstance(duration, int | float):
        return float(duration)
    if found := _DURATION.fullmatch(duration):
        return float(found[1]) * _UNITS[found[2]]
    raise ValueError(f"{duration!r} is no duration: write 400 ms, 2 s, 10 min, 8 h or 3 d")


def moment(text: str, now: datetime) -> datetime:
    """The moment that `to 07:00` or `to 2026-05-05T07:00` means, in the zone of `now`; a time of day is the next one.

    Raises:
        ValueError: It is no moment, or has passed.
    """
    what = text.removeprefix("to ").strip()
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", what):
        wanted = time.fromisoformat(what.zfill(5))
        local = now.replace(tzinfo=None)
        at = datetime.combine(local.date(), wanted)
        if at <= local:
            at += timedelta(days=1)
    else:
        try:
            at = datetime.fromisoformat(what)
        except ValueError as error:
            raise ValueError(f"{text!r} is no moment: write to 07:00 or to 2026-05-05T07:00") from error
    found = at.replace(tzinfo=now.tzinfo)
    if found.timestamp() <= now.timestamp():
        raise ValueError(f"{text!r} has passed: it is {now:%Y-%m-%dT%H:%M}")
    return found
