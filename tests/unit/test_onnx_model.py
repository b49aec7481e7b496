"""The device's runtime on a bundle whose network is a table: each word piece adds fixed numbers to the logits."""

import msgspec
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from device.errors import BundleError
from device.nlu.onnx_model import decode_spans, load_model
from device.nlu.types import Act
from models.labels import LabelSchema
from models.manifest import FORMAT, MANIFEST, Calibration, Manifest, file_sha256

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "lights", "on", "off", "seven", "thirty", "yes", "time", "?"]
LABELS = LabelSchema.of(["light.on", "light.off", "alarm.set"], ["time", "room"], tuple(Act))
INTENT_SCORES = {
    "on": {"light.on": 4},
    "off": {"light.off": 4},
    "time": {"alarm.set": 6},
    "[UNK]": {"oos": 8},
    "lights": {"light.on": 1},
}
SLOT_SCORES = {"seven": {"B-time": 5}, "thirty": {"I-time": 5}}
ACT_SCORES = {"yes": {"affirm": 5}, "time": {"inform": 3}}


def table(names, scores):
    rows = np.zeros((len(PIECES), len(names)), dtype=np.float32)
    for piece, row in scores.items():
        for name, score in row.items():
            rows[PIECES.index(piece), list(names).index(name)] = score
    return rows


def write_bundle(folder, labels=LABELS, **changes):
    weights = {
        "intent": table(labels.intents, INTENT_SCORES),
        "slot": table(labels.slot_labels, SLOT_SCORES),
        "act": table(labels.acts, ACT_SCORES),
        "embed": np.eye(len(PIECES), 4, dtype=np.float32),
    }
    outputs = {"intent": "intent_logits", "slot": "slot_logits", "act": "act_logits", "embed": "embedding"}
    nodes = []
    for name, output in outputs.items():
        gathered = output if name == "slot" else f"{name}_pieces"
        nodes.append(helper.make_node("Gather", [name, "input_ids"], [gathered]))
        if name != "slot":
            nodes.append(helper.make_node("ReduceSum", [gathered, "axis"], [output], keepdims=0))
    inputs = ("input_ids", "attention_mask", "token_type_ids")
    graph = helper.make_graph(
        nodes,
        "table",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"]) for name in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs.values()],
        [numpy_helper.from_array(rows, name) for name, rows in weights.items()]
        + [numpy_helper.from_array(np.array([1]), "axis")],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(folder / "model.onnx")
    )
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(PIECES)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    labels.write(folder / "labels.json")
    files = {path.name: file_sha256(path) for path in folder.iterdir() if path.name != MANIFEST}
    calibration = Calibration(2.0, 1.0, (1.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.5)
    fields = {"ontology": labels.ontology, "max_tokens": 16} | changes
    Manifest(
        format=FORMAT, name="table", version="1", language="en", files=files, calibration=calibration, **fields
    ).write(folder)  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def model(bundle):
    return load_model(bundle)


def test_best_intents_without_oos_calibrated(model):
    prediction = model.predict("lights on".split())
    assert [name for name, _ in prediction.intents] == ["light.on", "alarm.set", "light.off"]
    # logits 5, 0, 0 at temperature 2
    assert prediction.intents[0][1] == pytest.approx(np.exp(2.5) / (np.exp(2.5) + 2), rel=1e-4)
    assert sum(probability for _, probability in prediction.intents) == pytest.approx(1, rel=1e-5)
    assert prediction.accepted
    assert prediction.in_scope == pytest.approx(1 / (1 + 1 / (np.exp(5) + 2)), rel=1e-4)


def test_unknown_words_are_out_of_scope(model):
    prediction = model.predict("the quick brown fox".split())
    assert not prediction.accepted
    assert prediction.in_scope < 0.01
    assert "oos" not in dict(prediction.intents)


def test_slots_are_spans_of_words(model):
    prediction = model.predict("lights on seven thirty".split())
    assert [(s.type, s.start, s.end) for s in prediction.slots] == [("time", 2, 4)]
    assert 0.9 < prediction.slots[0].probability < 1


def test_context_changes_what_an_answer_means(model):
    assert model.predict(["seven"]).acts[0][0] is Act.COMMAND
    prediction = model.predict(["seven"], "Time?")
    assert prediction.acts[0][0] is Act.INFORM
    assert prediction.intents[0][0] == "alarm.set"
    assert prediction.embedding.shape == (4,)


def test_words_beyond_the_models_input_have_no_slots(model):
    prediction = model.predict(["on"] * 40 + ["seven"])
    assert prediction.slots == ()
    assert prediction.intents[0][0] == "light.on"


def test_no_words_is_still_an_answer(model):
    assert model.predict([]).slots == ()


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "labels.json", MANIFEST])
def test_refuses_a_missing_or_changed_file(tmp_path, name):
    write_bundle(tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-20])
    with pytest.raises(BundleError, match=f"{name} is damaged"):
        load_model(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(BundleError, match=f"{name} can't be read"):
        load_model(tmp_path)


def test_refuses_a_foreign_ontology(tmp_path):
    write_bundle(tmp_path, ontology="0" * 64)
    with pytest.raises(BundleError, match="another ontology"):
        load_model(tmp_path)


def test_refuses_other_dialogue_acts(tmp_path):
    foreign = LabelSchema.of(LABELS.intents, LABELS.slot_types, [*map(str, Act), "sing"])
    write_bundle(tmp_path, labels=LabelSchema(foreign.intents, foreign.slot_types, foreign.acts))
    with pytest.raises(BundleError, match="another ontology"):
        load_model(tmp_path)


def test_refuses_an_unknown_layout_and_says_what_to_do(tmp_path):
    write_bundle(tmp_path)
    manifest = msgspec.json.decode((tmp_path / MANIFEST).read_bytes())
    (tmp_path / MANIFEST).write_bytes(msgspec.json.encode(manifest | {"format": 99}))
    with pytest.raises(BundleError, match=r"layout version 99.*Install the bundle again"):
        load_model(tmp_path)


def test_refuses_a_file_that_is_no_network_though_its_checksum_is_right(tmp_path):
    write_bundle(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"not a network")
    manifest = msgspec.json.decode((tmp_path / MANIFEST).read_bytes())
    manifest["files"]["model.onnx"] = file_sha256(tmp_path / "model.onnx")
    (tmp_path / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    with pytest.raises(BundleError, match="does not load"):
        load_model(tmp_path)


TYPES = ("room", "time")


@given(arrays(np.float32, st.tuples(st.integers(0, 8), st.just(5)), elements=st.floats(-9, 9, width=32)))
def test_spans_are_valid_whatever_the_logits(logits):
    spans = decode_spans(logits, TYPES)
    ends = [0]
    for span in spans:
        assert ends[-1] <= span.start < span.end <= len(logits)
        assert 0 < span.probability <= 1
        ends.append(span.end)


def test_viterbi_takes_the_likeliest_valid_path():
    # I-time is likeliest at the second word, but only B-time may open it
    logits = np.full((3, 5), -5, dtype=np.float32)
    logits[0, [0, 3]] = 1.0, 0.5  # O or B-time
    logits[1, 4] = 5.0  # I-time
    logits[2, 0] = 5.0
    assert [(s.type, s.start, s.end) for s in decode_spans(logits, TYPES)] == [("time", 0, 2)]
