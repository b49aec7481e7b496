"""The weights inside of Moonshine's packaged networks: out of onnxruntime's files, and new ones into them again.

The files come without their training code. A network's graph stays as it is, with the kernels that were chosen for it;
only numbers change. Matrices are unsigned 8-bit with one scale and zero point each, as onnxruntime's dynamic
quantization writes them; all else is float32.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from device.errors import BadInput
from device.speech.moonshine_model import PACKAGED

Weights: TypeAlias = dict[str, npt.NDArray[np.float32]]
"""By the names of `transformers.MoonshineForConditionalGeneration`, without `model.encoder.` for the encoder's."""

DECODER: Final = "decoder_model_merged.ort"

_TYPES: Final = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64}
"""onnx.TensorProto.DataType."""

_MATRIX: Final = re.compile(r"/(?:model/decoder/)?(layers\.\d+)/(self_attn|encoder_attn|mlp)/(\w+)/")
_PLAIN: Final = re.compile(
    r"((?:conv\d|layers\.\d+\.(?:\w+layernorm|mlp\.fc\d)|layer_norm)\.(?:weight|bias))(?:_add_tensor)?"
)
_GROUP_NORM: Final = {"/groupnorm/Mul_output_0": "groupnorm.weight", "/groupnorm/Add_output_0": "groupnorm.bias"}
"""Results of the only weights that the file does not name."""


@dataclass(frozen=True, slots=True)
class _Node:
    operator: str
    inputs: tuple[str, ...]
    output: str

    @property
    def matrix(self) -> tuple[str, str, str, str] | None:
        """Its weight, scale, zero point and bias, where it multiplies by a quantized matrix."""
        inputs = (*self.inputs, "")
        if self.operator == "MatMulIntegerToFloat":
            return inputs[1], inputs[3], inputs[5], inputs[6]
        if self.operator == "DynamicQuantizeMatMul":
            return inputs[1], inputs[2], inputs[3], inputs[4]
        return None


class _Graph:
    """A file's graph; `tensors` are views of `content`, so that writing to them changes it.

    Raises:
        BadInput: The file is none of onnxruntime's.
    """

    def __init__(self, path: Path) -> None:
        from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

        self.content = bytearray(path.read_bytes())
        if self.content[4:8] != b"ORTM":
            raise BadInput(f"{path} is no network in onnxruntime's format.", remedy="Take Moonshine's own file.")
        outer = InferenceSession.GetRootAs(self.content, 0).Model().Graph()
        # A decoder's nodes are in the branch that is taken first; its weights lie outside, for both branches.
        inner = [graph for node in _nodes(outer) for name, graph in _branches(node) if name == b"else_branch"]
        graphs = [outer, *inner]
        self.tensors = {name: value for graph in graphs for name, value in _tensors(graph)}
        self.nodes = [
            _Node(
                node.OpType().decode(),
                tuple(node.Inputs(at).decode() for at in range(node.InputsLength())),
                node.Outputs(0).decode(),
            )
            for node in _nodes(graphs[-1])
        ]

    def matrix(self, weight: str, scale: str, zero: str) -> npt.NDArray[np.float32]:
        """A quantized matrix as numbers, as it is stored."""
        values = self.tensors[weight].astype(np.float32) - self.tensors[zero].astype(np.float32)
        return np.asarray(values * self.tensors[scale], np.float32)


def encoder_weights(folder: Path, file: str = PACKAGED) -> Weights:
    """Read the encoder's.

    Args:
        folder: Of the model's files.
        file: The encoder among them.

    Raises:
        BadInput: The file is none of onnxruntime's.
    """
    graph = _Graph(folder / file)
    found = {plain[1]: tensor for name, tensor in graph.tensors.items() if (plain := _PLAIN.fullmatch(name))}
    for node in graph.nodes:
        if node.output in _GROUP_NORM:
            found[_GROUP_NORM[node.output]] = graph.tensors[node.inputs[1]].ravel()
        elif node.matrix:
            found[_name(node)] = graph.matrix(*node.matrix[:3]).T
    return {name: np.array(value, np.float32) for name, value in found.items()}


def decoder_weights(folder: Path) -> Weights:
    """Read the decoder's.

    Args:
        folder: Of the model's files.

    Raises:
        BadInput: The file is none of onnxruntime's.
    """
    graph = _Graph(folder / DECODER)
    table = "model.decoder.embed_tokens.weight"
    parts = (f"{table}_merged_0_{part}" for part in ("quantized", "scale", "zero_point"))
    found = {table: graph.matrix(*parts)}
    for node in graph.nodes:
        if node.operator == "LayerNormalization":
            found[re.sub(r"_merged_\d$", "", node.inputs[1])] = graph.tensors[node.inputs[1]]
        elif node.matrix and node.output == "logits":
            found["proj_out.weight"] = graph.matrix(*node.matrix[:3]).T
        elif node.matrix:
            name = f"model.decoder.{_name(node)}"
            found[name] = graph.matrix(*node.matrix[:3]).T
            if node.matrix[3]:
                found[name.replace(".weight", ".bias")] = graph.tensors[node.matrix[3]]
    return {name: np.array(value, np.float32) for name, value in found.items()}


def with_encoder_weights(folder: Path, weights: Mapping[str, npt.NDArray[np.float32]]) -> bytes:
    """The encoder's file with other weights.

    Args:
        folder: Of the model's files.
        weights: All of those that `encoder_weights` gives, of the same shapes.

    Raises:
        BadInput: The file is none of onnxruntime's.
    """
    graph = _Graph(folder / PACKAGED)
    for name, tensor in graph.tensors.items():
        if plain := _PLAIN.fullmatch(name):
            tensor[...] = weights[plain[1]]
    for node in graph.nodes:
        if node.output in _GROUP_NORM:
            graph.tensors[node.inputs[1]][:, 0] = weights[_GROUP_NORM[node.output]]
        elif node.matrix:
            new = quantized(weights[_name(node)].T)
            for name, value in zip(node.matrix, new, strict=False):
                graph.tensors[name][...] = value
    return bytes(graph.content)


def quantized(
    matrix: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """A matrix in 8 bits, its scale and its zero point, as onnxruntime's `quantize_dynamic` computes them."""
    low, high = min(0.0, float(matrix.min())), max(0.0, float(matrix.max()))
    scale = (high - low) / 255
    if scale < np.finfo(np.float32).tiny:  # nothing but zeros, or as good as that
        scale = 1.0
    zero = round(-low / scale)
    return (
        np.clip(np.round(matrix / scale) + zero, 0, 255).astype(np.uint8),
        np.array(scale, np.float32),
        np.array(zero, np.uint8),
    )


def _name(node: _Node) -> str:
    part = _MATRIX.match(node.output)
    assert part, node.output
    return f"{part[1]}.{part[2]}.{part[3]}.weight"


def _nodes(graph: Any) -> Iterator[Any]:
    return (graph.Nodes(at) for at in range(graph.NodesLength()))


def _branches(node: Any) -> Iterator[tuple[bytes, Any]]:
    attributes = (node.Attributes(at) for at in range(node.AttributesLength()))
    return ((attribute.Name(), attribute.G()) for attribute in attributes if attribute.G())


def _tensors(graph: Any) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for at in range(graph.InitializersLength()):
        tensor = graph.Initializers(at)
        shape = [tensor.Dims(axis) for axis in range(tensor.DimsLength())]
        yield tensor.Name().decode(), tensor.RawDataAsNumpy().view(_TYPES[tensor.DataType()]).reshape(shape)
