"""One sentence explained: what was decided, by how much, because of which words, learned from what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from device.nlu.grammar import Grammar
from device.nlu.match import match
from device.nlu.onnx_model import JointModel, Prediction
from device.nlu.reject import FEATURES, features
from device.nlu.types import OOS
from quantize.explain.attribution import attribute, log_odds
from quantize.explain.neighbours import Near, Neighbours

NEAREST: Final = 5
"""Training sentences that are shown."""

CLOSE: Final = 0.95
"""Similarity from which a training sentence with another intent is worth a look. Of 381 held-out sentences that the
model reads rightly 91 % have a training sentence as near of their own intent; for 0.3 % the nearest is another's."""

_PHRASES: Final = 2
_MOVES: Final = 0.5
"""Log odds below which a pair of words is not worth a line."""


class WordEffect(msgspec.Struct, frozen=True):
    """What a word adds, in log odds (Shapley value): to the intent against the runner-up, and to being in scope."""

    word: str
    intent: float
    scope: float


class PhraseEffect(msgspec.Struct, frozen=True):
    """Two words: what hiding both takes, and how much of it is more than what each takes alone."""

    text: str
    together: float
    beyond: float


class SlotEffect(msgspec.Struct, frozen=True):
    """A slot, the probability of its weakest word, and what each word of the sentence adds to it."""

    type: str
    text: str
    start: int
    end: int
    probability: float
    words: tuple[float, ...]


class ScopeFeature(msgspec.Struct, frozen=True):
    """A feature of the rejection, the usual value of a sentence in scope, and what the difference adds to its score."""

    name: str
    value: float
    usual: float
    adds: float


class TrainingSentence(msgspec.Struct, frozen=True):
    """A sentence that the model learned from."""

    text: str
    intent: str
    similarity: float
    source: str


class Explanation(msgspec.Struct, frozen=True):
    """Everything about one decision.

    Attributes:
        text: Spoken form.
        intent: The likeliest intent but `oos`.
        probability: P(intent | in scope), calibrated.
        runner_up: The next one.
        runner_up_probability: Of it.
        margin: Calibrated log odds between the two.
        alternatives: Likeliest intents with probabilities, best first.
        accepted: `scope` reaches `threshold`.
        scope: P(in scope).
        threshold: Of the bundle.
        words: Effects of the words, in order.
        phrases: Pairs of words whose effect together says more than that of each.
        slots: Found slots.
        scope_features: What the rejection looks at, what speaks most for out of scope first.
        neighbours: Nearest training sentences.
        doubt: What is suspicious about the training sentences, or empty.
        grammar: Intents that the packs' phrases say word for word; the device then does not need the model.
    """

    text: str
    intent: str
    probability: float
    runner_up: str
    runner_up_probability: float
    margin: float
    alternatives: tuple[tuple[str, float], ...]
    accepted: bool
    scope: float
    threshold: float
    words: tuple[WordEffect, ...]
    phrases: tuple[PhraseEffect, ...]
    slots: tuple[SlotEffect, ...]
    scope_features: tuple[ScopeFeature, ...]
    neighbours: tuple[TrainingSentence, ...]
    doubt: str
    grammar: tuple[str, ...]

    @property
    def decided(self) -> str:
        """The intent, or `oos` where it was rejected."""
        return self.intent if self.accepted else OOS


def explain_sentence(
    model: JointModel, words: Sequence[str], context: Sequence[str], neighbours: Neighbours, grammar: Grammar
) -> Explanation:
    """Explain what a model makes of a sentence.

    Args:
        model: The bundle.
        words: Spoken form, at least one word.
        context: What the device had said before.
        neighbours: Training sentences, read by the same model.
        grammar: Of the packs.
    """
    logits = model.logits(words, context)
    prediction = model.interpret(logits)
    (intent, probability), (runner_up, second) = prediction.intents[:2]
    found = attribute(model, words, context, prediction)
    names = model.labels.intents
    margin = logits.intent[names.index(intent)] - logits.intent[names.index(runner_up)]
    near = neighbours.nearest(logits.embedding, NEAREST)
    return Explanation(
        text=" ".join(words),
        intent=intent,
        probability=probability,
        runner_up=runner_up,
        runner_up_probability=second,
        margin=float(margin / model.manifest.calibration.temperature),
        alternatives=prediction.intents,
        accepted=prediction.accepted,
        scope=prediction.in_scope,
        threshold=model.manifest.calibration.threshold,
        words=tuple(
            WordEffect(word, float(effect), float(scope))
            for word, effect, scope in zip(words, found.intent, found.scope, strict=True)
        ),
        phrases=tuple(
            PhraseEffect(" ".join(words[p.start : p.start + 2]), p.together, p.beyond)
            for p in found.phrases
            if p.together >= _MOVES and p.beyond >= _MOVES
        )[:_PHRASES],
        slots=tuple(
            SlotEffect(
                slot.type,
                " ".join(words[slot.start : slot.end]),
                slot.start,
                slot.end,
                slot.probability,
                tuple(float(value) for value in values),
            )
            for slot, values in zip(prediction.slots, found.slots, strict=True)
        ),
        scope_features=scope_features(model, logits.intent, neighbours.typical),
        neighbours=tuple(TrainingSentence(" ".join(e.words), str(e.intent), s, e.source) for e, s in near),
        doubt=doubt(prediction, near),
        grammar=tuple(reading.intent for reading in match(grammar, words) if not reading.wildcards),
    )


def scope_features(
    model: JointModel,
    intent_logits: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    usual: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> tuple[ScopeFeature, ...]:
    """How each feature of the rejection differs from a usual sentence in scope, and what that adds to its score.

    Args:
        model: The bundle.
        intent_logits: [intents], of the sentence.
        usual: [features], mean over training sentences in scope.
    """
    values = features(intent_logits, model.labels.intents.index(OOS))
    weights = model.manifest.calibration.scope_weights
    rows = [
        ScopeFeature(name, float(value), float(mean), float(weight * (value - mean)))
        for name, value, mean, weight in zip(FEATURES, values, usual, weights, strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: row.adds))


def doubt(prediction: Prediction, near: Sequence[Near]) -> str:
    """What the nearest training sentences say against the prediction or each other; empty if nothing."""
    if not near or near[0].similarity < CLOSE:
        return ""
    decided = prediction.intents[0][0] if prediction.accepted else OOS
    others = [one for one in near if one.similarity >= CLOSE and one.example.intent != decided]
    if not others:
        return ""
    labels = ", ".join(sorted({str(one.example.intent) for one in others}))
    if len(others) == len(near) or near[0] in others:
        return (
            f"The nearest training sentence is labelled {others[0].example.intent}, not {decided}: "
            "its label is wrong, or the two intents overlap."
        )
    return f"Very similar training sentences are also labelled {labels}: the labels are noisy, or the intents overlap."


def scope_margin(explanation: Explanation) -> float:
    """Log odds of being in scope, above the threshold."""
    return log_odds(explanation.scope) - log_odds(explanation.threshold)
