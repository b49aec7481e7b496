"""What each table promises."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from device.store.calendar import Calendar
from device.store.database import Database
from device.store.items import Items
from device.store.notes import Notes
from device.store.occasions import Occasions
from device.store.personal import Personal
from device.store.phrases import TaughtPhrases
from device.store.profiles import Profiles
from device.store.settings import Settings
from device.store.turns import History, Turns
from firmware_sim.manual_clock import ManualClock


def test_items_compare_without_case_and_keep_their_order(database: Database) -> None:
    items = Items(database)
    assert items.add("shopping", "Milk")
    assert items.add("shopping", "eggs")
    assert not items.add("Shopping", "milk")
    assert items.items("SHOPPING") == ["Milk", "eggs"]
    assert items.add("to do", "milk"), "another list is another place"
    assert items.lists() == ["shopping", "to do"]
    assert items.remove("shopping", "MILK")
    assert not items.remove("shopping", "milk")
    assert items.clear("shopping") == 1
    assert items.lists() == ["to do"]


def test_settings_hold_json(database: Database) -> None:
    settings = Settings(database)
    assert settings.get("volume", 60) == 60
    settings.set("volume", 0)
    settings.set("media.liked", ["a", "b"])
    assert settings.get("volume", 60) == 0
    assert settings.get("media.liked") == ["a", "b"]


def test_occasions_refuse_aware_times(database: Database, clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="naive"):
        Occasions(database).add("alarm", clock.now())


def test_occasions_remember_the_second_pass_of_a_repeated_hour(database: Database) -> None:
    occasions = Occasions(database)
    at = datetime.fromisoformat("2026-10-25T02:30").replace(fold=1)
    occasions.add("alarm", at)
    assert occasions.all()[0].at.fold == 1


def test_turns_are_kept_only_as_long_as_wanted(database: Database, clock: ManualClock) -> None:
    Turns(database, keep_days=0).add(clock.now(), "secret", "light.on", "Okay.")
    assert History(database).last() is None
    turns = Turns(database, keep_days=2)
    turns.add(clock.now(), "first", "light.on", "Okay.")
    clock.advance(86_400 * 1.5)
    turns.add(clock.now(), "second", "light.off", "Okay.")
    clock.advance(86_400)
    turns.prune(clock.now())
    assert [turn.heard for turn in History(database).since(clock.now() - timedelta(days=9))] == ["second"]


def test_feedback_goes_with_its_turn(database: Database, clock: ManualClock) -> None:
    Turns(database, 30).add(clock.now(), "turn on", "light.on", "Okay.")
    history = History(database)
    last = history.last()
    assert last is not None
    history.mark(last, "wrong", clock.now())
    history.mark(last, "very wrong", clock.now())
    assert [(turn.heard, verdict) for turn, verdict in history.marked()] == [("turn on", "very wrong")]
    day = timedelta(days=1)
    assert history.forget(clock.now() - day, clock.now() + day) == 1
    assert history.marked() == []


def test_forgetting_leaves_no_trace_in_the_file(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "homebody.db"
    database = Database(path)
    Notes(database).add("the safe opens with 4711", clock.now())
    Turns(database, 30).add(clock.now(), "remember that the safe opens with 4711", "note.remember", "Noted.")
    Settings(database).set("media.liked", ["4711"])
    assert Personal(database).forget() == 3
    assert not [file for file in tmp_path.iterdir() if b"4711" in file.read_bytes()]


def test_forgetting_keeps_what_rings(database: Database) -> None:
    Occasions(database).add("alarm", datetime.fromisoformat("2026-05-05T07:00"))
    Items(database).add("shopping", "milk")
    personal = Personal(database)
    assert sum(personal.counts().values()) == 2
    assert personal.forget() == 1
    assert len(Occasions(database).all("alarm")) == 1


def test_phrases_are_in_spoken_form(database: Database) -> None:
    phrases = TaughtPhrases(database)
    phrases.teach("Movie Time!", "Dim the lights to 20%")
    assert phrases.command("movie time") == "dim the lights to twenty percent"
    assert phrases.command("dinner time") is None


def test_one_profile_is_current(database: Database) -> None:
    profiles = Profiles(database)
    assert profiles.current() == ""
    profiles.switch("anna")
    profiles.switch("omar")
    profiles.switch("Anna")
    assert profiles.current() == "anna"
    assert profiles.names() == ["anna", "omar"]


def test_calendar_expands_repetitions(database: Database) -> None:
    calendar = Calendar(database)
    monday = datetime.fromisoformat("2026-05-04T09:30")
    calendar.add("standup", monday, all_day=False, rrule="FREQ=WEEKLY;BYDAY=MO,WE")
    calendar.add("birthday", datetime.fromisoformat("2026-05-06"), all_day=True)
    found = calendar.between(monday.date(), date(2026, 5, 10))
    assert [(event.title, event.at.day) for event in found] == [("standup", 4), ("birthday", 6), ("standup", 6)]
    assert calendar.after(datetime.fromisoformat("2026-05-06T23:00"))[0].title == "birthday", (
        "an all-day event lasts all day"
    )
    assert calendar.after(datetime.fromisoformat("2026-05-04T09:31"))[0].title == "birthday"
