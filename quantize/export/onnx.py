"""From torch to a float32 ONNX graph that quantizers and small processors like."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any, Final

import torch

from models.joint import JointModel, JointOutput

OPSET: Final = 17
INPUTS: Final = ("input_ids", "attention_mask", "token_type_ids")


def export_onnx(model: JointModel, path: Path) -> None:
    """Write the float32 graph, batch and length dynamic, BERT's patterns fused where onnxruntime knows them.

    The embeddings stay apart, so that their table can be packed (see `quantize.export.embedding`).
    """
    import onnx
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
        options.enable_embed_layer_norm = False
        optimized = optimize_model(
            str(plain),
            model_type="bert",
            num_heads=model.config.num_attention_heads,
            hidden_size=model.config.hidden_size,
            optimization_options=options,
            opt_level=0,
        )
        optimized.save_model_to_file(str(path))
    graph = onnx.load(str(path))
    _write_types(graph)
    onnx.save(graph, str(path))


def _write_types(model: Any) -> None:
    """Note that fused operators give float32: shape inference does not know them, and quantizers ask it."""
    from onnx import TensorProto, helper

    known = {value.name for value in model.graph.value_info}
    for node in model.graph.node:
        if node.domain == "com.microsoft":
            for name in node.output:
                if name and name not in known:
                    model.graph.value_info.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
