from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.nlu.resolve import next_occurrence, occurrences
from device.nlu.resolve.when import localize
from device.nlu.types import DateValue, Moment, Recurrence, TimeOfDay

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
NOW = datetime(2026, 7, 15, 10, 0, tzinfo=BERLIN)  # a Wednesday
SEVEN = TimeOfDay(time(7), ambiguous=True)


def day(text: str) -> DateValue:
    value = date.fromisoformat(text)
    return DateValue(value, value)


@pytest.mark.parametrize(
    ("clock", "when", "rule", "expected"),
    [
        (SEVEN, None, None, "2026-07-15 19:00"),  # the next seven to come
        (TimeOfDay(time(11), ambiguous=True), None, None, "2026-07-15 11:00"),
        (TimeOfDay(time(12), ambiguous=True), None, None, "2026-07-15 12:00"),
        (TimeOfDay(time(10), ambiguous=True), None, None, "2026-07-15 22:00"),  # exactly now is not next
        (TimeOfDay(time(7)), None, None, "2026-07-16 07:00"),
        (SEVEN, day("2026-07-15"), None, "2026-07-15 19:00"),
        (SEVEN, day("2026-07-16"), None, "2026-07-16 07:00"),  # another day: the morning
        (TimeOfDay(time(2), ambiguous=True), day("2026-07-16"), None, "2026-07-16 14:00"),
        (TimeOfDay(time(12), ambiguous=True), day("2026-07-16"), None, "2026-07-16 12:00"),
        (TimeOfDay(time(0)), day("2026-07-15"), None, "2026-07-16 00:00"),  # "tonight at midnight"
        (None, day("2026-07-17"), None, "2026-07-17 09:00"),
        (None, day("2026-07-15"), None, "2026-07-15 11:00"),
        (TimeOfDay(time(7)), day("2026-07-01"), None, "2026-07-01 07:00"),  # past: the caller may refuse
        (SEVEN, DateValue(date(2026, 7, 18), date(2026, 7, 19)), None, "2026-07-18 07:00"),
        (Moment(timedelta(minutes=10)), None, None, "2026-07-15 10:10"),
        (None, Moment(timedelta(hours=2)), None, "2026-07-15 12:00"),
        (SEVEN, None, "FREQ=DAILY", "2026-07-16 07:00"),
        (TimeOfDay(time(11)), None, "FREQ=DAILY", "2026-07-15 11:00"),
        (SEVEN, None, "FREQ=DAILY;INTERVAL=2", "2026-07-16 07:00"),
        (SEVEN, None, "FREQ=WEEKLY;BYDAY=MO,FR", "2026-07-17 07:00"),
        (TimeOfDay(time(19)), None, "FREQ=WEEKLY;BYDAY=WE", "2026-07-15 19:00"),
        (SEVEN, None, "FREQ=WEEKLY;BYDAY=WE", "2026-07-22 07:00"),
        (SEVEN, day("2026-07-20"), "FREQ=DAILY", "2026-07-20 07:00"),
        (None, None, "FREQ=DAILY", "2026-07-16 09:00"),
        (None, None, "FREQ=HOURLY;INTERVAL=2", "2026-07-15 12:00"),
        (None, None, "FREQ=MONTHLY;BYMONTHDAY=-1", "2026-07-31 09:00"),
        (SEVEN, None, "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2028-02-29 07:00"),
    ],
)
def test_next(
    clock: TimeOfDay | Moment | None, when: DateValue | Moment | None, rule: str | None, expected: str
) -> None:
    found = next_occurrence(clock, when, Recurrence(rule) if rule else None, NOW)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=BERLIN)
    assert found.tzinfo is BERLIN


def test_a_recurrence_fixes_the_hour_of_its_time() -> None:
    evening = Recurrence("FREQ=DAILY", TimeOfDay(time(19)))
    assert next_occurrence(SEVEN, None, evening, NOW) == datetime(2026, 7, 15, 19, tzinfo=BERLIN)
    half_past = Recurrence("FREQ=DAILY", TimeOfDay(time(6, 30), ambiguous=True))
    assert next_occurrence(None, None, half_past, NOW) == datetime(2026, 7, 16, 6, 30, tzinfo=BERLIN)


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="at least one"):
        next_occurrence(None, None, None, NOW)
    with pytest.raises(ValueError, match="aware"):
        next_occurrence(SEVEN, None, None, NOW.replace(tzinfo=None))
    with pytest.raises(ValueError, match="aware"):
        occurrences("FREQ=DAILY", NOW.replace(tzinfo=None), NOW)


@pytest.mark.parametrize(
    ("zone", "skipped", "shown"),
    [(BERLIN, "2026-03-29 02:30", "2026-03-29 03:30"), (NEW_YORK, "2026-03-08 02:30", "2026-03-08 03:30")],
)
def test_a_skipped_time_moves_forward(zone: ZoneInfo, skipped: str, shown: str) -> None:
    naive = datetime.fromisoformat(skipped)
    now = (naive - timedelta(days=1)).replace(tzinfo=zone)
    found = next_occurrence(TimeOfDay(time(2, 30)), DateValue(naive.date(), naive.date()), None, now)
    assert found.isoformat(" ", "minutes")[:16] == shown
    daily = occurrences("FREQ=DAILY", now, now)
    assert daily == found
    # Woken in the hour behind the gap, the alarm is still to come.
    just_before = found - timedelta(minutes=10)
    assert occurrences("FREQ=DAILY", now, just_before) == found
    after = occurrences("FREQ=DAILY", now, found)
    assert after is not None
    assert after.isoformat(" ", "minutes")[:16] == f"{(naive + timedelta(days=1)):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(("zone", "doubled"), [(BERLIN, "2026-10-25 02:30"), (NEW_YORK, "2026-11-01 01:30")])
def test_a_doubled_time_is_the_first(zone: ZoneInfo, doubled: str) -> None:
    naive = datetime.fromisoformat(doubled)
    first = naive.replace(tzinfo=zone, fold=0)
    now = first.astimezone(UTC) - timedelta(minutes=30)
    found = next_occurrence(TimeOfDay(naive.time()), None, None, now.astimezone(zone))
    assert found.astimezone(UTC) == first.astimezone(UTC)
    # It rings once: after the first comes the next day's.
    start = first - timedelta(days=3)
    again = occurrences("FREQ=DAILY", start, found)
    assert again is not None
    assert again.date() == naive.date() + timedelta(days=1)
    second = naive.replace(tzinfo=zone, fold=1).astimezone(UTC) - timedelta(minutes=5)
    assert occurrences("FREQ=DAILY", start, second) == again


def test_wall_time_stays_across_the_change_and_hours_are_real() -> None:
    before = datetime(2026, 3, 28, 12, 0, tzinfo=BERLIN)
    assert occurrences("FREQ=DAILY", before, before) == datetime(2026, 3, 29, 12, 0, tzinfo=BERLIN)
    assert next_occurrence(Moment(timedelta(days=1)), None, None, before).hour == 12
    in_a_day_of_hours = next_occurrence(Moment(timedelta(hours=23)), None, None, before)
    assert in_a_day_of_hours.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=23)
    hourly = occurrences("FREQ=HOURLY;INTERVAL=6", before, before + timedelta(hours=12))
    assert hourly is not None
    assert (hourly.astimezone(UTC) - before.astimezone(UTC)) % timedelta(hours=6) == timedelta(0)


def test_a_rule_may_end() -> None:
    start = datetime(2026, 1, 1, 7, tzinfo=UTC)
    assert occurrences("FREQ=DAILY;COUNT=2", start, start) == start + timedelta(days=1)
    assert occurrences("FREQ=DAILY;COUNT=2", start, start + timedelta(days=1)) is None


def test_minutes_of_an_old_rule_are_found_at_once() -> None:
    start = datetime(2006, 1, 1, tzinfo=UTC)
    assert occurrences("FREQ=MINUTELY;INTERVAL=7", start, start + timedelta(minutes=7_000_000)) == start + timedelta(
        minutes=7_000_007
    )


YEARS = [datetime(year, 1, 1) for year in (2024, 2030)]  # noqa: DTZ001
INSTANTS = st.datetimes(YEARS[0], YEARS[1], timezones=st.sampled_from([BERLIN, NEW_YORK]))
CLOCKS = st.builds(
    TimeOfDay, st.times().map(lambda t: t.replace(second=0, microsecond=0, hour=t.hour % 12 + 1)), st.booleans()
)


@given(INSTANTS, CLOCKS)
def test_next_is_within_a_day_and_shows_the_time(instant: datetime, clock: TimeOfDay) -> None:
    now = instant.astimezone(UTC).astimezone(instant.tzinfo)  # instants in a gap do not exist
    found = next_occurrence(clock, None, None, now)
    assert timedelta(0) < found.astimezone(UTC) - now.astimezone(UTC) <= timedelta(hours=13 if clock.ambiguous else 25)
    naive = found.replace(tzinfo=None)
    shown = {naive.hour % 12}
    if localize(naive - timedelta(hours=1), now.tzinfo or UTC) == found:  # just behind a gap
        shown.add((naive.hour - 1) % 12)
    assert clock.time.hour % 12 in shown
    assert naive.minute == clock.time.minute


@given(
    INSTANTS, st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,FR", "FREQ=HOURLY;INTERVAL=5"]), st.integers(0, 400)
)
def test_occurrences_go_forward(start: datetime, rrule: str, hours: int) -> None:
    after = start.astimezone(UTC) + timedelta(hours=hours)
    found = occurrences(rrule, start, after)
    assert found is not None
    assert after < found.astimezone(UTC) <= after + timedelta(days=7)
