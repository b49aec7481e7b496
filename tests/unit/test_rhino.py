"""Rhino contexts become packs that say exactly the same sentences."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from device.cli.pack import app
from device.errors import PackError
from device.nlu.grammar import Automaton, Grammar, compile_grammar
from device.nlu.match import match
from device.nlu.pack import PACKS_DIR, Pack, load_pack
from device.rhino.context import Choice, Context, MacroRef, Phrase, SlotRef, Word, read_context
from device.rhino.convert import convert, snake
from device.rhino.factor import templates

COMMON = load_pack(PACKS_DIR / "_common.yaml")

KETTLE = """\
context:
  expressions:
    boilWater:
      - "[boil, heat up, please warm] (the) $pv.TwoDigitInteger:cups cups (to $pv.Percent:strength)"
      - "[boil, heat up, please warm] water"
    switchIt:
      - "@polite switch (the) kettle $state:state"
      - turn $state:state
        (the) kettle
  slots:
    state:
      - on
      - Off
  macros:
    polite: [please, could you (please)]
"""


def read(tmp_path: Path, text: str) -> Context:
    path = tmp_path / "context.yaml"
    path.write_text(text, encoding="utf-8")
    return read_context(path)


def converted(context: Context) -> Pack:
    return msgspec.convert(yaml.safe_load(convert(context, "kettle")), Pack)


def of_automaton(grammar: Grammar, states: Automaton, state: int = 0) -> Iterator[tuple[str, ...]]:
    """All sentences of a grammar's automaton, with the name of the slot before its words."""
    at = states[state]
    if at.final:
        yield ()
    for word, target in at.words.items():
        yield from ((word, *rest) for rest in of_automaton(grammar, states, target))
    for call in at.calls:
        inside = list(of_automaton(grammar, grammar.types[call.type].states))
        mark = (f"{call.slot}:",) if call.slot else ()
        for rest in of_automaton(grammar, states, call.target):
            yield from ((*mark, *words, *rest) for words in inside)


def of_context(context: Context, phrase: Phrase) -> Iterator[tuple[str, ...]]:
    """All sentences of a Rhino expression, with the name of the slot before its words."""

    def said(token: object) -> list[tuple[str, ...]]:
        match token:
            case Word(text):
                return [(text,)]
            case SlotRef(type_, name):
                return [(f"{snake(name)}:", *value.split()) for value in context.slots[type_]]
            case MacroRef(name):
                return [each for line in context.macros[name] for each in of_context(context, line.phrase)]
            case Choice(options, optional):
                return [(), *alternatives(options)] if optional else alternatives(options)
        raise AssertionError(token)

    def alternatives(options: tuple[Phrase, ...]) -> list[tuple[str, ...]]:
        return [each for option in options for each in of_context(context, option)]

    for parts in itertools.product(*map(said, phrase)):
        yield tuple(itertools.chain.from_iterable(parts))


words = st.sampled_from(["boil", "the", "water", "now", "hot", "I'd"])
options = st.deferred(lambda: st.lists(tokens, min_size=1, max_size=2).map(" ".join))
choices = st.lists(options, min_size=1, max_size=3).map(", ".join)
tokens: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        words,
        words,
        st.sampled_from(["$howMuch", "$state:before", "$state:after", "@polite"]),
        st.sampled_from(["[{}]", "({})"]).flatmap(lambda bracket: choices.map(bracket.format)),
    )
)
expressions = st.lists(tokens, min_size=1, max_size=4).map(" ".join)


@given(st.lists(expressions, min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_a_pack_says_what_its_context_says(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    text = yaml.safe_dump(
        {
            "context": {
                "expressions": {"doIt": [f"go {line}" for line in lines]},
                "slots": {"howMuch": ["a cup", "two cups"], "state": ["on", "off"]},
                "macros": {"polite": ["please", "if you like"]},
            }
        }
    )
    context = read(tmp_path_factory.mktemp("rhino"), text)
    wanted = set()
    for line in context.expressions["doIt"]:
        said = list(itertools.islice(of_context(context, line.phrase), 2000))
        assume(len(said) < 2000)
        wanted |= set(said)
    grammar = compile_grammar([COMMON, converted(context)])
    assert set(of_automaton(grammar, grammar.intents["kettle.do_it"])) == wanted


@given(st.sets(st.lists(st.sampled_from("abcd"), max_size=4).map(tuple), min_size=1, max_size=12))
def test_common_parts_change_nothing(phrases: set[tuple[str, ...]]) -> None:
    phrases.discard(())
    assume(phrases)
    pack = msgspec.convert({"skill": "x", "intents": {"y": {"phrases": templates(sorted(phrases))}}}, Pack)
    grammar = compile_grammar([pack])
    assert set(of_automaton(grammar, grammar.intents["x.y"])) == phrases


def test_orders_and_options_are_written_once() -> None:
    kinds = [order for count in range(4) for order in itertools.permutations(("{size}", "{roast}", "{shots}"), count)]
    extras = [(), ("with", "{milk}"), ("with", "{sugar}"), ("with", "{milk}", "and", "{sugar}")]
    assert templates([("a", *kind, "{drink}", *extra) for kind in kinds for extra in extras]) == [
        "a ([{size}];[{roast}];[{shots}]) {drink} [with ({milk} [and {sugar}]|{sugar})]"
    ]
    assert templates([("the", "light"), ("light", "the")]) == ["(the;light)"]
    assert templates([("stop",), ("go", "on")]) == ["stop", "go on"]


def test_a_context_is_understood_with_its_values(tmp_path: Path) -> None:
    pack = converted(read(tmp_path, KETTLE))
    grammar = compile_grammar([COMMON, pack])

    def slots(sentence: str) -> dict[str, str] | None:
        found = match(grammar, tuple(sentence.split()))
        return {slot.name: slot.text for slot in found[0].slots} if found else None

    assert slots("boil the twelve cups to thirty percent") == {"cups": "twelve", "strength": "thirty percent"}
    assert slots("could you switch kettle off") == {"state": "off"}
    assert slots("turn on the kettle") == {"state": "on"}
    assert slots("boil two hundred cups") is None
    assert slots("switch the kettle on") is None
    assert pack.types["number"].template
    assert pack.intents["boil_water"].slot_type("cups") == "number"
    assert pack.intents["boil_water"].phrases == (
        "(boil|heat up|please warm) ([the] {cups} cups [to {strength}]|water)",
    )


@pytest.mark.parametrize(
    ("wrong", "line", "message"),
    [
        ("boil (the water", 4, r"`\(` is never closed"),
        ("boil [the, water)", 4, r"`\[` is closed by `\)`"),
        ("boil the] water", 4, "`]` stands where nothing is open"),
        ("boil [the,] water", 4, "empty"),
        ("boil 5% water", 4, "“5%” is no word"),
        ("boil $cups:cups", 4, r"no slot `\$cups`"),
        ("boil $pv.Decimal:cups", 4, r"no built-in slot `\$pv.Decimal`"),
        ("boil $:cups", 4, "no reference"),
        ("boil @nothing", 4, "no macro `@nothing`"),
        ("(boil) (water)", 4, "may be left out"),
        ("(boil) @silent", 4, "may be left out"),
        ("boil @round", 8, "circle"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, wrong: str, line: int, message: str) -> None:
    macros = "  macros:\n    silent:\n      - (so)\n    round: ['so @round']\n"
    text = f"context:\n  expressions:\n    boil:\n      - '{wrong}'\n{macros}"
    with pytest.raises(PackError, match=rf"context\.yaml, line {line}: .*{message}") as raised:
        convert(read(tmp_path, text), "kettle")
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("context: [", "line 1: not valid YAML"),
        ("skill: coffee\n", "no Rhino context"),
        ("context:\n  expressions: [boil]\n", "line 2: names with a colon"),
        ("context:\n  expressions:\n    boil:\n      - [boil]\n", "line 4: a phrase is expected"),
        ("context:\n  expressions: {}\n  slots:\n    size:\n      - '[big, small]'\n", "line 5: .*nothing but words"),
    ],
)
def test_what_is_no_context_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PackError, match=message):
        read(tmp_path, text)
    with pytest.raises(PackError, match="can't be read"):
        read_context(tmp_path / "nothing.yaml")


@pytest.mark.parametrize("names", ["doIt: [go], do_it: [stop]", "1st: [go]"])
def test_names_that_a_pack_can_not_have_are_refused(tmp_path: Path, names: str) -> None:
    with pytest.raises(PackError, match="name"):
        convert(read(tmp_path, f"context: {{expressions: {{{names}}}}}"), "kettle")


def test_a_slot_may_take_words_of_several_types(tmp_path: Path) -> None:
    text = "context: {expressions: {go: [go $up:way, go $pv.SingleDigitOrdinal:way]}, slots: {up: [up, back]}}"
    pack = converted(read(tmp_path, text))
    assert pack.types["up_or_ordinal_digit"].template == "({up}|{ordinal_digit})"
    grammar = compile_grammar([COMMON, pack])
    assert len(set(of_automaton(grammar, grammar.intents["kettle.go"]))) == 2 + 9


def test_the_command_writes_a_pack_that_can_be_loaded(tmp_path: Path) -> None:
    source, target = tmp_path / "context.yaml", tmp_path / "myKettle.yaml"
    source.write_text(KETTLE, encoding="utf-8")
    result = CliRunner().invoke(app, ["import-rhino", str(source), "-o", str(target)])
    assert result.exit_code == 0, result.output
    pack = load_pack(target)
    assert pack.skill == "my_kettle"
    assert pack.intents["switch_it"].phrases == (
        "<polite> switch [the] kettle {state}",
        "turn {state} [the] kettle",
    )
    shown = CliRunner().invoke(app, ["import-rhino", str(source)])
    assert shown.output.splitlines()[1:] == [
        line.replace("my_kettle", "context") for line in target.read_text(encoding="utf-8").splitlines()[1:]
    ]


def test_names() -> None:
    assert list(map(snake, ("orderDrink", "setTVChannel", "size", "Scene2Go"))) == [
        "order_drink",
        "set_tv_channel",
        "size",
        "scene2_go",
    ]
