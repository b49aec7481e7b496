"""What can be said, for the ears: sentences, spellings, tokens, the search among them, and the choice at the end."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.nlu.grammar import Grammar, compile_grammar
from device.nlu.match import match
from device.nlu.pack import PACKS_DIR, IntentSpec, Pack, SlotSpec, TypeSpec, ValueSpec, load_packs
from device.nlu.phonemes import Sounds
from device.nlu.phonetics import phonemes
from device.nlu.text import spoken
from device.speech.bias.beam import Scores, search
from device.speech.bias.choice import FEATURES, Known, believed, choose, features
from device.speech.bias.sentences import GLUE_COST, Sentences
from device.speech.bias.tokens import Lattice, Vocabulary
from device.speech.ports import Hypothesis, Transcript

BOS, EOS = 0, 1


def pack(**phrases: list[str]) -> Pack:
    types = {
        "drink": TypeSpec(values=("latte", "iced mocha", ValueSpec(("(cap|cappuccino)"), "cappuccino"))),
        "number": TypeSpec(template="(two|three|twenty|twenty (one|two|five)|thirty)"),
        "clock": TypeSpec(template="(five|seven|seven thirty) [(am|pm)]"),
        "thing": TypeSpec(wildcard=True),
        "guest": TypeSpec(household=True),
    }
    slots = {name: SlotSpec(type=name) for name in types}
    intents = {name: IntentSpec(phrases=tuple(each), slots=slots) for name, each in phrases.items()}
    return Pack(skill="bar", intents=intents, types=types)


def grammar(*phrases: str, **names: Sequence[str]) -> Grammar:
    return compile_grammar([pack(order=list(phrases))], names)


BAR = grammar(
    "[please] (make|get) me (a|an) {drink}", "{number} percent [milk]", "wake me at {clock}", "note {thing} down"
)

LETTERS = [*"abcdefghijklmnopqrstuvwxyz0123456789'%:.,", " ", "-"]
PIECES = ["▁ma", "ke", "▁Make", "▁me", "▁a", " an", "▁iced", "mo", "cha", "▁Latte", "▁2", "0", "▁p.m.", "té", None]
VOCABULARY = Vocabulary([None, None, *LETTERS, *PIECES])
TEXTS = VOCABULARY.texts


def spell(lattice: Lattice, tokens: Sequence[int]) -> tuple[str, ...] | None:
    """Words of a token sequence if it is a sentence."""
    place, words = 0, ()
    for token in tokens:
        arcs = lattice.arcs(place)
        at = np.flatnonzero(np.concatenate([arcs.tokens, arcs.free]) == token)
        step = lattice.take(place, int(at[0])) if len(at) else None
        if step is None:
            return None
        place, words = step.place, words + step.said
    arcs = lattice.arcs(place)
    return words + arcs.ending if arcs.accepts else None


def cut(text: str, draw: st.DataObject | None = None) -> list[int]:
    """A text as tokens: any way to cut it, or letter by letter."""
    tokens = []
    text = text.lower()
    while text:
        fitting = [n for n, piece in enumerate(TEXTS) if piece and text.startswith(piece)]
        token = draw.draw(st.sampled_from(fitting)) if draw else fitting[0]
        tokens.append(token)
        text = text[len(TEXTS[token] or "") :]
    return tokens


def test_sentences_of_the_grammar_and_no_others() -> None:
    sentences = Sentences(BAR)
    for said in ("make me a latte", "please get me an iced mocha", "twenty one percent", "note milk and eggs down"):
        assert sentences.accepts(said.split())
    for said in ("", "make", "make me", "a latte", "note down", "make me a tea", "percent", "please"):
        assert not sentences.accepts(said.split())


def test_several_commands_in_one_breath_and_polite_words() -> None:
    sentences = Sentences(BAR)
    assert sentences.accepts("make me a latte and then wake me at seven please".split())
    assert not sentences.accepts("make me a latte and".split())
    assert not sentences.accepts("make me a latte please please".split())
    step = sentences.step(0)
    for word in ("make", "me", "a", "latte"):
        step = sentences.step(step.words[word])
    assert step.final
    assert step.glue == {"and", "then", "please"}


@pytest.mark.parametrize(
    ("said", "goes_on"),
    [
        ("", True),
        ("make me a", True),
        ("make me a latte", False),
        ("make me a latte please", False),
        ("make me a latte and", True),
        ("twenty percent", True),
        ("twenty percent milk", False),
        ("wake me at seven", True),
        ("note whatever it may be", True),
        ("make me a tea", None),
        ("make me a latte please please", None),
    ],
)
def test_whether_more_may_follow(said: str, goes_on: bool | None) -> None:
    assert Sentences(BAR).goes_on(said.split()) is goes_on


def test_polite_words_of_a_pack_are_no_more_than_glue() -> None:
    sentences = Sentences(grammar("lights on [please]", "lights off [please (now|tomorrow)]"))
    assert sentences.goes_on(["lights", "on"]) is False
    assert sentences.goes_on(["lights", "off"]) is True


@pytest.mark.parametrize(
    ("said", "begins"),
    [
        ("make me a", True),
        ("note", True),
        ("make me a latte and", True),
        ("make me a latte", False),
        ("note this", False),
        ("make tea", False),
        ("", False),
    ],
)
def test_whether_it_is_only_a_beginning(said: str, begins: bool) -> None:
    assert Sentences(BAR).begins(said.split()) is begins


def test_answers_and_fixed_phrases_stand_alone() -> None:
    sentences = Sentences(BAR, answer="clock", phrases=("yes please", "no"))
    assert all(sentences.accepts(said.split()) for said in ("seven thirty pm", "yes please", "no", "get me a latte"))
    assert not Sentences(BAR).accepts(["seven"])


def test_free_words_do_not_begin_a_sentence() -> None:
    assert not Sentences(grammar("{thing} goes on the list")).accepts("milk goes on the list".split())
    assert Sentences(grammar("put {thing} on the list")).accepts("put oat milk on the list".split())


@given(
    st.lists(st.sampled_from("please make get me a an latte iced mocha cap two percent twenty one".split()), max_size=6)
)
def test_without_free_words_exactly_what_the_grammar_matches(words: list[str]) -> None:
    closed = grammar("[please] (make|get) me (a|an) {drink}", "{number} percent [milk]")
    glued = words[-1:] == ["please"]  # polite words stand behind any command
    assert Sentences(closed).accepts(words) == bool(match(closed, words[:-1] if glued else words))


@settings(deadline=None)
@given(st.data())
def test_any_tokens_that_spell_a_sentence_are_that_sentence(data: st.DataObject) -> None:
    lattice = Lattice(Sentences(BAR), VOCABULARY)
    written, said = data.draw(
        st.sampled_from(
            [
                ("Make me a Latte.", "make me a latte"),
                ("please, get me an iced-mocha", "please get me an iced mocha"),
                ("20 percent milk", "twenty percent milk"),
                ("25%", "twenty five percent"),
                ("twenty-one percent", "twenty one percent"),
                ("Wake me at 7:30 p.m.", "wake me at seven thirty pm"),
                ("wake me at 5pm", "wake me at five pm"),
                ("note oat milk, eggs down", "note oat milk eggs down"),
            ]
        )
    )
    words = spell(lattice, cut(f" {written}", data))
    assert words is not None
    assert spoken(" ".join(words)) == said


@pytest.mark.parametrize(
    "written", [" make me", " make me a lattes", " makeme a latte", " 26%", " make me a latte,latte"]
)
def test_tokens_that_spell_no_sentence(written: str) -> None:
    assert spell(Lattice(Sentences(BAR), VOCABULARY), cut(written)) is None


class Speaker:
    """A decoder that means a text, with every other token less likely by `doubt`, and some in favour."""

    def __init__(self, text: str, doubt: float = 6.0, heard: str = "", preference: float = 0.0) -> None:
        self._tokens = [*cut(text), EOS]
        self._heard = [*cut(heard), EOS] if heard else []
        self._doubt, self._preference = doubt, preference
        self._rows: list[tuple[int, ...]] = [()]

    def __call__(self, rows: list[int], tokens: list[int]) -> Scores:
        self._rows = [
            (*self._rows[row], token) if token != BOS else () for row, token in zip(rows, tokens, strict=True)
        ]
        logits = np.full((len(rows), len(TEXTS)), -self._doubt, np.float32)
        for number, said in enumerate(self._rows):
            for meant, bonus in ((self._tokens, 0.0), (self._heard, self._preference)):
                if len(said) < len(meant) and tuple(meant[: len(said)]) == said:
                    logits[number, meant[len(said)]] = bonus
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def find(speaker: Speaker, sentences: Sentences | None, width: int = 4, letters: int = 200):  # type: ignore[no-untyped-def]
    lattice = Lattice(sentences, VOCABULARY) if sentences else None
    return search(speaker, lattice, bos=BOS, eos=EOS, width=width, longest=60, letters=letters)


def test_what_is_said_is_found_beside_what_was_heard_freely() -> None:
    decoded = find(Speaker(" make me a latte.", heard=" bake me a latter", preference=0.5), Sentences(BAR), width=8)
    assert decoded.found[0].words == ("make", "me", "a", "latte")
    assert "".join(TEXTS[token] or "" for token in decoded.free) == " bake me a latter"
    assert decoded.found[0].score < decoded.free_score


def test_free_decoding_alone() -> None:
    decoded = find(Speaker(" hello."), None)
    assert decoded.found == ()
    assert "".join(TEXTS[token] or "" for token in decoded.free) == " hello."


def test_one_sentence_in_many_spellings_is_found_once() -> None:
    decoded = find(Speaker(" make me a latte"), Sentences(BAR), width=8)
    assert len({found.words for found in decoded.found}) == len(decoded.found)


def test_nobody_speaks_faster_than_the_letters_allow() -> None:
    assert find(Speaker(" make me a latte"), Sentences(BAR), letters=16).found
    assert not find(Speaker(" make me a latte"), Sentences(BAR), letters=12).found


def test_glue_costs_and_what_it_costs_is_not_in_the_likelihood() -> None:
    found = find(Speaker(" make me a latte please"), Sentences(BAR)).found[0]
    assert found.words[-1] == "please"
    assert found.score < found.likelihood <= 0


def test_a_further_command_costs_although_its_joiner_may_be_a_word_of_the_first() -> None:
    sentences = Sentences(grammar("make tea with milk [and sugar]"))
    step = sentences.step(0)
    for word in ("make", "tea", "with", "milk"):
        step = sentences.step(step.words[word])
    assert step.cost("and") == 0
    behind = sentences.step(step.words["and"])
    assert (behind.cost("make"), behind.cost("sugar")) == (GLUE_COST, 0)


def test_ten_to_the_nine_sentences_are_a_small_automaton() -> None:
    choices = " ".join("(red|green|blue|white|black|brown|grey|pink|gold|silver)" for _ in range(9))
    sentences = Sentences(grammar(f"show {choices}"))
    assert sentences.accepts(["show", *["pink"] * 9])
    assert len(sentences.vocabulary) == 11


def test_nothing_can_be_said_by_an_empty_grammar() -> None:
    assert not Sentences(Grammar({}, {})).step(0).words
    decoded = find(Speaker(" hello"), Sentences(Grammar({}, {})))
    assert decoded.found == ()
    assert decoded.free


def test_one_sentence_of_two_intents_is_one_sentence() -> None:
    both = compile_grammar([pack(one=["lights out"], two=["lights out", "lights out now"])])
    assert [each.words for each in find(Speaker(" lights out"), Sentences(both)).found[:1]] == [("lights", "out")]


def test_words_of_other_languages_are_said_but_not_written_by_this_vocabulary() -> None:
    foreign = Sentences(grammar("spiel musik", "jouer été"))
    assert foreign.accepts(["jouer", "été"])
    assert find(Speaker(" spiel musik"), foreign).found[0].words == ("spiel", "musik")


def test_all_packs_that_ship_and_two_thousand_names() -> None:
    rnd = np.random.default_rng(7)
    names = ["".join(rnd.choice(list("abcdefghiklmnoprstuvw"), 7)) for _ in range(2000)]
    sentences = Sentences(compile_grammar(load_packs(PACKS_DIR), {"channel": names}))
    assert sentences.accepts(f"turn on the lights and switch to {names[1234]}".split())


def pronounce(words: Sequence[str]) -> list[Sounds]:
    """As if letters were phonemes."""
    return [phonemes(word) for word in words]


def known(breadth: int, *slots: int) -> Known:
    """Words at these places fill slots; by default the last of a sentence."""
    return Known(breadth, pronounce, lambda words: slots or (len(words) - 1,))


def heard(text: str, free: float, best: str, score: float, snr: float = 20.0) -> Transcript:
    """What was heard freely, and the best sentence, with their mean log-probabilities."""
    return Transcript(text, math.exp(free), (Hypothesis(best, score, 4 * score),), snr)


def test_a_sentence_that_was_written_freely_is_certain() -> None:
    choice = choose(heard("Make me 2 lattes.", -0.1, "make me two lattes", -3.0), known(500))
    assert (choice.text, choice.sentence, choice.probability) == ("Make me 2 lattes.", True, 1.0)


def test_without_hypotheses_free_words_are_all_there_is() -> None:
    assert choose(Transcript("hello", 0.5), known(500)).text == "hello"


@settings(deadline=None)
@given(st.floats(-3, 0), st.floats(-3, 0), st.floats(-10, 40), st.sampled_from([20, 500]))
def test_the_likelier_a_sentence_the_more_it_is_believed(score: float, free: float, snr: float, breadth: int) -> None:
    near = choose(heard("what", free, "make me a latte", score, snr), known(breadth))
    far = choose(heard("what", free, "make me a latte", score - 1, snr), known(breadth))
    assert near.probability > far.probability
    assert near.sentence == (near.probability >= believed(snr))
    assert near.text == ("make me a latte" if near.sentence else "what")


@settings(deadline=None)
@given(st.floats(-3, 0), st.sampled_from([20, 500]))
def test_what_sounds_otherwise_is_believed_less(score: float, breadth: int) -> None:
    said = ("make me a pack", "make me a lattu")
    far, near = (choose(heard(text, -0.3, "make me a latte", score), known(breadth)) for text in said)
    assert far.probability < near.probability


@pytest.mark.parametrize(
    ("said", "free", "best", "score", "breadth", "believed"),
    [
        ("Turn on the chicken light.", -0.3, "turn on the kitchen light", -0.4, 500, True),
        ("I went to the market yesterday.", -0.05, "what's the weather yesterday", -3.2, 500, False),
        ("I went to the market yesterday.", -0.05, "i want a mocha with sugar", -3.2, 20, False),
        ("I'd like a double shop ice smoker.", -0.3, "i'd like a double shot iced mocha", -0.6, 20, True),
    ],
)
def test_clear_cases(said: str, free: float, best: str, score: float, breadth: int, believed: bool) -> None:
    assert choose(heard(said, free, best, score), known(breadth)).sentence == believed


def test_doubts_are_weighed_by_where_they_lie() -> None:
    """A near miss differs in a slot; a wrong word of the phrase itself changes nothing."""
    scores = ((-0.1,), (-6.0, -0.1), (-0.2,), (-2.0,))
    best = Hypothesis("may i have mocha", -0.9, -6.0, by_word=(*scores, (-0.1,)))
    transcript = Transcript("the idea of mocha", 0.8, (best,), 20.0)
    found = dict(zip(FEATURES, features(transcript, known(20)), strict=True))
    assert found["slots in sound"] == 0 < found["others in sound"]
    assert (found["worst of slots"], found["worst of others"]) == (-2.0, -6.0)
    assert choose(transcript, known(20)).probability > choose(transcript, known(20, 0, 1, 2)).probability


def test_the_scores_of_a_sentence_are_told_word_by_word() -> None:
    found = find(Speaker(" make me an iced mocha please"), Sentences(BAR)).found[0]
    assert [len(found.by_word[place]) > 0 for place in range(len(found.words))] == [True] * len(found.words)
    assert min(min(scores, default=0.0) for scores in found.by_word) >= found.worst
    tokens = sum(map(len, found.by_word)) + 1  # the end is nobody's word
    assert tokens == found.tokens
