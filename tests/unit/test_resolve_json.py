from __future__ import annotations

import json
from datetime import date, time, timedelta

import pytest

from device.nlu.resolve import to_json
from device.nlu.types import Color, DateValue, Moment, Percent, Recurrence, Temperature, TimeOfDay, Value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ("kitchen", '"kitchen"'),
        (105, "105"),
        (2.5, "2.5"),
        (2.0, "2"),
        (timedelta(minutes=90), "5400"),
        (timedelta(seconds=1.5), "1.5"),
        (TimeOfDay(time(6, 5), ambiguous=True), '"06:05"'),
        (Moment(timedelta(minutes=10)), '{"in_seconds": 600}'),
        (DateValue(date(2026, 5, 3), date(2026, 5, 3)), '"2026-05-03"'),
        (DateValue(date(2026, 7, 18), date(2026, 7, 19)), '{"start": "2026-07-18", "end": "2026-07-19"}'),
        (Recurrence("FREQ=DAILY"), '"FREQ=DAILY"'),
        (Recurrence("FREQ=DAILY", TimeOfDay(time(7))), '{"rrule": "FREQ=DAILY", "time": "07:00"}'),
        (Color("red", "#ff0000"), '{"name": "red", "rgb": "#ff0000"}'),
        (Temperature(21.5, "C"), '{"degrees": 21.5, "unit": "C"}'),
        (Temperature(21.0, ""), '{"degrees": 21, "unit": ""}'),
        (Percent(50.0), "50"),
    ],
)
def test_form(value: Value | None, text: str) -> None:
    assert json.dumps(to_json(value)) == text
