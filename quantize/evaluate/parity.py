"""The gate between a float32 model and its int8 export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from device.errors import DeviceError
from device.nlu.onnx_model import Logits
from models.labels import LabelSchema
from models.manifest import Calibration
from quantize.data.example import Example
from quantize.evaluate.figures import Figures, figures_of

MAX_LOSS: Final = {"intent_accuracy": 0.5, "slot_f1": 0.7}
"""Points of each figure that quantization may cost."""


class ParityError(DeviceError):
    """An export lost more than it may."""


def check_parity(
    examples: Sequence[Example],
    precise: Sequence[Logits],
    exported: Sequence[Logits],
    labels: LabelSchema,
    calibration: Calibration,
) -> Figures:
    """Compare two models on the same sentences.

    Args:
        examples: Held-out sentences.
        precise: Outputs of the float32 model.
        exported: Outputs of the exported model.
        labels: Names of the outputs.
        calibration: Of the exported model.

    Returns:
        The float32 model's figures.

    Raises:
        ParityError: Names the figure and the loss.
    """
    before = figures_of(examples, precise, labels, calibration)
    after = figures_of(examples, exported, labels, calibration)
    for name, allowed in MAX_LOSS.items():
        loss = before.get(name, 0.0) - after.get(name, 0.0)
        if loss > allowed:
            raise ParityError(
                f"{name} fell by {loss:.2f} points, from {before[name]} to {after[name]}; allowed {allowed}"
            )
    return before
