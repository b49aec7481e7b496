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

from device.nlu.onnx_model import TRANSITIONS, Logits
from device.nlu.tokenizer import WordTokenizer
from models.joint import JointModel, from_pretrained, shrink
from models.labels import LabelSchema
from quantize.data.example import Example, read_examples, write_examples
from quantize.evaluate.figures import Figures, figures_of
from quantize.export.bundle import FLOAT32, MAX_TOKENS, UNCALIBRATED, make_bundle
from quantize.export.onnx import export_onnx
from quantize.plan import Plan, Sets, TeacherPlan
from quantize.predict import mean_opinion, opinions
from quantize.training.batches import Row, rows, softened
from quantize.training.encoders import pretrained
from quantize.training.finetune import Judge, fit
from quantize.training.losses import Distilled, Loss, Supervised, class_weights
from quantize.training.vocabulary import prune

_log = logging.getLogger(__name__)

_OF_STUDENT: Final = frozenset({"plan.json", "student.pt", FLOAT32, TRANSITIONS, "done"})
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
        self._once("tokenizer.json", lambda path: self._write_data(sets(), path))

    def teachers(self) -> None:
        """Stage 2: fine-tune each teacher, and keep the mean of their opinions on the training sentences."""
        for number, plan in enumerate(self.plan.teachers, 1):
            self._trained(f"teacher-{number}", partial(self._new_teacher, plan), plan, self._supervised(plan))
        if self.plan.teachers:
            self._once("opinions.npz", self._write_opinions)

    def student(self) -> JointModel:
        """Stage 3: distil into fewer layers; without teachers the student learns from the labels alone."""
        plan = self.plan.student
        if not self.plan.teachers:
            return self._trained("student", self._new_student, plan, self._supervised(plan))

        def loss(data: Sequence[Row]) -> Loss:
            weights = class_weights(data, len(self.labels.intents))
            if not (plan.hidden or plan.attention):
                return Distilled(weights, plan.temperature, plan.label_weight)
            teacher = self.teacher(1, bool(plan.attention))
            return Distilled(
                weights, plan.temperature, plan.label_weight, teacher, plan.layers, plan.hidden, plan.attention
            )

        return self._trained("student", self._new_student, plan, loss, soft=True)

    def bundle(self, target: Path) -> Figures:
        """Stage 4: export, and make the bundle of the plan's board (`quantize.export.bundle.make_bundle`).

        Args:
            target: Folder of the bundle, replaced.

        Returns:
            The held-out figures of the int8 model.

        Raises:
            BadInput: The target is a folder that holds something else than a bundle.
            ParityError: Quantization lost more than it may.
        """
        student = self.student()
        self._once(FLOAT32, partial(export_onnx, student))
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

    def tokenizer(self, plan: TeacherPlan) -> WordTokenizer:
        """Cuts words as a teacher or the student wants them."""
        if plan.encoder == self.plan.student.encoder:
            return WordTokenizer(Tokenizer.from_file(str(self.folder / "tokenizer.json")), MAX_TOKENS)
        encoder = pretrained(plan.encoder)
        tokenizer = Tokenizer.from_file(str(encoder.folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return WordTokenizer(tokenizer, MAX_TOKENS, encoder.special)

    def teacher(self, number: int, attention: bool = False) -> JointModel:
        """A trained teacher, from 1; `attention` makes it give its attention."""
        plan = self.plan.teachers[number - 1]
        model = self._new_teacher(plan)
        model.load_state_dict(torch.load(self.folder / f"teacher-{number}.pt", weights_only=True))
        return shrink(model, self.labels, range(model.config.num_hidden_layers), True) if attention else model.eval()

    @property
    def first(self) -> bool:
        """This process is the first of those that train, or the only one."""
        return bool(self._processes.is_main_process)

    def derived(self, name: str, plan: Plan) -> Run:
        """A run in a folder of this one's, with its data and its teachers, but another plan for the student."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        for path in self.folder.iterdir():
            if path.is_file() and path.name not in _OF_STUDENT and not (folder / path.name).exists():
                os.link(path, folder / path.name)
        return Run(folder, plan)

    def _once(self, name: str, make: Callable[[Path], object]) -> None:
        """Make a file of the run folder, whole or not at all, in the first process; the others wait for it."""
        path = self.folder / name
        if self._processes.is_main_process and not path.exists():
            part = path.with_name(f"new-{name}")
            make(part)
            part.rename(path)
        self._processes.wait_for_everyone()

    def _write_data(self, made: Sets, path: Path) -> None:
        for name in ("train", "dev", "test", "unseen"):
            write_examples(self.folder / f"{name}.jsonl", getattr(made, name))
        made.labels.write(self.folder / "labels.json")
        words = (word for example in made.train for word in (*example.words, *example.context))
        base = pretrained(self.plan.student.encoder).folder
        tokenizer, kept = prune(base / "tokenizer.json", words, self.plan.vocabulary)
        (self.folder / "vocabulary.json").write_bytes(msgspec.json.encode(kept))
        tokenizer.save(str(path))
        _log.info("train %d, dev %d, test %d sentences", len(made.train), len(made.dev), len(made.test))

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
            tokenizer = self.tokenizer(plan)
            data = rows(self.examples("train"), tokenizer, self.labels)
            if soft:
                data = softened(data, self._read_opinions())
            judge = self._judge(name, tokenizer)
            fit(model, data, plan.recipe, loss(data), self.folder / f"{name}-training", plan.seed, judge)
            self._once(path.name, lambda part: torch.save(model.state_dict(), part))
        model.load_state_dict(torch.load(path, weights_only=True))
        return model.eval()

    def _supervised(self, plan: TeacherPlan) -> Callable[[Sequence[Row]], Loss]:
        return lambda data: Supervised(class_weights(data, len(self.labels.intents)), plan.recipe.r_drop)

    def _new_teacher(self, plan: TeacherPlan) -> JointModel:
        """Encoders that share the student's word pieces lose those that are not needed; others are left whole."""
        shared = plan.encoder == self.plan.student.encoder
        return from_pretrained(
            pretrained(plan.encoder).folder, self.labels, self._vocabulary() if shared else None, MAX_TOKENS, plan.crf
        )

    def _new_student(self) -> JointModel:
        """Begins as some layers of the first teacher, if that has the student's encoder, else of the pretrained."""
        plan = self.plan.student
        if self.plan.teachers and self.plan.teachers[0].encoder == plan.encoder and plan.from_teacher:
            base = self.teacher(1)
        else:
            folder = pretrained(plan.encoder).folder
            base = from_pretrained(folder, self.labels, self._vocabulary(), MAX_TOKENS, plan.crf)
        return shrink(base, self.labels, plan.layers, bool(plan.attention))

    def _write_opinions(self, path: Path) -> None:
        examples, found = self.examples("train"), []
        for number, plan in enumerate(self.plan.teachers, 1):
            data = rows(examples, self.tokenizer(plan), self.labels)
            found.append(opinions(self.teacher(number), data, quick=True))
        mean = mean_opinion(found)
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

    def _vocabulary(self) -> list[int]:
        return msgspec.json.decode((self.folder / "vocabulary.json").read_bytes(), type=list[int])

    def _judge(self, name: str, tokenizer: WordTokenizer) -> Judge:
        """Development figures after each epoch, on a fixed sample."""
        dev = self.examples("dev")
        sample = random.Random(self.plan.seed).sample(dev, min(DEV_SAMPLE, len(dev)))
        data = rows(sample, tokenizer, self.labels)

        def judge(model: JointModel) -> dict[str, float]:
            figures = figures_of(sample, opinions(model, data), self.labels, UNCALIBRATED)
            found: dict[str, float] = {k: figures[k] for k in ("intent_accuracy", "slot_f1") if k in figures}
            _log.info("%s, dev: %s", name, found)
            return {**found, "score": sum(found.values())}

        return judge
