"""Raw outputs of a model for examples, always one unpadded utterance at a time, as on the device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np
import torch

from device.nlu.onnx_model import Logits
from device.nlu.tokenizer import WordTokenizer
from models.joint import JointModel
from quantize.data.example import Example

Predictor: TypeAlias = Callable[[Sequence[str], Sequence[str]], Logits]
"""Words and context to logits; `device.nlu.onnx_model.JointModel.logits` is one."""


def torch_predictor(model: JointModel, tokenizer: WordTokenizer) -> Predictor:
    """The torch model as a `Predictor`, in float32."""
    model.eval()

    def predict(words: Sequence[str], context: Sequence[str]) -> Logits:
        encoding = tokenizer.encode(words, context)
        ids = torch.tensor([encoding.ids])
        with torch.inference_mode():
            output = model(ids, torch.ones_like(ids), torch.tensor([encoding.segments]))
        return Logits(
            output.intent_logits[0].numpy(),
            output.slot_logits[0, encoding.first].numpy(),
            output.act_logits[0].numpy(),
            output.embedding[0].numpy(),
        )

    return predict


def predict_all(predict: Predictor, examples: Iterable[Example]) -> list[Logits]:
    """Logits of each example."""
    return [_finite(predict(example.words, example.context)) for example in examples]


def _finite(logits: Logits) -> Logits:
    """Raises: FloatingPointError, if a model gives no numbers."""
    if not all(np.isfinite(part).all() for part in logits):
        raise FloatingPointError("the model's output is not finite")
    return logits
