"""The factory's parts on tiny models and a handful of sentences."""

import itertools

import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers  # noqa: E402
from transformers import BertConfig, TrainerCallback  # noqa: E402

from device.nlu.crf import marginals  # noqa: E402
from device.nlu.onnx_model import Logits, load_model  # noqa: E402
from device.nlu.tokenizer import WordTokenizer  # noqa: E402
from device.nlu.types import Act  # noqa: E402
from models.crf import FORBIDDEN, SlotField  # noqa: E402
from models.joint import JointModel, shrink  # noqa: E402
from models.labels import LabelSchema  # noqa: E402
from models.manifest import FORMAT, Calibration, Manifest, file_sha256  # noqa: E402
from quantize.data.example import Example, Span  # noqa: E402
from quantize.evaluate.calibrate import calibrate  # noqa: E402
from quantize.evaluate.figures import evaluate, figures_of  # noqa: E402
from quantize.evaluate.parity import ParityError, check_parity  # noqa: E402
from quantize.export.onnx import export_onnx  # noqa: E402
from quantize.export.quantize import quantize_int8  # noqa: E402
from quantize.export.recipes import RECIPES  # noqa: E402
from quantize.predict import mean_opinion, opinions, predict_all  # noqa: E402
from quantize.training.batches import UNMARKED, LengthSampler, collate, rows, softened  # noqa: E402
from quantize.training.finetune import fit, parameter_groups  # noqa: E402
from quantize.training.losses import Distilled, Supervised, class_weights, slot_losses  # noqa: E402
from quantize.training.recipe import Recipe  # noqa: E402
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


def tiny_model(layers=2, crf=False):
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(PIECES), hidden_size=32, num_hidden_layers=layers, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=16,
    )  # fmt: skip
    return JointModel(config, LABELS, crf=crf).eval()


EPOCHS = Recipe(epochs=60, batch=3, body_rate=3e-3, head_rate=1e-2, precision="float32")


@pytest.fixture(scope="module", params=[False, True], ids=["words", "crf"])
def trained(request, tokenizer, tmp_path_factory):
    model, data = tiny_model(crf=request.param), rows(EXAMPLES, tokenizer, LABELS)
    loss = Supervised(class_weights(data, len(LABELS.intents)))
    return fit(model, data, EPOCHS, loss, tmp_path_factory.mktemp("training"), 7)


def test_targets_stand_on_words(tokenizer):
    marked = Example(
        ("wake", "lights", "seven"), "alarm.set", spans=(Span("time", 2, 3),), annotated=frozenset({"time"})
    )
    (row,) = rows([marked], tokenizer, LABELS)
    assert row.first == [1, 2, 4]  # [CLS] wake light ##s seven [SEP]
    assert row.slots == [UNMARKED, UNMARKED, LABELS.slot_labels.index("B-time")]
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
    expected = -(np.log(3 * chance) + np.log(chance))
    assert slot_losses(tiny_model(), logits, batch).item() == pytest.approx(expected)
    silent = collate(rows([Example(("wake",), "oos", annotated=frozenset())], tokenizer, LABELS))
    nothing = torch.randn(1, 3, len(LABELS.slot_labels))
    assert slot_losses(tiny_model(), nothing, silent).item() == pytest.approx(0, abs=1e-6)
    assert slot_losses(tiny_model(crf=True), nothing, silent).item() == pytest.approx(0, abs=1e-5)


def test_the_loss_of_a_batch_is_the_mean_of_its_parts(tokenizer):
    data = rows(EXAMPLES, tokenizer, LABELS)
    loss, model = Supervised(class_weights(data, len(LABELS.intents))), tiny_model(crf=True)
    whole = loss(model, collate(data)).mean().item()
    halves = [loss(model, collate(part)).mean().item() for part in (data[:3], data[3:])]
    assert whole == pytest.approx(sum(halves) / 2, rel=1e-4)


def test_batches_hold_every_row_once_and_depend_on_the_epoch_alone(tokenizer):
    data = rows(EXAMPLES, tokenizer, LABELS) * 3
    one, other = LengthSampler(data, 4, 1), LengthSampler(data, 4, 1)
    first = list(one)
    assert sorted(first) == list(range(len(data))) == sorted(other)
    one.set_epoch(1)
    assert list(one) != first
    other.set_epoch(1)
    assert list(other) == list(one)
    lengths = [len(data[i].ids) for i in first[:16]]
    assert all(max(lengths[i : i + 4]) - min(lengths[i : i + 4]) <= 1 for i in range(0, 16, 4))


def test_it_learns(trained, tokenizer):
    outputs = opinions(trained, rows(EXAMPLES, tokenizer, LABELS))
    figures = figures_of(EXAMPLES, outputs, LABELS, PERFECT)
    assert figures["intent_accuracy"] == 100
    assert figures["act_accuracy"] == 100
    assert figures["slot_f1"] == 100


def test_padding_does_not_change_the_float_model(trained, tokenizer):
    data = rows(EXAMPLES, tokenizer, LABELS)
    together = opinions(trained, data)
    for row, output in zip(data, together, strict=True):
        (alone,) = opinions(trained, [row])
        np.testing.assert_allclose(output.intent, alone.intent, atol=1e-4)
        np.testing.assert_allclose(output.slots, alone.slots, atol=1e-3)


@pytest.mark.parametrize(("hidden", "attention"), [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)])
def test_a_student_comes_closer_to_its_teacher(trained, tokenizer, tmp_path, hidden, attention):
    data = rows(EXAMPLES, tokenizer, LABELS)
    data = softened(data, mean_opinion([opinions(trained, data), opinions(trained, data)]))
    crf = trained.crf is not None
    teacher = shrink(trained, LABELS, (0, 1), bool(attention), crf)
    student = shrink(trained, LABELS, (1,), bool(attention), not crf)
    assert (student.crf is None) == crf
    assert len(student.encoder.encoder.layer) == 1
    weights = class_weights(data, len(LABELS.intents))
    loss = Distilled(weights, 2.0, 0.4, teacher if hidden else None, (1,), hidden, attention)
    before = loss(student.eval(), collate(data)).mean().item()
    fit(student, data, msgspec.structs.replace(EPOCHS, epochs=30), loss, tmp_path, 7)
    assert loss(student, collate(data)).mean().item() < before / 2
    assert not any("teacher" in name for name in student.state_dict())


def test_an_interrupted_training_goes_on_with_the_very_next_step(tokenizer, tmp_path):
    data = rows(EXAMPLES, tokenizer, LABELS) * 4
    recipe = Recipe(epochs=3, batch=4, precision="float32")  # with dropout, so that chance matters

    def result(folder, *callbacks):
        model = tiny_model()
        return fit(model, data, recipe, Supervised(torch.ones(len(LABELS.intents))), folder, 7, callbacks=callbacks)

    class Interrupted(TrainerCallback):
        def on_step_end(self, args, state, control, **rest):
            if state.global_step == 15:  # in the third epoch
                raise KeyboardInterrupt

    whole = result(tmp_path / "whole").state_dict()
    with pytest.raises(KeyboardInterrupt):
        result(tmp_path / "cut", Interrupted())
    again = result(tmp_path / "cut").state_dict()
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    assert not list((tmp_path / "cut").glob("checkpoint-*"))


def test_the_best_epoch_is_kept_and_training_ends_early(tokenizer, tmp_path):
    data, scores, seen = rows(EXAMPLES, tokenizer, LABELS), iter([1.0, 3.0, 2.0, 1.0, 9.0]), []

    def judge(model):
        seen.append({name: value.clone() for name, value in model.state_dict().items()})
        return {"score": next(scores)}

    recipe = Recipe(epochs=5, batch=4, patience=2, precision="float32")
    model = fit(tiny_model(), data, recipe, Supervised(torch.ones(len(LABELS.intents))), tmp_path, 7, judge)
    assert len(seen) == 4
    assert all(torch.equal(value, seen[1][name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    ("frozen", "moves"),
    [("none", {"embeddings", "0", "1"}), ("embeddings", {"0", "1"}), (1, {"1"}), ("encoder", set())],
)
def test_what_is_frozen_does_not_move(tokenizer, tmp_path, frozen, moves):
    data = rows(EXAMPLES, tokenizer, LABELS)
    model = tiny_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    recipe = Recipe(epochs=2, batch=3, frozen=frozen, precision="float32")
    fit(model, data, recipe, Supervised(torch.ones(len(LABELS.intents))), tmp_path, 7)
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    parts = {name.split(".")[1] if "embeddings" in name else name.split(".")[3] for name in moved if "encoder." in name}
    assert parts == moves
    assert "intent_head.weight" in moved


def test_lower_layers_learn_more_slowly():
    recipe = Recipe(epochs=1, body_rate=1e-4, head_rate=1e-3, layer_decay=0.5)
    rates = sorted(group["lr"] for group in parameter_groups(tiny_model(), recipe))
    assert rates == pytest.approx([0.25e-4, 0.5e-4, 1e-4, 1e-3])


def test_r_drop_asks_two_passes_to_agree(tokenizer):
    data = rows(EXAMPLES, tokenizer, LABELS)
    weights = torch.ones(len(LABELS.intents))
    still = tiny_model().eval()  # without dropout both passes are the same
    plain, doubled = Supervised(weights)(still, collate(data)), Supervised(weights, 5.0)(still, collate(data))
    assert torch.allclose(plain, doubled, atol=1e-5)
    torch.manual_seed(0)
    noisy = tiny_model().train()
    assert Supervised(weights, 5.0)(noisy, collate(data)).mean() > Supervised(weights, 0.0)(noisy, collate(data)).mean()


def test_the_random_field_counts_all_paths():
    chance, labels = torch.Generator().manual_seed(3), 5
    field = SlotField(labels)
    with torch.no_grad():
        field.steps.copy_(torch.randn(labels, labels, generator=chance))
    emissions = torch.randn(2, 3, labels, generator=chance)
    words = torch.tensor([[True, True, True], [True, True, False]])
    allowed = torch.rand(2, 3, labels, generator=chance) > 0.4
    allowed[:, :, 0] = True
    losses = field.negative_log_likelihood(emissions, words, allowed)
    steps = field.transitions()
    for sentence in range(2):
        length = int(words[sentence].sum())
        known, every, marginal = [], [], torch.zeros(length, labels)
        for path in itertools.product(range(labels), repeat=length):
            if path[0] in (2, 4) or any(steps[a, b] <= FORBIDDEN for a, b in itertools.pairwise(path)):
                continue
            score = sum(emissions[sentence, at, label] for at, label in enumerate(path))
            score = score + sum(steps[a, b] for a, b in itertools.pairwise(path))
            every.append(score)
            marginal[range(length), path] += score.exp().item()
            if all(allowed[sentence, at, label] for at, label in enumerate(path)):
                known.append(score)
        total = torch.stack(every).logsumexp(0)
        expected = total - torch.stack(known).logsumexp(0)
        assert losses[sentence].item() == pytest.approx(expected.item(), rel=1e-4)
        wanted = (marginal / total.exp()).detach().numpy()
        mine = field.marginals(emissions, words)[sentence, :length].exp().numpy()
        devices = marginals(emissions[sentence, :length].numpy(), steps.detach().numpy())
        np.testing.assert_allclose(mine, wanted, atol=1e-4)
        np.testing.assert_allclose(np.exp(devices), wanted, atol=1e-4)


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
    precise = opinions(trained, rows(EXAMPLES, tokenizer, LABELS))
    assert check_parity(EXAMPLES, precise, outputs, LABELS, PERFECT)["intent_accuracy"] == 100
    assert all(np.allclose(a.embedding, b.embedding, atol=0.1) for a, b in zip(outputs, precise, strict=True))


def test_parity_names_what_was_lost(trained, tokenizer):
    precise = opinions(trained, rows(EXAMPLES, tokenizer, LABELS))
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
