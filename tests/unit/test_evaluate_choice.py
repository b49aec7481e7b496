"""The weights that tell what can be said from what can't: fitted, judged, and collected from what an engine hears."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from device.audio.ports import SAMPLE_RATE
from device.cli.commands import build
from device.clock import SystemClock
from device.errors import BadInput
from device.nlu.phonemes import Sounds
from device.nlu.phonetics import phonemes
from device.nlu.text import spoken
from device.speech.bias.choice import FEATURES, Known, believed, choose, features
from device.speech.bias.sentences import Sentences
from device.speech.ports import Hypothesis, Transcript
from device.workers import ThreadWorkers
from firmware_sim.sound.voices import Voices
from firmware_sim.trials.choice_fit import SHIPPED, Example, Kind, fit, fit_both, halves, lines, probability, tabulate
from firmware_sim.trials.choice_trial import ChoiceTrial, Recorded, is_near, lacking
from firmware_sim.trials.corpus import Command
from firmware_sim.trials.gadgets import alone, read_packs
from firmware_sim.trials.recordings import Label
from tests.loudness import LevelStt, LevelVad

PACK = """
skill: bar
types:
  size: {values: [small, large]}
  drink: {values: [mocha, latte]}
intents:
  order_drink: {slots: {size: {}, drink: {}}, phrases: ["[a] [{size}] {drink}"]}
"""
SAID = {1000: "A large mocha", 2000: "a small latte", 3000: "good morning"}


def heard(text: str, best: str = "", score: float = -0.5, *, free: bool = False, snr_db: float = 20.0) -> Transcript:
    hypotheses = (Hypothesis(best, score, 2 * score, free),) if best else ()
    return Transcript(text, 0.8, hypotheses, snr_db)


def example(
    transcript: Transcript, right: bool, said: str = "x", kind: Kind = "command", noise: str = "clean"
) -> Example:
    values = features(transcript, KNOWN) if transcript.hypotheses else ()
    return Example("bar", kind, noise, said, transcript, values, right)


def pronounce(words: Sequence[str]) -> list[Sounds]:
    """As if letters were phonemes."""
    return [phonemes(word) for word in words]


KNOWN = Known(30, pronounce, lambda words: range(1, len(words)))


def many(seed: int, count: int = 400) -> list[Example]:
    """Likely sentences are right; half of them have free words."""
    rng = np.random.default_rng(seed)
    scores = -rng.exponential(1.0, count)
    rights = rng.random(count) < 1 / (1 + np.exp(-(3 + 4 * scores)))
    return [
        example(heard("other", "a mocha", float(score), free=number % 2 == 0), bool(right), str(number // 2))
        for number, (score, right) in enumerate(zip(scores, rights, strict=True))
    ]


def test_known_weights_are_found_again() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal((-3, 0, 20), (1, 2, 10), (20_000, 3))
    right = (rng.random(20_000) < 1 / (1 + np.exp(-(4 + values @ (2, -0.5, 0.1))))).astype(float)
    assert fit(values, right) == pytest.approx((4, 2, -0.5, 0.1), rel=0.1)


def test_what_never_changes_gets_no_weight() -> None:
    values = np.column_stack([np.linspace(-1, 1, 50), np.full(50, 6.3)])
    constant, _, nothing = fit(values, (np.arange(50) % 3 == 0).astype(float))
    assert nothing == 0.0
    assert constant == pytest.approx(0, abs=0.1)  # right and wrong count as much, whichever there are more of


ROWS = st.lists(st.tuples(st.integers(-20, 0), st.integers(-20, 20), st.booleans()), min_size=1, max_size=30)


@settings(deadline=None, max_examples=50)
@given(ROWS, st.floats(0.01, 100))
def test_weights_are_finite_and_do_not_hang_on_units(rows: list[tuple[int, int, bool]], unit: float) -> None:
    values = np.array([row[:2] for row in rows], float)
    right = np.array([row[2] for row in rows], float)
    weights, other = fit(values, right), fit(values * unit, right)
    assert np.isfinite(weights).all()
    odds, others = (given[0] + data @ given[1:] for given, data in ((weights, values), (other, values * unit)))
    assert odds == pytest.approx(others, abs=0.05)


def test_separable_examples_stay_finite() -> None:
    values = np.arange(-10.0, 10.0).reshape(-1, 1)
    constant, slope = fit(values, (values[:, 0] >= 0).astype(float))
    assert 0 < slope < 10
    assert -constant / slope == pytest.approx(-0.5, abs=0.1)


@settings(deadline=None)
@given(st.floats(-12, 0), st.booleans(), st.floats(0, 40), st.sampled_from(["", "a mocha", "a latte"]))
def test_shipped_weights_judge_as_the_device_does(score: float, free: bool, snr_db: float, best: str) -> None:
    transcript = heard("A mocha.", best, score, free=free, snr_db=snr_db)
    choice = choose(transcript, KNOWN)
    assert probability(example(transcript, True), SHIPPED) == pytest.approx(choice.probability)
    assert choice.sentence == (probability(example(transcript, True), SHIPPED) >= believed(snr_db))


def test_each_sort_of_sentence_has_weights_of_its_own() -> None:
    weights = fit_both(many(1))
    assert weights.closed != weights.free
    assert len(weights.closed) == len(weights.free) == len(FEATURES) + 1
    with pytest.raises(BadInput, match="Too little"):
        fit_both([each for each in many(1) if each.heard.hypotheses[0].free])
    closed, free = lines(SHIPPED).splitlines()
    assert closed == f"CLOSED: Final[Weights] = {SHIPPED.closed}"
    assert free == f"FREE: Final[Weights] = {SHIPPED.free}"


@settings(deadline=None)
@given(st.integers(0, 99))
def test_nothing_that_was_said_is_in_both_halves(seed: int) -> None:
    every = many(2, 41)
    one, other = halves(every, seed)
    assert sorted([*one, *other], key=every.index) == every
    assert not {each.said for each in one} & {each.said for each in other}
    assert abs(len(one) - len(other)) <= 3
    assert (one, other) == halves(every, seed)


def test_the_table_counts_what_is_turned_away_and_what_is_taken() -> None:
    same, likely, unlikely = heard("a mocha", "a mocha"), heard("a motor", "a mocha", -0.1), heard("hi", "a mocha", -9)
    every = [
        example(same, True),
        example(likely, True, noise="fan 6 dB"),
        example(unlikely, True, noise="fan 12 dB"),
        example(likely, False, kind="near miss"),
        example(unlikely, False, kind="near miss"),
        example(heard("hello"), False, kind="near miss"),
    ]
    never = SHIPPED._replace(closed=(-50.0, *[0.0] * len(FEATURES)))
    rows = tabulate(every, {"shipped": SHIPPED, "never": never})
    assert [(row["kind"], row["noise"]) for row in rows] == [
        *(("command", noise) for noise in ("clean", "fan 12 dB", "fan 6 dB", "all")),
        *(("near miss", noise) for noise in ("clean", "all")),
    ]
    command, miss = rows[3], rows[5]
    assert (command["right"], command["wrong"], miss["right"], miss["wrong"]) == (3, 0, 0, 3)
    assert [command["turned_away"][name]["n"] for name in ("shipped", "never")] == [1, 2]
    assert [miss["taken"][name]["n"] for name in ("shipped", "never")] == [1, 0]
    assert miss["taken"]["shipped"]["rate"] == 0.3333
    assert miss["taken"]["shipped"]["interval"][0] < 0.3333 < miss["taken"]["shipped"]["interval"][1]
    assert command["taken"]["shipped"] == {"n": 0, "rate": None, "interval": None}


def test_free_words_need_to_be_as_near_as_free_decoding_only() -> None:
    assert is_near(heard("Tell Ann I'm late", "a mocha"), "A mocha!")
    assert not is_near(heard("a mocha please", "a latte"), "a mocha")
    assert is_near(heard("tell an i'm late", "tell and i'm late", free=True), "tell ann i'm late")
    assert not is_near(heard("tell ann i'm late", "tell and i'm late", free=True), "tell ann i'm late")
    assert not is_near(heard("a mocha"), "a mocha")


def hears(level: int, bias: Sentences | None) -> Transcript:
    """The sentence of a level; one that is not known as the only one that is."""
    text = SAID.get(level, "a large mocha" if level else "")
    known = [words for words in (spoken(text), "a mocha", "a latte") if bias and bias.accepts(words.split())]
    return heard(text, known[0] if text else "")


@pytest.fixture
def bar(tmp_path: Path) -> Recorded:
    path = tmp_path / "bar.yaml"
    path.write_text(PACK, encoding="utf-8")
    quiet = np.zeros(SAMPLE_RATE, np.int16)
    clips = {f"{n}.wav": np.concatenate([quiet, np.full(SAMPLE_RATE, n, np.int16), quiet]) for n in (0, *SAID)}
    slots = [{"drink": "mocha"}, {"size": "large", "drink": "mocha"}, {"drink": "latte"}, {"drink": "latte"}]
    labels = {name: Label("order_drink", given) for name, given in zip(clips, slots, strict=True)}
    return Recorded(read_packs([path]), clips, labels)


def trial(sample: int) -> ChoiceTrial:
    return ChoiceTrial(LevelStt(hears), LevelVad(), Voices(), {}, sample)


def test_recorded_commands_are_right_by_their_labels(bar: Recorded, tmp_path: Path) -> None:
    gadget = alone(bar.packs, tmp_path, SystemClock(), ThreadWorkers())
    found = list(trial(9).recorded("bar", "command", bar, [(name, gadget) for name in bar.clips]))
    assert {each.said: each.right for each in found} == {
        "0.wav": False, "1000.wav": True, "2000.wav": True, "3000.wav": False
    }  # fmt: skip
    assert all(
        math.exp(each.features[5]) == pytest.approx(gadget.sentences().breadth) for each in found if each.features
    )
    assert len(list(trial(2).recorded("bar", "command", bar, [(name, gadget) for name in bar.clips]))) == 2


def test_near_misses_lack_each_word_of_a_recording_in_turn(bar: Recorded, tmp_path: Path) -> None:
    found = list(trial(9).recorded("bar", "near miss", bar, lacking(bar, tmp_path)))
    assert Counter(each.said for each in found) == {"0.wav": 1, "1000.wav": 2, "2000.wav": 1, "3000.wav": 1}
    assert not any(each.right for each in found)
    assert {each.heard.hypotheses[0].text for each in found if each.said == "1000.wav"} == {"a latte", "a mocha"}
    assert [each.heard.hypotheses[0].text for each in found if each.said == "2000.wav"] == ["a mocha"]


def test_sentences_are_said_in_all_noises_and_known_ones_are_not_foreign(bar: Recorded, tmp_path: Path) -> None:
    gadget = alone(bar.packs, tmp_path, SystemClock(), ThreadWorkers())
    commands = [Command(text, "talk", {}) for text in ("a large mocha", "good morning to you", "what a day it was")]
    beds = {"fan": np.random.default_rng(1).normal(0, 900, SAMPLE_RATE).astype(np.int16)}
    listening = ChoiceTrial(LevelStt(hears), LevelVad(), Voices(), beds, 30, ["en-us", "en-gb", "en-us+f2"])
    found = list(listening.spoken("bar", "foreign", commands, gadget))
    assert {each.said for each in found} == {"good morning to you", "what a day it was"}
    assert len(found) == 6
    assert {each.noise for each in found} <= {"clean", "fan 18 dB", "fan 12 dB", "fan 6 dB"}
    assert len({each.noise for each in found}) > 1
    assert found == list(listening.spoken("bar", "foreign", commands, gadget))
    right = [each for each in listening.spoken("bar", "command", commands, gadget) if each.right]
    assert {each.said for each in right} == {"a large mocha"}


def evaluate(*arguments: object) -> str:
    result = CliRunner().invoke(build("evaluate"), ["evaluate", "choice", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_what_was_kept_is_fitted_without_hearing_it_again(tmp_path: Path) -> None:
    kept = tmp_path / "heard.json"
    kept.write_bytes(msgspec.json.encode(many(3)))
    found = json.loads(evaluate("--keep", kept, "--json"))
    assert (found["n"], found["seed"]) == (400, 0)
    assert len(found["closed"]) == len(found["free"]) == len(FEATURES) + 1
    assert found["fitted_to"][-1]["right"] + found["judged_on"][-1]["right"] == sum(each.right for each in many(3))
    assert json.loads(evaluate("--keep", kept, "--json")) == found
    shown = evaluate("--keep", kept)
    assert f"CLOSED: Final[Weights] = {tuple(found['closed'])}" in shown
    assert f"FREE: Final[Weights] = {tuple(found['free'])}" in shown
    kept.write_text("{", encoding="utf-8")
    with pytest.raises(BadInput, match="does not hold"):
        evaluate("--keep", kept)


def test_what_is_lacking_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no foreign speech"):
        evaluate("--keep", tmp_path / "new.json")
    with pytest.raises(BadInput, match="not all there"):
        evaluate("--texts", tmp_path, "--clips", tmp_path)
    with pytest.raises(BadInput, match="no folder"):
        evaluate("--texts", tmp_path, "--keep", tmp_path / "nowhere" / "new.json")
