"""The packs that ship: complete, consistent, in spoken form, and distinct from each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import hassil.expression as ast
import pytest
from hassil.parse_expression import parse_sentence

from device.errors import PackError
from device.nlu.grammar import Grammar, compile_grammar
from device.nlu.match import match
from device.nlu.pack import (
    PACKS_DIR,
    IntentSpec,
    Pack,
    TypeSpec,
    all_types,
    load_pack,
    load_packs,
    types_of,
)
from device.nlu.text import spoken, words

DESIGN = """
timer start query cancel pause resume extend
alarm set query cancel snooze stop
reminder set query cancel
list add remove query clear
calendar add query remove
light on off dim brighten set color
switch on off
climate set up down query
cover open close
lock lock unlock
vacuum start stop
scene activate
volume set up down mute unmute
media play pause resume stop next previous shuffle repeat query like
tv on off channel channel_up channel_down input app subtitles guide
recommend watch listen
time query convert
date query
weather query
news query
math compute
unit convert
currency convert
word define spell
fact ask
joke tell
random pick
note remember recall
announce broadcast
profile switch
phrase teach
feedback wrong
privacy forget report
system help repeat stop cancel identity
smalltalk greet thanks goodbye wellbeing
"""
TYPES = """
duration time date recurrence number percent temperature color room device scene item list name person channel app
input title artist genre media_type place unit amount currency word expression query message
"""
COFFEE = PACKS_DIR / "examples" / "coffee.yaml"
PACKS = [*load_packs(PACKS_DIR), load_pack(COFFEE)]
COMMON = next(pack for pack in PACKS if pack.skill == "common")
INTENTS = [(pack, name, intent) for pack in PACKS for name, intent in pack.intents.items()]
each_intent = pytest.mark.parametrize(
    ("pack", "name", "intent"), INTENTS, ids=[f"{pack.skill}.{name}" for pack, name, _ in INTENTS]
)

Shape = tuple[str, str, bool]
"""First and last of a sentence: "free" words, a "fixed" word or "" for nothing; and whether any word is fixed."""


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return compile_grammar(PACKS)


def _rule(pack: Pack, name: str) -> ast.Expression:
    rules = {**COMMON.rules, **pack.rules}
    assert name in rules, f"{pack.skill}: no rule <{name}>"
    return parse_sentence(rules[name]).expression


def _leaves(tree: ast.Expression, pack: Pack) -> Iterator[ast.TextChunk | ast.ListReference]:
    """All text and all slots of a template, rules included."""
    if isinstance(tree, ast.TextChunk | ast.ListReference):
        yield tree
    elif isinstance(tree, ast.RuleReference):
        yield from _leaves(_rule(pack, tree.rule_name), pack)
    else:
        assert isinstance(tree, ast.Group)
        for item in tree.items:
            yield from _leaves(item, pack)


def _join(left: Shape, right: Shape, where: str) -> Shape:
    assert not (left[1] == right[0] == "free"), f"two wildcards side by side in {where}"
    return left[0] or right[0], right[1] or left[1], left[2] or right[2]


def _shapes(tree: ast.Expression, pack: Pack, intent: IntentSpec, where: str) -> set[Shape]:
    """All ways in which a template may begin and end."""
    if isinstance(tree, ast.TextChunk):
        return {("fixed", "fixed", True)} if tree.original_text.strip() else {("", "", False)}
    if isinstance(tree, ast.ListReference):
        free = types_of(pack, PACKS)[intent.slot_type(tree.list_name)].wildcard
        return {("free", "free", False)} if free else {("fixed", "fixed", True)}
    if isinstance(tree, ast.RuleReference):
        return _shapes(_rule(pack, tree.rule_name), pack, intent, where)
    assert isinstance(tree, ast.Group)
    parts = [_shapes(item, pack, intent, where) for item in tree.items]
    if isinstance(tree, ast.Alternative):
        return set().union(*parts)
    orders = itertools.permutations(parts) if isinstance(tree, ast.Permutation) else [tuple(parts)]
    found: set[Shape] = set()
    for order in orders:
        sequence: set[Shape] = {("", "", False)}
        for part in order:
            sequence = {_join(left, right, where) for left in sequence for right in part}
        found |= sequence
    return found


def _most(tree: ast.Expression, pack: Pack, slot: str) -> int:
    """How often a slot stands in one sentence at most."""
    if isinstance(tree, ast.ListReference):
        return int(tree.list_name == slot)
    if isinstance(tree, ast.RuleReference):
        return _most(_rule(pack, tree.rule_name), pack, slot)
    if not isinstance(tree, ast.Group):
        return 0
    counts = [_most(item, pack, slot) for item in tree.items]
    return max(counts) if isinstance(tree, ast.Alternative) else sum(counts)


def _variants(reply: str | tuple[str, ...]) -> tuple[str, ...]:
    return (reply,) if isinstance(reply, str) else reply


def test_exactly_the_intents_of_the_design_exist() -> None:
    wanted = [f"{skill}.{name}" for skill, *names in map(str.split, DESIGN.split("\n")[1:-1]) for name in names]
    shipped = [name for pack in load_packs(PACKS_DIR) for name in pack.intent_names()]
    assert sorted(shipped) == sorted(wanted)


def test_the_common_pack_has_exactly_the_types_of_the_design() -> None:
    assert sorted(COMMON.types) == sorted(TYPES.split())
    assert not COMMON.intents


@each_intent
def test_an_intent_is_documented_and_complete(pack: Pack, name: str, intent: IntentSpec) -> None:
    assert intent.description.endswith((".", "?"))
    assert len(intent.phrases) >= 3
    assert intent.replies
    assert 1 <= len(intent.examples) <= 3
    for slot, spec in intent.slots.items():
        assert not spec.required or spec.ask.endswith("?"), f"{slot} is required without a question"


@each_intent
def test_phrases_use_only_what_is_declared(pack: Pack, name: str, intent: IntentSpec) -> None:
    types = types_of(pack, PACKS)
    for slot in intent.slots:
        assert intent.slot_type(slot) in types, f"{slot}: no type {intent.slot_type(slot)}"
    for phrase in intent.phrases:
        for leaf in _leaves(parse_sentence(phrase).expression, pack):
            if isinstance(leaf, ast.ListReference):
                assert leaf.list_name in intent.slots, f"{phrase}: no slot {leaf.list_name}"


@each_intent
def test_declared_slots_can_be_said(pack: Pack, name: str, intent: IntentSpec) -> None:
    leaves = [leaf for phrase in intent.phrases for leaf in _leaves(parse_sentence(phrase).expression, pack)]
    said = {leaf.list_name for leaf in leaves if isinstance(leaf, ast.ListReference)}
    assert intent.slots.keys() <= said


@each_intent
def test_a_phrase_fills_a_slot_once(pack: Pack, name: str, intent: IntentSpec) -> None:
    for phrase, slot in itertools.product(intent.phrases, intent.slots):
        assert _most(parse_sentence(phrase).expression, pack, slot) <= 1, f"{phrase}: {slot} twice"


@each_intent
def test_phrases_are_in_spoken_form(pack: Pack, name: str, intent: IntentSpec) -> None:
    for phrase in intent.phrases:
        for leaf in _leaves(parse_sentence(phrase).expression, pack):
            if isinstance(leaf, ast.TextChunk):
                assert spoken(leaf.original_text) == " ".join(leaf.original_text.split()), phrase


@each_intent
def test_no_phrase_is_only_a_wildcard_and_no_two_touch(pack: Pack, name: str, intent: IntentSpec) -> None:
    for phrase in intent.phrases:
        for first, _, anchored in _shapes(parse_sentence(phrase).expression, pack, intent, phrase):
            assert first, f"{phrase} can be said without a word"
            assert anchored, f"{phrase} can be said with free words only"


def test_every_rule_is_used() -> None:
    for pack in PACKS:
        users = PACKS if pack is COMMON else [pack]
        texts = [phrase for user in users for intent in user.intents.values() for phrase in intent.phrases]
        texts += [spec.template or "" for user in users for spec in user.types.values()]
        texts += [rule for user in users for rule in user.rules.values()]
        assert [rule for rule in pack.rules if not any(f"<{rule}>" in text for text in texts)] == []


@pytest.mark.parametrize(
    ("pack", "name", "spec"),
    [(pack, name, spec) for pack in PACKS for name, spec in pack.types.items()],
    ids=[f"{pack.skill}.{name}" for pack in PACKS for name in pack.types],
)
def test_types_give_training_material_in_spoken_form(pack: Pack, name: str, spec: TypeSpec) -> None:
    assert len(spec.samples) >= 15 or not spec.wildcard
    assert len(set(spec.samples)) == len(spec.samples)
    for sample in spec.samples:
        assert spoken(sample) == sample
    templates = [value if isinstance(value, str) else value.spoken for value in spec.values]
    for template in [*templates, *([spec.template] if spec.template else [])]:
        for leaf in _leaves(parse_sentence(template).expression, pack):
            assert isinstance(leaf, ast.TextChunk), f"{name}: a slot inside of a type"
            assert spoken(leaf.original_text) == " ".join(leaf.original_text.split())


def test_replies_and_questions_hold_plain_placeholders() -> None:
    for pack in PACKS:
        replies = [*pack.replies.values(), *(r for i in pack.intents.values() for r in i.replies.values())]
        asked = [slot.ask for i in pack.intents.values() for slot in i.slots.values()]
        texts = [text for reply in replies for text in _variants(reply)]
        for text in [*texts, *asked, *(i.confirm for i in pack.intents.values())]:
            for _, field, spec, conversion in Formatter().parse(text):
                assert field is None or (field.isidentifier() and not spec and not conversion), text
        assert all(text.strip() for text in texts)


def test_questions_only_name_required_slots() -> None:
    """A confirmation is spoken when required slots are filled, and only those are sure to be."""
    for pack, name, intent in INTENTS:
        named = {field for _, field, _, _ in Formatter().parse(intent.confirm) if field}
        assert named <= {slot for slot, spec in intent.slots.items() if spec.required}, f"{pack.skill}.{name}"


def test_what_can_do_harm_is_confirmed() -> None:
    confirmed = {f"{pack.skill}.{name}" for pack, name, intent in INTENTS if intent.confirm}
    assert confirmed == {"lock.unlock", "list.clear", "privacy.forget", "calendar.remove"}


@each_intent
def test_examples_are_understood_as_their_intent(pack: Pack, name: str, intent: IntentSpec, grammar: Grammar) -> None:
    for example in intent.examples:
        found = match(grammar, words(example))
        assert [m.intent for m in found[:1]] == [f"{pack.skill}.{name}"], example


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("stop", "system.stop"),
        ("cancel", "system.cancel"),
        ("never mind", "system.cancel"),
        ("louder", "volume.up"),
        ("pause", "media.pause"),
        ("next", "media.next"),
        ("snooze", "alarm.snooze"),
        ("help", "system.help"),
        ("mute", "volume.mute"),
        ("warmer", "climate.up"),
        ("dimmer", "light.dim"),
        ("channel up", "tv.channel_up"),
        ("turn off everything", "light.off"),
        ("kitchen lights please", "light.on"),
        ("turn on the coffee machine", "switch.on"),
    ],
)
def test_short_commands_belong_to_one_intent(said: str, intent: str, grammar: Grammar) -> None:
    found = match(grammar, words(said))
    assert [m.intent for m in found if m.wildcards == found[0].wildcards] == [intent]


@pytest.mark.parametrize(
    ("said", "intent", "slots"),
    [
        ("wake me up at half past six tomorrow", "alarm.set", {"time": "half past six", "date": "tomorrow"}),
        ("set an alarm every weekday at seven am", "alarm.set", {"recurrence": "every weekday", "time": "seven am"}),
        (
            "set a pasta timer for an hour and a half",
            "timer.start",
            {"name": "pasta", "duration": "an hour and a half"},
        ),
        ("lights on in the bedroom", "light.on", {"room": "bedroom"}),
        (
            "dim the reading lamp to twenty percent",
            "light.dim",
            {"device": "reading lamp", "percent": "twenty percent"},
        ),
        ("convert five miles to kilometers", "unit.convert", {"amount": "five", "from": "miles", "to": "kilometers"}),
        ("how many cups are in two liters", "unit.convert", {"amount": "two", "from": "liters", "to": "cups"}),
        ("put milk and eggs on the shopping list", "list.add", {"item": "milk and eggs", "list": "shopping"}),
        ("play yesterday by the beatles", "media.play", {"title": "yesterday", "artist": "the beatles"}),
        ("switch to channel twenty one", "tv.channel", {"number": "twenty one"}),
        ("what is seven times eight", "math.compute", {"expression": "seven times eight"}),
    ],
)
def test_slots_of_commands(said: str, intent: str, slots: dict[str, str], grammar: Grammar) -> None:
    best = match(grammar, words(said))[0]
    assert best.intent == intent
    assert {span.name: span.text for span in best.slots} == slots


@pytest.mark.parametrize("order", list(itertools.permutations(["size", "roast", "number_of_shots"])))
@pytest.mark.parametrize("extras", [["milk_amount", "sugar_amount"], ["sugar_amount", "milk_amount"], []])
def test_coffee_is_ordered_in_any_order(order: tuple[str, ...], extras: list[str], grammar: Grammar) -> None:
    wanted = {
        "size": "sixteen ounce",
        "roast": "dark roast",
        "number_of_shots": "triple shot",
        "coffee_drink": "iced mocha",
        "milk_amount": "a little bit of almond milk",
        "sugar_amount": "lots of brown sugar",
    }
    said = " ".join(["can i get a", *(wanted[slot] for slot in order), wanted["coffee_drink"]])
    said += " with " * bool(extras) + " and ".join(wanted[slot] for slot in extras)
    best = match(grammar, words(said))[0]
    assert best.intent == "coffee.order_drink"
    spans = {span.name: span for span in best.slots}
    assert {name: span.text for name, span in spans.items()} == {
        s: wanted[s] for s in [*order, "coffee_drink", *extras]
    }
    assert spans["number_of_shots"].value == 3


def test_a_pack_sees_its_own_types_and_everyone_the_common_ones() -> None:
    light = next(pack for pack in PACKS if pack.skill == "light")
    assert types_of(light, PACKS)["device"] is light.types["device"]
    assert all_types(PACKS)["device"] is COMMON.types["device"]


def test_a_misspelt_key_is_refused_with_a_hint(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("skill: bad\nintents:\n  go:\n    phrase: [go]\n", encoding="utf-8")
    with pytest.raises(PackError) as caught:
        load_pack(bad)
    assert "`phrases`" in caught.value.remedy


def test_two_packs_of_one_skill_are_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("skill: same\n", encoding="utf-8")
    with pytest.raises(PackError, match="two packs"):
        load_packs(tmp_path)
