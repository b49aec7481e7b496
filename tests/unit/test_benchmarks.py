"""The public benchmarks in their published splits, on small samples in the upstream formats."""

import json

import pytest

from device.errors import BadInput
from quantize.data.benchmarks import BENCHMARKS, benchmark, slurp_dev, snake
from quantize.data.corpora import HWU_FOLDS
from quantize.data.example import Span

HEADER = "answerid;scenario;intent;answer_annotation;answer_from_anno;answer_from_user\n"


def hwu(data_dir, fold, trained, tested):
    folder = data_dir / HWU_FOLDS / f"KFold_{fold}"
    for part, rows in (("trainset", trained), ("testset/csv", tested)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        for intent, sentences in rows.items():
            lines = (f'null;a;b;"{text}";"x";"y"\n' for text in sentences)
            (folder / part / f"{intent}.csv").write_text(HEADER + "".join(lines))


def snips(data_dir):
    for part in ("train", "valid", "test"):
        folder = data_dir / "snips" / part
        folder.mkdir(parents=True)
        (folder / "seq.in").write_text(f"Add it to {part} at 7 : 00 \n")
        (folder / "seq.out").write_text("O O O B-playlist O B-timeRange I-timeRange I-timeRange \n")
        (folder / "label").write_text("AddToPlaylist\n")


def clinc(data_dir):
    (data_dir / "clinc150").mkdir()
    rows = {name: [[f"say {name}", "oos" if name.startswith("oos") else "what_is_it"]] for name in CLINC_PARTS}
    (data_dir / "clinc150/data_full.json").write_text(json.dumps(rows))


CLINC_PARTS = ("train", "val", "test", "oos_train", "oos_val", "oos_test")


def slurp(data_dir, *parts):
    folder = data_dir / "slurp/dataset/slurp"
    folder.mkdir(parents=True)
    for part in parts:
        row = {"scenario": "play", "action": "music", "sentence_annotation": f"Play [song_name : {part} 2]"}
        (folder / f"{part}.jsonl").write_text(json.dumps(row) + "\n")


def massive(data_dir, release):
    folder = data_dir / "massive" / release / "data"
    folder.mkdir(parents=True)
    rows = [
        {"partition": part, "intent": "alarm_set", "annot_utt": f"{part} me up at [time : five am]", "locale": "en-US"}
        for part in ("train", "dev", "test")
    ]
    (folder / "en-US.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_snips_keeps_its_tokens(tmp_path):
    snips(tmp_path)
    read = benchmark("snips", tmp_path)
    (example,) = read.train
    assert example.words == ("add", "it", "to", "train", "at", "7", ":", "00")
    assert example.spans == (Span("playlist", 3, 4), Span("time_range", 5, 8))
    assert (example.intent, example.annotated, example.source) == ("add_to_playlist", None, "snips")
    assert [e.words[3] for e in (*read.dev, *read.test)] == ["valid", "test"]
    assert read.labels.slot_types == ("playlist", "time_range")
    assert read.labels.intents == ("add_to_playlist", "oos")


def test_clinc150_has_no_slots_and_its_out_of_scope_sentences(tmp_path):
    clinc(tmp_path)
    read = benchmark("clinc150", tmp_path)
    assert [" ".join(e.words) for e in read.train] == ["say train", "say oos_train"]
    assert [" ".join(e.words) for e in read.dev] == ["say val", "say oos_val"]
    assert [e.intent for e in read.test] == ["what_is_it", "oos"]
    assert read.labels.slot_types == ()
    assert read.labels.slot_labels == ("O",)
    assert {e.annotated for e in read.train} == {frozenset()}


def test_slurp_and_massive(tmp_path):
    slurp(tmp_path, "train", "devel", "test")
    massive(tmp_path, "1.0")
    read = benchmark("slurp", tmp_path)
    assert [e.words for e in (*read.train, *read.dev, *read.test)] == [
        ("play", part, "2") for part in ("train", "devel", "test")
    ]
    assert read.dev == slurp_dev(tmp_path)
    read = benchmark("massive", tmp_path)
    assert [e.words[0] for e in (*read.train, *read.dev, *read.test)] == ["train", "dev", "test"]
    assert read.test[0].spans == (Span("time", 4, 6),)


def test_the_newer_release_of_massive_is_read(tmp_path):
    massive(tmp_path, "1.0")
    massive(tmp_path, "1.1")
    (tmp_path / "massive/1.0/data/en-US.jsonl").write_text("broken")
    assert benchmark("massive", tmp_path).train


def test_hwu64_draws_its_development_set(tmp_path):
    many = [f"wake me number {i}" for i in range(40)]
    hwu(tmp_path, 3, {"alarm_set": [*many, *many], "iot_coffee": [f"coffee {i}" for i in range(20)]}, {"qa_x": ["why"]})
    read = benchmark("hwu64", tmp_path, fold=3)
    drawn = {e.words for e in read.dev}
    assert {e.intent: sum(said[0] == e.words[0] for said in drawn) for e in read.dev} == {
        "alarm_set": 4,
        "iot_coffee": 2,
    }
    assert not drawn & {e.words for e in read.train}, "a sentence that is there twice stays on one side"
    assert len(read.train) + len(read.dev) == 100
    assert [e.words for e in read.test] == [("why",)]
    assert read.labels.intents == ("alarm_set", "iot_coffee", "oos", "qa_x")
    assert benchmark("hwu64", tmp_path, fold=3) == read, "always the same ones"


@pytest.mark.parametrize("name", BENCHMARKS)
def test_says_what_is_missing(tmp_path, name):
    with pytest.raises(BadInput, match="homebody data fetch"):
        benchmark(name, tmp_path)


def test_slurp_needs_all_three_parts(tmp_path):
    slurp(tmp_path, "devel")
    with pytest.raises(BadInput, match=r"train\.jsonl"):
        benchmark("slurp", tmp_path)


@pytest.mark.parametrize(("name", "fold"), [("atis", 1), ("hwu64", 0), ("hwu64", 11)])
def test_no_such_benchmark_or_fold(tmp_path, name, fold):
    with pytest.raises(BadInput, match="Choose one of"):
        benchmark(name, tmp_path, fold)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("AddToPlaylist", "add_to_playlist"), ("timeRange", "time_range"), ("movie-type", "movie_type"), ("oos", "oos")],
)
def test_snake_case(theirs, ours):
    assert snake(theirs) == ours
