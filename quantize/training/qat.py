"""Quantization-aware fine-tuning: while it trains, the model computes with the roundings of its int8 export.

Values are rounded as `quantize.export.quantize` and onnxruntime round them; gradients pass through unchanged
(straight-through; Bengio, Léonard, Courville 2013, arXiv 1308.3432; Jacob et al. 2018, arXiv 1712.05877).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from device.errors import BadInput
from models.joint import JointModel
from quantize.export.embedding import SHRINK
from quantize.export.recipes import BoardRecipe, recipe_for


@contextmanager
def fake_quantization(model: JointModel, recipe: BoardRecipe | str) -> Iterator[None]:
    """Inside, every matrix and the word embeddings of the model round as on the board; parameters stay float32.

    Names and values of the parameters don't change, so that optimizers and checkpoints may come from inside or outside.

    Args:
        model: Changed while inside.
        recipe: A recipe, or the name of a board.

    Raises:
        BadInput: No such board, or its activations are static.
    """
    if isinstance(recipe, str):
        recipe = recipe_for(recipe)
    if recipe.activations != "dynamic":
        raise BadInput("Quantization-aware training is for dynamic activations.", remedy="Name another recipe.")
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    rows = partial(quantized_rows, bits=recipe.embedding_bits, block=recipe.embedding_block)
    words = model.encoder.embeddings.word_embeddings
    lookup = words.register_forward_hook(lambda module, inputs, output: _straight_through(output, rows))
    try:
        for layer in layers:
            setattr(layer, "forward", partial(_quantized_linear, layer, recipe))  # noqa: B010
        yield
    finally:
        for layer in layers:
            vars(layer).pop("forward", None)
        lookup.remove()


def quantized_weights(weight: Tensor, recipe: BoardRecipe) -> Tensor:
    """Weights of a matrix, [outputs, inputs], rounded to symmetric int8 levels, or to 7-bit ones.

    Args:
        weight: Float32.
        recipe: With `per_channel` and `reduce_range`.
    """
    highest = weight.abs().amax(1, keepdim=True) if recipe.per_channel else weight.abs().amax()
    scale = (highest / (64 if recipe.reduce_range else 127)).clamp_min(torch.finfo(weight.dtype).tiny)
    return torch.round(weight / scale) * scale


def quantized_activations(values: Tensor) -> Tensor:
    """Values, [B, …], rounded to 256 levels between the least and the greatest of each input, zero being a level.

    As ONNX's DynamicQuantizeLinear, which sees one input at a time.
    """
    flat = values.flatten(1)
    shape = (-1, *[1] * (values.dim() - 1))
    least = flat.amin(1).clamp_max(0).view(shape)
    scale = ((flat.amax(1).clamp_min(0).view(shape) - least) / 255).clamp_min(torch.finfo(values.dtype).tiny)
    zero = torch.round(-least / scale)
    return (torch.clamp(torch.round(values / scale) + zero, 0, 255) - zero) * scale


def quantized_rows(rows: Tensor, bits: int, block: int) -> Tensor:
    """Rows of the word embeddings, [..., columns], as `quantize.export.embedding.block_quantized` keeps them."""
    columns = rows.shape[-1]
    padded = nn.functional.pad(rows, (0, -columns % block))
    blocks = padded.reshape(*padded.shape[:-1], -1, block)
    lowest = 2 ** (bits - 1)
    extreme = blocks.gather(-1, blocks.abs().argmax(-1, keepdim=True))
    best, least = torch.zeros_like(blocks), torch.full_like(extreme, torch.inf)
    for factor in SHRINK:
        scale = (-extreme * factor / lowest).half().to(rows.dtype)
        scale = torch.where(scale == 0, torch.ones_like(scale), scale)
        found = torch.clamp(torch.round(blocks / scale), -lowest, lowest - 1) * scale
        error = (found - blocks).square().sum(-1, keepdim=True)
        best, least = torch.where(error < least, found, best), torch.minimum(error, least)
    return best.reshape(padded.shape)[..., :columns]


def _quantized_linear(layer: nn.Linear, recipe: BoardRecipe, values: Tensor) -> Tensor:
    weight = _straight_through(layer.weight, partial(quantized_weights, recipe=recipe))
    return nn.functional.linear(_straight_through(values, quantized_activations), weight, layer.bias)


def _straight_through(values: Tensor, rounded: Callable[[Tensor], Tensor]) -> Tensor:
    with torch.no_grad():
        change = rounded(values) - values
    return values + change
