"""What an utterance means in the situation of the dialogue: an answer, a correction, a follow-on, or a new command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Literal

from device.nlu.acts import (
    FIXED,
    affirms,
    correction,
    exact_act,
    follow_on,
    further,
    interruption,
    repairs,
    strip_fillers,
    to_device,
)
from device.nlu.fragments import Fragments, Strict, choose
from device.nlu.pack import Pack
from device.nlu.reference import References
from device.nlu.resolve import ResolveContext
from device.nlu.split import distribute, split
from device.nlu.types import OOS, Act, Interpretation, Slot, Slots
from device.nlu.understand import LONGEST_LOOSE, Understander, clean, is_command
from device.speech.bias.choice import Known
from device.speech.bias.sentences import Sentences

SURE_COMMAND: Final = 0.9
"""How sure a reading must be that words are a new command and not the answer to the open question."""

SURE_ACT: Final = 0.6
"""How sure the model must be of a yes, a no or a cancel that is said in other words than the fixed ones."""

_FRAGMENT_WORDS: Final = 8
_TARGETS: Final = frozenset({"device", "room"})
_POINTING_BACK: Final = frozenset({"it", "that"})
_STEPS: Final = frozenset({"up", "down", "dim", "brighten", "next", "tell", "pick", "suggest", "recommend"})
"""Intents, by their short names, that can be wanted once more: a step further, another joke."""
_BARE_ACTS: Final = frozenset({Act.AFFIRM, Act.DENY, Act.CANCEL, Act.REPEAT})


@dataclass(frozen=True, slots=True)
class Situation:
    """What the dialogue is in the middle of.

    Attributes:
        intent: Of the open question, else of the last command; empty if there is none.
        question: Words of the open question; empty if none is open.
        slot: Slot asked for; empty when a yes or no is expected.
        options: Names among which to choose.
        slots: Of that command, as far as they are filled.
        referents: What "it" may stand for, likeliest first: "the pasta timer", "the kitchen light".
        together: What "them" stands for, where the last breath named several things: "reading lamp", "floor lamp".
    """

    intent: str = ""
    question: str = ""
    slot: str = ""
    options: tuple[str, ...] = ()
    slots: Slots = field(default_factory=dict)
    referents: tuple[str, ...] = ()
    together: tuple[str, ...] = ()


class Interpreter:
    """Understands an utterance in its situation.

    Args:
        understander: Reads commands.
        packs: Their slot types say which answers are closed lists and which free words.
    """

    def __init__(self, understander: Understander, packs: Sequence[Pack]) -> None:
        self.understander = understander
        self._fragments = Fragments(understander, packs)
        self._references = References(understander)
        # What holds commands itself ("when I say party, ...") takes all that follows.
        self._teaching = frozenset(name for name, spec in understander.specs.items() if "command" in spec.slots)

    def interruption(self, text: str) -> Literal["stop", "snooze"] | None:
        """What a short utterance over the device's own sound asks for; a lone word may be a misheard "stop"."""
        words = clean(text)
        if len(words) == 1 and self.understander.sounds_like(words[0], "stop"):
            return "stop"
        return interruption(text)

    def sentences(self, situation: Situation) -> Sentences:
        """What can be said in a situation, for ears that can be told."""
        if not situation.question:
            return self.understander.sentences("", "")  # a bare yes or no would answer nothing
        return self.understander.sentences(situation.intent, situation.slot, (*FIXED, *situation.options))

    def known(self, situation: Situation) -> Known:
        """What can be said in a situation, for the choice between that and free words."""
        understander = self.understander
        return Known(self.sentences(situation).breadth, understander.pronounce, understander.slot_words)

    def near_miss(self, text: str, command: str) -> tuple[Interpretation, ...]:
        """A command but for words that this device does not know, in the slot `said`; empty if it is none.

        Args:
            text: What was said.
            command: The nearest command.
        """
        unknown = self.understander.unknown_words(clean(text), clean(command))
        if unknown is None:
            return ()
        reason = f"“{command}”, but for “{unknown}”"
        return (Interpretation(OOS, {"said": Slot(unknown)}, text=text, reasons=(reason,)),)

    def understand(
        self, text: str, situation: Situation, context: ResolveContext, *, by_sound: bool = True
    ) -> tuple[Interpretation, ...]:
        """What was said.

        Args:
            text: Its words.
            situation: What the dialogue is in the middle of.
            context: For resolving slot values.
            by_sound: Misheard words may be searched by their sound; not where the ears knew what can be said, and
                believe that it was something else.

        Returns:
            Commands of one breath in order, or one answer; empty if there are no words.
        """
        words = clean(text)
        if not words:
            return ()
        return self._in_dialogue(words, situation, context) or self._commands(words, situation, context, by_sound)

    def _in_dialogue(
        self, words: tuple[str, ...], situation: Situation, context: ResolveContext
    ) -> tuple[Interpretation, ...]:
        """The utterance as a part of what is going on; empty if it stands by itself."""
        act = exact_act(words)
        fixed = _dialogue("", {}, act, words, 1.0, f"a fixed way to {act}") if act else None
        if fixed and situation.question:
            return (fixed,)
        if changed := self._other_value(words, situation, context):
            return (changed,)
        if them := self._references.them(words, situation.intent, situation.together, context):
            return them
        if meant := self._it(words, situation, context):
            return (meant,)
        if fixed and (act in (Act.CANCEL, Act.REPEAT) or self.understander.exact(words, context) is None):
            return (fixed,)
        reading = None
        if situation.question:
            reading = self._answer(words, situation, context)
        elif situation.intent:
            reading = self._referring(words, situation, context)
        else:
            reading = self._meant(words, context)
        return (reading,) if reading else ()

    def _commands(
        self, words: tuple[str, ...], situation: Situation, context: ResolveContext, by_sound: bool
    ) -> tuple[Interpretation, ...]:
        def read(part: Sequence[str]) -> Interpretation:
            meant = self._it(tuple(part), situation, context) if len(part) < len(words) else None
            return meant or self.understander.command(part, context, situation.question, by_sound=False)

        whole = read(words)
        repaired = None if whole.confidence == 1.0 and is_command(whole) else self._repaired(words, context)
        if repaired:
            return (repaired,)
        shared = self._shared(words, context)
        if shared:
            return shared
        commands = self._references.chained(split(words, read, whole, self._teaching), context)
        if len(commands) > 1 or whole.source == "grammar":
            return tuple(each for command in commands for each in self._each(command, context))
        alone = situation.question or not situation.intent or len(words) > _FRAGMENT_WORDS
        if not alone and not is_command(whole) and to_device(words, _begins_nothing):
            slots = self._fragments.whole(words, situation.intent, context)
            if slots:
                reason = f"a fragment of {situation.intent}"
                return (_dialogue(situation.intent, slots, Act.INFORM, words, 0.6, reason),)
        whole = self.understander.command(words, context, situation.question, by_sound=by_sound)
        same = situation.question and whole.source == "model" and whole.intent == situation.intent
        asked = whole.slots.get(situation.slot)
        if same and (asked is None or asked.value is None) and not self.understander.begins(whole.intent, words[0]):
            # Only the question made the model think of it: neither "maybe" nor "coconut" is a new command.
            return (Interpretation(OOS, text=whole.text, reasons=("says nothing to the open question",)),)
        return self._each(whole, context)

    def _it(self, words: tuple[str, ...], situation: Situation, context: ResolveContext) -> Interpretation | None:
        return self._references.it(words, situation.intent, situation.referents, context)

    # Inside one command ----------------------------------------------------------------------------------------

    def _repaired(self, words: tuple[str, ...], context: ResolveContext) -> Interpretation | None:
        """One command that corrects itself: "set a timer for ten, no, fifteen minutes"."""
        if len(words) > LONGEST_LOOSE:
            return None
        for before, after in repairs(words):
            first = self.understander.command(before, context, by_sound=False)
            if not is_command(first):
                continue
            second = self.understander.command(after, context, by_sound=False)
            if is_command(second) and second.confidence == 1.0 and len(after) > 2 and second.intent == first.intent:
                return replace(second, reasons=(*second.reasons, "corrects itself"))
            slots = self._fragments.whole(after, first.intent, context) or self._fragments.fill(
                after, first.intent, context
            )
            if slots:
                kept = {name: slot for name, slot in first.slots.items() if slot.value is not None}
                reasons = (*first.reasons, f"corrects itself with “{' '.join(after)}”")
                return replace(first, slots={**kept, **slots}, text=" ".join(words), reasons=reasons)
        return None

    def _shared(self, words: tuple[str, ...], context: ResolveContext) -> tuple[Interpretation, ...]:
        """Two names with one verb ("switch the kitchen light and the hall light off"), where the grammar has it."""
        for at in (i for i, word in enumerate(words[:LONGEST_LOOSE]) if word == "and" and i > 1):
            for end in range(len(words), at + 1, -1):
                first = self.understander.exact((*words[:at], *words[end:]), context)
                if first is None or first.confidence < 1.0:
                    continue
                name = words[at + 1 : end]
                for slot in self.understander.specs[first.intent].slots.keys() & _TARGETS:
                    if first.slots.keys() & _TARGETS and self._fragments.is_known(
                        " ".join(name), first.intent, slot, context
                    ):
                        kept = {key: value for key, value in first.slots.items() if key not in _TARGETS}
                        text = " ".join(strip_fillers(name))
                        second = replace(first, slots={**kept, slot: Slot(text, text)}, text=" ".join(words))
                        return first, second
        return ()

    def _each(self, command: Interpretation, context: ResolveContext) -> tuple[Interpretation, ...]:
        """One command for each name of an enumeration ("the kitchen and the bedroom lights").

        A name that is not of this household is no value where a yes would have to be asked for: nobody is to confirm
        what can't be done.
        """
        spec = self.understander.specs.get(command.intent)
        if spec is None or command.source == "grammar":
            return (command,)
        known: dict[str, Callable[[str], bool]] = {
            name: partial(self._fragments.is_known, intent=command.intent, slot=name, context=context)
            for name in command.slots
            if self._fragments.type_of(command.intent, name).household
        }
        if spec.confirm:
            unknown = {n: Slot(s.text) for n, s in command.slots.items() if n in known and not known[n](s.text)}
            command = replace(command, slots={**command.slots, **unknown})
        return distribute(command, known)

    # Answers to an open question -------------------------------------------------------------------------------

    def _answer(self, words: tuple[str, ...], situation: Situation, context: ResolveContext) -> Interpretation | None:
        """The utterance as an answer to the open question; None if it is a command of its own or nothing."""
        choice = choose(words, situation.options) if situation.options else None
        if choice and not (_more_than(words, choice) and self._another(words, situation, context)):
            slots = {situation.slot: Slot(choice, choice)}
            return _dialogue(situation.intent, slots, Act.SELECT, words, 1.0, "one of the names offered")
        corrected = correction(words)
        changed = self._fragments.fill(corrected, situation.intent, context) if corrected else {}
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
        if act not in _BARE_ACTS or probability < SURE_ACT or (act is Act.AFFIRM and not affirms(words)):
            return None
        reading = _dialogue("", {}, act, words, probability, f"the model takes it as {act}, {probability:.0%}")
        return replace(reading, source="model")

    def _inform(self, words: tuple[str, ...], situation: Situation, context: ResolveContext) -> Interpretation | None:
        """The asked-for slot, with others that came along ("seven | tomorrow")."""
        command = self.understander.command(words, context, situation.question, by_sound=False)
        again = is_command(command) and command.intent == situation.intent and command.slots
        if again and command.source == "grammar":
            return None  # a whole command again, which takes the place of the open one
        if again and situation.slot in command.slots and self.understander.begins(situation.intent, words[0]):
            return replace(command, act=Act.INFORM)  # "add socks to it" where only "socks" was asked for
        # "Turn on the light" answers no question; "the kitchen light" does, whatever the grammar makes of it.
        another = self._another(words, situation, context)
        if self._fragments.type_of(situation.intent, situation.slot).wildcard:
            if another and (command.source == "grammar" or not self._takes_as_answer(words, situation)):
                return None
            text = " ".join(strip_fillers(words))
            slots = {situation.slot: Slot(text, text)}
        else:
            if len(self._parts(words, situation, context)) > 1 or not to_device(words, _begins_nothing):
                return None
            strict: Strict = "wholly" if another else False
            slots = self._fragments.fill(words, situation.intent, context, wanted=situation.slot, strict=strict)
            if situation.slot not in slots:
                return None
        return _dialogue(situation.intent, slots, Act.INFORM, words, 0.95, f"answers “{situation.question}”")

    def _another(self, words: tuple[str, ...], situation: Situation, context: ResolveContext) -> bool:
        """The words are surely a command, and not the one that is open; or they are several."""
        command, *others = self._parts(words, situation, context)
        sure = is_command(command) and command.confidence >= SURE_COMMAND
        return bool(others) or (sure and command.intent != situation.intent)

    def _parts(
        self, words: tuple[str, ...], situation: Situation, context: ResolveContext
    ) -> tuple[Interpretation, ...]:
        def read(part: Sequence[str]) -> Interpretation:
            return self.understander.command(part, context, situation.question, by_sound=False)

        return split(words, read, read(words), self._teaching)

    def _takes_as_answer(self, words: tuple[str, ...], situation: Situation) -> bool:
        prediction = self.understander.predict(words, situation.question)
        return prediction is not None and prediction.acts[0][0] is Act.INFORM

    # Corrections and carry-over --------------------------------------------------------------------------------

    def _referring(
        self, words: tuple[str, ...], situation: Situation, context: ResolveContext
    ) -> Interpretation | None:
        """As in "no, fifteen minutes" and "what about tomorrow": the last command with other slots."""
        if further(words) and situation.intent.partition(".")[2] in _STEPS:
            return _dialogue(situation.intent, dict(situation.slots), Act.COMMAND, words, 0.9, "the same once more")
        whole = self.understander.command(words, context, by_sound=False)
        if is_command(whole) and whole.source == "grammar":
            return None
        corrected = correction(words)
        if corrected:
            return self._changed(corrected, words, situation, context)
        rest = follow_on(words)
        return self._carried_over(rest, words, situation, context) if rest else None

    def _meant(self, words: tuple[str, ...], context: ResolveContext) -> Interpretation | None:
        """What follows "no, I meant", where nothing was understood before that it could change."""
        rest = correction(words)
        if rest is None or "not" in words[: len(words) - len(rest)]:
            return None
        whole = self.understander.command(words, context, by_sound=False)
        if is_command(whole) and whole.source == "grammar":
            return None
        command = self.understander.command(rest, context, by_sound=False)
        sure = is_command(command) and command.confidence >= SURE_COMMAND
        return replace(command, reasons=(*command.reasons, "said again in other words")) if sure else None

    def _other_value(
        self, words: tuple[str, ...], situation: Situation, context: ResolveContext
    ) -> Interpretation | None:
        """The last command with another value of what it said: "make it fifteen minutes". "It" is no thing there."""
        rest = correction(words) if situation.intent and not situation.question else None
        if not rest or _POINTING_BACK.isdisjoint(words[: len(words) - len(rest)]):
            return None
        slots = self._fragments.whole(rest, situation.intent, context)
        if not slots or not slots.keys() <= situation.slots.keys():
            return None
        return _dialogue(situation.intent, slots, Act.CORRECT, words, 0.9, "corrects the last command")

    def _changed(
        self, rest: tuple[str, ...], words: tuple[str, ...], situation: Situation, context: ResolveContext
    ) -> Interpretation | None:
        """The last command with what a correction says, or another command in its place."""
        complete = self.understander.command(rest, context, by_sound=False)
        reason = "corrects the last command"
        value = self._fragments.whole(rest, situation.intent, context)
        if value and complete.source != "grammar":
            return _dialogue(situation.intent, value, Act.CORRECT, words, 0.9, reason)
        if is_command(complete) and complete.confidence >= SURE_COMMAND:
            same = complete.intent == situation.intent
            return replace(complete, act=Act.CORRECT, reasons=(*complete.reasons, reason)) if same else complete
        # "Not the kitchen, the bedroom": what is said last is meant.
        instead = "not" in words[:2]
        tails = (rest[start:] for start in range(1, len(rest))) if instead else ()
        found = (self._fragments.whole(tail, situation.intent, context) for tail in tails)
        slots = next((slots for slots in found if slots), None) or self._fragments.fill(rest, situation.intent, context)
        return _dialogue(situation.intent, slots, Act.CORRECT, words, 0.9, reason) if slots else None

    def _carried_over(
        self, rest: tuple[str, ...], words: tuple[str, ...], situation: Situation, context: ResolveContext
    ) -> Interpretation | None:
        """The last command with another value: "what about tomorrow", "and eggs"."""
        complete = self.understander.command(rest, context, by_sound=False)
        sure = is_command(complete) and complete.confidence >= SURE_COMMAND
        if is_command(complete) and (
            complete.source == "grammar" or (sure and self.understander.begins(complete.intent, rest[0]))
        ):
            return complete
        reason = "carries the last command over"
        slots = self._fragments.fill(rest, situation.intent, context)
        if slots:
            return _dialogue(situation.intent, slots, Act.INFORM, words, 0.9, reason)
        free = [name for name in situation.slots if self._fragments.type_of(situation.intent, name).wildcard]
        about = len(rest) < len(words) - 1  # "what about ..." begins no command, "and ..." may
        if free and (about or not sure):
            text = " ".join(strip_fillers(rest))
            return _dialogue(situation.intent, {free[0]: Slot(text, text)}, Act.INFORM, words, 0.8, reason)
        return complete if sure else None


def _begins_nothing(*_words: str) -> bool:
    return False


def _more_than(words: Sequence[str], choice: str) -> bool:
    """True if the words say more than a name ("the kitchen one, please"): they may be something else altogether."""
    return len(strip_fillers(words)) > len(choice.split()) + 1


def _dialogue(
    intent: str, slots: dict[str, Slot], act: Act, words: Sequence[str], confidence: float, reason: str
) -> Interpretation:
    return Interpretation(intent, slots, confidence, "dialogue", act, " ".join(words), (reason,))
