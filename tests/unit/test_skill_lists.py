"""Lists, notes and appointments, spoken."""

from collections.abc import Awaitable, Callable
from datetime import date, time

from device.nlu.types import DateValue, Recurrence, Slot, TimeOfDay
from device.skills.api import Outcome
from device.store.database import Database
from device.store.items import Items

Ask = Callable[..., Awaitable[tuple[str, Outcome]]]

TOMORROW = DateValue(date(2026, 5, 5), date(2026, 5, 5))
THREE_PM = TimeOfDay(time(15))


async def test_add_one_or_several(ask: Ask, database: Database) -> None:
    reply, outcome = await ask("list.add", item="milk")
    assert reply == "Added milk to your shopping list."
    reply, _ = await ask("list.add", item="eggs and a loaf of bread")
    assert reply == "Added eggs and a loaf of bread to your shopping list."
    await ask("list.add", item="mac and cheese and salt and pepper")
    expected = ["milk", "eggs", "a loaf of bread", "mac and cheese", "salt and pepper"]
    assert Items(database).items("shopping") == expected
    assert (await ask("list.add", item="Milk"))[1].reply == "already"
    assert outcome.undo is not None
    await outcome.undo()
    assert Items(database).items("shopping") == expected[1:]


async def test_other_lists(ask: Ask, database: Database) -> None:
    await ask("list.add", item="call the plumber", list=Slot("to do list", "to do"))
    assert Items(database).items("to do") == ["call the plumber"]
    assert (await ask("list.query", "what lists are there"))[0] == "Your lists are: to do."


async def test_remove_finds_the_list_that_has_it(ask: Ask, database: Database) -> None:
    await ask("list.add", item="paint", list="hardware")
    reply, outcome = await ask("list.remove", item="paint")
    assert "hardware" in reply
    assert Items(database).lists() == []
    assert outcome.undo is not None
    await outcome.undo()
    assert Items(database).items("hardware") == ["paint"]
    assert (await ask("list.remove", item="paint", list="shopping"))[1].failed


async def test_almond_milk_is_not_milk(ask: Ask) -> None:
    await ask("list.add", item="almond milk")
    assert (await ask("list.query", item="milk"))[1].reply == "missing"
    assert (await ask("list.query", item="almond milk"))[1].reply == "contains"
    assert (await ask("list.remove", item="milk"))[1].failed


async def test_query_and_clear(ask: Ask, database: Database) -> None:
    assert (await ask("list.query"))[1].reply == "empty"
    await ask("list.add", item="milk and eggs")
    assert (await ask("list.query"))[0] == "On your shopping list: milk and eggs."
    _, outcome = await ask("list.clear")
    assert Items(database).items("shopping") == []
    assert outcome.undo is not None
    await outcome.undo()
    assert Items(database).items("shopping") == ["milk", "eggs"]


async def test_notes(ask: Ask) -> None:
    assert (await ask("note.recall", "read my notes"))[1].reply == "none"
    reply, outcome = await ask("note.remember", message="my keys are in the blue drawer")
    assert "your keys are in the blue drawer" in reply
    await ask("note.remember", message="i parked on level three")
    assert "blue drawer" in (await ask("note.recall", "where are my keys", query="my keys"))[0]
    assert "you parked on level three" in (await ask("note.recall", "read the last note"))[0]
    assert (await ask("note.recall", query="the passport"))[1].failed
    assert outcome.undo is not None
    await outcome.undo()
    assert (await ask("note.recall", query="my keys"))[1].failed


async def test_appointments(ask: Ask) -> None:
    assert (await ask("calendar.query"))[1].reply == "empty"
    reply, outcome = await ask("calendar.add", message="dentist", date=TOMORROW, time=THREE_PM)
    assert reply == "Dentist is in your calendar for tomorrow at 3 PM."
    await ask("calendar.add", message="dinner", date=TOMORROW, person="anna")
    reply, _ = await ask("calendar.query", date=TOMORROW)
    assert "dinner with anna and dentist at 3 PM" in reply
    assert (await ask("calendar.query"))[1].reply == "none"
    reply, _ = await ask("calendar.query", "when is the dentist appointment", message="dentist")
    assert "tomorrow at 3 PM" in reply
    assert outcome.undo is not None
    await outcome.undo()
    assert (await ask("calendar.query", message="dentist"))[1].reply == "no_such"


async def test_repeating_appointments(ask: Ask) -> None:
    await ask("calendar.add", message="standup", time=TimeOfDay(time(9)), recurrence=Recurrence("FREQ=DAILY"))
    week = DateValue(date(2026, 5, 5), date(2026, 5, 7))
    reply, outcome = await ask("calendar.query", date=week)
    assert outcome.values["count"] == 3
    assert "standup tomorrow at 9 AM" in reply
    _, outcome = await ask("calendar.remove", message="standup")
    assert (outcome.reply, (await ask("calendar.query"))[1].reply) == ("done", "empty")
    assert outcome.undo is not None
    await outcome.undo()
    assert (await ask("calendar.query", date=week))[1].values["count"] == 3


async def test_which_appointment(ask: Ask) -> None:
    await ask("calendar.add", message="dentist", date=TOMORROW, time=THREE_PM)
    await ask("calendar.add", message="haircut", date=TOMORROW)
    _, outcome = await ask("calendar.remove", "delete the appointment", date=TOMORROW)
    assert outcome.question is not None
    assert outcome.question.options == ("haircut", "dentist")
    await ask("calendar.remove", date=TOMORROW, time=THREE_PM)
    assert (await ask("calendar.query", date=TOMORROW))[0].endswith("haircut.")
    assert (await ask("calendar.remove", message="opera"))[1].failed
