"""The factory's parts on tiny models and a handful of sentences."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers  # noqa: E402
from transformers import BertConfig  # noqa: E402

from device.nlu.onnx_model import Logits, load_model  # noqa: E402
from device.nlu.tokenizer import WordTokenizer  # noqa: E402
from device.nlu.types import Act  # noqa: E402
from models.joint import JointModel, shrink  # noqa: E402
from models.labels import LabelSchema  # noqa: E402
from models.manifest import FORMAT, Calibration, Manifest, file_sha256  # noqa: E402
from quantize.data.example import Example, Span  # noqa: E402
from quantize.evaluate.calibrate import calibrate  # noqa: E402
from quantize.evaluate.figures import evaluate, figures_of  # noqa: E402
from quantize.evaluate.parity import ParityError, check_parity  # noqa: E402
from quantize.export.onnx import RECIPES, export_onnx, quantize_int8  # noqa: E402
from quantize.predict import predict_all, torch_predictor  # noqa: E402
from quantize.training.batches import IGNORED, UNMARKED, batches, collate, rows  # noqa: E402
from quantize.training.distil import distilled  # noqa: E402
from quantize.training.finetune import Recipe, class_weights, slot_loss, supervised, train  # noqa: E402
from quantize.training.vocabulary import prune  # noqa: E402

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    *"abcdefghij",
    "turn",
    "on",
    "off",
    "light",
    "##s",
    "seven",
    "wake",
    "me",
    "at",
    "bank",
]
LABELS = LabelSchema.of(["light.on", "light.off", "alarm.set"], ["time", "room"], tuple(Act))
EXAMPLES = [
    Example(("turn", "on", "lights"), "light.on", source="packs"),
    Example(("turn", "off", "light"), "light.off", source="packs"),
    Example(("wake", "me", "at", "seven"), "alarm.set", spans=(Span("time", 3, 4),), source="packs"),
    Example(("seven",), "alarm.set", Act.INFORM, (Span("time", 0, 1),), context=("at",), source="dialogue"),
    Example(("bank", "bank"), "oos", annotated=frozenset(), source="clinc150"),
    Example(("on",), None, Act.AFFIRM, annotated=frozenset(), source="clinc150"),
]
PERFECT = Calibration(1.0, 1.0, (1.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.5)


@pytest.fixture(scope="module")
def tokenizer_json(tmp_path_factory):
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(PIECES)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture(scope="module")
def tokenizer(tokenizer_json):
    return WordTokenizer.read(tokenizer_json, 16)


def tiny_model(layers=2):
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(PIECES), hidden_size=32, num_hidden_layers=layers, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=16,
    )  # fmt: skip
    return JointModel(config, LABELS).eval()


@pytest.fixture(scope="module")
def trained(tokenizer):
    model = tiny_model()
    data = rows(EXAMPLES, tokenizer, LABELS)
    epochs = []
    loss = supervised(class_weights(data, len(LABELS.intents)))
    train(model, data, Recipe(epochs=60, batch=3, body_rate=3e-3, head_rate=1e-2), loss, epochs.append)
    assert epochs == list(range(1, 61))
    return model


def test_targets_stand_on_the_first_piece_of_each_word(tokenizer):
    marked = Example(
        ("wake", "lights", "seven"), "alarm.set", spans=(Span("time", 2, 3),), annotated=frozenset({"time"})
    )
    (row,) = rows([marked], tokenizer, LABELS)
    b_time = LABELS.slot_labels.index("B-time")
    # [CLS] wake light ##s seven [SEP]
    assert row.slots == [IGNORED, UNMARKED, UNMARKED, IGNORED, b_time, IGNORED]
    assert [name for name, is_marked in zip(LABELS.slot_labels, row.marked, strict=True) if is_marked] == [
        "B-time",
        "I-time",
    ]


def test_unmarked_words_may_be_any_type_that_the_source_does_not_mark(tokenizer):
    marked = Example(("wake", "seven"), "alarm.set", spans=(Span("time", 1, 2),), annotated=frozenset({"time"}))
    batch = collate(rows([marked], tokenizer, LABELS))
    logits = torch.zeros(1, 4, len(LABELS.slot_labels))
    chance = 1 / len(LABELS.slot_labels)
    # five labels: O, B-room and I-room are possible for "wake"; B-time is certain for "seven"
    assert slot_loss(logits, batch).item() == pytest.approx(-(np.log(3 * chance) + np.log(chance)) / 2)
    silent = collate(rows([Example(("wake",), "oos", annotated=frozenset())], tokenizer, LABELS))
    assert slot_loss(torch.randn(1, 3, len(LABELS.slot_labels)), silent).item() == pytest.approx(0, abs=1e-6)


def test_batches_hold_every_row_once(tokenizer):
    import random

    data = rows(EXAMPLES, tokenizer, LABELS)
    seen = [length for batch in batches(data, 4, random.Random(1)) for length in batch.attention_mask.sum(1).tolist()]
    assert sorted(seen) == sorted(len(row.ids) for row in data)


def test_it_learns(trained, tokenizer):
    outputs = predict_all(torch_predictor(trained, tokenizer), EXAMPLES)
    figures = figures_of(EXAMPLES, outputs, LABELS, PERFECT)
    assert figures["intent_accuracy"] == 100
    assert figures["act_accuracy"] == 100
    assert figures["slot_f1"] == 100


def test_padding_does_not_change_the_float_model(trained, tokenizer):
    data = rows(EXAMPLES, tokenizer, LABELS)
    batch = collate(data)
    with torch.inference_mode():
        together = trained(batch.input_ids, batch.attention_mask, batch.token_type_ids).intent_logits.numpy()
    alone = [output.intent for output in predict_all(torch_predictor(trained, tokenizer), EXAMPLES)]
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_a_student_comes_closer_to_its_teacher(trained, tokenizer):
    data = rows(EXAMPLES, tokenizer, LABELS)
    weights = class_weights(data, len(LABELS.intents))
    student = shrink(trained, LABELS, (1,))
    assert len(student.encoder.encoder.layer) == 1
    loss = distilled(trained, (1,), weights)
    batch = collate(data)
    before = loss(student.eval(), batch).item()
    train(student, data, Recipe(epochs=20, batch=3, body_rate=3e-3, head_rate=1e-2), loss, lambda epoch: None)
    assert loss(student.eval(), batch).item() < before / 2


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_the_int8_bundle_agrees_with_torch(trained, tokenizer, tokenizer_json, tmp_path, recipe):
    export_onnx(trained, tmp_path / "float32.onnx")
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    quantize_int8(tmp_path / "float32.onnx", bundle / "model.onnx", recipe)
    (bundle / "tokenizer.json").write_bytes(tokenizer_json.read_bytes())
    LABELS.write(bundle / "labels.json")
    files = {path.name: file_sha256(path) for path in bundle.iterdir()}
    Manifest(FORMAT, "tiny", "1", "en", LABELS.ontology, files, 16, PERFECT).write(bundle)
    outputs = predict_all(load_model(bundle).logits, EXAMPLES)
    precise = predict_all(torch_predictor(trained, tokenizer), EXAMPLES)
    assert check_parity(EXAMPLES, precise, outputs, LABELS, PERFECT)["intent_accuracy"] == 100
    assert all(np.allclose(a.embedding, b.embedding, atol=0.1) for a, b in zip(outputs, precise, strict=True))


def test_parity_names_what_was_lost(trained, tokenizer):
    precise = predict_all(torch_predictor(trained, tokenizer), EXAMPLES)
    worse = [Logits(np.roll(o.intent, 1), o.slots, o.act, o.embedding) for o in precise]
    with pytest.raises(ParityError, match="intent_accuracy fell by"):
        check_parity(EXAMPLES, precise, worse, LABELS, PERFECT)


def test_a_smaller_vocabulary_cuts_known_words_as_before(tokenizer_json):
    words = ["turn", "lights", "on", "a"]
    small, kept = prune(tokenizer_json, words, 18)
    old = Tokenizer.from_file(str(tokenizer_json))
    assert small.get_vocab_size() == len(kept) == 18
    for word in words:
        ids = small.encode(word, add_special_tokens=False).ids
        assert [kept[i] for i in ids] == old.encode(word, add_special_tokens=False).ids
    assert small.encode("bank", add_special_tokens=False).tokens != ["bank"]


def fake(intent, scope, slots=None):
    logits = np.zeros(len(LABELS.intents), dtype=np.float32)
    logits[LABELS.intents.index(intent)] = 5
    logits[LABELS.intents.index("oos")] += -scope
    return Logits(
        logits,
        slots if slots is not None else np.zeros((1, 5), np.float32),
        np.eye(8, dtype=np.float32)[0],
        np.zeros(4),
    )


def test_figures_count_what_they_say():
    examples = [
        Example(("x",), "light.on", annotated=frozenset(), source="hwu64"),
        Example(("y",), "light.off", annotated=frozenset(), source="hwu64"),
        Example(("z",), "oos", annotated=frozenset(), source="clinc150"),
        Example(("yes",), None, Act.AFFIRM, annotated=frozenset(), source="clinc150"),
    ]
    outputs = [fake("light.on", 3), fake("light.on", 3), fake("oos", -5), fake("light.on", 3)]
    figures = evaluate(examples, outputs, LABELS, PERFECT, [examples[2]])
    assert figures["unseen"]["sentences"] == 3
    assert "unseen" not in evaluate(examples, outputs, LABELS, PERFECT)
    combined = figures["combined"]
    assert combined["intent_accuracy"] == 50
    assert combined["end_to_end_accuracy"] == 50
    assert combined["auroc"] == 1
    assert combined["oos_rejected"] == 100
    assert combined["in_scope_rejected"] == 0
    assert combined["act_accuracy"] == 75
    assert figures["hwu64"]["sentences"] == 2
    assert "slot_f1" not in combined


def test_unmarked_types_are_not_scored():
    slots = np.zeros((2, 5), dtype=np.float32)
    slots[0, LABELS.slot_labels.index("B-room")] = 9  # the source does not mark rooms
    slots[1, LABELS.slot_labels.index("B-time")] = 9
    example = Example(("hall", "seven"), "alarm.set", spans=(Span("time", 1, 2),), annotated=frozenset({"time"}))
    assert figures_of([example], [fake("alarm.set", 3, slots)], LABELS, PERFECT)["slot_f1"] == 100
    whole = Example(("hall", "seven"), "alarm.set", spans=(Span("time", 1, 2),))
    assert figures_of([whole], [fake("alarm.set", 3, slots)], LABELS, PERFECT)["slot_f1"] < 100


def test_calibration_rejects_what_it_may_and_no_more():
    chance = np.random.default_rng(1)
    examples, outputs = [], []
    for i in range(400):
        inside = i % 2 == 0
        examples.append(Example((f"w{i}",), "light.on" if inside else "oos", annotated=frozenset(), source="clinc150"))
        outputs.append(fake("light.on" if inside else "oos", chance.normal(3 if inside else -1, 1)))
    calibration = calibrate(examples, outputs, LABELS)
    figures = figures_of(examples, outputs, LABELS, calibration)
    assert figures["in_scope_rejected"] <= 5
    assert figures["oos_rejected"] > 90
    assert 0 < calibration.threshold < 1
