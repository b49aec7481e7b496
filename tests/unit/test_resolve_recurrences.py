from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr

from device.nlu.resolve import ResolveContext, resolve
from device.nlu.types import Recurrence, TimeOfDay

NOW = datetime(2026, 7, 15, 10, 0, tzinfo=ZoneInfo("Europe/Berlin"))
CONTEXT = ResolveContext(NOW)
WORKDAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"

RULES = [
    ("every day", "FREQ=DAILY"),
    ("each day", "FREQ=DAILY"),
    ("every single day", "FREQ=DAILY"),
    ("daily", "FREQ=DAILY"),
    ("day", "FREQ=DAILY"),
    ("every weekday", WORKDAYS),
    ("every week day", WORKDAYS),
    ("weekdays", WORKDAYS),
    ("on weekdays", WORKDAYS),
    ("monday to friday", WORKDAYS),
    ("every monday through friday", WORKDAYS),
    ("every weekend", "FREQ=WEEKLY;BYDAY=SA,SU"),
    ("weekends", "FREQ=WEEKLY;BYDAY=SA,SU"),
    ("every other weekend", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU"),
    ("every monday", "FREQ=WEEKLY;BYDAY=MO"),
    ("on mondays", "FREQ=WEEKLY;BYDAY=MO"),
    ("monday", "FREQ=WEEKLY;BYDAY=MO"),
    ("every monday and friday", "FREQ=WEEKLY;BYDAY=MO,FR"),
    ("mondays and fridays", "FREQ=WEEKLY;BYDAY=MO,FR"),
    ("every friday wednesday and monday", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
    ("friday to sunday", "FREQ=WEEKLY;BYDAY=FR,SA,SU"),
    ("saturday to monday", "FREQ=WEEKLY;BYDAY=MO,SA,SU"),
    ("every other day", "FREQ=DAILY;INTERVAL=2"),
    ("every second day", "FREQ=DAILY;INTERVAL=2"),
    ("every third day", "FREQ=DAILY;INTERVAL=3"),
    ("every three days", "FREQ=DAILY;INTERVAL=3"),
    ("every two weeks", "FREQ=WEEKLY;INTERVAL=2"),
    ("every other week", "FREQ=WEEKLY;INTERVAL=2"),
    ("every fortnight", "FREQ=WEEKLY;INTERVAL=2"),
    ("every other monday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"),
    ("every two weeks on friday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"),
    ("weekly on tuesday", "FREQ=WEEKLY;BYDAY=TU"),
    ("once a week", "FREQ=WEEKLY"),
    ("monthly", "FREQ=MONTHLY"),
    ("every month on the fifth", "FREQ=MONTHLY;BYMONTHDAY=5"),
    ("on the first of every month", "FREQ=MONTHLY;BYMONTHDAY=1"),
    ("the last day of every month", "FREQ=MONTHLY;BYMONTHDAY=-1"),
    ("every first monday of the month", "FREQ=MONTHLY;BYDAY=1MO"),
    ("the last friday of every month", "FREQ=MONTHLY;BYDAY=-1FR"),
    ("every year", "FREQ=YEARLY"),
    ("annually", "FREQ=YEARLY"),
    ("every third of may", "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=3"),
    ("every year on may third", "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=3"),
    ("every hour", "FREQ=HOURLY"),
    ("hourly", "FREQ=HOURLY"),
    ("every two hours", "FREQ=HOURLY;INTERVAL=2"),
    ("every half hour", "FREQ=MINUTELY;INTERVAL=30"),
    ("every ten minutes", "FREQ=MINUTELY;INTERVAL=10"),
    ("twice a day", "FREQ=HOURLY;INTERVAL=12"),
]


@pytest.mark.parametrize(("text", "rrule"), RULES)
def test_rule(text: str, rrule: str) -> None:
    assert resolve("recurrence", text, CONTEXT) == Recurrence(rrule)


@pytest.mark.parametrize("rrule", sorted({rrule for _, rrule in RULES}))
def test_rules_are_valid_rfc_5545(rrule: str) -> None:
    assert rrulestr(rrule, dtstart=NOW.replace(tzinfo=None)).after(NOW.replace(tzinfo=None)) is not None


@pytest.mark.parametrize(
    ("text", "rrule", "clock"),
    [
        ("every weekday at half past six", WORKDAYS, TimeOfDay(time(6, 30), ambiguous=True)),
        ("on weekdays at seven am", WORKDAYS, TimeOfDay(time(7))),
        ("seven am every day", "FREQ=DAILY", TimeOfDay(time(7))),
        ("each morning", "FREQ=DAILY", TimeOfDay(time(8))),
        ("every evening at seven", "FREQ=DAILY", TimeOfDay(time(19))),
        ("every monday evening", "FREQ=WEEKLY;BYDAY=MO", TimeOfDay(time(19))),
        ("mondays and thursdays at six pm", "FREQ=WEEKLY;BYDAY=MO,TH", TimeOfDay(time(18))),
        ("nightly", "FREQ=DAILY", TimeOfDay(time(21))),
    ],
)
def test_rule_with_time(text: str, rrule: str, clock: TimeOfDay) -> None:
    assert resolve("recurrence", text, CONTEXT) == Recurrence(rrule, clock)


@pytest.mark.parametrize(
    "text",
    ["tomorrow", "every", "every banana", "seven", "every thirty second of the month", "every february thirtieth"],
)
def test_no_rule(text: str) -> None:
    assert resolve("recurrence", text, CONTEXT) is None
