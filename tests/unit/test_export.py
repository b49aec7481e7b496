"""From a tiny torch model to integers: the graph, the packed embeddings, fake quantization, bundles for boards."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import msgspec  # noqa: E402
import onnx  # noqa: E402
import onnxruntime as ort  # noqa: E402
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers  # noqa: E402
from transformers import BertConfig  # noqa: E402

from device.errors import BadInput, Missing  # noqa: E402
from device.nlu.onnx_model import Logits, load_model  # noqa: E402
from device.nlu.types import Act  # noqa: E402
from models.joint import JointModel  # noqa: E402
from models.labels import LabelSchema  # noqa: E402
from quantize.data.example import Example, Span, write_examples  # noqa: E402
from quantize.export import aarch64  # noqa: E402
from quantize.export.answers import Answers, answer  # noqa: E402
from quantize.export.bundle import make_bundle  # noqa: E402
from quantize.export.embedding import block_quantized, pack_embedding  # noqa: E402
from quantize.export.onnx import export_onnx  # noqa: E402
from quantize.export.quantize import WORDS, quantize_int8  # noqa: E402
from quantize.export.recipes import RECIPES, recipe_for  # noqa: E402
from quantize.plan import Plan, StudentPlan  # noqa: E402
from quantize.training.qat import fake_quantization, quantized_rows  # noqa: E402
from quantize.training.recipe import Recipe  # noqa: E402

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefgh", "turn", "on", "off", "light", "wake", "me", "at", "seven"]
LABELS = LabelSchema.of(["light.on", "light.off", "alarm.set"], ["time"], tuple(Act))
EXAMPLES = [
    Example(("turn", "on", "light"), "light.on", source="snips"),
    Example(("turn", "off", "light"), "light.off", source="snips"),
    Example(("wake", "me", "at", "seven"), "alarm.set", spans=(Span("time", 3, 4),), source="snips"),
    Example(("a", "b"), "oos", annotated=frozenset(), source="clinc150"),
]
INPUTS = [[2, 12, 13, 15, 3], [2, 16, 17, 18, 19, 3], [2, 4, 5, 6, 7, 8, 9, 3]]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(2)
    config = BertConfig(
        vocab_size=len(PIECES), hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
        max_position_embeddings=64, initializer_range=0.3,
    )  # fmt: skip
    return JointModel(config, LABELS).eval()


@pytest.fixture(scope="module")
def float32(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "float32.onnx"
    export_onnx(model, path)
    return path


@pytest.fixture(scope="module")
def run(float32):
    """A finished run of the factory."""
    folder = float32.parent
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(PIECES)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    LABELS.write(folder / "labels.json")
    for part in ("dev", "test"):
        write_examples(folder / f"{part}.jsonl", EXAMPLES)
    return folder


@pytest.fixture(scope="module")
def plan():
    recipe = Recipe(epochs=1)
    return Plan(name="tiny", version="1", vocabulary=20, teachers=(), student=StudentPlan(recipe=recipe, layers=(0, 1)))


def intents(path):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = []
    for ids in INPUTS:
        tensor = np.array([ids])
        feed = {"input_ids": tensor, "attention_mask": np.ones_like(tensor), "token_type_ids": np.zeros_like(tensor)}
        found.append(session.run(["intent_logits"], feed)[0][0])
    return np.stack(found)


def torch_intents(model):
    ones = torch.ones_like
    with torch.inference_mode():
        tensors = [torch.tensor([ids]) for ids in INPUTS]
        return np.stack([model(t, ones(t), torch.zeros_like(t)).intent_logits[0].numpy() for t in tensors])


def distance(one, other):
    return float(np.sqrt(((one - other) ** 2).mean()))


def test_the_graph_is_the_model(model, float32):
    np.testing.assert_allclose(intents(float32), torch_intents(model), atol=1e-4)


@pytest.mark.parametrize("board", sorted(RECIPES))
def test_every_board_gets_integers_that_agree_with_float32(float32, tmp_path, board):
    quantize_int8(float32, tmp_path / "int8.onnx", board)
    graph = onnx.load(tmp_path / "int8.onnx").graph
    operators = {node.op_type for node in graph.node}
    assert {"GatherBlockQuantized", "QAttention", "MatMulInteger"} <= operators
    assert not {"MatMul", "Gemm", "Attention"} & operators
    weights = [t for t in graph.initializer if t.data_type == onnx.TensorProto.INT8 and len(t.dims) == 2]
    greatest = max(int(np.abs(onnx.numpy_helper.to_array(t).astype(int)).max()) for t in weights)
    assert greatest == (64 if recipe_for(board).reduce_range else 127)
    assert distance(intents(tmp_path / "int8.onnx"), intents(float32)) < 0.25 * intents(float32).std()  # unrelated: 1.4


@pytest.mark.parametrize("method", ["minmax", "entropy", "percentile"])
def test_activations_may_be_calibrated(float32, tmp_path, method):
    recipe = msgspec.structs.replace(recipe_for("x86-vnni"), activations=method)
    with pytest.raises(BadInput, match="needs sentences"):
        quantize_int8(float32, tmp_path / "static.onnx", recipe)
    rows = [{"input_ids": i, "attention_mask": [1] * len(i), "token_type_ids": [0] * len(i)} for i in INPUTS]
    quantize_int8(float32, tmp_path / "static.onnx", recipe, rows)
    operators = [node.op_type for node in onnx.load(tmp_path / "static.onnx").graph.node]
    assert operators.count("DynamicQuantizeLinear") == operators.count("QAttention") == 2  # has no static form
    assert operators.count("QuantizeLinear") > 2
    assert distance(intents(tmp_path / "static.onnx"), intents(float32)) < 0.25 * intents(float32).std()


def test_the_same_bytes_every_time(float32, tmp_path):
    for name in "ab":
        quantize_int8(float32, tmp_path / name, "rpi4")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@given(st.integers(0, 2**32 - 1), st.sampled_from([4, 8]), st.sampled_from([16, 32, 64]), st.sampled_from([32, 40, 64]))
def test_no_weight_is_further_off_than_half_a_level_of_its_shrunk_block(seed, bits, block, columns):
    table = np.random.default_rng(seed).normal(size=(5, columns)).astype(np.float32)
    table[0] = 0
    weights, scales = block_quantized(table, bits, block)
    assert weights.shape == (5, columns * bits // 8)
    assert scales.shape == (5, -(-columns // block))
    levels = weights if bits == 8 else np.stack([weights & 15, weights >> 4], -1).reshape(5, columns)
    each = np.repeat(scales.astype(np.float32), block, axis=1)[:, :columns]
    found = (levels.astype(np.float32) - 2 ** (bits - 1)) * each
    naive = np.abs(table).max() / 2 ** (bits - 1)
    assert np.sqrt(((found - table) ** 2).mean()) <= naive
    assert not found[0].any()
    # training rounds as the export does
    np.testing.assert_allclose(quantized_rows(torch.from_numpy(table), bits, block).numpy(), found, atol=1e-6)


def test_a_graph_without_word_embeddings_is_refused(float32):
    with pytest.raises(BadInput, match="no Gather of nothing"):
        pack_embedding(onnx.load(float32), "nothing", 4, 32)


def test_the_table_is_as_small_as_promised(float32, tmp_path):
    quantize_int8(float32, tmp_path / "int8.onnx", "rpi5")
    sizes = {
        t.name: len(onnx.numpy_helper.to_array(t).tobytes())
        for t in onnx.load(tmp_path / "int8.onnx").graph.initializer
    }
    assert sizes[f"{WORDS}_quantized"] == len(PIECES) * 48 // 2
    assert WORDS not in sizes


@pytest.mark.parametrize("board", ["rpi4", "x86-avx2"])
def test_fake_quantization_computes_what_the_board_will(model, float32, tmp_path, board):
    quantize_int8(float32, tmp_path / "int8.onnx", board)
    int8, before = intents(tmp_path / "int8.onnx"), torch_intents(model)
    names = set(model.state_dict())
    with fake_quantization(model, board):
        assert set(model.state_dict()) == names
        assert distance(torch_intents(model), int8) < distance(before, int8) / 2
    np.testing.assert_array_equal(torch_intents(model), before)


def test_gradients_pass_through_the_rounding(model):
    ids = torch.tensor([INPUTS[0]])
    with fake_quantization(model, "rpi4"):
        model(ids, torch.ones_like(ids), torch.zeros_like(ids)).intent_logits.square().sum().backward()
    weights = [model.intent_head.weight, model.encoder.embeddings.word_embeddings.weight]
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in weights)
    model.zero_grad()


def test_fake_quantization_is_for_dynamic_activations(model):
    static = msgspec.structs.replace(recipe_for("rpi4"), activations="minmax")
    with pytest.raises(BadInput, match="dynamic"), fake_quantization(model, static):
        pass


def test_a_run_becomes_a_bundle_that_says_how_it_was_made(run, plan, tmp_path):
    make_bundle(run, tmp_path / "rpi5", plan, "rpi5")
    bundle = load_model(tmp_path / "rpi5")
    assert bundle.manifest.board == bundle.manifest.recipe["board"] == "rpi5"
    assert bundle.manifest.recipe["quantization"]["embedding_bits"] == 4
    assert bundle.manifest.calibration.threshold != 0.5
    assert {"held_out", "parity_float32"} <= bundle.manifest.metrics.keys()
    assert [path.name for path in tmp_path.iterdir()] == ["rpi5"]  # nothing is left of the making


def test_an_incomplete_run_or_a_folder_of_something_else_is_refused(run, plan, tmp_path):
    with pytest.raises(BadInput, match=r"has no float32\.onnx"):
        make_bundle(tmp_path, tmp_path / "out", plan, "rpi5")
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(BadInput, match="not a bundle"):
        make_bundle(run, tmp_path, plan, "rpi5")
    assert (tmp_path / "photo.jpg").exists()


def test_answers_of_two_machines_are_compared(run, plan, tmp_path):
    make_bundle(run, tmp_path / "rpi4", plan, "rpi4")
    mine = answer(tmp_path / "rpi4", [(example.words, ()) for example in EXAMPLES])
    mine.write(tmp_path / "answers.npz")
    again = Answers.read(tmp_path / "answers.npz")
    same = {"sentences": 4, "same_intent": 1.0, "same_slot_labels": 1.0, "max_logit_difference": 0.0}
    assert again.compared(mine) == same
    assert again.machine == mine.machine
    turned = Logits(-mine.intent[0], mine.slots[:3], mine.intent[0], mine.intent[0])
    assert Answers.of([turned]).compared(Answers("x", mine.intent[:1], mine.slots[:3]))["same_intent"] == 0.0


def test_only_boards_with_an_arm_processor_are_emulated(tmp_path):
    with pytest.raises(BadInput, match="rpi4 and rpi5 can"):
        aarch64.run_on_board(tmp_path, "x86-vnni", [], tmp_path)


def test_a_missing_emulator_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match="apt-get install qemu-user-static"):
        aarch64.build(tmp_path / "cache")


def test_the_kernel_of_a_pi_is_imitated():
    shown = aarch64.PROCESSORS["rpi4"].cpuinfo()
    assert shown.count("CPU part\t: 0xd08") == 4
    assert "asimddp" not in shown  # the Cortex-A72 has no 8-bit dot products, the A76 has
    assert "asimddp" in aarch64.PROCESSORS["rpi5"].cpuinfo()
