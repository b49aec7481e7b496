"""The network: a stem and residual blocks of depthwise convolutions over time, which keep what they still need.

MixConv for keyword spotting (Rybakov et al. 2020, arXiv:2005.06720; microWakeWord's MixedNet), with one state tensor
in and out, so that the device computes every 30 ms only what is new. About 30,000 weights.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

BANDS: Final = 40
STRIDE: Final = 3
"""Features of 10 ms that become one step."""

WIDTH: Final = 64
STEM: Final = 5
"""Features that the stem sees."""

KERNELS: Final = (5, 9, 13, 17)
"""Steps of 30 ms that each block sees: 1.3 s together."""

SCALE: Final = 10.0
"""Features are divided by it: they reach from 0 to 26."""


class WakeNet(nn.Module):
    """Features to probabilities.

    Args:
        phrases: Number of wake words.
    """

    def __init__(self, phrases: int) -> None:
        super().__init__()
        self.stem = nn.Conv1d(BANDS, WIDTH, STEM, stride=STRIDE, bias=False)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.blocks = nn.ModuleList(_Block(kernel) for kernel in KERNELS)
        self.head = nn.Conv1d(WIDTH, phrases, 1)
        self.sizes = [BANDS * (STEM - STRIDE), *(WIDTH * (kernel - 1) for kernel in KERNELS)]

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Go on.

        Args:
            features: [batch, 3 n, 40], as the front end gives them.
            state: [batch, sum of `sizes`], zeros in the beginning.

        Returns:
            Logits [batch, n, phrases], and the next state.
        """
        batch = features.shape[0]
        first, *past = torch.split(state, self.sizes, dim=1)
        signal = torch.cat([first.reshape(batch, BANDS, STEM - STRIDE), features.transpose(1, 2) / SCALE], dim=2)
        states = [signal[:, :, STRIDE - STEM :].reshape(batch, -1)]
        signal = torch.relu(self.norm(self.stem(signal)))
        for block, before in zip(self.blocks, past, strict=True):
            signal, after = block(signal, before.reshape(batch, WIDTH, -1))
            states.append(after.reshape(batch, -1))
        return self.head(signal).transpose(1, 2), torch.cat(states, dim=1)


class _Block(nn.Module):
    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.kept = kernel - 1
        self.depth = nn.Conv1d(WIDTH, WIDTH, kernel, groups=WIDTH, bias=False)
        self.first = nn.BatchNorm1d(WIDTH)
        self.point = nn.Conv1d(WIDTH, WIDTH, 1, bias=False)
        self.second = nn.BatchNorm1d(WIDTH)

    def forward(self, signal: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        joined = torch.cat([past, signal], dim=2)
        new = torch.relu(self.second(self.point(torch.relu(self.first(self.depth(joined))))))
        return signal + new, joined[:, :, -self.kept :]


class _Probabilities(nn.Module):
    def __init__(self, net: WakeNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        logits, after = self.net(features, state)
        return torch.sigmoid(logits), after


def export(net: WakeNet, path: Path) -> None:
    """Write ONNX: `features` [1, 3 n, 40] and `state` to `probabilities` [1, n, phrases] and `next`.

    Batch norms are folded into the convolutions; n is free.
    """
    import onnx
    import onnxruntime

    whole = _Probabilities(net).eval()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer, of its own age
        plain = Path(folder) / "plain.onnx"
        torch.onnx.export(
            whole,
            (torch.zeros(1, STRIDE, BANDS), torch.zeros(1, sum(net.sizes))),
            str(plain),
            input_names=["features", "state"],
            output_names=["probabilities", "next"],
            dynamic_axes={"features": {1: "frames"}, "probabilities": {1: "steps"}},
            opset_version=17,
            dynamo=False,
        )
        onnx.checker.check_model(str(plain))
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(str(plain), options, providers=["CPUExecutionProvider"])
