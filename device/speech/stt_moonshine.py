"""Moonshine tiny (Jeffries et al. 2024, arXiv:2410.15608): the embedded speech-to-text engine, on plain onnxruntime.

The model files come with the `moonshine-voice` package, whose own native library is neither loaded nor needed.
A 27 M parameter encoder-decoder whose cost grows with the length of the utterance, unlike Whisper's fixed 30 s.
"""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE
from device.errors import EngineMissing
from device.speech.buffered import BufferedStt
from device.speech.ports import Transcript, VadEngine

_BOS: Final = 1
_EOS: Final = 2
_LAYERS: Final = 6
_HEADS: Final = 8
_HEAD_SIZE: Final = 36

MAX_TOKENS_PER_SECOND: Final = 6.5
"""Faster "speech" is a decoder that repeats itself; the limit of the model's authors."""

MIN_CONFIDENCE: Final = 0.4
"""Mean token probability below which the words are taken for noise."""


class MoonshineStt(BufferedStt):
    """`SttEngine` over Moonshine tiny English.

    Args:
        threads: Threads of each decoding step.
        folder: Folder with `encoder_model.ort`, `decoder_model_merged.ort` and `tokenizer.bin`; by default the
            one inside the `moonshine-voice` package.
        vad: See `BufferedStt`.

    Raises:
        EngineMissing: The package or its model files are not installed.
    """

    name = "moonshine"

    def __init__(self, threads: int = 2, folder: Path | None = None, vad: VadEngine | None = None) -> None:
        super().__init__(vad)
        folder = folder or _packaged_model()
        try:
            self._pieces = read_pieces((folder / "tokenizer.bin").read_bytes())
            self._encoder = _session(folder / "encoder_model.ort", threads)
            self._decoder = _session(folder / "decoder_model_merged.ort", threads)
        except OSError as error:
            raise _missing(f"Moonshine's model in {folder} can't be read: {error.strerror}.") from error
        names = [output.name for output in self._decoder.get_outputs()]
        self._first_outputs = names
        self._later_outputs = [name for name in names if ".encoder." not in name]

    def decode(self, samples: NDArray[np.float32]) -> Transcript:
        """Greedy decoding; the confidence is the geometric mean of the token probabilities."""
        mask = np.ones((1, len(samples)), np.int64)
        (hidden,) = self._encoder.run(None, {"input_values": samples[np.newaxis], "attention_mask": mask})
        # The decoder derives its own mask from the one at the rate of the samples.
        feed: dict[str, Any] = {"encoder_hidden_states": hidden, "encoder_attention_mask": mask}
        empty = np.zeros((1, _HEADS, 0, _HEAD_SIZE), np.float32)
        for layer in range(_LAYERS):
            for part in ("decoder.key", "decoder.value", "encoder.key", "encoder.value"):
                feed[f"past_key_values.{layer}.{part}"] = empty

        tokens: list[int] = []
        log_probability = 0.0
        token, outputs = _BOS, self._first_outputs
        for _ in range(max(1, math.ceil(len(samples) / SAMPLE_RATE * MAX_TOKENS_PER_SECOND))):
            feed["input_ids"] = np.array([[token]], np.int64)
            feed["use_cache_branch"] = np.array([bool(tokens)])
            logits, *cache = self._decoder.run(outputs, feed)
            # The encoder's keys and values are computed in the first step only; later steps return junk for them.
            for name, value in zip(outputs[1:], cache, strict=True):
                feed[name.replace("present", "past_key_values")] = value
            outputs = self._later_outputs
            token, step = _best(logits[0, -1])
            log_probability += step
            if token == _EOS:
                break
            tokens.append(token)
        confidence = math.exp(log_probability / (len(tokens) + 1))
        text = to_text(tokens, self._pieces)
        return Transcript(text, confidence) if text and confidence >= MIN_CONFIDENCE else Transcript("")


def read_pieces(data: bytes) -> list[bytes]:
    """Word pieces of a `tokenizer.bin`, by token number.

    Each piece is preceded by its length: one byte below 128, or `128 + low` and then `high` for
    `high * 128 + low`; a zero stands for an unused number.
    """
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        length = data[at]
        at += 1
        if length >= 128:
            length = data[at] * 128 + length - 128
            at += 1
        pieces.append(data[at : at + length])
        at += length
    return pieces


def to_text(tokens: list[int], pieces: list[bytes]) -> str:
    """Text of a token sequence; control tokens such as `<s>` and `<<ST_7>>` are left out."""
    raw = b"".join(pieces[token] for token in tokens if not _is_control(pieces[token]))
    return " ".join(raw.decode("utf-8", errors="ignore").replace("▁", " ").split())


def _is_control(piece: bytes) -> bool:
    return len(piece) > 2 and piece.startswith(b"<") and piece.endswith(b">")


def _best(logits: NDArray[np.float32]) -> tuple[int, float]:
    """The most probable token and the logarithm of its probability."""
    best = int(logits.argmax())
    return best, -math.log(float(np.exp(logits - logits[best]).sum()))


def _packaged_model() -> Path:
    spec = importlib.util.find_spec("moonshine_voice")
    if spec is None or not spec.submodule_search_locations:
        raise _missing("The package moonshine-voice is not installed.")
    return Path(spec.submodule_search_locations[0]) / "assets" / "tiny-en"


def _missing(message: str) -> EngineMissing:
    return EngineMissing(message, remedy='Run: pip install "moonshine-voice==0.0.73" (later versions lack the model).')


def _session(path: Path, threads: int) -> Any:
    import onnxruntime

    if not path.exists():
        raise _missing(f"Moonshine's model file {path} is not there.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin between the many small decoding steps burn a core for no gain in time.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
