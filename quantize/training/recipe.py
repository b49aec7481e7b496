"""The numbers of one training."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Positive = Annotated[int, msgspec.Meta(ge=1)]
Rate = Annotated[float, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one model is trained.

    Attributes:
        epochs: Passes over the data, at most.
        batch: Sentences a step, of all processes together.
        accumulation: Batches whose gradients are added before a step.
        optimizer: `adamw` (Loshchilov and Hutter 2019, arXiv 1711.05101) or `sgd` with momentum 0.9.
        body_rate: Peak learning rate of the encoder's last layer.
        head_rate: Peak learning rate of the heads.
        layer_decay: Factor of the rate from each layer to the one below (Howard and Ruder 2018, arXiv 1801.06146).
        warmup: Share of the steps in which the rate rises from zero; then it falls linearly to zero.
        decay: Weight decay.
        clip: Largest norm of the gradient.
        dropout: Of the encoder and of the heads' inputs.
        r_drop: Weight of the disagreement of two passes; 0 is none.
        frozen: What is not trained: nothing, the encoder's embeddings, or everything but the heads; with a number,
            the embeddings and that many layers from below.
        patience: Epochs without a better development score after which training ends; 0 is never.
        precision: bfloat16 where the processor computes with it quickly, or float32 everywhere.
    """

    epochs: Positive
    batch: Positive = 64
    accumulation: Positive = 1
    optimizer: Literal["adamw", "sgd"] = "adamw"
    body_rate: Rate = 2e-4
    head_rate: Rate = 1e-3
    layer_decay: Share = 1.0
    warmup: Share = 0.1
    decay: Rate = 0.01
    clip: Rate = 1.0
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.1
    r_drop: Rate = 0.0
    frozen: Literal["none", "embeddings", "encoder"] | Positive = "none"
    patience: Annotated[int, msgspec.Meta(ge=0)] = 0
    precision: Literal["auto", "float32"] = "auto"
