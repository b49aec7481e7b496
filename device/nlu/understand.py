"""Text to interpretations: exact grammar, then the model, then nearest by sound; each says why.

One command of one breath at a time (`split` cuts them); what an utterance means as an answer to an open question
is `answer`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import pairwise
from typing import Final

from device.nlu.acts import HESITATIONS, to_device
from device.nlu.grammar import Grammar
from device.nlu.match import Match, match, slot_words
from device.nlu.match import SlotSpan as MatchedSpan
from device.nlu.near_miss import unknown_words
from device.nlu.onnx_model import JointModel, Prediction
from device.nlu.pack import IntentSpec
from device.nlu.phonemes import Sounds
from device.nlu.phonetics import phonemes
from device.nlu.rescue import SoundRescue
from device.nlu.resolve import ResolveContext, parse_when, resolve
from device.nlu.roles import assign
from device.nlu.text import words as spoken_words
from device.nlu.types import OOS, Act, Interpretation, Slot, Value
from device.speech.bias.sentences import JOINERS, Sentences

MODEL_WINS: Final = 0.85
"""Probability from which the model overrules a grammar match that rests on free words."""

FREE_WORDS: Final = 0.95
"""Confidence of a grammar match that rests on free words: they may go on."""

MODEL_CLEAR: Final = 0.9
"""Probability from which the model's reading is taken without listening to how the words sound."""

LIKELY: Final = 3
"""How many of the model's intents are searched by sound."""

MAYBE_IN_SCOPE: Final = 0.2
"""In-scope score below which nothing that the model knows was meant, however it sounds."""

MODEL_SURE: Final = 0.5
"""Probability below which an in-scope reading of the model counts as not understood."""

LONGEST_NAME: Final = 4
"""Most words of a name that begins a command ("green curry paste goes on the shopping list")."""

LONGEST_LOOSE: Final = 40
"""Words beyond which only the grammar is believed: nobody gives a command that long in loose words."""


class Understander:
    """Everything that understanding needs; made anew when a pack or a name is added.

    Args:
        grammar: Compiled packs.
        specs: Intents by full name.
        model: The joint model, or None when only fixed phrases can be understood.
        sound: For misheard words, or None.
    """

    def __init__(
        self,
        grammar: Grammar,
        specs: Mapping[str, IntentSpec],
        model: JointModel | None = None,
        sound: SoundRescue | None = None,
    ) -> None:
        self.specs = specs
        self._grammar = grammar
        self._model = model
        self._sound = sound
        # One utterance is looked at as a command, as an answer and in parts: the network runs once for each.
        self._sentences = lru_cache(maxsize=4)(partial(Sentences, grammar))
        self._predict = lru_cache(maxsize=32)(model.predict) if model else None

    def command(
        self, words: Sequence[str], context: ResolveContext, question: str = "", *, by_sound: bool = True
    ) -> Interpretation:
        """The best reading of one command.

        Args:
            words: Spoken form.
            context: For resolving slot values.
            question: What the device has just asked, if anything.
            by_sound: Search by sound where nothing else is sure; takes much longer than all the rest.

        Returns:
            An interpretation whose intent is `oos` when nothing fits.
        """
        matches = [m for m in match(self._grammar, words) if not _starts_free(m) or self._believable(m, words)]
        closed = [m for m in matches if not m.wildcards]
        if len({m.intent for m in closed}) == 1:
            return self._from_match(closed[0], words, context, "every word is in the grammar")
        if not matches and len(words) > LONGEST_LOOSE:
            return _unknown(words, None)
        prediction = self.predict(words, question)
        if matches:
            return self._arbitrate(closed or matches, prediction, words, context)
        reading = None
        if prediction and prediction.accepted and prediction.intents[0][1] >= MODEL_SURE:
            reading = self._from_model(prediction, words, context)
            if not self._addressed(reading.intent, words):
                return _unknown(words, prediction)
            if reading.confidence >= MODEL_CLEAR and all(slot.value is not None for slot in reading.slots.values()):
                return reading
        heard = self._by_sound(words, prediction, context) if by_sound else None
        return heard or reading or _unknown(words, prediction)

    def exact(self, words: Sequence[str], context: ResolveContext, skill: str = "") -> Interpretation | None:
        """The grammar's tightest match alone; among equally tight ones that of a skill, if one is given."""
        matches = match(self._grammar, words)
        if not matches:
            return None
        best = min(matches, key=lambda m: (m.wildcards, m.intent.partition(".")[0] != skill))
        return self._from_match(best, words, context, "in the grammar")

    def sentences(self, intent: str, slot: str, phrases: Sequence[str] = ()) -> Sentences:
        """What can be said: commands, the values of a slot that is asked for, and fixed phrases."""
        key = ""
        if intent in self.specs and slot:
            type_ = self.specs[intent].slot_type(slot)
            own = f"{intent.partition('.')[0]}.{type_}"
            key = own if own in self._grammar.types else type_
        return self._sentences(key, tuple(phrases))

    def unknown_words(self, heard: Sequence[str], command: Sequence[str]) -> str | None:
        """See `near_miss.unknown_words`."""
        return unknown_words(self._grammar, heard, command)

    def slot_words(self, words: Sequence[str]) -> frozenset[int]:
        """Positions of the words that fill slots; see `match.slot_words`."""
        return slot_words(self._grammar, words, JOINERS)

    def sounds_like(self, word: str, wanted: str) -> bool:
        """Whether a single word may be a misheard `wanted`; never where words can't be pronounced."""
        return self._sound is not None and self._sound.alike(word, wanted)

    def pronounce(self, words: Sequence[str]) -> Sequence[Sounds]:
        """Phonemes of each of some words; where words can't be pronounced, those that their letters stand for."""
        return self._sound.pronounce(words) if self._sound else [phonemes(word) for word in words]

    def predict(self, words: Sequence[str], question: str) -> Prediction | None:
        """The model's raw opinion, for answers to a question."""
        return self._predict(tuple(words), question) if self._predict else None

    def slots(
        self, prediction: Prediction, intent: str, words: Sequence[str], context: ResolveContext
    ) -> dict[str, Slot]:
        """The model's spans as slots of an intent, with their values."""
        spec = self.specs.get(intent)
        if spec is None:
            return {}
        filled: dict[str, Slot] = {}
        for name, (start, end) in assign(spec, prediction.slots).items():
            text = " ".join(words[start:end])
            filled[name] = Slot(text, resolve(spec.slot_type(name), text, context))
        return _together(filled, context)

    def begins(self, intent: str, *words: str) -> bool:
        """Whether a phrase of this intent begins with these words."""
        states = self._grammar.intents.get(intent, ())
        at: int | None = 0
        for word in words:
            at = states[at].words.get(word) if states and at is not None else None
        return at is not None

    def _believable(self, found: Match, words: Sequence[str]) -> bool:
        """Free words that come first are a name, not half of a sentence ("he set a | timer for ten minutes")."""
        return found.slots[0].end <= LONGEST_NAME and self._addressed(found.intent, words)

    def _addressed(self, intent: str, words: Sequence[str]) -> bool:
        return intent not in self._grammar.intents or to_device(words, partial(self.begins, intent))

    def _arbitrate(
        self, matches: Sequence[Match], prediction: Prediction | None, words: Sequence[str], context: ResolveContext
    ) -> Interpretation:
        """Choose between several exact matches, or between free words and the model."""
        if prediction is None:
            return self._from_match(matches[0], words, context, "the grammar's tightest match")
        opinion = dict(prediction.intents)
        best = max(matches, key=lambda m: (-m.wildcards, opinion.get(m.intent, 0.0)))
        intent, probability = prediction.intents[0]
        trained = best.intent in self._model.labels.intents if self._model else False
        exact = self._from_match(
            best, words, context, f"in the grammar; the model gives it {opinion.get(best.intent, 0):.2f}"
        )
        if not (best.wildcards and trained and probability >= MODEL_WINS and prediction.accepted):
            return exact
        reading = self._from_model(prediction, words, context)
        if intent != best.intent:
            return replace(reading, reasons=(*reading.reasons, f"overrules free words in {best.intent}"))
        # "Start a nine minute egg timer" has no name "nine minute egg", and "at a timer" none of "at a".
        if self._complete(reading) and (_starts_free(best) or not self._complete(exact)):
            return replace(reading, reasons=(*reading.reasons, "explains more than the grammar's free words"))
        return exact

    def _complete(self, reading: Interpretation) -> bool:
        """Every required slot is there, and every slot has a value."""
        required = {name for name, slot in self.specs[reading.intent].slots.items() if slot.required}
        return required <= reading.slots.keys() and all(slot.value is not None for slot in reading.slots.values())

    def _from_match(self, found: Match, words: Sequence[str], context: ResolveContext, reason: str) -> Interpretation:
        slots = {span.name: Slot(span.text, _value(span, context)) for span in found.slots}
        return Interpretation(
            found.intent,
            _together(slots, context),
            FREE_WORDS if found.wildcards else 1.0,
            "grammar",
            text=" ".join(words),
            reasons=(reason,),
        )

    def _from_model(self, prediction: Prediction, words: Sequence[str], context: ResolveContext) -> Interpretation:
        (intent, probability), runner_up = prediction.intents[0], prediction.intents[1]
        reasons = (
            f"the model is {probability:.0%} sure, next {runner_up[0]} {runner_up[1]:.0%}",
            f"in scope {prediction.in_scope:.2f}",
        )
        return Interpretation(
            intent,
            self.slots(prediction, intent, words, context),
            probability,
            "model",
            text=" ".join(words),
            reasons=reasons,
        )

    def _by_sound(
        self, words: Sequence[str], prediction: Prediction | None, context: ResolveContext
    ) -> Interpretation | None:
        """What sounds like these words: in packs without training, then in the intents that the model thinks likely."""
        if self._sound is None:
            return None
        found = self._sound.untrained(words)
        if found is None and prediction and prediction.in_scope >= MAYBE_IN_SCOPE:
            clear = prediction.intents[0][1] >= MODEL_CLEAR
            found = self._sound.among(words, [intent for intent, _ in prediction.intents[: 1 if clear else LIKELY]])
        if found is None:
            return None
        reason = f"sounds like “{found.sentence}” ({found.cost:.2f} a phoneme)"
        reading = self._from_match(found.match, found.sentence.split(), context, reason)
        return replace(reading, source="sound", confidence=found.confidence)


def _value(span: MatchedSpan, context: ResolveContext) -> Value | None:
    """A resolved value where there is a typed one ("red" is a colour), else the pack's canonical word."""
    resolved = resolve(span.type, span.text, context)
    return span.value if span.value is not None and (resolved is None or isinstance(resolved, str)) else resolved


def _together(slots: dict[str, Slot], context: ResolveContext) -> dict[str, Slot]:
    """Read date and time as one phrase: "tomorrow evening" makes "seven" mean seven in the evening."""
    if "date" in slots and "time" in slots:
        when = parse_when(f"{slots['date'].text} {slots['time'].text}", context)
        if when and when.time:
            return {**slots, "time": Slot(slots["time"].text, when.time)}
    return slots


def _unknown(words: Sequence[str], prediction: Prediction | None) -> Interpretation:
    reasons = ["no phrase of the grammar fits"]
    confidence = 1.0
    if prediction:
        intent, probability = prediction.intents[0]
        confidence = 1.0 - prediction.in_scope
        reasons.append(f"the model's best is {intent} {probability:.0%}, in scope {prediction.in_scope:.2f}")
    return Interpretation(OOS, {}, confidence, "model", text=" ".join(words), reasons=tuple(reasons))


def _starts_free(found: Match) -> bool:
    """True where free words come first ("{name} timer"): nothing in front of them says what they are."""
    return bool(found.wildcards and found.slots) and found.slots[0].start == 0


def clean(text: str) -> tuple[str, ...]:
    """Spoken form without hesitations, a closing "please", and what a wake word leaves behind."""
    said = spoken_words(text)
    words = [word for word, after in pairwise((*said, "")) if word not in HESITATIONS or after == "huh"]
    for name in _NAMES:
        if tuple(words[: len(name)]) == name:
            words = words[len(name) :]
            break
    while len(words) > 1 and words[-1] == "please":  # free words would take it in: "rock music please"
        words.pop()
    return tuple(words)


_NAMES: Final = (
    ("hey", "jarvis"), ("okay", "nabu"), ("ok", "nabu"), ("hey", "homebody"), ("alexa",), ("jarvis",), ("homebody",),
)  # fmt: skip


def is_command(interpretation: Interpretation) -> bool:
    """True for an in-scope command."""
    return interpretation.act is Act.COMMAND and interpretation.intent != OOS
