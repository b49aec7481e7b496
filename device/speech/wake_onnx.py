"""Wake words of one's own: small streaming networks that `homebody train-wake` makes, on plain onnxruntime.

They hear microWakeWord's features (`pymicro_wakeword`), 40 bands each 10 ms, and compute every 30 ms only what is new:
about 4 ms of CPU per second of audio on one x86 core.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import BadInput, EngineMissing
from device.speech.ports import WakeCapabilities, WakeEngine

MANIFEST: Final = "manifest.json"
MODEL: Final = "wake.onnx"
"""Files of a model's folder; its card is beside them."""

STRIDE: Final = 3
"""Features of 10 ms that the network takes at once."""

REFRACTORY: Final = SAMPLE_RATE
"""Samples after a detection in which none is reported."""

_Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]


class WakeManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a folder holds.

    Attributes:
        phrases: Wake words in the order of the network's outputs, and the mean probability above which each counts.
        checked: Those that are enough where a check has the last word; lower, so that less is missed.
        window: Steps of 30 ms over which the mean is taken.
        sha256: Of the network's file.
        figures: What was measured, for people.
    """

    phrases: Annotated[dict[str, _Probability], msgspec.Meta(min_length=1)]
    window: Annotated[int, msgspec.Meta(ge=1, le=100)]
    sha256: str
    checked: dict[str, _Probability] = {}
    figures: dict[str, Any] = {}


class TrainedWake:
    """`WakeEngine` for the words of one trained model.

    Args:
        folder: Of the model.
        checked: Whether what it hears is looked at again.

    Raises:
        BadInput: There is no model in the folder, or it is damaged.
        EngineMissing: The front end's package is not installed, or not for this processor.
    """

    late = 0

    def __init__(self, folder: Path, checked: bool = False) -> None:
        manifest, network = _read(folder)
        try:
            import onnxruntime
            from pymicro_wakeword import MicroWakeWordFeatures
        except (ImportError, OSError) as error:
            raise EngineMissing(
                "The wake word engine is not installed.", remedy="Run: pip install pymicro-wakeword"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session: Any = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise BadInput(f"{folder / MODEL} can't be loaded: {error}.", remedy="Train it again.") from error
        self.capabilities = WakeCapabilities(phrases=tuple(manifest.phrases))
        thresholds = manifest.phrases | manifest.checked if checked else manifest.phrases
        self._thresholds = np.array([thresholds[phrase] for phrase in manifest.phrases])
        self._features = MicroWakeWordFeatures()
        self._rows: list[np.ndarray[Any, Any]] = []
        self._recent: deque[np.ndarray[Any, Any]] = deque(maxlen=manifest.window)
        self._nothing = np.zeros(self._session.get_inputs()[1].shape, np.float32)
        self._state = self._nothing
        self._deaf = 0

    def process(self, frame: Pcm) -> str | None:
        """See `WakeEngine.process`."""
        self._deaf = max(0, self._deaf - len(frame))
        heard: str | None = None
        for row in self._features.process_streaming(frame.tobytes()):
            self._rows.append(row)
            if len(self._rows) == STRIDE:
                heard = self._step() or heard
        return heard

    def reset(self) -> None:
        """See `WakeEngine.reset`."""
        self._features.reset()
        self._rows.clear()
        self._recent.clear()
        self._state = self._nothing
        self._deaf = 0

    def _step(self) -> str | None:
        """Run the network over what has been collected."""
        inputs = {"features": np.concatenate(self._rows, axis=1).astype(np.float32), "state": self._state}
        self._rows.clear()
        probabilities, self._state = self._session.run(None, inputs)
        self._recent.append(probabilities[0, -1])
        means = np.sum(self._recent, axis=0) / (self._recent.maxlen or 1)
        best = int(np.argmax(means - self._thresholds))
        if self._deaf or means[best] <= self._thresholds[best]:
            return None
        self._deaf = REFRACTORY
        return self.capabilities.phrases[best]


class AnyWake:
    """`WakeEngine` of several: whichever hears its word first.

    Args:
        engines: At least one.
    """

    late = 0

    def __init__(self, engines: Sequence[WakeEngine]) -> None:
        self._engines = engines
        self.capabilities = WakeCapabilities(
            phrases=tuple(phrase for engine in engines for phrase in engine.capabilities.phrases)
        )

    def process(self, frame: Pcm) -> str | None:
        """See `WakeEngine.process`."""
        heard = [engine.process(frame) for engine in self._engines]
        return next((phrase for phrase in heard if phrase), None)

    def reset(self) -> None:
        """See `WakeEngine.reset`."""
        for engine in self._engines:
            engine.reset()


def _read(folder: Path) -> tuple[WakeManifest, bytes]:
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=WakeManifest)
        network = (folder / MODEL).read_bytes()
    except OSError as error:
        raise BadInput(
            f"{folder} holds no wake word: {error.strerror}.",
            remedy='Make one: homebody train-wake "hey biscuit" -o DIR',
        ) from error
    except msgspec.DecodeError as error:
        raise BadInput(f"{folder / MANIFEST}: {error}.", remedy="Train the wake word again.") from error
    if hashlib.sha256(network).hexdigest() != manifest.sha256:
        raise BadInput(f"{folder / MODEL} is not the file that was trained.", remedy="Copy or train it again.")
    return manifest, network
