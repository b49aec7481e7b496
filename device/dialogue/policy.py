"""What to do next: pure functions from state and interpretation to a new state and one action.

No I/O, no clock, no skills: `conversation` carries the action out and reports back through `after`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from device.dialogue.state import MAX_TRIES, MEMORY, DialogueState, Done, Pending
from device.nlu.pack import IntentSpec
from device.nlu.types import OOS, Act, Interpretation, Slot
from device.skills.api import Outcome

PRONOUNS = frozenset({"it", "that", "this", "them", "those", "these", "that's", "that one", "this one", "there", "one"})
_TARGETS = frozenset({"device", "room"})
_STEPS = frozenset({"light.dim", "light.brighten"})
_UNDO = frozenset({"undo", "back", "last"})
_STOP = frozenset({"stop", "quit"})

SECOND_THOUGHTS = timedelta(seconds=30)
"""For how long "never mind" and "cancel that" mean the command just carried out; later they only ask for silence."""


@dataclass(frozen=True, slots=True)
class Run:
    """Carry this command out. `corrects` says that it replaces the last one, `confirmed` that a yes was given."""

    command: Interpretation
    corrects: bool = False
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """Speak a question of the pack: the slot's `ask`, or the intent's `confirm` when `slot` is empty."""

    command: Interpretation
    slot: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Say:
    """Speak one of the dialogue's own replies (pack `system`), or `text` as it is."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)
    text: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Undo what the last command did, if its skill knows how."""


Action: TypeAlias = Run | Ask | Say | TakeBack
Specs: TypeAlias = Mapping[str, IntentSpec]
"""Full intent name to its specification."""


def decide(
    state: DialogueState, heard: Sequence[Interpretation], specs: Specs, now: datetime
) -> tuple[DialogueState, Action]:
    """The next action for what was heard.

    Args:
        state: Before this utterance.
        heard: The commands of one breath, in order; at least one. Acts other than `command` come alone.
        specs: Intents by full name.
        now: Wall time.

    Returns:
        The new state, in which `pending` still holds the open question until `asked` replaces it.
    """
    first = heard[0]
    match _act(first):
        case Act.CANCEL:
            if state.pending:
                return _closed(state), Say("cancelled")
            said = set(first.text.split())
            at_once = state.undoable and state.done and now - state.done.at <= SECOND_THOUGHTS and not _STOP & said
            if _UNDO & said or at_once:
                return replace(state, undoable=False), TakeBack()
            return state, Run(replace(first, intent="system.stop", slots={}))
        case Act.REPEAT:
            if state.pending:
                return state, Say("", text=state.pending.question)
            return state, Say("", text=state.last_reply) if state.last_reply else Say("nothing_said")
        case Act.AFFIRM if state.pending and not state.pending.slot:
            return _closed(state, keep_queue=True), Run(state.pending.command, confirmed=True)
        case Act.DENY if state.pending:
            return _closed(state), Say("declined")
        case Act.AFFIRM | Act.DENY if not state.pending:
            return state, Say("nothing_asked")
        case Act.INFORM | Act.SELECT if state.pending and first.slots:
            filled = merge(state.pending.command, first.slots)
            return _complete(_closed(state, keep_queue=True), filled, specs)
        case Act.CORRECT if first.slots:
            return _correct(state, first, specs, now)
        case Act.INFORM | Act.SELECT if first.slots:
            return _carry_over(state, first, specs, now)
    if first.act is not Act.COMMAND or first.intent == OOS:
        return _not_understood(state, first)
    # A new command drops an open question: prompts are never inescapable.
    command, *later = heard
    return start(replace(state, pending=None, queue=tuple(later)), command, specs, now)


def _act(heard: Interpretation) -> Act:
    """The act, also where it was said as a command of the pack `system`."""
    return {"system.cancel": Act.CANCEL, "system.repeat": Act.REPEAT}.get(heard.intent, heard.act)


def start(state: DialogueState, command: Interpretation, specs: Specs, now: datetime) -> tuple[DialogueState, Action]:
    """Begin one command: fill in what "it" means, then ask, confirm or run."""
    return _complete(state, refer(command, _referable(state, command, now), specs[command.intent]), specs)


def merge(command: Interpretation, slots: Mapping[str, Slot]) -> Interpretation:
    """The command with some slots set or replaced."""
    return replace(command, slots={**command.slots, **slots})


def refer(command: Interpretation, mentioned: Mapping[str, Slot], spec: IntentSpec) -> Interpretation:
    """Replace pronouns by what was mentioned; "turn it off" may also leave the slot out altogether."""
    slots = dict(command.slots)
    for name, slot in command.slots.items():
        if slot.text in PRONOUNS:
            del slots[name]
            if name in mentioned:
                slots[name] = mentioned[name]
    words = set(command.text.split())
    # "A bit brighter" goes on with the lamp of before; "it's too dark in here" does not.
    goes_on = command.intent in _STEPS and "here" not in words and "the" not in words
    if PRONOUNS & words or goes_on:
        targets = _TARGETS & spec.slots.keys()
        if not targets & slots.keys():
            slots |= {name: mentioned[name] for name in targets if name in mentioned}
    return command if slots == command.slots else replace(command, slots=slots)


def _referable(state: DialogueState, command: Interpretation, now: datetime) -> Mapping[str, Slot]:
    """What a command's pronouns may mean: what its own skill mentioned; for others "there" is the room."""
    recent = state.recent(now)
    if state.mentioned_by == command.intent.partition(".")[0]:
        return recent
    there = "there" in command.text.split()
    return {name: slot for name, slot in recent.items() if there and name == "room"}


def after(state: DialogueState, command: Interpretation, outcome: Outcome, now: datetime) -> DialogueState:
    """The state once a skill has answered without a question."""
    if outcome.failed:
        return replace(state, pending=None)
    same = state.mentioned_by == command.intent.partition(".")[0]
    # A second timer without a name is not the pizza timer of before.
    kept = {} if same and not outcome.mentioned else state.recent(now)
    mentioned = {**kept, **outcome.mentioned}
    if thing := outcome.mentioned.get("device"):
        others = [name for name in state.together if name != thing.text] if state.together_in == state.turns else []
        state = replace(state, together=(*others, thing.text), together_in=state.turns)
    return replace(
        state,
        pending=None,
        done=Done(command, now),
        mentioned=mentioned,
        mentioned_at=now if outcome.mentioned else state.mentioned_at,
        mentioned_by=command.intent.partition(".")[0] if outcome.mentioned else state.mentioned_by,
        undoable=outcome.undo is not None,
    )


def asked(
    state: DialogueState, command: Interpretation, question: str, slot: str, options: tuple[str, ...] = ()
) -> DialogueState:
    """The state once a question has been spoken."""
    old = state.pending
    again = old is not None and (old.command.intent, old.slot) == (command.intent, slot)
    tries = old.tries + 1 if again and old is not None else 1
    return replace(state, pending=Pending(command, question, slot, options, tries))


def _complete(state: DialogueState, command: Interpretation, specs: Specs) -> tuple[DialogueState, Action]:
    """Ask for the first missing required slot, ask for a confirmation, or run."""
    spec = specs[command.intent]
    for name, slot in spec.slots.items():
        if slot.required and (name not in command.slots or command.slots[name].value is None):
            return state, Ask(command, name, again=name in command.slots)
    if any(slot.required for slot in spec.slots.values()):
        # What only says more about it must not be lost either: "seven on the fortieth of May" is not tomorrow.
        unclear = next((slot.text for slot in command.slots.values() if slot.value is None), "")
        if unclear:
            return state, Say("unclear", {"said": unclear}, failed=True)
    if spec.confirm:
        return state, Ask(command)
    return state, Run(command)


def _correct(state: DialogueState, heard: Interpretation, specs: Specs, now: datetime) -> tuple[DialogueState, Action]:
    """As in "no, fifteen minutes": change the open command, or the one just carried out."""
    if state.pending:
        known = _known(heard.slots, specs[state.pending.command.intent])
        if known:
            return _complete(_closed(state, keep_queue=True), merge(state.pending.command, known), specs)
    elif state.done and now - state.done.at <= MEMORY:
        known = _known(heard.slots, specs[state.done.command.intent])
        if known:
            return state, Run(merge(state.done.command, known), corrects=True)
    return _not_understood(state, heard)


def _carry_over(
    state: DialogueState, heard: Interpretation, specs: Specs, now: datetime
) -> tuple[DialogueState, Action]:
    """As in "and in the bedroom?": the last command again with another slot."""
    if state.done and now - state.done.at <= MEMORY:
        last = state.done.command
        known = _known(heard.slots, specs[last.intent])
        if known:
            # A device and a room are two ways to name a target: a new one of either replaces both.
            replaced = _TARGETS if _TARGETS & known.keys() else frozenset()
            kept = {name: slot for name, slot in last.slots.items() if name not in replaced}
            return _complete(state, replace(last, slots={**kept, **known}, text=heard.text), specs)
    return _not_understood(state, heard)


def _known(slots: Mapping[str, Slot], spec: IntentSpec) -> dict[str, Slot]:
    return {name: slot for name, slot in slots.items() if name in spec.slots and slot.value is not None}


def _not_understood(state: DialogueState, heard: Interpretation) -> tuple[DialogueState, Action]:
    pending = state.pending
    if pending is None and "said" in heard.slots:  # a command, but for these words
        return state, Say("not_known", {"said": heard.slots["said"].text}, failed=True)
    if pending is None:
        return state, Say("not_understood", failed=True)
    if pending.tries >= MAX_TRIES:
        return _closed(state), Say("gave_up", failed=True)
    if pending.options or pending.slot == "":
        return replace(state, pending=replace(pending, tries=pending.tries + 1)), Say("", text=pending.question)
    return state, Ask(pending.command, pending.slot, again=True)


def _closed(state: DialogueState, keep_queue: bool = False) -> DialogueState:
    return replace(state, pending=None, queue=state.queue if keep_queue else ())
