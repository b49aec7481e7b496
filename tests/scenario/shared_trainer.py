"""Trains a tiny model and saves it: one process of those that `test_two_processes` starts."""

import random
import sys
from pathlib import Path

import torch
from accelerate import PartialState
from transformers import BertConfig

sys.path.insert(0, str(Path(__file__).parents[2]))

from device.nlu.types import Act
from models.joint import JointModel
from models.labels import LabelSchema
from quantize.training.batches import Row
from quantize.training.finetune import fit
from quantize.training.losses import Supervised
from quantize.training.recipe import Recipe

LABELS = LabelSchema.of(["a", "b", "c"], ["t", "u"], tuple(Act))
chance = random.Random(3)


def row():
    length = chance.randint(2, 7)
    words = list(range(1, length + 1))
    ids = [2, *(chance.randint(4, 29) for _ in words), 3]
    slots = [chance.randint(0, 2) for _ in words]
    return Row(ids, [0] * len(ids), words, chance.randint(0, 3), 0, slots, [True] * 5)


torch.manual_seed(1)
config = BertConfig(
    vocab_size=30, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
    max_position_embeddings=16,
)  # fmt: skip
recipe = Recipe(epochs=3, batch=16, optimizer="sgd", body_rate=1e-2, head_rate=1e-2, dropout=0.0, precision="float32")
folder = Path(sys.argv[1])
model = fit(
    JointModel(config, LABELS), [row() for _ in range(64)], recipe, Supervised(torch.ones(4)), folder, 7,
    judge=lambda model: {"score": 1.0},
)  # fmt: skip
if PartialState().is_main_process:
    torch.save(model.state_dict(), folder / "model.pt")
