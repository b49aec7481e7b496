"""The word embeddings in 4 or 8 bits, with a scale for every few weights of a row.

onnxruntime's `com.microsoft.GatherBlockQuantized` looks rows up and scales only those, so that the table, the largest
matrix of a small model, stays small in memory as well.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.errors import BadInput

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

SHRINK: Final = np.linspace(1, 0.7, 13)
"""Factors of a block's largest magnitude that are tried as its range."""


def block_quantized(table: Floats, bits: int, block: int) -> tuple[Bytes, npt.NDArray[np.float16]]:
    """Quantize each block of a row symmetrically, with that scale of a grid that gives the least squared error.

    Args:
        table: [rows, columns].
        bits: 4 or 8.
        block: Weights that share a scale.

    Returns:
        Weights, [rows, columns·bits/8], biased by half of the range, two to a byte (the lower half first) if they
        have 4 bits; and scales, [rows, ⌈columns/block⌉], of either sign: a block's largest magnitude becomes the
        lowest level, of which there is one more than above zero.
    """
    rows, columns = table.shape
    blocks = np.pad(table, ((0, 0), (0, -columns % block))).reshape(rows, -1, block)
    lowest = 2 ** (bits - 1)
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(-1, keepdims=True), -1)
    best_scale = np.ones_like(extreme)
    best_levels = np.zeros_like(blocks)
    best_error = np.full_like(extreme, np.inf)
    for factor in SHRINK:
        scale = (-extreme * factor / lowest).astype(np.float16).astype(np.float32)
        scale[scale == 0] = 1
        levels = np.clip(np.round(blocks / scale), -lowest, lowest - 1)
        error = ((levels * scale - blocks) ** 2).sum(-1, keepdims=True)
        better = error < best_error
        best_scale = np.where(better, scale, best_scale)
        best_levels = np.where(better, levels, best_levels)
        best_error = np.where(better, error, best_error)
    weights = (best_levels.reshape(rows, -1)[:, :columns] + lowest).astype(np.uint8)
    if bits == 4:
        weights = weights[:, 0::2] | weights[:, 1::2] << 4
    return weights, best_scale[..., 0].astype(np.float16)


def pack_embedding(model: Any, name: str, bits: int, block: int) -> None:
    """Replace the float32 table and its Gather in a graph.

    Args:
        model: `onnx.ModelProto`, changed in place.
        name: Initializer of the table.
        bits: 4 or 8.
        block: Weights that share a scale.

    Raises:
        BadInput: The graph looks no rows of this table up.
    """
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    gather = next((node for node in graph.node if node.op_type == "Gather" and node.input[0] == name), None)
    table = next((tensor for tensor in graph.initializer if tensor.name == name), None)
    if gather is None or table is None:
        raise BadInput(f"The graph has no Gather of {name}.", remedy="Export the model again.")
    weights, scales = block_quantized(numpy_helper.to_array(table), bits, block)
    graph.initializer.remove(table)
    graph.initializer.extend(
        [numpy_helper.from_array(weights, f"{name}_quantized"), numpy_helper.from_array(scales, f"{name}_scale")]
    )
    half = f"{gather.output[0]}_half"
    at = list(graph.node).index(gather)
    lookup = helper.make_node(
        "GatherBlockQuantized",
        [f"{name}_quantized", gather.input[1], f"{name}_scale"],
        [half],
        name=f"{gather.name}_quantized",
        domain="com.microsoft",
        gather_axis=0,
        quantize_axis=1,
        block_size=block,
        bits=bits,
    )
    widen = helper.make_node("Cast", [half], [gather.output[0]], name=f"{gather.name}_widen", to=TensorProto.FLOAT)
    graph.node.remove(gather)
    graph.node.insert(at, lookup)
    graph.node.insert(at + 1, widen)
