"""Where the training sentences of an explanation come from."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from device.errors import BadInput
from device.nlu.onnx_model import JointModel
from device.nlu.pack import Pack
from quantize.data.formats import read
from quantize.data.sample import PackSampler
from quantize.explain.neighbours import Neighbours, Progress, cache_of, read_neighbours

PER_INTENT: Final = 30
"""Pack sentences of each intent, where there is no training file."""


def training_neighbours(model: JointModel, packs: Sequence[Pack], train: Path | None, progress: Progress) -> Neighbours:
    """The training sentences as the model sees them: of a file, or else sampled from the packs.

    Args:
        model: The bundle.
        packs: All packs.
        train: `train.jsonl` of a run; what the model makes of it is kept beside it for the next time.
        progress: Shows how far it is.

    Raises:
        BadInput: The file can't be read, or no sentence in it has an intent.
    """
    if train is None:
        sampler = PackSampler(packs, random.Random(7))
        known = set(model.labels.intents)
        sampled = [e for name in sampler.intents if name in known for e in sampler.sentences(name, PER_INTENT)]
        return read_neighbours(model, sampled, progress)
    found = read_neighbours(model, read(train).examples, progress, cache_of(train))
    if not found.examples:
        raise BadInput(f"{train}: no sentence has an intent.", remedy="Give the `train.jsonl` of a run.")
    return found
