"""Examples as tensors, in batches of similar length."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor

from device.nlu.tokenizer import WordTokenizer
from models.labels import LabelSchema
from quantize.data.example import Example

IGNORED: Final = -100
"""Target that the cross entropy leaves out."""

UNMARKED: Final = -1
"""Slot target of a word that carries none of the types which its source marks, and perhaps another."""


class Batch(NamedTuple):
    """B examples of at most T pieces, int64; inputs as `JointModel.forward` takes them.

    Attributes:
        input_ids: [B, T].
        attention_mask: [B, T].
        token_type_ids: [B, T].
        intent: [B], `IGNORED` where an example has none.
        act: [B].
        slots: [B, T], a label or `UNMARKED` on the first piece of each word, else `IGNORED`.
        marked: [B, slot labels], boolean: labels of the types that the source of the sentence marks.
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_type_ids: Tensor
    intent: Tensor
    act: Tensor
    slots: Tensor
    marked: Tensor

    @property
    def first(self) -> Tensor:
        """[B, T], boolean: first piece of a word."""
        return self.slots != IGNORED


@dataclass(frozen=True, slots=True)
class Row:
    """One example as numbers."""

    ids: list[int]
    segments: list[int]
    intent: int
    act: int
    slots: list[int]
    marked: list[bool]


def rows(examples: Sequence[Example], tokenizer: WordTokenizer, labels: LabelSchema) -> list[Row]:
    """Cut and number examples."""
    intents = {name: i for i, name in enumerate(labels.intents)}
    acts = {name: i for i, name in enumerate(labels.acts)}
    slot_labels = {name: i for i, name in enumerate(labels.slot_labels)}
    found: list[Row] = []
    for example in examples:
        encoding = tokenizer.encode(example.words, example.context)
        slots = [IGNORED] * len(encoding.ids)
        for position, label in zip(encoding.first, word_labels(example), strict=False):
            slots[position] = UNMARKED if label is None else slot_labels[label]
        marked = [example.annotated is None or label[2:] in example.annotated for label in labels.slot_labels]
        intent = IGNORED if example.intent is None else intents[example.intent]
        found.append(Row(encoding.ids, encoding.segments, intent, acts[example.act], slots, marked))
    return found


def word_labels(example: Example) -> list[str | None]:
    """BIO label of each word; None where it has no label of those that the source marks."""
    outside = "O" if example.annotated is None else None
    found: list[str | None] = [outside] * len(example.words)
    for span in example.spans:
        found[span.start : span.end] = [f"B-{span.type}", *[f"I-{span.type}"] * (span.end - span.start - 1)]
    return found


def batches(data: Sequence[Row], size: int, chance: random.Random) -> Iterator[Batch]:
    """All rows once, in random order, in batches of similar length."""
    order = sorted(range(len(data)), key=lambda i: (len(data[i].ids), chance.random()))
    groups = [order[start : start + size] for start in range(0, len(order), size)]
    chance.shuffle(groups)
    for group in groups:
        yield collate([data[i] for i in group])


def collate(group: Sequence[Row]) -> Batch:
    """Pad rows to a batch."""
    length = max(len(row.ids) for row in group)

    def padded(columns: Sequence[list[int]], filler: int) -> Tensor:
        return torch.tensor([column + [filler] * (length - len(column)) for column in columns])

    return Batch(
        padded([row.ids for row in group], 0),
        padded([[1] * len(row.ids) for row in group], 0),
        padded([row.segments for row in group], 0),
        torch.tensor([row.intent for row in group]),
        torch.tensor([row.act for row in group]),
        padded([row.slots for row in group], IGNORED),
        torch.tensor([row.marked for row in group]),
    )
