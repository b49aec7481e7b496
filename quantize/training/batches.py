"""Examples as tensors, in batches of similar length."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Sampler

from device.nlu.onnx_model import Floats, Logits
from device.nlu.tokenizer import WordTokenizer
from models.labels import LabelSchema
from quantize.data.example import Example

IGNORED: Final = -100
"""Target that a loss leaves out."""

UNMARKED: Final = -1
"""Slot target of a word that carries none of the types which its source marks, and perhaps another."""


class Batch(NamedTuple):
    """B examples of at most T pieces and W words; inputs as `JointModel.forward` takes them.

    Attributes:
        input_ids: int64 [B, T].
        attention_mask: int64 [B, T].
        token_type_ids: int64 [B, T].
        first: int64 [B, W], position of each word's first piece.
        intent: int64 [B], `IGNORED` where an example has none.
        act: int64 [B].
        slots: int64 [B, W], a label, `UNMARKED`, or `IGNORED` where a sentence has no such word.
        marked: boolean [B, slot labels]: labels of the types that the source of the sentence marks.
        soft_intent: float32 [B, intents], a teacher's log probabilities; None without a teacher, as the next two.
        soft_slots: float32 [B, W, slot labels].
        soft_act: float32 [B, acts].
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_type_ids: Tensor
    first: Tensor
    intent: Tensor
    act: Tensor
    slots: Tensor
    marked: Tensor
    soft_intent: Tensor | None = None
    soft_slots: Tensor | None = None
    soft_act: Tensor | None = None

    @property
    def words(self) -> Tensor:
        """[B, W], boolean: words that are there."""
        return self.slots != IGNORED

    def of_words(self, pieces: Tensor) -> Tensor:
        """From [B, T, ...] for pieces to [B, W, ...] for words, by the first piece of each."""
        index = self.first.unsqueeze(-1).expand(-1, -1, pieces.shape[-1])
        return pieces.gather(1, index)


@dataclass(frozen=True, slots=True)
class Row:
    """One example as numbers; `soft` is what a teacher thinks of it, as log probabilities."""

    ids: list[int]
    segments: list[int]
    first: list[int]
    intent: int
    act: int
    slots: list[int]
    marked: list[bool]
    soft: Logits | None = None


def rows(examples: Sequence[Example], tokenizer: WordTokenizer, labels: LabelSchema) -> list[Row]:
    """Cut and number examples; an intent that the labels lack is left out of the loss."""
    intents = {name: i for i, name in enumerate(labels.intents)}
    acts = {name: i for i, name in enumerate(labels.acts)}
    slot_labels = {name: i for i, name in enumerate(labels.slot_labels)}
    found: list[Row] = []
    for example in examples:
        encoding = tokenizer.encode(example.words, example.context)
        slots = [
            UNMARKED if label is None else slot_labels[label]
            for label in word_labels(example)[: len(encoding.first)]  # the end of a very long one is not seen
        ]
        marked = [example.annotated is None or label[2:] in example.annotated for label in labels.slot_labels]
        intent = intents.get(str(example.intent), IGNORED)
        row = Row(encoding.ids, encoding.segments, encoding.first, intent, acts[example.act], slots, marked)
        found.append(row)
    return found


def word_labels(example: Example) -> list[str | None]:
    """BIO label of each word; None where it has no label of those that the source marks."""
    outside = "O" if example.annotated is None else None
    found: list[str | None] = [outside] * len(example.words)
    for span in example.spans:
        found[span.start : span.end] = [f"B-{span.type}", *[f"I-{span.type}"] * (span.end - span.start - 1)]
    return found


def softened(data: Sequence[Row], opinions: Sequence[Logits]) -> list[Row]:
    """Rows with a teacher's opinions."""
    return [replace(row, soft=opinion) for row, opinion in zip(data, opinions, strict=True)]


class LengthSampler(Sampler[int]):
    """All rows once an epoch, in batches of similar length, the batches in random order.

    The order depends on seed and epoch alone, so that an interrupted training goes on with the very batch that
    would have come next.

    Args:
        data: The rows.
        batch: Rows a batch.
        seed: Of the order.
    """

    def __init__(self, data: Sequence[Row], batch: int, seed: int) -> None:
        self._lengths = [len(row.ids) for row in data]
        self._batch, self._seed, self._epoch = batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer before each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        chance = random.Random(f"{self._seed}:{self._epoch}")
        order = sorted(range(len(self._lengths)), key=lambda i: (self._lengths[i], chance.random()))
        groups = [order[start : start + self._batch] for start in range(0, len(order), self._batch)]
        if len(groups[-1]) == self._batch:
            chance.shuffle(groups)
        else:  # the one short batch stays the last, for whoever cuts the sequence into equal batches
            groups[:-1] = chance.sample(groups[:-1], len(groups) - 1)
        return (index for group in groups for index in group)


def collate(group: Sequence[Row]) -> Batch:
    """Pad rows to a batch."""
    pieces, words = max(len(row.ids) for row in group), max(len(row.slots) for row in group)

    def padded(columns: Sequence[list[int]], length: int, filler: int) -> Tensor:
        return torch.tensor([column + [filler] * (length - len(column)) for column in columns])

    soft = [row.soft for row in group if row.soft is not None]
    return Batch(
        padded([row.ids for row in group], pieces, 0),
        padded([[1] * len(row.ids) for row in group], pieces, 0),
        padded([row.segments for row in group], pieces, 0),
        padded([row.first for row in group], words, 0),
        torch.tensor([row.intent for row in group]),
        torch.tensor([row.act for row in group]),
        padded([row.slots for row in group], words, IGNORED),
        torch.tensor([row.marked for row in group]),
        *(_soft(soft, words) if soft else ()),
    )


def _soft(opinions: Sequence[Logits], words: int) -> tuple[Tensor, Tensor, Tensor]:
    slots = np.zeros((len(opinions), words, opinions[0].slots.shape[1]), np.float32)
    for filled, opinion in zip(slots, opinions, strict=True):
        filled[: len(opinion.slots)] = opinion.slots
    return _stack([o.intent for o in opinions]), torch.from_numpy(slots), _stack([o.act for o in opinions])


def _stack(arrays: Sequence[Floats]) -> Tensor:
    return torch.from_numpy(np.stack(arrays).astype(np.float32))
