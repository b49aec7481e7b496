"""Time, date, sums, units, words, facts, chance. The clock says Monday, 4 May 2026, eight in Berlin."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, time
from pathlib import Path

import pytest

from device.errors import DeviceError, Missing
from device.nlu.types import DateValue, Slot, TimeOfDay
from device.skills.api import Outcome
from device.skills.fact import FactSkill
from device.skills.unit import convert
from device.skills.word import WordSkill, spelled
from device.skills.wordnet import WordNet
from device.skills.zones import zone_of

Ask = Callable[..., Awaitable[tuple[str, Outcome]]]


async def test_the_time_here_and_elsewhere(ask: Ask) -> None:
    assert (await ask("time.query"))[0] == "It's 8 AM."
    assert (await ask("time.query", place="tokyo"))[0] == "It's 3 PM in Tokyo."
    assert (await ask("time.query", place="los angeles"))[0] == "In Los Angeles it's 11 PM yesterday."
    assert (await ask("time.query", place="narnia"))[0] == "I don't know the time zone of Narnia."


async def test_times_are_converted(ask: Ask) -> None:
    noon = TimeOfDay(time(12))
    reply, _ = await ask("time.convert", **{"time": noon, "from": "london", "to": "tokyo"})
    assert reply == "Noon in London is 8 PM in Tokyo."
    reply, _ = await ask("time.convert", time=TimeOfDay(time(20)), to="sydney")
    assert "4 AM" in reply
    assert "the day after" in reply
    reply, _ = await ask("time.convert", **{"from": "paris", "to": "new york"})
    assert reply == "New York is six hours behind."
    reply, _ = await ask("time.convert", to="india")
    assert "three hours and thirty minutes ahead" in reply
    assert (await ask("time.convert", **{"from": "berlin", "to": "rome"}))[1].reply == "same"
    assert (await ask("time.convert", to="narnia"))[1].failed


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("japan", "Asia/Tokyo"),
        ("germany", "Europe/Berlin"),
        ("the netherlands", "Europe/Amsterdam"),
        ("mumbai", "Asia/Kolkata"),
        ("San Francisco", "America/Los_Angeles"),
        ("honk kong", "Asia/Hong_Kong"),
        ("austria", "Europe/Vienna"),
        ("australia", "Australia/Sydney"),
        ("york", None),
        ("utc", "UTC"),
    ],
)
def test_zones(place: str, zone: str | None) -> None:
    found = zone_of(place)
    assert (found.key if found else None) == zone


async def test_dates(ask: Ask) -> None:
    assert (await ask("date.query", "what day is it"))[0] == "Today is Monday, May fourth, 2026."
    assert (await ask("date.query", "what month is it"))[0] == "It's May."
    assert (await ask("date.query", "what year is it"))[0] == "It's 2026."
    assert (await ask("date.query", "what week is it"))[0] == "It's week 19."
    assert "Tuesday" in (await ask("date.query", "what day is tomorrow"))[0]
    christmas = Slot("christmas", DateValue(date(2026, 12, 25), date(2026, 12, 25)))
    assert (await ask("date.query", "how many days until christmas", date=christmas))[0] == "235 days until christmas."
    assert "33 weeks and 4 days" in (await ask("date.query", "how many weeks until christmas", date=christmas))[0]
    reply, _ = await ask("date.query", "when is christmas", date=christmas)
    assert reply == "Christmas is on Friday, December twenty-fifth, 2026."
    reply, _ = await ask("date.query", "what day is christmas", date=christmas)
    assert reply == "Christmas is a Friday."
    easter = Slot("easter", DateValue(date(2026, 4, 5), date(2026, 4, 5)))
    assert "29 days ago" in (await ask("date.query", "how many days since easter", date=easter))[0]


async def test_sums(ask: Ask) -> None:
    assert "12" in (await ask("math.compute", expression="fifteen percent of eighty"))[0]
    with pytest.raises(DeviceError) as raised:
        await ask("math.compute", expression="nine divided by zero")
    assert "zero" in raised.value.spoken


@pytest.mark.parametrize(
    ("number", "origin", "target", "result"),
    [
        (5, "mile", "kilometer", 8.04672),
        (100, "degC", "degF", 212.0),
        (8, "ounce", "milliliter", 236.588),
        (8, "fluid_ounce", "gram", 226.796),
        (3, "foot ** 2", "meter ** 2", 0.2787),
        (1, "mile", "kilogram", None),
        (1, "smoot_of_the_fancy_kind", "meter", None),
    ],
)
def test_units(number: float, origin: str, target: str, result: float | None) -> None:
    assert convert(number, origin, target) == (result if result is None else pytest.approx(result, rel=1e-3))


async def test_conversions_are_rounded_for_the_ear(ask: Ask) -> None:
    reply, _ = await ask("unit.convert", **{"amount": 5, "from": Slot("miles", "mile"), "to": Slot("km", "kilometer")})
    assert reply == "About 8.047 km."
    reply, _ = await ask("unit.convert", **{"amount": 2, "from": Slot("feet", "foot"), "to": Slot("inches", "inch")})
    assert reply == "2 feet is 24 inches."
    _, outcome = await ask("unit.convert", **{"from": Slot("miles", "mile"), "to": Slot("pounds", "pound")})
    assert outcome.failed


NOUNS = """\
  1 This stands for the licence that WordNet's files begin with.
{kettle:08} 06 n 02 kettle 0 boiler 0 000 | a metal pot (with a lid) for boiling; "put the kettle on"
{curie:08} 18 n 02 Marie_Curie 0 Curie 1 000 | a chemist (born in Poland) who won two prizes; she was the first
"""


@pytest.fixture
def wordnet(tmp_path: Path) -> WordNet:
    """A dictionary of three words in WordNet's own format."""
    offsets = {"kettle": 0, "curie": 0}
    for _ in range(2):
        data = NOUNS.format(**offsets)
        offsets = {"kettle": data.index(f"{offsets['kettle']:08} 06"), "curie": data.index(" 18 n") - 8}
    kettle, curie = f"{offsets['kettle']:08}", f"{offsets['curie']:08}"
    index = [
        "  1 licence",
        f"boiler n 1 0 1 0 {kettle}",
        f"kettle n 1 0 1 1 {kettle}",
        f"marie_curie n 1 0 1 0 {curie}",
    ]
    (tmp_path / "data.noun").write_text(NOUNS.format(**offsets), encoding="utf-8")
    (tmp_path / "index.noun").write_text("\n".join(index) + "\n", encoding="utf-8")
    (tmp_path / "noun.exc").write_text("kettlen kettle\n", encoding="utf-8")
    for part in ("verb", "adj", "adv"):
        (tmp_path / f"data.{part}").write_text("  1 licence\n", encoding="utf-8")
        (tmp_path / f"index.{part}").write_text("  1 licence\n", encoding="utf-8")
    return WordNet(tmp_path)


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("kettle", ("kettle", "boiler")),
        ("Kettles", ("kettle", "boiler")),
        ("kettlen", ("kettle", "boiler")),
        ("boiler", ("kettle", "boiler")),
        ("marie curie", ("Marie Curie", "Curie")),
    ],
)
def test_wordnet_finds_words_and_their_bases(wordnet: WordNet, word: str, words: Sequence[str]) -> None:
    (sense,) = wordnet.senses(word)
    assert sense.words == words


@pytest.mark.parametrize("word", ["", "a", "kettledrum", "zebra", "licence", "  1", "marie"])
def test_wordnet_knows_what_it_does_not_know(wordnet: WordNet, word: str) -> None:
    assert wordnet.senses(word) == []


def test_glosses_are_without_examples(wordnet: WordNet) -> None:
    (sense,) = wordnet.senses("kettle")
    assert sense.gloss == "a metal pot (with a lid) for boiling"
    assert sense.example == "put the kettle on"


async def _handle(skill: WordSkill | FactSkill, intent: str, text: str, **slots: str) -> Outcome:
    from datetime import UTC, datetime

    from device.skills.api import Request

    filled = {name: Slot(words, words) for name, words in slots.items()}
    return await skill.handle(Request(intent, filled, datetime(2026, 5, 4, tzinfo=UTC), text=text))


async def test_definitions(wordnet: WordNet) -> None:
    skill = WordSkill(lambda: wordnet)
    outcome = await _handle(skill, "define", "define kettles", word="kettles")
    assert outcome.values["definition"] == "a metal pot for boiling"
    outcome = await _handle(skill, "define", "another word for kettle", word="kettle")
    assert outcome.values["synonyms"] == ("boiler",)
    assert (await _handle(skill, "define", "define flurb", word="flurb")).reply == "not_found"


async def test_facts_come_with_their_limits(wordnet: WordNet) -> None:
    skill = FactSkill(lambda: wordnet)
    outcome = await _handle(skill, "ask", "who was marie curie", query="marie curie")
    assert outcome.values["answer"] == "Marie Curie: a chemist who won two prizes."
    outcome = await _handle(skill, "ask", "how old is marie curie", query="marie curie")
    assert outcome.reply == "limited"
    assert (await _handle(skill, "ask", "who is the king of flurb", query="the king of flurb")).failed


async def test_a_machine_without_wordnet(tmp_path: Path) -> None:
    def missing() -> WordNet:
        return WordNet(tmp_path)

    with pytest.raises(Missing, match="apt-get install wordnet-base"):
        missing()
    assert (await _handle(WordSkill(missing), "define", "", word="kettle")).reply == "no_dictionary"
    assert (await _handle(FactSkill(missing), "ask", "", query="kettle")).reply == "not_found"


def test_spelling() -> None:
    assert spelled("rock 'n") == "R, O, C, K, space, apostrophe, N"


async def test_chance(ask: Ask) -> None:
    seen: dict[str, set[object]] = {}
    for _ in range(60):
        for name, text, slots in [
            ("coin", "flip a coin", {}),
            ("die", "roll a die", {}),
            ("number", "pick a number between three and five", {"from": 3, "to": 5}),
            ("choice", "pizza or pasta", {"first": "pizza", "second": "pasta"}),
        ]:
            _, outcome = await ask("random.pick", text, **slots)
            assert outcome.reply == name
            seen.setdefault(name, set()).add(outcome.values["result"])
    assert seen == {
        "coin": {"heads", "tails"},
        "die": set(range(1, 7)),
        "number": {3, 4, 5},
        "choice": {"pizza", "pasta"},
    }
    _, outcome = await ask("random.pick", "roll two dice")
    assert outcome.values["total"] == sum(outcome.values["results"])  # type: ignore[call-overload]
    assert (await ask("random.pick", "a number", **{"from": 9, "to": 3}))[1].failed
    assert (await ask("random.pick", "roll dice", **{"from": 10_000}))[1].failed
