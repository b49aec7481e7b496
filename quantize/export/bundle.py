"""From a run of the factory to a bundle for one board: quantized, calibrated, past the gate, with its card."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from device.errors import BadInput
from device.nlu.onnx_model import TRANSITIONS, load_model
from device.nlu.tokenizer import WordTokenizer
from models.labels import LabelError, LabelSchema
from models.manifest import FORMAT, MANIFEST, Calibration, Manifest, file_sha256
from quantize.data.example import read_examples
from quantize.evaluate.calibrate import calibrate
from quantize.evaluate.figures import Figures, evaluate
from quantize.evaluate.parity import check_parity
from quantize.export.card import provenance, write_card
from quantize.export.quantize import model_inputs, quantize_int8
from quantize.export.recipes import BoardRecipe, recipe_for
from quantize.plan import Plan
from quantize.predict import predict_all

FLOAT32: Final = "float32.onnx"
MAX_TOKENS: Final = 64
STATIC_SAMPLE: Final = 300
"""Development sentences that fix the ranges of static activations."""
UNCALIBRATED: Final = Calibration(1.0, 1.0, (1.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.5)
"""Before calibration: the intent is the likeliest, and in scope what is likelier so than not."""

_NEEDED: Final = (FLOAT32, "tokenizer.json", "labels.json", "dev.jsonl", "test.jsonl")


def make_bundle(run: Path, target: Path, plan: Plan, recipe: BoardRecipe | str) -> Figures:
    """Quantize, calibrate on development sentences, check parity on the held-out ones, evaluate, and write.

    Both sides of the parity check are answered by onnxruntime, one unpadded sentence at a time, as on the device.

    Args:
        run: Folder with `float32.onnx`, `tokenizer.json`, `labels.json`, `dev.jsonl`, `test.jsonl`, and where there
            are any `unseen.jsonl` and the slots' transitions.
        target: Folder of the bundle; an old bundle there is replaced, once the new one is whole.
        plan: What the run was made by.
        recipe: A recipe, or the name of a board.

    Returns:
        The held-out figures of the quantized model.

    Raises:
        BadInput: The run is incomplete, the target holds something else than a bundle, or there is no such board.
        ParityError: Quantization lost more than it may; names the classes that lost most.
    """
    if isinstance(recipe, str):
        recipe = recipe_for(recipe)
    for name in _NEEDED:
        if not (run / name).is_file():
            raise BadInput(f"{run} has no {name}.", remedy="Name the folder of a finished run of `homebody train`.")
    only_a_bundle(target)
    try:
        labels = LabelSchema.read(run / "labels.json")
    except LabelError as error:
        raise BadInput(f"The labels of {run} can't be used: {error}.") from error
    dev, test = read_examples(run / "dev.jsonl"), read_examples(run / "test.jsonl")
    unseen = read_examples(run / "unseen.jsonl") if (run / "unseen.jsonl").exists() else []
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as folder:
        precise, work = Path(folder) / "float32", Path(folder) / target.name
        for bundle in (precise, work):
            bundle.mkdir()
            for name in ("tokenizer.json", "labels.json", TRANSITIONS):
                if (run / name).exists():
                    shutil.copy(run / name, bundle)
        shutil.copy(run / FLOAT32, precise / "model.onnx")
        sample = []
        if recipe.activations != "dynamic":
            sample = random.Random(plan.seed).sample(dev, min(len(dev), STATIC_SAMPLE))
        tokenizer = WordTokenizer.read(run / "tokenizer.json", MAX_TOKENS)
        quantize_int8(run / FLOAT32, work / "model.onnx", recipe, model_inputs(sample, tokenizer))

        _write_manifest(precise, plan, recipe, labels)
        _write_manifest(work, plan, recipe, labels)
        exported = load_model(work, recipe.threads)
        calibration = calibrate(dev, predict_all(exported.logits, dev), labels)
        outputs = predict_all(exported.logits, test)
        figures = evaluate(test, outputs, labels, calibration, unseen)
        before = check_parity(test, predict_all(load_model(precise).logits, test), outputs, labels, calibration)
        metrics = {"held_out": figures, "parity_float32": before}
        write_card(work, _write_manifest(work, plan, recipe, labels, calibration, metrics))
        _write_manifest(work, plan, recipe, labels, calibration, metrics)  # again, with the card's checksum
        shutil.rmtree(target, ignore_errors=True)
        work.rename(target)
    return figures


def only_a_bundle(target: Path) -> None:
    """Raises: BadInput, if what would be replaced is anything else than a bundle."""
    if target.exists() and (not target.is_dir() or (any(target.iterdir()) and not (target / MANIFEST).exists())):
        raise BadInput(f"{target} is not empty and not a bundle.", remedy="Name a new folder.")


def _write_manifest(
    folder: Path,
    plan: Plan,
    recipe: BoardRecipe,
    labels: LabelSchema,
    calibration: Calibration = UNCALIBRATED,
    metrics: Figures | None = None,
) -> Manifest:
    files = {path.name: file_sha256(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
    made = msgspec.to_builtins(msgspec.structs.replace(plan, board=recipe.board))
    made["quantization"] = msgspec.to_builtins(recipe)
    manifest = Manifest(
        FORMAT, plan.name, plan.version, "en", labels.ontology, files, MAX_TOKENS, calibration,
        made, metrics or {}, provenance(plan.corpus), board=recipe.board,
    )  # fmt: skip
    manifest.write(folder)
    return manifest
