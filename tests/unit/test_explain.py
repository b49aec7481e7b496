"""Explanations: a model whose every word adds known numbers, so that the right explanation is known."""

from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from device.errors import BadInput
from device.nlu.grammar import compile_grammar
from device.nlu.onnx_model import JointModel
from device.nlu.pack import Pack
from device.nlu.types import Act
from models.labels import LabelSchema
from models.manifest import FORMAT, Calibration, Manifest
from quantize.cli.explain import explain
from quantize.data.example import Example, write_examples
from quantize.explain.attribution import HIDDEN, phrases, shapley
from quantize.explain.explanation import explain_sentence
from quantize.explain.neighbours import Neighbours, cache_of, read_neighbours
from quantize.explain.show import bar, show_explanation
from quantize.explain.training import training_neighbours

LABELS = LabelSchema.of(["light.on", "light.off", "alarm.set"], ["room"], tuple(Act))
VOCABULARY = [HIDDEN, "turn", "on", "off", "lights", "kitchen", "wake", "zebra", "the", "in"]
INTENT = {"on": ("light.on", 6), "off": ("light.off", 6), "lights": ("light.on", 2), "wake": ("alarm.set", 8)}
INTENT |= {"zebra": ("oos", 12)}


class TableSession:
    """A network whose intent logits are the sum of its words' rows; "kitchen" is a room."""

    def __init__(self):
        self.calls = 0

    def run(self, _names, inputs):
        self.calls += 1
        words = [VOCABULARY[i] for i in inputs["input_ids"][0]]
        intent = np.zeros((1, len(LABELS.intents)), np.float32)
        slots = np.tile(np.array([3, 0, 0], np.float32), (1, len(words), 1))
        embedding = np.full((1, len(VOCABULARY)), 1e-3, np.float32)
        for at, word in enumerate(words):
            name, score = INTENT.get(word, ("oos", 0))
            intent[0, LABELS.intents.index(name)] += score
            slots[0, at, 1] = 8 if word == "kitchen" else 0
            embedding[0, VOCABULARY.index(word)] += 1
        return intent, slots, np.zeros((1, len(Act)), np.float32), embedding / np.linalg.norm(embedding)


class WordIds:
    """One piece a word."""

    def encode(self, words, _context=()):
        ids = [VOCABULARY.index(word) if word in VOCABULARY else 0 for word in words]
        return SimpleNamespace(ids=ids, segments=[0] * len(ids), first=list(range(len(ids))))


@pytest.fixture
def model(tmp_path):
    manifest = Manifest(
        format=FORMAT, name="table", version="1", language="en", ontology=LABELS.ontology,
        files={"model.onnx": "0" * 64}, max_tokens=32,
        calibration=Calibration(2.0, 1.0, (1.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.5),
    )  # fmt: skip
    return JointModel(manifest, LABELS, WordIds(), TableSession(), tmp_path)


PACKS = [
    msgspec.convert(
        {"skill": "light", "intents": {"on": {"phrases": ["turn on the lights", "lights on"]}}}, Pack
    )
]  # fmt: skip
TRAIN = [
    Example(tuple(text.split()), intent, source="packs")
    for text, intent in (
        ("turn on the lights", "light.on"),
        ("turn off the lights", "light.off"),
        ("wake", "alarm.set"),
        ("zebra in the kitchen", "oos"),
    )
]
ALL = lambda items: items  # noqa: E731


@pytest.fixture
def neighbours(model):
    return read_neighbours(model, TRAIN, ALL)


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(-9, 9), min_size=1), st.integers(1, 4))
def test_values_of_an_additive_measure_are_its_terms(terms, pairs):
    words = sorted(terms)
    values = shapley(lambda said: np.array([sum(terms.get(w, 0) for w in said)], np.float32), words, pairs)
    assert values[:, 0] == pytest.approx([terms[w] for w in words], abs=1e-4)


@given(st.lists(st.floats(-5, 5), min_size=32, max_size=32))
def test_values_add_up_and_words_that_only_count_together_share(table):
    words = list("abcde")

    def measure(said):
        return np.array([table[sum(2**i for i, word in enumerate(said) if word != HIDDEN)]], np.float32)

    values = shapley(measure, words)
    assert values.sum() == pytest.approx(table[31] - table[0], abs=1e-3)
    both = shapley(lambda said: np.array([4.0 * (said[0] == "a" and said[1] == "b")], np.float32), words)
    assert both[:, 0] == pytest.approx([2, 2, 0, 0, 0], abs=1e-5)


def test_a_phrase_is_what_its_words_are_not():
    def measure(said):
        return np.array([5.0 * ("turn" in said or "on" in said) + ("lights" in said)])

    found = phrases(measure, ["turn", "on", "lights"])
    assert (found[0].start, found[0].together, found[0].beyond) == (0, 5, 5)
    assert found[1].beyond == 0


def test_the_word_that_decides_is_named(model, neighbours):
    found = explain_sentence(model, "turn on the kitchen lights".split(), (), neighbours, compile_grammar(PACKS))
    assert (found.intent, found.accepted, found.grammar) == ("light.on", True, ())
    effects = {effect.word: effect.intent for effect in found.words}
    assert effects == pytest.approx({"turn": 0, "on": 3, "the": 0, "kitchen": 0, "lights": 1}, abs=1e-4)
    assert found.margin == pytest.approx(4)  # eight at temperature two
    (slot,) = found.slots
    assert (slot.type, slot.text) == ("room", "kitchen")
    assert int(np.argmax(slot.words)) == 3
    assert found.neighbours[0].text == "turn on the lights"


def test_what_spoke_for_a_rejection(model, neighbours):
    found = explain_sentence(model, "zebra on".split(), (), neighbours, compile_grammar(PACKS))
    assert not found.accepted
    assert found.decided == "oos"
    assert min(found.words, key=lambda effect: effect.scope).word == "zebra"
    first = found.scope_features[0]
    assert first.name == "log odds against oos"
    assert first.adds == pytest.approx(first.value - first.usual, abs=1e-4)  # its weight is one
    console = Console(width=100, record=True, color_system=None)
    show_explanation(console, found)
    assert "it would have been light.on" in console.export_text()


def test_the_grammar_goes_first(model, neighbours):
    found = explain_sentence(model, "lights on".split(), (), neighbours, compile_grammar(PACKS))
    assert found.grammar == ("light.on",)


def test_a_neighbour_with_another_label_raises_a_doubt(model):
    noisy = [*TRAIN, Example(("lights", "on"), "alarm.set")]
    grammar = compile_grammar(PACKS)
    found = explain_sentence(model, ["on", "lights"], (), read_neighbours(model, noisy, ALL), grammar)
    assert "labelled alarm.set, not light.on" in found.doubt
    assert explain_sentence(model, ["on", "lights"], (), read_neighbours(model, TRAIN, ALL), grammar).doubt == ""


def test_answers_and_what_has_no_intent_are_no_neighbours(model):
    other = [Example(("on",), "light.on", context=("which",)), Example(("off",), None, Act.AFFIRM)]
    assert list(read_neighbours(model, [*TRAIN, *other], ALL).examples) == TRAIN


def test_the_table_agrees_with_the_search(neighbours):
    numbers, similarity = neighbours.table(neighbours.embeddings, 2)
    for row, vector in enumerate(neighbours.embeddings):
        near = neighbours.nearest(vector, 2)
        assert neighbours.examples[numbers[row][0]] == near[0].example == TRAIN[row]
        assert similarity[row] == pytest.approx([one.similarity for one in near], abs=1e-6)


def test_neighbours_by_words_know_nothing_of_the_model():
    unread = Neighbours(TRAIN, np.zeros((len(TRAIN), 2), np.float32), np.zeros(5, np.float32))
    (near,) = unread.by_words([("turn", "on", "the", "lights", "now")], 2)
    assert [one.example.intent for one in near] == ["light.on", "light.off"]


def test_what_was_read_is_kept_until_sentences_or_model_change(model, tmp_path):
    train = tmp_path / "train.jsonl"
    write_examples(train, TRAIN)
    first = training_neighbours(model, PACKS, train, ALL)
    calls = model.session.calls
    again = training_neighbours(model, PACKS, train, ALL)
    assert model.session.calls == calls
    assert again.embeddings == pytest.approx(first.embeddings, abs=1e-3)
    write_examples(train, TRAIN[:2])
    assert len(training_neighbours(model, PACKS, train, ALL).examples) == 2
    assert model.session.calls == calls + 2
    cache_of(train).write_bytes(b"damaged")
    assert len(training_neighbours(model, PACKS, train, ALL).examples) == 2


def test_without_a_run_the_packs_are_the_training(model):
    found = training_neighbours(model, PACKS, None, ALL)
    assert {example.words for example in found.examples} == {("turn", "on", "the", "lights"), ("lights", "on")}


@pytest.mark.parametrize(("value", "blocks"), [(2.0, "██"), (-1.0, "░"), (0.06, "█"), (0.0, "")])
def test_bars_are_read_without_colour(value, blocks):
    assert bar(value, 2.0, 2) == blocks


def test_nothing_to_explain():
    with pytest.raises(BadInput, match="no words"):
        explain("!?")
