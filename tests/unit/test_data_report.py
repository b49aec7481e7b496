"""Figures of a data set, and its picture."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from device.errors import BadInput
from quantize.cli.data import app
from quantize.data.example import Example, Span
from quantize.data.picture import page, write
from quantize.data.report import Report, describe, imbalance

TRAIN = [
    Example(("wake", "me", "at", "six"), "alarm.set", spans=(Span("time", 3, 4),), source="a"),
    Example(("wake", "me", "at", "ten"), "alarm.set", spans=(Span("time", 3, 4),), source="b"),
    Example(("stop",), "alarm.stop", source="b"),
    Example(("stop",), "system.stop", source="b"),
]
TEST = [Example(("stop",), "alarm.stop"), Example(("brew", "me", "coffee"), "oos")]


def test_counts():
    report = describe("mine", {"train": TRAIN, "dev": [], "test": TEST})
    assert list(report.parts) == ["train", "test"]
    train, test = report.parts.values()
    assert (train.sentences, train.distinct, train.two_labels, train.vocabulary) == (4, 3, 1, 6)
    assert train.intents == {"alarm.set": 2, "alarm.stop": 1, "system.stop": 1}
    assert (train.slots, train.sources) == ({"time": 2}, {"b": 3, "a": 1})
    assert (train.lengths, train.longest, train.words) == ({1: 2, 4: 2}, 4, 2.5)
    assert train.unknown_words is None
    assert test.unknown_words == 50  # brew and coffee of stop, brew, me, coffee
    (shared,) = report.shared
    assert (shared.exact, shared.near, shared.percent) == (1, 0, 50)


def test_imbalance_of_known_sizes():
    found = imbalance([30, 10, 0])
    assert found.ratio == 3
    assert found.gini == pytest.approx(0.25)
    assert found.entropy == pytest.approx(0.8113, abs=1e-4)
    assert found.effective == pytest.approx(1.7548, abs=1e-4)
    with pytest.raises(ValueError, match="no class"):
        imbalance([])


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=30), st.integers(1, 5))
def test_imbalance_is_of_shares(sizes, times):
    found, larger = imbalance(sizes), imbalance([size * times for size in sizes])
    assert 0 <= found.gini < 1
    assert 0 <= found.entropy <= 1 + 1e-9
    assert 1 - 1e-9 <= found.effective <= len(sizes) + 1e-9
    for field in ("ratio", "entropy", "effective", "gini"):
        assert getattr(found, field) == pytest.approx(getattr(larger, field))


@given(st.integers(1, 50), st.integers(1, 30))
def test_equal_classes_are_even(size, classes):
    found = imbalance([size] * classes)
    assert (found.ratio, found.entropy) == (1, pytest.approx(1))
    assert found.effective == pytest.approx(classes)
    assert found.gini == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("ending", ["png", "svg", "html"])
def test_a_picture_is_written(tmp_path, ending):
    path = tmp_path / f"report.{ending}"
    write(describe("mine", {"train": TRAIN, "test": TEST}), path)
    assert path.stat().st_size > 5000


def test_the_page_escapes_names():
    text = page(describe("<i>mine</i>", {"train": [Example(("hi",), "<b>intent</b>")]}))
    assert "&lt;i&gt;mine" in text
    assert "<i>mine" not in text
    assert "<b>intent" not in text


def test_no_such_picture(tmp_path):
    with pytest.raises(BadInput, match=r"\.html"):
        write(describe("mine", {"train": TRAIN}), tmp_path / "report.doc")


def rows(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_command_reports_files(tmp_path):
    one = rows(tmp_path / "one.jsonl", {"text": "stop", "intent": "a.b"}, {"text": "go", "intent": "a.c"})
    two = rows(tmp_path / "two.jsonl", {"text": "stop", "intent": "a.b"})
    result = CliRunner().invoke(app, ["report", one, two, "--json"], catch_exceptions=False)
    report = msgspec.json.decode(result.stdout, type=Report)
    assert [part.sentences for part in report.parts.values()] == [2, 1]
    assert report.shared[0].exact == 1
    told = CliRunner().invoke(app, ["report", one, two, "--out", str(tmp_path / "x.png")], catch_exceptions=False)
    assert "100.0 % also stand" in told.stdout.replace("\n", "")
    assert (tmp_path / "x.png").exists()


def test_command_needs_the_corpora_for_a_benchmark():
    with pytest.raises(BadInput, match="--data-dir"):
        CliRunner().invoke(app, ["report", "snips"], catch_exceptions=False)
