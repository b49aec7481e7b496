"""Values as JSON for programs: a stable, documented form for each type.

| value | JSON |
|---|---|
| str, int, float | as it is |
| duration | seconds, a number |
| clock time | `"HH:MM"` |
| offset from now | `{"in_seconds": number}` |
| date | `"YYYY-MM-DD"`, or `{"start": ..., "end": ...}` for a span of days |
| recurrence | the RFC 5545 rule, or `{"rrule": ..., "time": "HH:MM"}` when a time was said |
| color | `{"name": ..., "rgb": "#rrggbb"}` |
| temperature | `{"degrees": number, "unit": "C", "F" or ""}` |
| percent | number |
| none | `null` |
"""

from __future__ import annotations

from datetime import timedelta

from device.nlu.types import Color, DateValue, Moment, Percent, Recurrence, Temperature, TimeOfDay, Value
from device.skills.ports import Json


def to_json(value: Value | None) -> Json:
    """The form of the table above; numbers are ints where they are whole."""
    match value:
        case timedelta():
            return _number(value.total_seconds())
        case TimeOfDay():
            return value.time.strftime("%H:%M")
        case Moment():
            return {"in_seconds": _number(value.offset.total_seconds())}
        case DateValue():
            start, end = value.start.isoformat(), value.end.isoformat()
            return start if start == end else {"start": start, "end": end}
        case Recurrence():
            return {"rrule": value.rrule, "time": to_json(value.time)} if value.time else value.rrule
        case Color():
            return {"name": value.name, "rgb": value.rgb}
        case Temperature():
            return {"degrees": _number(value.degrees), "unit": value.unit}
        case Percent():
            return _number(value.percent)
        case float():
            return _number(value)
        case _:
            return value


def _number(value: float) -> int | float:
    return int(value) if value.is_integer() else value
