"""Help, stop, privacy, feedback, people, phrases, packs without a module, third parties."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from importlib import metadata

import pytest

from device.errors import PackError, SkillError
from device.nlu.pack import PACKS_DIR, Pack, load_pack
from device.nlu.types import DateValue, Slot, TimeOfDay
from device.skills import registry
from device.skills.api import Outcome, Request, Services
from device.skills.declared import PackSkill
from device.skills.registry import build_skills
from device.skills.schedule import Scheduler
from device.store.database import Database
from device.store.phrases import TaughtPhrases
from device.store.turns import History, Turns
from firmware_sim.home.player import SimulatedPlayer
from firmware_sim.manual_clock import ManualClock

Ask = Callable[..., Awaitable[tuple[str, Outcome]]]


def test_every_pack_has_its_skill(services: Services, packs: Sequence[Pack]) -> None:
    skills = build_skills(services, packs)
    assert skills.keys() == {pack.skill for pack in packs if pack.intents}
    assert all(skill.name == name for name, skill in skills.items())
    served_by_pack = {name for name, skill in skills.items() if isinstance(skill, PackSkill)}
    assert served_by_pack == {"joke"}
    assert registry.BUILT_IN.keys() == skills.keys() - served_by_pack


async def test_every_intent_is_implemented(services: Services, packs: Sequence[Pack], clock: ManualClock) -> None:
    """Without slots each intent answers, asks, or says honestly that it can't."""
    own_to_the_dialogue = {"system.repeat"}
    skills = build_skills(services, packs)
    for pack in packs:
        for name in pack.intents:
            if f"{pack.skill}.{name}" not in own_to_the_dialogue:
                outcome = await skills[pack.skill].handle(Request(name, {}, clock.now()))
                replies = pack.intents[name].replies.keys() | pack.replies.keys()
                assert (outcome.question or outcome).reply in replies, f"{pack.skill}.{name}"


async def test_an_intent_without_code_is_an_error(
    services: Services, packs: Sequence[Pack], clock: ManualClock
) -> None:
    answers_anything = {"smalltalk", "weather", "news", "currency"}
    skills = build_skills(services, packs)
    slots = {"word": Slot("kettle", "kettle"), "device": Slot("kitchen light", "kitchen light")}
    for name in skills.keys() - answers_anything - {"climate"}:  # the thermostat is looked for first
        with pytest.raises(SkillError):
            await skills[name].handle(Request("fly", slots, clock.now()))


async def test_help_gives_examples_that_are_real(ask: Ask, packs: Sequence[Pack]) -> None:
    real = {example for pack in packs for intent in pack.intents.values() for example in intent.examples}
    _, outcome = await ask("system.help", "what can you do")
    said = str(outcome.values["examples"]).strip("“”").split("”, or “")
    assert len(said) == 3
    assert set(said) <= real
    _, outcome = await ask("system.help", "what can you do with timers")
    assert "set a timer for ten minutes" in str(outcome.values["examples"])


async def test_stop_ends_what_rings_then_what_plays(
    ask: Ask, scheduler: Scheduler, clock: ManualClock, player: SimulatedPlayer
) -> None:
    await ask("media.play", title="blue kettle")
    scheduler.start_timer(timedelta(seconds=1))
    clock.advance(1)
    assert scheduler.due()
    await ask("system.stop", "stop")
    assert scheduler.ringing() == []
    assert player.state()["playing"]
    await ask("system.stop", "stop")
    assert player.state()["paused"]
    assert (await ask("system.stop", "stop"))[1].changes == ()


async def test_feedback_marks_the_last_turn_if_turns_are_kept(ask: Ask, database: Database, clock: ManualClock) -> None:
    assert (await ask("feedback.wrong"))[1].reply == "off"
    Turns(database, 7).add(clock.now(), "turn on the fun", "light.on", "Okay.")
    await ask("feedback.wrong", message="i said fan")
    assert [(turn.heard, verdict) for turn, verdict in History(database).marked()] == [
        ("turn on the fun", "i said fan")
    ]


async def test_privacy(ask: Ask, database: Database, clock: ManualClock) -> None:
    assert (await ask("privacy.report"))[1].reply == "nothing"
    assert (await ask("privacy.forget"))[1].reply == "none"
    await ask("alarm.set", time=TimeOfDay(time(9)))
    await ask("note.remember", message="the code is 4711")
    await ask("list.add", item="milk and eggs")
    turns = Turns(database, 7)
    turns.add(clock.now() - timedelta(days=1), "yesterday's", "light.on", "Okay.")
    turns.add(clock.now(), "today's", "light.on", "Okay.")
    reply, _ = await ask("privacy.report")
    assert "2 turns, one note, 2 list items and one alarm or reminder" in reply
    today = DateValue(date(2026, 5, 4), date(2026, 5, 4))
    await ask("privacy.forget", date=today)
    assert [turn.heard for turn in History(database).since(datetime(2000, 1, 1, tzinfo=UTC))] == ["yesterday's"]
    _, outcome = await ask("privacy.forget")
    assert outcome.undo is None
    reply, _ = await ask("privacy.report")
    assert "one alarm or reminder" in reply
    assert "note" not in reply


async def test_people(ask: Ask) -> None:
    assert (await ask("profile.switch", "who am i"))[1].reply == "none"
    assert (await ask("profile.switch", person="anna"))[1].reply == "new"
    assert "Anna" in (await ask("profile.switch", "who am i"))[0]
    await ask("profile.switch", person="omar")
    assert (await ask("profile.switch", person="hanna"))[0] == "Hello Anna."
    assert (await ask("profile.switch", "switch the profile"))[1].question is not None


async def test_taught_phrases(ask: Ask, database: Database) -> None:
    phrases = TaughtPhrases(database)
    await ask("phrase.teach", phrase="pizza time", command="set a timer for ten minutes")
    assert phrases.command("pizza time") == "set a timer for ten minutes"
    await ask("phrase.teach", phrase="hungry", command="pizza time")
    assert phrases.command("hungry") == "set a timer for ten minutes", "phrases of phrases are followed at once"
    _, outcome = await ask("phrase.teach", phrase="pizza time", command="turn on the oven")
    assert outcome.undo is not None
    await outcome.undo()
    assert phrases.command("pizza time") == "set a timer for ten minutes"
    assert (await ask("phrase.teach", phrase="loop", command="loop"))[1].failed


async def test_small_things(ask: Ask) -> None:
    assert (await ask("smalltalk.goodbye", "good night"))[1].reply == "night"
    assert (await ask("smalltalk.goodbye", "bye"))[1].reply == "done"
    for skill in ("weather.query", "news.query"):
        assert (await ask(skill))[1].reply == "offline"
    reply, outcome = await ask("announce.broadcast", message="dinner is ready")
    assert "dinner is ready" in reply
    assert outcome.reply == "alone"
    assert len({(await ask("joke.tell"))[0]}) == 1


async def test_a_pack_alone_is_a_skill() -> None:
    pack = load_pack(PACKS_DIR / "examples" / "coffee.yaml")
    slots = {
        "size": Slot("large", "large"),
        "coffee_drink": Slot("latte", "latte"),
        "number_of_shots": Slot("double shot", 2),
    }
    outcome = await PackSkill(pack).handle(Request("order_drink", slots, datetime(2026, 5, 4, tzinfo=UTC)))
    assert outcome.values["summary"] == "latte, large, double shot"
    (change,) = outcome.changes
    assert (change.skill, change.action) == ("coffee", "order_drink")
    assert change.set == {"coffee_drink": "latte", "size": "large", "number_of_shots": 2}


def test_a_third_party_serves_its_pack(
    monkeypatch: pytest.MonkeyPatch, services: Services, packs: Sequence[Pack]
) -> None:
    good = metadata.EntryPoint("joke", "device.skills.smalltalk:build", registry.GROUP)
    unused = metadata.EntryPoint("teleport", "no.such.module:build", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [good, unused])
    assert build_skills(services, packs)["joke"].name == "smalltalk"
    broken = metadata.EntryPoint("joke", "no.such.module:build", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [broken])
    with pytest.raises(PackError, match="joke"):
        build_skills(services, packs)
