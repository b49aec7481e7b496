"""From torch to ONNX, and from float32 to dynamic int8."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch

from models.joint import JointModel, JointOutput

OPSET: Final = 17
INPUTS: Final = ("input_ids", "attention_mask", "token_type_ids")

RECIPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "avx2": {"per_channel": True, "reduce_range": True},
    "avx512-vnni": {"per_channel": True, "reduce_range": False},
    "arm64": {"per_channel": True, "reduce_range": False},
}
"""Weights to int8 by output channel, activations to uint8 at run time. Without VNNI, 8-bit products can overflow
the 16-bit sums of AVX2, hence 7-bit weights there; see onnxruntime's quantization guide."""


def export_onnx(model: JointModel, path: Path) -> None:
    """Write the float32 graph, batch and length dynamic, BERT's patterns fused where onnxruntime knows them."""
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model

    model.eval()
    example = torch.ones((1, 7), dtype=torch.int64)
    axes: dict[str, dict[int, str]] = {name: {0: "batch", 1: "length"} for name in (*INPUTS, "slot_logits")}
    axes |= {name: {0: "batch"} for name in ("intent_logits", "act_logits", "embedding")}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of constants that are none
        plain = Path(folder) / "plain.onnx"
        torch.onnx.export(
            model,
            (example, example, torch.zeros_like(example)),
            str(plain),
            input_names=list(INPUTS),
            output_names=list(JointOutput._fields),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
        options = FusionOptions("bert")
        optimized = optimize_model(
            str(plain),
            model_type="bert",
            num_heads=model.config.num_attention_heads,
            hidden_size=model.config.hidden_size,
            optimization_options=options,
            opt_level=0,
        )
        optimized.save_model_to_file(str(path))


def quantize_int8(source: Path, target: Path, recipe: str) -> None:
    """Quantize MatMul, Attention and Gather (the embeddings) to int8, per channel.

    Args:
        source: Float32 graph of `export_onnx`.
        target: Where the int8 graph goes.
        recipe: A name in `RECIPES`.

    Raises:
        KeyError: No such recipe.
    """
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        source,
        target,
        op_types_to_quantize=["MatMul", "Gemm", "Attention", "Gather", "EmbedLayerNormalization"],
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": TensorProto.FLOAT},  # fused operators have no shape inference
        **RECIPES[recipe],
    )
