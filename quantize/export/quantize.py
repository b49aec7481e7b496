"""From float32 to the integers of a board, through Optimum and onnxruntime."""

from __future__ import annotations

import io
import logging
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from device.errors import BadInput
from device.nlu.tokenizer import WordTokenizer
from quantize.data.example import Example
from quantize.export.embedding import pack_embedding
from quantize.export.recipes import BoardRecipe, recipe_for

WORDS: Final = "encoder.embeddings.word_embeddings.weight"
"""Initializer of the word embeddings in a graph of `quantize.export.onnx.export_onnx`."""
PERCENTILE: Final = 99.99

Inputs = Mapping[str, Sequence[int]]
"""One unpadded input of the graph, by input name."""


def model_inputs(examples: Sequence[Example], tokenizer: WordTokenizer) -> list[Inputs]:
    """What the graph is given for these sentences."""
    encodings = [tokenizer.encode(example.words, example.context) for example in examples]
    return [{"input_ids": e.ids, "attention_mask": [1] * len(e.ids), "token_type_ids": e.segments} for e in encodings]


def quantize_int8(source: Path, target: Path, recipe: BoardRecipe | str, calibration: Sequence[Inputs] = ()) -> None:
    """Quantize the matrices to int8 and the word embeddings to what the recipe says.

    The fused Attention has only a dynamic form, so it stays dynamic where the recipe's other activations are static.

    Args:
        source: Float32 graph of `quantize.export.onnx.export_onnx`.
        target: Where the quantized graph goes.
        recipe: A recipe, or the name of a board.
        calibration: Development sentences, needed if the recipe's activations are static.

    Raises:
        BadInput: No such board; static without calibration; or the graph is not one of `export_onnx`.
    """
    import onnx

    if isinstance(recipe, str):
        recipe = recipe_for(recipe)
    static = recipe.activations != "dynamic"
    if static and not calibration:
        raise BadInput(f"The recipe {recipe.board} has static activations and needs sentences to calibrate them.")
    with tempfile.TemporaryDirectory() as folder, _quiet():
        alone, dynamic = Path(folder) / "float32.onnx", Path(folder) / "dynamic.onnx"
        shutil.copy(source, alone)  # Optimum copies tokenizers and configurations that lie beside a model
        _quantize(alone, dynamic, recipe, ("Attention",) if static else ("MatMul", "Gemm", "Attention"))
        result = dynamic
        if static:
            result = Path(folder) / "static.onnx"
            _quantize(dynamic, result, recipe, ("MatMul", "Gemm"), calibration)
        model = onnx.load(str(result))
    pack_embedding(model, WORDS, recipe.embedding_bits, recipe.embedding_block)
    onnx.save(model, str(target))


def _quantize(
    source: Path, target: Path, recipe: BoardRecipe, operators: Sequence[str], calibration: Sequence[Inputs] = ()
) -> None:
    from onnxruntime.quantization import QuantType
    from optimum.onnxruntime import ORTQuantizer
    from optimum.onnxruntime.configuration import AutoQuantizationConfig
    from transformers import PretrainedConfig

    quantizer = ORTQuantizer(source, PretrainedConfig())
    ranges = _ranges(quantizer, recipe, operators, calibration) if calibration else None
    config = getattr(AutoQuantizationConfig, recipe.instructions)(
        is_static=bool(calibration), per_channel=recipe.per_channel, operators_to_quantize=list(operators)
    )
    config.reduce_range = recipe.reduce_range
    config.weights_dtype = QuantType.QInt8  # the preset for AVX2 has uint8 weights: exact there too, but slower
    with tempfile.TemporaryDirectory() as folder:
        quantizer.quantize(config, folder, file_suffix=None, calibration_tensors_range=ranges)
        (Path(folder) / source.name).rename(target)


def _ranges(quantizer: Any, recipe: BoardRecipe, operators: Sequence[str], calibration: Sequence[Inputs]) -> Any:
    """Ranges of the activations. Histograms want inputs of one length at a time."""
    from datasets import Dataset
    from optimum.onnxruntime.configuration import AutoCalibrationConfig

    lengths: dict[int, list[Inputs]] = defaultdict(list)
    for inputs in calibration:
        lengths[len(inputs["input_ids"])].append(inputs)
    whole = Dataset.from_list([dict(inputs) for inputs in calibration])
    config = {
        "minmax": AutoCalibrationConfig.minmax,
        "entropy": AutoCalibrationConfig.entropy,
        "percentile": lambda data: AutoCalibrationConfig.percentiles(data, percentile=PERCENTILE),
    }[recipe.activations](whole)
    with tempfile.TemporaryDirectory() as folder:
        for length in sorted(lengths):
            part = Dataset.from_list([dict(inputs) for inputs in lengths[length]])
            quantizer.partial_fit(part, config, str(Path(folder) / "augmented.onnx"), list(operators))
            config = replace(config, method=None)  # goes on with the calibrator that the first call made
        return quantizer.compute_ranges()


@contextmanager
def _quiet() -> Iterator[None]:
    """Onnxruntime logs every tensor at level INFO on the root logger, and prints its histograms."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)
