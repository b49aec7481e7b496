"""What an utterance means in the situation of the dialogue: an answer, a correction, a follow-on, or a new command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rapidfuzz import fuzz, process

from device.nlu.acts import correction, exact_act, follow_on, strip_fillers
from device.nlu.pack import Pack, TypeSpec, all_types
from device.nlu.resolve import ResolveContext, resolve
from device.nlu.resolve.numbers import ordinal_position
from device.nlu.split import split
from device.nlu.types import OOS, Act, Interpretation, Slot
from device.nlu.understand import Understander, clean, is_command

SURE_COMMAND: Final = 0.9
"""How sure a reading must be that words are a new command and not the answer to the open question."""

SURE_ACT: Final = 0.6
"""How sure the model must be of a yes, a no or a cancel that is said in other words than the fixed ones."""

NAME_SCORE: Final = 80.0
"""rapidfuzz ratio (0 to 100) from which words stand for a name."""

_FRAGMENT_WORDS: Final = 8
_BARE_ACTS: Final = frozenset({Act.AFFIRM, Act.DENY, Act.CANCEL, Act.REPEAT})


@dataclass(frozen=True, slots=True)
class Situation:
    """What the dialogue is in the middle of.

    Attributes:
        intent: Of the open question, else of the last command; empty if there is none.
        question: Words of the open question; empty if none is open.
        slot: Slot asked for; empty when a yes or no is expected.
        options: Names among which to choose.
    """

    intent: str = ""
    question: str = ""
    slot: str = ""
    options: tuple[str, ...] = ()


class Interpreter:
    """Understands an utterance in its situation.

    Args:
        understander: Reads commands.
        packs: Their slot types say which answers are closed lists and which free words.
    """

    def __init__(self, understander: Understander, packs: Sequence[Pack]) -> None:
        self.understander = understander
        self._shared = all_types(packs)
        self._own = {pack.skill: pack.types for pack in packs}

    def understand(self, text: str, situation: Situation, context: ResolveContext) -> tuple[Interpretation, ...]:
        """Commands of one breath in order, or one answer; empty if there are no words."""
        words = clean(text)
        if not words:
            return ()
        return self._in_dialogue(words, situation, context) or self._commands(words, situation, context)

    def _in_dialogue(
        self, words: tuple[str, ...], situation: Situation, context: ResolveContext
    ) -> tuple[Interpretation, ...]:
        """The utterance as a part of what is going on; empty if it stands by itself."""
        act = exact_act(words)
        if act and (situation.question or act in (Act.CANCEL, Act.REPEAT)):
            return (_dialogue("", {}, act, words, 1.0, f"a fixed way to {act}"),)
        reading = None
        if situation.question:
            reading = self._answer(words, situation, context)
        elif situation.intent:
            reading = self._referring(words, situation, context)
        return (reading,) if reading else ()

    def _commands(
        self, words: tuple[str, ...], situation: Situation, context: ResolveContext
    ) -> tuple[Interpretation, ...]:
        def read(part: Sequence[str]) -> Interpretation:
            return self.understander.command(part, context, situation.question)

        whole = read(words)
        commands = split(words, read, whole)
        lonely = len(commands) == 1 and commands[0].intent == OOS and len(words) <= _FRAGMENT_WORDS
        if lonely and situation.intent and not situation.question:
            slots = self._fill(words, situation.intent, context)
            if slots:
                return (
                    _dialogue(situation.intent, slots, Act.INFORM, words, 0.6, f"a fragment of {situation.intent}"),
                )
        return commands

    # Answers to an open question -------------------------------------------------------------------------------

    def _answer(self, words: tuple[str, ...], situation: Situation, context: ResolveContext) -> Interpretation | None:
        """The utterance as an answer to the open question; None if it is a command of its own or nothing."""
        choice = choose(words, situation.options) if situation.options else None
        if choice:
            slots = {situation.slot: Slot(choice, choice)}
            return _dialogue(situation.intent, slots, Act.SELECT, words, 1.0, "one of the names offered")
        corrected = correction(words)
        changed = self._fill(corrected, situation.intent, context) if corrected else {}
        if changed:
            return _dialogue(situation.intent, changed, Act.CORRECT, words, 0.9, "corrects the open command")
        if not situation.slot:
            return self._yes_or_no(words, situation)
        return self._inform(words, situation, context)

    def _yes_or_no(self, words: tuple[str, ...], situation: Situation) -> Interpretation | None:
        prediction = self.understander.predict(words, situation.question)
        if prediction is None:
            return None
        act, probability = prediction.acts[0]
        if act not in _BARE_ACTS or probability < SURE_ACT:
            return None
        reading = _dialogue("", {}, act, words, probability, f"the model takes it as {act}, {probability:.0%}")
        return replace(reading, source="model")

    def _inform(self, words: tuple[str, ...], situation: Situation, context: ResolveContext) -> Interpretation | None:
        """The asked-for slot, with others that came along ("seven | tomorrow")."""
        command = self.understander.command(words, context, situation.question)
        # "Turn on the light" answers no question; "the kitchen light" does, whatever the grammar makes of it.
        another = is_command(command) and command.confidence >= SURE_COMMAND and command.intent != situation.intent
        if self._type_of(situation.intent, situation.slot).wildcard:
            if another and (command.source == "grammar" or not self._takes_as_answer(words, situation)):
                return None
            text = " ".join(strip_fillers(words))
            slots = {situation.slot: Slot(text, text)}
        else:
            slots = self._fill(words, situation.intent, context, wanted=situation.slot, strict=another)
            if situation.slot not in slots:
                return None
        return _dialogue(situation.intent, slots, Act.INFORM, words, 0.95, f"answers “{situation.question}”")

    def _takes_as_answer(self, words: tuple[str, ...], situation: Situation) -> bool:
        prediction = self.understander.predict(words, situation.question)
        return prediction is not None and prediction.acts[0][0] is Act.INFORM

    # Corrections and carry-over --------------------------------------------------------------------------------

    def _referring(
        self, words: tuple[str, ...], situation: Situation, context: ResolveContext
    ) -> Interpretation | None:
        """As in "no, fifteen minutes" and "what about tomorrow": the last command with other slots."""
        whole = self.understander.command(words, context)
        if is_command(whole) and whole.source == "grammar":
            return None
        for rest, act, reason in (
            (correction(words), Act.CORRECT, "corrects the last command"),
            (follow_on(words), Act.INFORM, "carries the last command over"),
        ):
            if not rest:
                continue
            complete = self.understander.command(rest, context)
            if is_command(complete) and complete.confidence >= SURE_COMMAND:
                same = act is Act.CORRECT and complete.intent == situation.intent
                return replace(complete, act=act, reasons=(*complete.reasons, reason)) if same else complete
            slots = self._fill(rest, situation.intent, context)
            if slots:
                return _dialogue(situation.intent, slots, act, words, 0.9, reason)
        return None

    # Slots in fragments ----------------------------------------------------------------------------------------

    def _fill(
        self, words: Sequence[str], intent: str, context: ResolveContext, wanted: str = "", strict: bool = True
    ) -> dict[str, Slot]:
        """Slots of an intent in a fragment: the whole of it as one value, else the spans that the model sees.

        Args:
            words: The fragment.
            intent: Whose slots.
            context: For resolving.
            wanted: Only this slot may be the whole fragment.
            strict: Names must be known ones.
        """
        spec = self.understander.specs.get(intent)
        if spec is None:
            return {}
        core = strip_fillers(words)
        for name in [wanted] if wanted else spec.slots:
            value = self._value(core, intent, name, context, strict)
            if value:
                return {name: value}
        prediction = self.understander.predict(words, "")
        found = self.understander.slots(prediction, intent, words, context) if prediction else {}
        return {
            name: slot
            for name, slot in found.items()
            if slot.value is not None and (name == wanted or not self._type_of(intent, name).wildcard)
        }

    def _value(
        self, words: Sequence[str], intent: str, slot: str, context: ResolveContext, strict: bool
    ) -> Slot | None:
        """All words as one value of a slot that is no free text."""
        text = " ".join(words)
        type_ = self.understander.specs[intent].slot_type(slot)
        spec = self._type_of(intent, slot)
        if spec.wildcard:
            return None
        if strict and (spec.household or spec.values):
            listed = [value if isinstance(value, str) else value.spoken for value in spec.values]
            if closest(text, [*context.names.get(type_, ()), *listed]) is None:
                return None
        value = resolve(type_, text, context)
        # Words that come back as they are were not understood as a value of a closed type.
        return None if value is None or (value == text and spec.template) else Slot(text, value)

    def _type_of(self, intent: str, slot: str) -> TypeSpec:
        """Type of a slot: the skill's own definition before the shared one."""
        name = self.understander.specs[intent].slot_type(slot)
        return self._own.get(intent.partition(".")[0], {}).get(name) or self._shared[name]


def choose(words: Sequence[str], options: Sequence[str]) -> str | None:
    """The option that is meant, by name or by position ("the second one", "the last")."""
    position = ordinal_position(" ".join(words))
    if position is not None and -len(options) <= position < len(options):
        return options[position]
    return closest(" ".join(strip_fillers(words)), options)


def closest(text: str, names: Sequence[str]) -> str | None:
    """The name that the words stand for, or clearly contain; None if there is none, or two alike."""
    found = process.extractOne(text, names, scorer=fuzz.ratio, score_cutoff=NAME_SCORE)
    if found:
        return str(found[0])
    contained = process.extract(text, names, scorer=fuzz.token_set_ratio, score_cutoff=95.0, limit=2)
    return str(contained[0][0]) if len(contained) == 1 else None


def _dialogue(
    intent: str, slots: dict[str, Slot], act: Act, words: Sequence[str], confidence: float, reason: str
) -> Interpretation:
    return Interpretation(intent, slots, confidence, "dialogue", act, " ".join(words), (reason,))
