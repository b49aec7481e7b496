"""From failures to proposals, on sentences whose embeddings are counted words."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from device.errors import BadInput
from device.nlu.grammar import compile_grammar
from device.nlu.match import match
from device.nlu.pack import Pack
from quantize.cli.errors import errors
from quantize.data.example import Example, Span
from quantize.evaluate.outcomes import Outcome
from quantize.explain.clusters import cluster
from quantize.explain.errors import ErrorReport
from quantize.explain.failures import Failure, find_failures
from quantize.explain.neighbours import Neighbours
from quantize.explain.noise import suspects
from quantize.explain.probe import Probe, says
from quantize.explain.proposals import Evidence, propose
from quantize.explain.show_errors import show_errors
from quantize.explain.templates import abstract, merged
from quantize.explain.trial import trial

PACKS = [
    msgspec.convert(pack, Pack)
    for pack in (
        {
            "skill": "common",
            "rules": {"please": "[please|can you]"},
            "types": {
                "room": {"household": True, "values": ["kitchen", "bedroom"]},
                "percent": {"template": "(ten|twenty|thirty) percent"},
                "title": {"wildcard": True, "samples": ["hey jude"]},
            },
        },
        {
            "skill": "light",
            "intents": {
                "dim": {"phrases": ["dim the {room}"], "slots": {"room": {}, "percent": {}}},
                "off": {"phrases": ["lights off"], "slots": {"room": {}}},
            },
        },
        {"skill": "media", "intents": {"play": {"phrases": ["play {title}"], "slots": {"title": {}}}}},
    )
]
FILES = {"common": "_common.yaml", "light": "light.yaml", "media": "media.yaml"}
SPECS = {"light.dim": PACKS[1].intents["dim"], "media.play": PACKS[2].intents["play"]}


def said(text, expected, predicted, *, accepted=True, confidence=0.99, scope=None, **fields):
    return Outcome(
        words=tuple(text.split()), expected=expected, predicted=predicted, likeliest=predicted, accepted=accepted,
        scope=scope if scope is not None else 0.99 if accepted else 0.01,
        confidence=confidence, raw_confidence=confidence, **fields,
    )  # fmt: skip


def embed(words):
    vector = np.full(40, 1e-3, np.float32)
    for word in words:
        vector[sum(map(ord, word)) % 40] += 1
    return vector / np.linalg.norm(vector)


def neighbours(*labelled):
    examples = [Example(tuple(text.split()), intent) for text, intent in labelled]
    return Neighbours(examples, np.array([embed(e.words) for e in examples]), np.zeros(5, np.float32))


def evidence(outcomes, near):
    vectors = np.array([embed(outcome.words) for outcome in outcomes])
    return Evidence(outcomes, vectors, lambda number: outcomes[number].spans, near, PACKS, FILES)


TRAINED = neighbours(
    ("dim the bedroom", "light.dim"), ("lights off", "light.off"), ("lights out", "light.off"),
    ("bring the lights down", "light.dim"), ("play hey jude", "media.play"), ("play the song", "media.play"),
    ("who is anna", "oos"), ("what is love", "oos"),
)  # fmt: skip


def test_kinds_of_wrong_decisions():
    found = find_failures(
        [
            said("dim the kitchen", "light.dim", "light.dim"),
            said("dim it", "light.dim", "light.off"),
            said("darker", "light.dim", "light.dim", accepted=False),
            said("dim sum", "oos", "light.dim"),
            said("yes", None, "light.dim"),
        ]
    )
    assert [(f.number, f.kind, f.expected, f.predicted) for f in found] == [
        (1, "intent", "light.dim", "light.off"),
        (2, "rejected", "light.dim", "oos"),
        (3, "accepted", "oos", "light.dim"),
    ]


@pytest.mark.parametrize(
    ("true", "found", "kinds"),
    [
        ([("room", 0, 1)], [], ["missed"]),
        ([], [("room", 0, 1)], ["spurious"]),
        ([("room", 0, 2)], [("room", 0, 1)], ["boundary"]),
        ([("room", 0, 2)], [("percent", 0, 2)], ["type"]),
        ([("room", 0, 2)], [("room", 0, 1), ("room", 1, 2)], ["boundary"]),
        ([("room", 0, 1)], [("room", 0, 1)], []),
        ([("room", 0, 1)], [("room", 2, 3)], ["missed", "spurious"]),
    ],
)
def test_kinds_of_wrong_slots(true, found, kinds):
    outcome = said(
        "a b c d", "light.dim", "light.dim",
        spans=tuple(Span(*s) for s in true), found=tuple(Span(*s) for s in found),
    )  # fmt: skip
    assert [failure.kind for failure in find_failures([outcome])] == kinds
    assert find_failures([msgspec.structs.replace(outcome, marked=False)]) == []


def test_failures_are_divided_by_pair_then_by_meaning():
    wear = [said(f"what should i wear {place}", "oos", "weather") for place in ("there", "outside", "today", "now")]
    war = [said(f"when did the war {verb}", "oos", "weather") for verb in ("begin", "end", "start", "stop")]
    other = [said("what should i wear there", "oos", "date.query")]
    outcomes = [*wear, *war, *other]
    found = cluster(find_failures(outcomes), [o.words for o in outcomes], np.array([embed(o.words) for o in outcomes]))
    assert [{f.number for f in one.failures} for one in found] in (
        [{0, 1, 2, 3}, {4, 5, 6, 7}, {8}],
        [{4, 5, 6, 7}, {0, 1, 2, 3}, {8}],
    )
    assert {"war", "wear"} <= {word for one in found for word in one.words}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, max_size=25))
def test_no_failure_is_lost_in_clusters(pairs):
    failures = [Failure(i, "intent", a, a, b) for i, (a, b) in enumerate(pairs)]
    words = [(a, b, f"w{i % 5}") for i, (a, b) in enumerate(pairs)]
    found = cluster(failures, words, np.array([embed(w) for w in words]))
    assert sorted(f.number for one in found for f in one.failures) == list(range(len(pairs)))
    assert all(len({f.group for f in one.failures}) == 1 for one in found)


def test_a_label_that_its_words_contradict_is_doubted():
    near = neighbours(("what is on tv", "tv.guide"), ("tell me what is on tv", "tv.guide"), ("who is anna", "oos"))
    outcomes = [said("what is on tv now", "oos", "tv.guide"), said("sing a hymn", "oos", "tv.guide")]
    (found,) = suspects(find_failures(outcomes), outcomes, near)
    assert (found.number, found.label, found.rather) == (0, "oos", "tv.guide")
    unsure = [msgspec.structs.replace(outcome, confidence=0.6) for outcome in outcomes]
    assert suspects(find_failures(unsure), unsure, near) == []
    backed = neighbours(("what is on tv", "tv.guide"), ("what is on tv now please", "oos"))
    assert suspects(find_failures(outcomes), outcomes, backed) == []


def test_slots_and_politeness_are_abstracted():
    words = tuple("can you dim the kitchen to ten percent".split())
    spans = [Span("room", 4, 5), Span("percent", 6, 8), Span("title", 2, 3)]
    assert " ".join(abstract(words, spans, SPECS["light.dim"])) == "<please> dim the {room} to {percent}"
    assert " ".join(abstract(words[4:], [Span("city", 0, 1)], None)) == "{city} to ten percent"


def templates(*texts):
    return [str(template) for template in merged((i, tuple(text.split())) for i, text in enumerate(texts))]


def test_sentences_that_nearly_agree_become_one_template():
    assert templates("dim the {room} to {percent}", "dim {room} to {percent}") == ["dim [the] {room} to {percent}"]
    assert templates(
        "make the {room} darker please", "make the {room} dimmer please", "make the {room} dark please"
    ) == ["make the {room} (darker|dimmer|dark) please"]
    assert templates("<please> dim my lamp now", "dim my lamp now") == ["<please> dim my lamp now"]


def test_what_differs_stays_apart():
    assert len(templates("dim the {room}", "who invented the internet")) == 2
    assert len(templates("dim the {room} now", "dim the {device} now")) == 2
    assert templates("{room}", "{room} {percent}") == []
    assert templates(" ".join(["word"] * 30)) == []


_TOKENS = st.sampled_from(["dim", "the", "now", "please", "lamp", "{room}"])


@given(st.lists(st.lists(_TOKENS, min_size=2, max_size=6), min_size=1, max_size=5))
def test_a_template_says_every_sentence_that_it_was_made_of(sentences):
    sentences = [words for words in sentences if words.count("{room}") <= 1]
    for template in merged(enumerate(map(tuple, sentences))):
        try:
            probe = Probe(PACKS, [("light.dim", str(template))])
        except BadInput:  # everything in it became optional
            continue
        for number in template.numbers:
            words = [("kitchen" if word == "{room}" else word) for word in sentences[number]]
            assert probe.matching(words) == [0]


def test_a_probe_knows_what_a_phrase_would_take():
    probe = Probe(PACKS, [("light.dim", "make the {room} dark"), ("media.play", "put on {title}")])
    assert probe.intent("make the kitchen dark".split()) == "light.dim"
    assert probe.intent("dim the kitchen".split()) is None
    assert probe.taken_wrongly([(("put", "on", "a", "coat"), "oos"), (("put", "on", "abba"), "media.play")]) == {1}


def test_packs_know_values_of_closed_types_only():
    asked = [
        ("light.dim", "percent", ("ten", "percent")), ("light.dim", "percent", ("a", "bit")),
        ("light.dim", "room", ("kitchen",)), ("media.play", "title", ("abba",)), ("no.such", "room", ("kitchen",)),
    ]  # fmt: skip
    assert says(PACKS, asked) == [True, False, True, False, False]


def test_a_phrase_is_proposed_for_the_pack():
    texts = ("bring the kitchen lights down to ten percent", "bring kitchen lights down to twenty percent")
    outcomes = [
        said(text, "light.dim", "light.off", spans=(Span("room", at, at + 1), Span("percent", at + 4, at + 6)))
        for text, at in zip(texts, (2, 1), strict=True)
    ]
    (found,) = propose(find_failures(outcomes), evidence(outcomes, TRAINED), [])
    assert (found.kind, found.pack, found.target, found.failures) == ("phrases", "light.yaml", "light.dim", 2)
    assert found.mistaken == {"light.off": 2}
    (phrase,) = found.phrases
    assert (phrase.template, phrase.covers) == ("bring [the] {room} lights down to {percent}", 2)
    spec = msgspec.structs.replace(PACKS[1].intents["dim"], phrases=(phrase.template,))
    grammar = compile_grammar([PACKS[0], msgspec.structs.replace(PACKS[1], intents={"dim": spec})])
    assert all(match(grammar, outcome.words) for outcome in outcomes)


def test_a_phrase_that_takes_other_sentences_is_refused():
    outcomes = [said("bring the lights down please", "light.dim", "light.off")]
    near = evidence(outcomes, TRAINED)
    assert propose(find_failures(outcomes), near, [])[0].phrases
    (found,) = propose(find_failures(outcomes), near, [("bring the lights down please".split(), "light.off")])
    assert (found.phrases, found.refused) == ((), 1)


def test_no_phrase_is_made_of_what_is_unlike_its_intent():
    off = [("lights off " + word, "light.off") for word in "a b c d e f g h i j".split()]
    outcomes = [said("lights off", "light.dim", "light.off")]
    (found,) = propose(find_failures(outcomes), evidence(outcomes, neighbours(*off, ("dim", "light.dim"))), [])
    assert (found.phrases, found.unlike) == ((), ("lights off",))


def test_values_and_sentences_out_of_scope_are_proposed():
    outcomes = [
        said("play let it be", "media.play", "media.play", spans=(Span("title", 1, 4),)),
        said("play hey jude", "media.play", "media.play", spans=(Span("title", 1, 3),)),
        said("dim sum for two", "oos", "light.dim"),
    ]
    oos, values = sorted(propose(find_failures(outcomes), evidence(outcomes, TRAINED), []), key=lambda p: p.kind)
    assert (oos.kind, oos.target, oos.pack) == ("out_of_scope", "light.dim", "")
    assert (values.target, values.pack, values.values) == ("title", "_common.yaml", ("let it be",))
    assert values.failures == 2


def test_an_intent_that_no_pack_has_gets_labelled_sentences():
    outcomes = [said("rate this book five stars", "rate_book", "light.off")]
    (found,) = propose(find_failures(outcomes), evidence(outcomes, neighbours(("rate it", "rate_book"))), [])
    assert (found.pack, found.phrases[0].template) == ("", "rate this book five stars")


def test_proposals_repair_failures_that_they_were_not_made_from():
    ways = ("down", "lower", "back", "under", "low")
    texts = [f"please take the {room} lights {way}" for room in ("kitchen", "bedroom") for way in ways]
    outcomes = [said(text, "light.dim", "light.off", spans=(Span("room", 3, 4),)) for text in texts]
    outcomes += [
        said("play the song", "media.play", "media.play"),
        said("off the lights one", "light.off", "light.off"),
    ]
    numbers = "one two three four five six seven eight nine ten".split()
    near = neighbours(
        *[(f"the lights off {word}", "light.off") for word in numbers],
        *[(f"play song {word}", "media.play") for word in numbers],
        ("please take the lights down", "light.dim"),
    )
    found = trial(find_failures(outcomes), evidence(outcomes, near), embed)
    assert (found.failures, found.read_before) == (10, 0)
    assert found.repaired >= 5
    assert (found.right, found.said_wrongly, found.broken) == (2, 0, 0)
    assert (found.groups, found.groups_helped) == (1, 1)


def test_the_report_is_readable():
    outcomes = [said("bring the lights down please", "light.dim", "light.off")]
    proposals = propose(find_failures(outcomes), evidence(outcomes, TRAINED), [])
    report = ErrorReport(4, 1, {"intent": 1}, 0, (), (), (), tuple(proposals))
    console = Console(width=100, record=True, color_system=None)
    show_errors(console, report)
    text = console.export_text()
    assert "1 of 4 sentences fail (75.0% entirely right)" in text
    assert "+ bring the lights down please" in text
    assert "light.yaml, light.dim" in text


def test_nothing_to_examine():
    with pytest.raises(BadInput, match="nothing to examine"):
        errors()
