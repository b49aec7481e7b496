"""Benchmarks, reports and the table, on a bundle whose network is a table: each word adds fixed numbers."""

import json
import re

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from typer.testing import CliRunner

from device.cli.main import main
from device.errors import BadInput
from device.nlu.types import Act
from models.labels import LabelSchema
from models.manifest import FORMAT, MANIFEST, Calibration, Manifest, file_sha256
from quantize.cli.evaluate import app
from quantize.evaluate.footprint import footprint
from quantize.evaluate.report import write_report
from quantize.evaluate.runs import combined, evaluate_benchmark
from quantize.evaluate.table import markdown, must_show

LABELS = LabelSchema.of(["play_music", "get_weather"], ["artist", "city"], tuple(Act))
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "play", "weather", "in", "rome", "adele", "oslo"]
SNIPS = {  # sentence, tags, intent
    "test": [
        ("play adele", "O B-artist", "PlayMusic"),
        ("weather in rome", "O O B-city", "GetWeather"),
        ("weather in oslo", "O O B-city", "GetWeather"),
        ("adele in rome", "B-artist O B-city", "PlayMusic"),
    ]
}
SNIPS["train"] = SNIPS["valid"] = SNIPS["test"][:2]
UPPER = {"play": "play_music", "weather": "get_weather"}


def table(names, scores):
    rows = np.zeros((len(PIECES), len(names)), np.float32)
    for piece, name, score in scores:
        rows[PIECES.index(piece), list(names).index(name)] = score
    return rows


def write_bundle(folder, cities=("rome",), name="snips-student", seed=7, graph_only=False):
    folder.mkdir(parents=True, exist_ok=True)
    slots = [("adele", "B-artist", 5.0)] + [(city, "B-city", 5.0) for city in cities]
    weights = {
        "intent": table(LABELS.intents, [(word, intent, 4.0) for word, intent in UPPER.items()]),
        "slot": table(LABELS.slot_labels, slots),
        "act": table(LABELS.acts, [("[CLS]", "command", 5.0)]),
        "embed": np.eye(len(PIECES), 4, dtype=np.float32),
    }
    outputs = {"intent": "intent_logits", "slot": "slot_logits", "act": "act_logits", "embed": "embedding"}
    nodes = []
    for head, output in outputs.items():
        nodes.append(helper.make_node("Gather", [head, "input_ids"], [output if head == "slot" else f"{head}_pieces"]))
        if head != "slot":
            nodes.append(helper.make_node("ReduceSum", [f"{head}_pieces", "axis"], [output], keepdims=0))
    inputs = ("input_ids", "attention_mask", "token_type_ids")
    graph = helper.make_graph(
        nodes,
        "table",
        [helper.make_tensor_value_info(each, TensorProto.INT64, ["batch", "length"]) for each in inputs],
        [helper.make_tensor_value_info(each, TensorProto.FLOAT, None) for each in outputs.values()],
        [numpy_helper.from_array(rows, head) for head, rows in weights.items()]
        + [numpy_helper.from_array(np.array([1]), "axis")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if graph_only:
        onnx.save(made, str(folder / "float32.onnx"))
        return folder
    onnx.save(made, str(folder / "model.onnx"))
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(PIECES)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    LABELS.write(folder / "labels.json")
    files = {path.name: file_sha256(path) for path in folder.iterdir() if path.name != MANIFEST}
    Manifest(
        format=FORMAT, name=name, version="1", language="en", ontology=LABELS.ontology, files=files, max_tokens=16,
        calibration=Calibration(1.5, 1.0, (1.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.5), recipe={"seed": seed},
    ).write(folder)  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for part, rows in SNIPS.items():
        path = folder / "snips" / part
        path.mkdir(parents=True)
        for column, name in enumerate(("seq.in", "seq.out", "label")):
            (path / name).write_text("".join(f"{row[column]}\n" for row in rows))
    return folder


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    write_bundle(folder / "bundle")
    write_bundle(folder, cities=("rome", "oslo"), graph_only=True)
    return folder


def test_a_benchmark_in_its_own_labels(data_dir, run_folder):
    run = evaluate_benchmark("snips", data_dir, [run_folder / "bundle"])
    figures = run.figures
    assert figures["intent_accuracy"] == 75.0  # "adele in rome" says neither "play" nor "weather"
    assert (figures["n"], figures["seed"]) == (4, 7)
    assert figures["model_sha256"] == file_sha256(run_folder / "bundle/model.onnx")
    assert figures["slot_f1"] == pytest.approx(88.89)  # oslo is missed: 4 of 5, none too many
    assert figures["sentence_accuracy"] == 50.0
    assert figures["int8_loss"] == {
        "intent_accuracy": 0.0, "intent_macro_f1": 0.0, "slot_f1": 11.11, "entity_f1": 11.11, "sentence_accuracy": 25.0,
    }  # fmt: skip
    assert "auroc" not in figures
    rows = {row["name"]: row["n"] for row in run.slices}
    assert rows["with a word unseen in training"] == 1


def test_several_seeds_are_averaged(data_dir, run_folder, tmp_path):
    other = write_bundle(tmp_path / "other", cities=("rome", "oslo"), seed=8)
    figures = evaluate_benchmark("snips", data_dir, [run_folder / "bundle", other]).figures
    assert figures["slot_f1"] == pytest.approx((88.89 + 100) / 2, abs=0.01)
    assert figures["slot_f1_std"] == pytest.approx(7.86, abs=0.01)
    assert figures["seed"] == [7, 8]
    assert len(figures["model_sha256"]) == 2
    assert figures["n"] == 8
    assert [run["slot_f1"] for run in figures["runs"]] == [88.89, 100.0]


def test_one_run_is_itself():
    assert combined([{"n": 3, "ece": 0.1}]) == {"n": 3, "ece": 0.1}


def test_a_bundle_of_other_labels_is_refused(data_dir, run_folder):
    (data_dir / "snips/test/label").write_text("PlayMusic\nGetWeather\nGetWeather\nRateBook\n")
    try:
        with pytest.raises(BadInput, match=r"not trained for snips: it does not know 1 of its labels \(rate_book\)"):
            evaluate_benchmark("snips", data_dir, [run_folder / "bundle"])
    finally:
        (data_dir / "snips/test/label").write_text("".join(f"{row[2]}\n" for row in SNIPS["test"]))


def test_reports_are_written_and_compared(data_dir, run_folder, tmp_path):
    write_bundle(tmp_path / "b", cities=("rome", "oslo"), seed=8)
    command = CliRunner()
    for name, bundle in (("one", run_folder / "bundle"), ("two", tmp_path / "b")):
        done = command.invoke(
            app,
            ["snips", "--data-dir", str(data_dir), "--bundle", str(bundle), "--json", "--out", str(tmp_path / name)],
        )
        assert done.exit_code == 0, done.output
        assert json.loads(done.output)["snips"]["n"] == 4
    page = (tmp_path / "one/report.html").read_text()
    assert page.count("<svg") == 4
    assert "adele in rome" in page
    assert not re.search(r"(src|href)=.?https?://|<script", page)
    assert "| intent_accuracy | 75.0 |" in (tmp_path / "one/card.md").read_text()
    result = json.loads((tmp_path / "one/result.json").read_text())["snips"]
    assert result["confusion"]["intents"][-1] == "other"
    assert [row["type"] for row in result["slot_types"]] == ["city", "artist"]
    done = command.invoke(
        app, ["compare", str(tmp_path / "one/result.json"), str(tmp_path / "two/result.json"), "--json"]
    )
    found = json.loads(done.output)
    assert found["slot_f1"]["difference"] == pytest.approx(11.11)
    assert found["accuracy"]["p"] == 1.0


def test_a_report_is_the_same_twice(data_dir, run_folder, tmp_path):
    for name in ("a", "b"):
        write_report(tmp_path / name, evaluate_benchmark("snips", data_dir, [run_folder / "bundle"]))
    for name in ("report.html", "card.md", "result.json", "predictions.jsonl"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_size_speed_and_memory_are_of_a_fresh_process(run_folder):
    ballast = np.ones(40_000_000)  # this process's own memory must not count
    found = footprint(run_folder / "bundle", ["play adele", "weather in rome"] * 20)
    assert ballast.nbytes / 1e6 > found["peak_rss_mb"]
    assert 0 < found["latency_p50_ms"] <= found["latency_p95_ms"]
    assert found["latency_sentences"] == 40
    assert found["bundle_mb"] >= found["model_mb"] >= 0
    assert found["peak_rss_mb"] > 20


def test_the_command_line_says_what_is_wrong(data_dir, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "snips", "--data-dir", str(tmp_path / "none"), "--bundle", str(tmp_path), "--json"])
    assert stopped.value.code == 2
    assert "error" in json.loads(capsys.readouterr().out)


SIZE = {
    "model_mb": 9.1, "bundle_mb": 9.4, "latency_p50_ms": 1.1, "latency_p95_ms": 2.0, "peak_rss_mb": 84.0,
    "machine": "a core",
}  # fmt: skip


def hwu(f1=93.0, folds=10):
    return {
        "intent_micro_f1": f1,
        "intent_micro_f1_std": 0.5,
        "entity_f1": 85.0,
        "runs": [{}] * folds,
        "int8_loss": {"slot_f1": 0.31, "intent_accuracy": -0.1},
    }


def test_the_table_says_what_was_reached():
    snips = {
        "intent_accuracy": 98.7,
        "slot_f1": 96.5,
        "sentence_accuracy": 92.1,
        "bundle_mb": 9.7,
        "int8_loss": {"slot_f1": 0.0},
    }
    clinc = {"in_scope_accuracy": 96.2, "oos_recall_at_5": 87.9, "in_scope_rejected_at_5": 5.3}
    rows = must_show({"hwu64": hwu(), "snips": snips, "clinc150": clinc}, SIZE)
    assert [row.reached for row in rows] == [True, False, True, False, True, False]
    assert rows[0].measured == "0.9300 ± 0.0050"
    assert rows[5].measured == "0.31 points (hwu64 slot_f1)"
    assert markdown(rows).count("\n") == 8


@pytest.mark.parametrize("change", [{"bundle_mb": 10.1}, {"latency_p50_ms": 1.6}, {"peak_rss_mb": 91.0}])
def test_each_limit_of_the_footprint_counts(change):
    assert must_show({}, SIZE | change)[4].reached is False


def test_what_was_not_measured_is_not_reached():
    rows = must_show({"hwu64": hwu(folds=2)}, SIZE, {"snips": "no corpus"})
    assert rows[0].reached is False
    assert rows[0].measured.endswith("(2 of 10 folds)")
    assert rows[2].measured == "not measured: no corpus"
    assert rows[2].reached is None


def test_a_student_that_is_too_large_does_not_count():
    snips = {"intent_accuracy": 99.0, "slot_f1": 97.0, "sentence_accuracy": 93.0, "bundle_mb": 10.2}
    assert must_show({"snips": snips}, SIZE)[2].reached is False


def test_the_loss_by_int8_must_be_known_everywhere():
    small = {"int8_loss": {"intent_accuracy": 0.2}}
    snips = small | {"intent_accuracy": 99.0, "slot_f1": 97.0, "sentence_accuracy": 93.0, "bundle_mb": 9.0}
    clinc = small | {"in_scope_accuracy": 97.0, "oos_recall_at_5": 90.0, "in_scope_rejected_at_5": 5.0}
    assert must_show({"hwu64": hwu() | small, "snips": snips, "clinc150": clinc}, SIZE)[5].reached is True
    assert must_show({"hwu64": hwu() | small, "snips": snips}, SIZE)[5].reached is None
