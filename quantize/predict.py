"""Raw outputs of a model for examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

import numpy as np
import torch
from torch import Tensor

from device.nlu.onnx_model import Logits
from models.joint import JointModel
from quantize.data.example import Example
from quantize.training.batches import Row, collate

BATCH: Final = 128

Predictor: TypeAlias = Callable[[Sequence[str], Sequence[str]], Logits]
"""Words and context to logits; `device.nlu.onnx_model.JointModel.logits` is one."""


def predict_all(predict: Predictor, examples: Iterable[Example]) -> list[Logits]:
    """Logits of each example, one unpadded utterance at a time, as on the device."""
    return [_finite(predict(example.words, example.context)) for example in examples]


def opinions(model: JointModel, data: Sequence[Row], quick: bool = False) -> list[Logits]:
    """What a torch model thinks of rows, in batches; log probabilities in place of logits.

    Args:
        model: In the mode for evaluation.
        data: Rows that were cut by the model's own tokenizer.
        quick: bfloat16 where the processor has it.
    """
    order = sorted(range(len(data)), key=lambda i: len(data[i].ids))
    found: dict[int, Logits] = {}
    quick = quick and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    for start in range(0, len(order), BATCH):
        group = order[start : start + BATCH]
        batch = collate([data[i] for i in group])
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=quick):
            output = model(batch.input_ids, batch.attention_mask, batch.token_type_ids)
        emissions = batch.of_words(output.slot_logits).float()
        slots = model.crf.marginals(emissions, batch.words) if model.crf else emissions.log_softmax(-1)
        parts = (_log(output.intent_logits), slots, _log(output.act_logits), output.embedding.float())
        for at, i in enumerate(group):
            intent, words, act, embedding = (part[at].numpy() for part in parts)
            found[i] = _finite(Logits(intent, words[: len(data[i].slots)], act, embedding))
    return [found[i] for i in range(len(data))]


def mean_opinion(models: Sequence[Sequence[Logits]]) -> list[Logits]:
    """The mean of several models' log probabilities, example by example (their embeddings are the first's)."""
    return [
        Logits(
            np.mean([o.intent for o in each], axis=0),
            np.mean([o.slots for o in each], axis=0),
            np.mean([o.act for o in each], axis=0),
            each[0].embedding,
        )
        for each in zip(*models, strict=True)
    ]


def _log(logits: Tensor) -> Tensor:
    return logits.float().log_softmax(-1)


def _finite(logits: Logits) -> Logits:
    """Raises: FloatingPointError, if a model gives no numbers."""
    if not all(np.isfinite(part).all() for part in logits):
        raise FloatingPointError("the model's output is not finite")
    return logits
