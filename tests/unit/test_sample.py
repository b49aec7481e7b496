"""Sentences from packs, answers in context, and what they become for training."""

import random

import msgspec
import pytest
import yaml

from device.nlu.pack import Pack
from device.nlu.types import OOS, Act
from quantize.data.dialogue import DialogueSampler
from quantize.data.example import Example, Span, read_examples, write_examples
from quantize.data.sample import PackSampler, borrowed_values

COMMON = """
skill: common
rules: {please: "[please|could you]", digit: "(one|two|three)"}
types:
  duration: {template: "<digit> (minute[s]|hour[s])"}
  name: {wildcard: true, samples: [egg, tea]}
"""
TIMER = """
skill: timer
intents:
  start:
    slots: {duration: {required: true, ask: "For how long?"}, name: {}}
    phrases: ["<please> set (a|the) [{name}] timer[s] [for {duration}]", "{duration} timer"]
    confirm: "Shall I start the {name} timer?"
    replies: {done: "Timer set for {duration}."}
  cancel:
    phrases: ["(cancel the timer;please)"]
"""
SYSTEM = """
skill: system
intents: {cancel: {phrases: [forget it]}}
"""


@pytest.fixture
def packs():
    return [msgspec.convert(yaml.safe_load(text), Pack) for text in (COMMON, TIMER, SYSTEM)]


def sampler(packs, seed=1, **options):
    return PackSampler(packs, random.Random(seed), **options)


def test_sentences_are_different_and_their_spans_are_exact(packs):
    found = sampler(packs).sentences("timer.start", 60)
    assert len({e.words for e in found}) == len(found) > 30
    for example in found:
        for span in example.spans:
            inside = " ".join(example.words[span.start : span.end])
            if span.type == "name":
                assert inside in {"egg", "tea"}
            else:
                number, unit = inside.split()
                assert number in {"one", "two", "three"}
                assert unit.removesuffix("s") in {"minute", "hour"}
        assert example.words[-1] != ""
    assert {"timer", "timers"} <= {word for e in found for word in e.words}
    assert {0, 1, 2} == {len(e.spans) for e in found}


def test_the_same_seed_gives_the_same_sentences(packs):
    assert sampler(packs).sentences("timer.start", 20) == sampler(packs).sentences("timer.start", 20)
    assert sampler(packs).sentences("timer.start", 20) != sampler(packs, seed=2).sentences("timer.start", 20)


def test_stops_when_the_phrases_give_no_more(packs):
    found = sampler(packs).sentences("timer.cancel", 50)
    assert {" ".join(e.words) for e in found} == {"cancel the timer please", "please cancel the timer"}


def test_borrows_values_that_people_said(packs):
    said = Example(("my", "sourdough", "timer"), "timer.start", spans=(Span("name", 1, 2),))
    borrowed = borrowed_values([said])
    assert borrowed == {"name": ["sourdough"]}
    found = sampler(packs, borrowed=borrowed).sentences("timer.start", 60)
    names = {e.words[s.start] for e in found for s in e.spans if s.type == "name"}
    assert names == {"egg", "tea", "sourdough"}


def test_answers_follow_the_question(packs):
    dialogue = DialogueSampler(sampler(packs), random.Random(3))
    answers = list(dialogue.answers(20))
    informs = [e for e in answers if e.act is Act.INFORM]
    assert {e.context for e in informs} == {("for", "how", "long")}
    assert {e.intent for e in informs} == {"timer.start"}
    assert all(e.spans[0].type == "duration" for e in informs)
    corrections = [e for e in answers if e.act is Act.CORRECT]
    assert corrections
    assert all(len(e.spans) == 1 for e in corrections)


def test_short_answers_have_the_pending_intent(packs):
    dialogue = DialogueSampler(sampler(packs), random.Random(3))
    found = list(dialogue.acts(30))
    assert {e.act for e in found} == {Act.AFFIRM, Act.DENY, Act.CANCEL, Act.REPEAT, Act.SELECT}
    assert all(e.intent == "timer.start" for e in found if e.act is Act.AFFIRM and e.context)
    assert all(e.intent is None for e in found if e.act is Act.AFFIRM and not e.context)
    assert all(e.intent == "system.cancel" for e in found if e.act is Act.CANCEL)
    assert all(e.intent is None for e in found if e.act is Act.REPEAT)  # no pack has system.repeat


def test_placeholders_of_a_reply_are_filled_or_dropped(packs):
    source = sampler(packs)
    pack, spec = source.intents["timer.start"]
    said = " ".join(source.fill("Timer {unknown} set for {duration}.", spec, pack))
    assert said.startswith("timer set for ")
    assert said.split()[-1].removesuffix("s") in {"minute", "hour"}


def test_nonsense_is_out_of_scope(packs):
    corpus = [Example(("a", "b", "c"), OOS), Example(("d", "e"), OOS), Example(tuple("f g h i".split()), OOS)]
    found = list(DialogueSampler(sampler(packs), random.Random(3)).nonsense(corpus, 10))
    assert {e.intent for e in found} == {OOS}
    assert all(e.words for e in found)


def test_examples_survive_a_file(tmp_path, packs):
    examples = [
        *sampler(packs).sentences("timer.start", 5),
        Example(("yes",), None, Act.AFFIRM, (), frozenset({"time", "date"}), ("sure",), "hwu64"),
    ]
    write_examples(tmp_path / "x.jsonl", examples)
    assert read_examples(tmp_path / "x.jsonl") == examples


def test_an_authors_phrases_have_equal_shares_whatever_they_hold(packs):
    text = """
skill: timer
intents:
  cancel:
    slots: {duration: {}, name: {}}
    phrases: ["({duration};{name}) (a|b|c|d|e|f|g|h|i|j) (k|l|m|n|o|p)", "go {duration}", "stop {duration}"]
"""
    packs[1] = msgspec.convert(yaml.safe_load(text), Pack)
    found = sampler(packs).sentences("timer.cancel", 24)
    starts = [example.words[0] for example in found]
    assert starts.count("go") >= 6
    assert starts.count("stop") >= 6
    assert len({example.words for example in found}) == 24
