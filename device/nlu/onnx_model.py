"""The joint model on the device: a verified bundle in onnxruntime, its logits as calibrated probabilities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from device.errors import BundleError, BundleUntrusted
from device.nlu.crf import marginals
from device.nlu.reject import in_scope, log_sum_exp
from device.nlu.text import words as spoken_words
from device.nlu.tokenizer import WordTokenizer
from device.nlu.types import OOS, Act
from models.labels import LabelError, LabelSchema
from models.manifest import Manifest, ManifestError
from models.signature import PublicKey, Untrusted, check

Floats = npt.NDArray[np.float32]

TRANSITIONS: Final = "transitions.npy"

TOP: Final = 5
"""How many intents a prediction names."""

_REMEDY = (
    "Install the bundle again, go back to another one with `homebody models rollback`, or name another in nlu.model."
)


@dataclass(frozen=True, slots=True)
class SlotSpan:
    """Words `start` to `end` (exclusive) fill a slot of this type; `probability` is that of the weakest word."""

    type: str
    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model thinks of one utterance.

    Attributes:
        intents: The likeliest intents, best first, `oos` not among them: P(intent | in scope), calibrated.
        slots: Spans in order, not overlapping.
        acts: All dialogue acts, best first, calibrated.
        in_scope: P(the utterance is one of the known intents).
        accepted: `in_scope` reaches the bundle's threshold.
        embedding: [hidden], unit length: near for utterances that mean the same.
    """

    intents: tuple[tuple[str, float], ...]
    slots: tuple[SlotSpan, ...]
    acts: tuple[tuple[Act, float], ...]
    in_scope: float
    accepted: bool
    embedding: Floats


class Logits(NamedTuple):
    """The model's raw outputs for one utterance of W words.

    Attributes:
        intent: [intents].
        slots: [W, slot labels]; fewer than W rows if the utterance was longer than the model's input. Log
            probabilities under the conditional random field, if the model has one.
        act: [acts].
        embedding: [hidden].
    """

    intent: Floats
    slots: Floats
    act: Floats
    embedding: Floats


@dataclass(frozen=True)
class JointModel:
    """A loaded bundle. Safe to call from one thread at a time.

    Attributes:
        manifest: Of the bundle.
        labels: Names of the outputs.
        tokenizer: Of the bundle.
        session: `onnxruntime.InferenceSession`.
        folder: Of the bundle.
        transitions: [slot labels, slot labels], if the slots were trained under a conditional random field.
    """

    manifest: Manifest
    labels: LabelSchema
    tokenizer: WordTokenizer
    session: Any
    folder: Path
    transitions: Floats | None = None

    def predict(self, words: Sequence[str], context: str = "") -> Prediction:
        """Understand one utterance.

        Args:
            words: Spoken form.
            context: What the device said just before, if anything.
        """
        return self.interpret(self.logits(words, spoken_words(context)))

    def logits(self, words: Sequence[str], context: Sequence[str] = ()) -> Logits:
        """Run the network on one unpadded input (padding would change dynamically quantized results)."""
        encoding = self.tokenizer.encode(words, context)
        ids = np.array([encoding.ids], dtype=np.int64)
        intent, slots, act, embedding = self.session.run(
            ("intent_logits", "slot_logits", "act_logits", "embedding"),
            {
                "input_ids": ids,
                "attention_mask": np.ones_like(ids),
                "token_type_ids": np.array([encoding.segments], dtype=np.int64),
            },
        )
        emissions: Floats = slots[0, encoding.first]
        if self.transitions is not None and len(emissions):
            emissions = marginals(emissions, self.transitions)
        return Logits(intent[0], emissions, act[0], embedding[0])

    def interpret(self, logits: Logits) -> Prediction:
        """Calibrate and decode raw outputs."""
        calibration = self.manifest.calibration
        scope = float(in_scope(logits.intent, self._oos, self._scope_weights, calibration.scope_bias))
        inside = _softmax(np.delete(logits.intent, self._oos) / np.float32(calibration.temperature))
        best = np.argsort(-inside)[:TOP]
        acts = _softmax(logits.act / np.float32(calibration.act_temperature))
        return Prediction(
            tuple((self._known[i], float(inside[i])) for i in best),
            decode_spans(logits.slots, self.labels.slot_types),
            tuple((Act(self.labels.acts[i]), float(acts[i])) for i in np.argsort(-acts)),
            scope,
            scope >= calibration.threshold,
            logits.embedding,
        )

    @cached_property
    def _oos(self) -> int:
        return self.labels.intents.index(OOS)

    @cached_property
    def _known(self) -> tuple[str, ...]:
        return tuple(intent for intent in self.labels.intents if intent != OOS)

    @cached_property
    def _scope_weights(self) -> Floats:
        return np.array(self.manifest.calibration.scope_weights, dtype=np.float32)


def load_model(folder: Path, threads: int = 1, keys: Iterable[PublicKey] | None = None) -> JointModel:
    """Verify a bundle and load it.

    Args:
        folder: The bundle.
        threads: Of one inference.
        keys: If given, one of them must have signed the bundle.

    Raises:
        BundleUntrusted: None of the keys signed it.
        BundleError: A file is missing, damaged or not listed, the manifest is of an unknown version or was changed
            after it was signed, or the labels are not the ontology that the manifest names or that this program speaks.
    """
    import onnxruntime as ort

    try:
        manifest = Manifest.read(folder)
        if keys is not None:
            check(manifest, keys)
        manifest.verify(folder)
        labels = LabelSchema.read(folder / "labels.json")
        tokenizer = WordTokenizer.read(folder / "tokenizer.json", manifest.max_tokens)
        transitions = np.load(folder / TRANSITIONS) if TRANSITIONS in manifest.files else None
    except Untrusted as error:
        raise BundleUntrusted(
            f"The model bundle {folder} can't be used: {error}.",
            remedy="Add the public key of whoever made it to nlu.trusted_keys, or use a bundle that they signed.",
        ) from error
    except (ManifestError, LabelError, ValueError) as error:
        raise BundleError(f"The model bundle {folder} can't be used: {error}.", remedy=_REMEDY) from error
    if labels.ontology != manifest.ontology or labels.acts != tuple(Act):
        raise BundleError(f"The model bundle {folder} is of another ontology.", remedy=_REMEDY)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no public base
        raise BundleError(f"The model of {folder} does not load: {error}.", remedy=_REMEDY) from error
    return JointModel(manifest, labels, tokenizer, session, folder, transitions)


def decode_spans(slot_logits: Floats, slot_types: Sequence[str]) -> tuple[SlotSpan, ...]:
    """The likeliest valid BIO labelling (Viterbi), as spans.

    Args:
        slot_logits: [W, 1 + 2·types], labels ordered as `LabelSchema.slot_labels`.
        slot_types: Names of the types.
    """
    if not len(slot_logits):
        return ()
    log_probability = slot_logits - log_sum_exp(slot_logits)[:, None]
    path = _viterbi(log_probability)
    spans: list[SlotSpan] = []
    for at, label in enumerate(path):
        probability = float(np.exp(log_probability[at, label]))
        if label % 2:  # B- of type (label - 1) / 2
            spans.append(SlotSpan(slot_types[(label - 1) // 2], at, at + 1, probability))
        elif label:  # I- extends the span before it
            last = spans[-1]
            spans[-1] = SlotSpan(last.type, last.start, at + 1, min(last.probability, probability))
    return tuple(spans)


def _viterbi(log_probability: Floats) -> list[int]:
    """Best path in which `I-x` only follows `B-x` or `I-x`; label 0 is O, 2k+1 is B and 2k+2 is I of type k."""
    count = log_probability.shape[1]
    begin, inside = np.arange(1, count, 2), np.arange(2, count, 2)
    score = log_probability[0].copy()
    score[inside] = -np.inf
    back = np.zeros(log_probability.shape, dtype=np.int64)
    for at in range(1, len(log_probability)):
        best = int(score.argmax())
        previous = np.full(count, best)
        previous[inside] = np.where(score[begin] >= score[inside], begin, inside)
        back[at] = previous
        score = score[previous] + log_probability[at]
    path = [int(score.argmax())]
    for at in range(len(log_probability) - 1, 0, -1):
        path.append(int(back[at, path[-1]]))
    return path[::-1]


def _softmax(logits: Floats) -> Floats:
    result: Floats = np.exp(logits - log_sum_exp(logits))
    return result
