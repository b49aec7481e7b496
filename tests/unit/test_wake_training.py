"""Wake words from a typed phrase: what is said, what is learned from, how it is measured."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import BadInput
from quantize.wake.card import Figures, card
from quantize.wake.examples import IGNORED, STEPS, Material, make
from quantize.wake.gather import said
from quantize.wake.learn import learn
from quantize.wake.measure import LIMITS, Ear, Rate, events, talk, threshold
from quantize.wake.net import BANDS, STRIDE, WakeNet, export
from quantize.wake.rooms import heard, impulse, noise
from quantize.wake.synthesizers import Audio
from quantize.wake.texts import checked, near_misses, sentences, without
from quantize.wake.voices import HELD_OUT, SAMPLE_RATE, Voice, cast

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="the espeak-ng program is not installed")


def tone(hertz: float, seconds: float) -> Audio:
    return (0.1 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(np.float32)


MATERIAL = Material([[tone(500, 0.5)], [tone(900, 0.4)]], [tone(700, 0.5)], [tone(1500, 2.0), tone(300, 1.0)])


@needs_espeak
def test_a_phrase_is_words_that_can_be_spoken() -> None:
    assert checked("Hey, Biscuit!") == "hey biscuit"


@needs_espeak
@pytest.mark.parametrize("phrase", ["", "?!", "a", "é", "one two three four five six seven"])
def test_what_is_no_wake_word_is_refused(phrase: str) -> None:
    with pytest.raises(BadInput, match="wake word"):
        checked(phrase)


@needs_espeak
def test_near_misses_are_near_but_not_it() -> None:
    texts = ["a basket of brisket", "they like whisky", "the bucket is here", "a cricket hit it"]
    misses = near_misses("hey biscuit", texts, 300, np.random.default_rng(0))
    assert {"hey", "biscuit", "whisky"} <= set(misses)
    assert len(misses) == 300
    assert not any("hey biscuit" in miss for miss in misses)


def test_sentences_need_no_corpus_and_can_leave_a_phrase_out() -> None:
    texts = sentences(None, np.random.default_rng(0))
    assert len(texts) > 300
    rest = without(["statement"], texts)
    assert 0 < len(rest) < len(texts)
    assert not any("statement" in text.split() for text in rest)


def test_only_a_word_that_stands_alone_is_said_politely() -> None:
    rng = np.random.default_rng(0)
    assert any("please" in line for line in said("stop", 100, True, rng))
    assert not any("please" in line for line in said("stop", 100, False, rng))


def test_a_cast_is_drawn_by_its_shares() -> None:
    names = {"kokoro": ["af_heart", "am_adam"], "piper": [], "flite": ["slt"], "espeak": ["en-us+f1"]}
    drawn = cast(names, {"kokoro": 0.5, "piper": 0.4, "espeak": 0.1}, 400, np.random.default_rng(1))
    engines = [voice.engine for voice in drawn]
    assert engines.count("kokoro") > 250
    assert 0 < engines.count("espeak") < 150
    assert "piper" not in engines
    assert any("+" in voice.name for voice in drawn if voice.engine == "kokoro")
    assert drawn == cast(names, {"kokoro": 0.5, "piper": 0.4, "espeak": 0.1}, 400, np.random.default_rng(1))
    assert all(isinstance(voice, Voice) for voice in drawn)
    assert HELD_OUT > 1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(-5, 40), st.floats(-40, 0))
def test_a_microphone_keeps_its_peak(seed: int, snr: float, peak: float) -> None:
    rng = np.random.default_rng(seed)
    pcm = heard(tone(440, 1.0), impulse(rng), noise(rng, [tone(300, 0.5)]), snr, peak)
    assert np.abs(pcm).max() == pytest.approx(32767 * 0.99 * 10 ** (peak / 20), rel=0.02, abs=1)


def test_examples_are_labelled_after_the_phrase_and_nowhere_else() -> None:
    _, labels = make(MATERIAL, 10, 10, seed=3, jobs=1)
    said = (labels == 1).any(axis=1)
    assert said.sum(axis=0).tolist() == [10, 10]
    assert not said.all(axis=1).any()
    for label, word in zip(labels[said.any(axis=1)], np.argwhere(said)[:, 1], strict=True):
        steps = np.flatnonzero(label[:, word] == 1)
        assert 6 <= len(steps) <= 8
        assert (np.diff(steps) == 1).all()
        assert label[steps[0] - 1, word] == IGNORED
        assert not label[:, 1 - word].any()


def test_examples_do_not_depend_on_the_number_of_processes() -> None:
    one, labels = make(MATERIAL, 4, 4, seed=5, jobs=1)
    two, same = make(MATERIAL, 4, 4, seed=5, jobs=2)
    assert one.shape == (12, STEPS * STRIDE, BANDS)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(labels, same)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_a_stream_in_pieces_is_the_stream(pieces: list[int]) -> None:
    torch.manual_seed(0)
    net = WakeNet(2).eval()
    features = torch.rand(1, STRIDE * sum(pieces), BANDS) * 20
    with torch.no_grad():
        whole, last = net(features, torch.zeros(1, sum(net.sizes)))
        state, parts = torch.zeros(1, sum(net.sizes)), []
        for piece in torch.split(features, [STRIDE * piece for piece in pieces], dim=1):
            logits, state = net(piece, state)
            parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole)
    torch.testing.assert_close(state, last)


def test_what_is_exported_is_what_was_learned(tmp_path: Path) -> None:
    torch.manual_seed(1)
    net = WakeNet(1)
    net(torch.rand(4, 60, BANDS) * 20, torch.zeros(4, sum(net.sizes)))  # moves the norms' averages
    export(net, tmp_path / "wake.onnx")
    rows = np.random.default_rng(0).uniform(0, 20, (90, BANDS)).astype(np.float32)
    with torch.no_grad():
        expected = torch.sigmoid(net.eval()(torch.from_numpy(rows)[None], torch.zeros(1, sum(net.sizes)))[0])[0].numpy()
    means = Ear(tmp_path / "wake.onnx").means(rows)
    np.testing.assert_allclose(means[-1], expected[-5:].mean(axis=0), atol=1e-5)
    assert (tmp_path / "wake.onnx").stat().st_size < 200_000


def test_events_are_a_second_apart() -> None:
    curve = np.zeros(200, np.float32)
    curve[[10, 11, 20, 100]] = 0.9
    assert events(curve, 0.5) == 2
    assert events(curve, 0.95) == 0


def test_the_interval_is_exact() -> None:
    low, high = Rate(0, 1.0).interval  # Garwood 1936: an hour without an event
    assert (low, high) == pytest.approx((0, 3.689), abs=1e-3)
    assert Rate(10, 2.0).interval == pytest.approx((4.795 / 2, 18.390 / 2), abs=1e-3)


def test_the_threshold_keeps_the_rate() -> None:
    curve = np.zeros(12_000, np.float32)  # six minutes
    curve[[1000, 2000, 3000]] = 0.4, 0.605, 0.8
    two, none = threshold([curve], 0.1, rate=11), threshold([curve], 0.1, rate=0)
    assert events(curve, two) == 1
    assert events(curve, none) == 0
    assert 0.605 <= two < 0.65
    assert 0.8 <= none < 0.83
    assert threshold([np.ones(100, np.float32)], 0.1, rate=0) == LIMITS[-1]


def test_talk_is_as_long_as_it_was_asked_for() -> None:
    made = list(talk([tone(300, 1.0)], 2 / 60, seed=0))
    assert [len(pcm) for pcm in made] == [60 * SAMPLE_RATE] * 2
    assert not np.array_equal(made[0], made[1])


def test_a_card_says_how_sure_it_is() -> None:
    text = card([Figures("hey biscuit", 0.7, 0.5, 93.5, 2.0, Rate(1, 6.0), Rate(0, 0.5))], {"seed": 0})
    assert "| hey biscuit | 0.700 | 0.500 | 93.5 | 2.0 | 1 in 6.00 h (0.00–0.93 an hour) " in text
    assert "| 0 in 0.50 h (0.00–7.38 an hour) |" in text


def test_it_learns_what_sets_a_phrase_apart() -> None:
    rng = np.random.default_rng(0)
    features = rng.uniform(0, 2, (64, STEPS * STRIDE, BANDS)).astype(np.float16)
    labels = np.zeros((64, STEPS, 1), np.int8)
    features[:32, 150:180] += 10
    labels[:32, 50:60] = 1
    net = learn(features, labels, 30, seed=0)
    with torch.no_grad():
        logits, _ = net(torch.from_numpy(features.astype(np.float32)), torch.zeros(64, sum(net.sizes)))
    found = torch.sigmoid(logits).numpy()
    assert found[:32, 52:58].mean() > 0.7
    assert found[32:].mean() < 0.2
    begun = {name: value.clone() for name, value in net.state_dict().items()}
    again = learn(features, labels, 2, seed=1, begun=net).state_dict()
    assert any(not torch.equal(again[name], begun[name]) for name in begun)
