"""The same inputs and seed give the same bytes: in another folder, another process, and with other hashes of strings.

Run as a program it makes the bundle in the folder that it is given.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat  # noqa: E402
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers  # noqa: E402
from transformers import BertConfig  # noqa: E402

from device.nlu.onnx_model import load_model  # noqa: E402
from device.nlu.tokenizer import WordTokenizer  # noqa: E402
from device.nlu.types import Act  # noqa: E402
from models.joint import JointModel  # noqa: E402
from models.labels import LabelSchema  # noqa: E402
from models.manifest import FORMAT, Calibration, Manifest, file_sha256  # noqa: E402
from models.signature import PublicKey, check, sign  # noqa: E402
from quantize.data.example import Example, Span  # noqa: E402
from quantize.evaluate.figures import figures_of  # noqa: E402
from quantize.export.card import PROVENANCE  # noqa: E402
from quantize.export.onnx import export_onnx  # noqa: E402
from quantize.export.quantize import quantize_int8  # noqa: E402
from quantize.predict import predict_all  # noqa: E402
from quantize.training.batches import rows  # noqa: E402
from quantize.training.finetune import fit  # noqa: E402
from quantize.training.losses import Supervised, class_weights  # noqa: E402
from quantize.training.recipe import Recipe  # noqa: E402
from quantize.training.vocabulary import prune  # noqa: E402

WORDS = "turn on off light wake me at seven bank please".split()
EXAMPLES = [
    Example(("turn", "on", "light"), "light.on", source="packs"),
    Example(("turn", "off", "light"), "light.off", source="packs"),
    Example(("wake", "me", "at", "seven"), "alarm.set", spans=(Span("time", 3, 4),), source="packs"),
    Example(("seven",), "alarm.set", Act.INFORM, (Span("time", 0, 1),), context=("at",), source="dialogue"),
    Example(("bank", "bank"), "oos", annotated=frozenset(), source="clinc150"),
]
KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
UNCALIBRATED = Calibration(1.0, 1.0, (1.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.5)


def make_bundle(folder: Path) -> dict[str, str]:
    """All that the factory does to a model, with its own parts and a tiny one. Returns file to SHA-256."""
    runs, bundle = folder / "runs", folder / "bundle"
    for path in (runs, bundle):
        path.mkdir(parents=True)
    labels = LabelSchema.of({e.intent for e in EXAMPLES if e.intent}, {"time", "room", "date"}, tuple(Act))
    labels.write(bundle / "labels.json")
    whole = Tokenizer(
        models.WordPiece({p: i for i, p in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}, unk_token="[UNK]")
    )
    whole.normalizer, whole.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    whole.save(str(runs / "whole.json"))
    pruned, kept = prune(runs / "whole.json", (word for e in EXAMPLES for word in e.words), 12)
    pruned.save(str(bundle / "tokenizer.json"))
    torch.set_num_threads(1)
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(kept), hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=16,
    )  # fmt: skip
    data = rows(EXAMPLES, WordTokenizer.read(bundle / "tokenizer.json", 16), labels)
    recipe = Recipe(epochs=2, batch=3, body_rate=3e-3, head_rate=1e-2, precision="float32")
    loss = Supervised(class_weights(data, len(labels.intents)))
    model = fit(JointModel(config, labels), data, recipe, loss, runs / "training", 7)
    export_onnx(model, runs / "float32.onnx")
    quantize_int8(runs / "float32.onnx", bundle / "model.onnx", "rpi4")
    files = {path.name: file_sha256(path) for path in sorted(bundle.iterdir())}
    made = Manifest(FORMAT, "tiny", "1", "en", labels.ontology, files, 16, UNCALIBRATED)
    made.write(bundle)
    outputs = predict_all(load_model(bundle).logits, EXAMPLES)
    metrics = {"held_out": figures_of(EXAMPLES, outputs, labels, UNCALIBRATED)}
    made = Manifest(
        FORMAT, "tiny", "1", "en", labels.ontology, files, 16, UNCALIBRATED, {"seed": 7}, metrics, PROVENANCE,
        board="rpi4",
    )  # fmt: skip
    signed, _ = sign(made, KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    signed.write(bundle)
    return {path.name: file_sha256(path) for path in sorted(bundle.iterdir())}


@pytest.mark.engines
def test_the_same_inputs_and_seed_give_the_same_bytes(tmp_path):
    far = tmp_path / "another folder with a much longer name"
    elsewhere = subprocess.Popen(
        [sys.executable, __file__, str(far)],
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    first, again = make_bundle(tmp_path / "a"), make_bundle(tmp_path / "b")
    _, said = elsewhere.communicate(timeout=110)
    assert elsewhere.returncode == 0, said
    assert set(first) == {"labels.json", "manifest.json", "model.onnx", "tokenizer.json"}
    assert again == first, "a second run in the same process"
    there = {path.name: file_sha256(path) for path in sorted((far / "bundle").iterdir())}
    assert there == first, "a run of another process"
    public = PublicKey(KEY.public_key().public_bytes_raw(), "")
    assert check(Manifest.read(far / "bundle"), [public]) == public
    model = (far / "bundle" / "model.onnx").read_bytes()
    for trace in (str(tmp_path), str(Path(__file__).parents[2]), os.uname().nodename):
        assert trace.encode() not in model, "nothing of this machine is in the model"


if __name__ == "__main__":
    make_bundle(Path(sys.argv[1]))
