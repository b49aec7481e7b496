"""Moonshine's networks on plain onnxruntime: an encoder, and a decoder that is run token by token in several rows."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from device.errors import EngineMissing
from device.speech.bias.beam import Scorer, Scores
from device.speech.bias.tokens import Vocabulary

ENCODER: Final = "encoder.ort"
"""File of an encoder that was trained in `quantize.ears`."""

PACKAGED: Final = "encoder_model.ort"
"""File of Moonshine's own encoder, in `packaged_folder`."""

SHIPPED: Final = Path(__file__).parents[2] / "models" / "artefacts" / "ears-en" / ENCODER

BOS: Final = 1
EOS: Final = 2
_GAP: Final = b"\0\n\0"
"""Between word pieces; part of none."""

_BROKEN: Final = re.compile("[\udc80-\udcff]")
"""Bytes that are no UTF-8, as Python's "surrogateescape" decodes them."""

_LOADING: Final = Lock()
_LAYERS: Final = 6
_HEADS: Final = 8
_HEAD_SIZE: Final = 36


class MoonshineModel:
    """Encoder, decoder and word pieces.

    Several threads may use one at the same time, each for utterances of its own.

    Args:
        threads: Threads of each network.
        encoder: Its file: `SHIPPED`, one of `homebody train-ears`, or the package's own.
        folder: Folder with `decoder_model_merged.ort` and `tokenizer.bin`; by default the one inside the
            `moonshine-voice` package.

    Raises:
        EngineMissing: The package or its model files are not installed, or the encoder is not there or damaged. A
            damaged decoder is found when it is first needed: it is loaded then, since ears that wait for their wake
            word have no use for it, and it takes longer than all the rest.
    """

    def __init__(self, threads: int, encoder: Path = SHIPPED, folder: Path | None = None) -> None:
        folder = folder or packaged_folder()
        try:
            self.pieces, self.vocabulary = _vocabulary(folder / "tokenizer.bin")
            self._encoder = _session(_there(encoder), threads)
        except OSError as error:
            raise _missing(f"Moonshine's model in {folder} can't be read: {error.strerror}.") from error
        self._decoder = partial(_session, _there(folder / "decoder_model_merged.ort"), threads)

    def listen(self, samples: npt.NDArray[np.float32], most: int) -> Scorer:
        """Encode an utterance; its decoder continues any rows of its last call.

        Args:
            samples: Shape [n] in -1..1 at 16 kHz.
            most: Rows that are decoded at once, at most.
        """
        mask = np.ones((1, len(samples)), np.int64)
        (hidden,) = self._encoder.run(None, {"input_values": samples[np.newaxis], "attention_mask": mask})
        # The decoder derives its own mask from the one at the rate of the samples.
        decoder = self._decoder()
        first = [output.name for output in decoder.get_outputs()]
        # The encoder's keys and values are computed in the first step only; later steps return junk for them.
        later = [name for name in first if ".encoder." not in name]
        same = {"encoder_hidden_states": hidden, "encoder_attention_mask": mask}
        empty = np.zeros((1, _HEADS, 0, _HEAD_SIZE), np.float32)
        parts = ("decoder.key", "decoder.value", "encoder.key", "encoder.value")
        past = {f"past_key_values.{layer}.{part}": empty for layer in range(_LAYERS) for part in parts}
        begun = False

        def scores(rows: list[int], tokens: list[int]) -> Scores:
            nonlocal begun
            feed: dict[str, Any] = {name: value[: len(rows)] for name, value in same.items()}
            feed |= {name: value[rows] for name, value in past.items()}
            feed["input_ids"] = np.array(tokens, np.int64)[:, np.newaxis]
            feed["use_cache_branch"] = np.array([begun])
            outputs = later if begun else first
            logits, *cache = decoder.run(outputs, feed)
            for name, value in zip(outputs[1:], cache, strict=True):
                past[name.replace("present", "past_key_values")] = value
            if not begun:
                # What is the same for all rows is spread over them once; then its beginning serves any number.
                same.update((name, past.pop(name)) for name in list(past) if ".encoder." in name)
                same.update((name, np.repeat(value, most, axis=0)) for name, value in list(same.items()))
                begun = True
            return _log_softmax(logits[:, -1])

        return scores

    def text(self, tokens: Sequence[int]) -> str:
        """See `to_text`."""
        return to_text(tokens, self.pieces)


@cache
def shared(threads: int, encoder: Path) -> MoonshineModel:
    """A model that is loaded once: the ears and speech-to-text make use of it.

    Raises:
        EngineMissing: See `MoonshineModel`.
    """
    return MoonshineModel(threads, encoder)


def to_text(tokens: Sequence[int], pieces: Sequence[bytes]) -> str:
    """Text of a token sequence; control tokens such as `<s>` and `<<ST_7>>` are left out."""
    raw = b"".join(pieces[token] for token in tokens if not _is_control(pieces[token]))
    return " ".join(raw.decode("utf-8", errors="ignore").replace("▁", " ").split())


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


def _is_control(piece: bytes) -> bool:
    return len(piece) > 2 and piece.startswith(b"<") and piece.endswith(b">")


def readable(pieces: Sequence[bytes]) -> list[str | None]:
    """Text of each piece; None for control tokens and for parts of a character."""
    # All at once: decoded one by one they would take a tenth of the device's start.
    texts = _GAP.join(pieces).decode("utf-8", "surrogateescape").split(_GAP.decode())
    return [
        None if _is_control(piece) or (not text.isascii() and _BROKEN.search(text)) else text
        for piece, text in zip(pieces, texts, strict=True)
    ]


def _log_softmax(logits: Scores) -> Scores:
    shifted = logits - logits.max(axis=1, keepdims=True)
    scores: Scores = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return scores


def packaged_folder() -> Path:
    """Moonshine's own files.

    Raises:
        EngineMissing: The package is not installed.
    """
    spec = importlib.util.find_spec("moonshine_voice")
    if spec is None or not spec.submodule_search_locations:
        raise _missing("The package moonshine-voice is not installed.")
    return Path(spec.submodule_search_locations[0]) / "assets" / "tiny-en"


def _missing(message: str) -> EngineMissing:
    return EngineMissing(
        message,
        remedy='Run: pip install "moonshine-voice==0.0.73" (later versions lack the model). Ears of your own: '
        "name the folder that homebody train-ears made.",
    )


@cache
def _vocabulary(path: Path) -> tuple[list[bytes], Vocabulary]:
    """Word pieces, loaded once as the decoder that writes them is."""
    pieces = read_pieces(path.read_bytes())
    return pieces, Vocabulary(readable(pieces))


def _there(path: Path) -> Path:
    if not path.exists():
        raise _missing(f"Moonshine's model file {path} is not there.")
    return path


def _session(path: Path, threads: int) -> Any:
    """A network, loaded once: models with different encoders have the same decoder, which takes most of the memory."""
    with _LOADING:
        return _loaded(path, threads)


@cache
def _loaded(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin between the many small decoding steps burn a core for no gain in time.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Weights stay where the file was read to: loaded in three quarters of the time, and once in memory.
    options.add_session_config_entry("session.use_ort_model_bytes_directly", "1")
    options.add_session_config_entry("session.use_ort_model_bytes_for_initializers", "1")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base class
        raise _missing(f"Moonshine's model file {path} can't be loaded: {error}.") from error
