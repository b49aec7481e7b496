"""Gadgets to be spoken to: one that knows its own pack and nothing else, or the whole assistant with that pack."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from device.app import build_brain
from device.app.parts import sound_rescue
from device.clock import Clock
from device.config import load_config
from device.dialogue.conversation import Conversation, Memory
from device.errors import BadInput
from device.nlu.answer import Interpreter
from device.nlu.grammar import Automaton, Canonical, Grammar, compile_grammar
from device.nlu.pack import PACKS_DIR, Pack, TypeSpec, ValueSpec, load_pack, load_packs
from device.nlu.text import spoken
from device.nlu.understand import Understander
from device.workers import Workers

MOST_WORDINGS: Final = 20_000
"""Ways to fill a slot above which nothing can be taken out of it."""


def read_packs(paths: Sequence[Path]) -> list[Pack]:
    """Packs by their files.

    Raises:
        BadInput: There is no such file, or it is no pack.
    """
    for path in paths:
        if not path.is_file():
            raise BadInput(f"There is no pack {path}.", remedy="Give a pack's YAML file.")
    return [load_pack(path) for path in paths]


def alone(packs: Sequence[Pack], home: Path, clock: Clock, workers: Workers) -> Conversation:
    """A gadget that knows these packs and the common slot types, and has no language model.

    Raises:
        PackError: A pack is wrong.
    """
    known = (load_pack(PACKS_DIR / "_common.yaml"), *packs)
    grammar = compile_grammar(known)
    specs = {f"{pack.skill}.{name}": spec for pack in known for name, spec in pack.intents.items()}
    understander = Understander(grammar, specs, None, sound_rescue(grammar, known, None, home, []))
    memory = Memory(taught=lambda said: None, record=lambda turn: None)
    return Conversation(Interpreter(understander, known), known, {}, clock, workers, memory)


def with_built_in(packs: Sequence[Pack], home: Path, clock: Clock, workers: Workers) -> Conversation:
    """The whole assistant in a fresh home, with these packs beside those that ship.

    Raises:
        DeviceError: It can't be built; a pack takes the name of a skill that ships.
    """
    shipped = load_packs(PACKS_DIR)
    folder = home / "packs"
    folder.mkdir(parents=True)
    for pack in packs:
        if pack not in shipped:
            (folder / f"{pack.skill}.yaml").write_bytes(msgspec.json.encode(pack))  # JSON is YAML, too
    return build_brain(load_config(home), home, clock, workers).conversation


def without(packs: Sequence[Pack], slot: str, value: str) -> list[Pack]:
    """Packs in which a slot can't have a value any more: its words, and all other words for the same value.

    Raises:
        BadInput: No intent has this slot, or it is not filled from a list of words, or the value is none or the last.
    """
    changed = list(packs)
    words = tuple(spoken(value).split())
    taken = False
    known: set[str] = set()
    for number, pack in enumerate(packs):
        for type_ in {spec.slot_type(slot) for spec in pack.intents.values() if slot in spec.slots}:
            wordings = dict(_wordings(pack, type_, slot))
            known.update(map(" ".join, wordings))
            if words not in wordings:
                continue
            out = wordings[words]
            rest = [w for w in wordings.items() if w[0] != words and (out is None or w[1] != out)]
            if not rest:
                raise BadInput(f"“{value}” is all that can be said for {slot}.", remedy="Take out another value.")
            values = tuple(ValueSpec(" ".join(said), value_) for said, value_ in rest)
            types = {**changed[number].types, type_: TypeSpec(values=values)}
            changed[number] = msgspec.structs.replace(changed[number], types=types)
            taken = True
    if not taken:
        close = difflib.get_close_matches(spoken(value), known, n=3) or sorted(known)[:3]
        remedy = f"It can be: {', '.join(close)}." if known else "Name a slot of the pack."
        raise BadInput(f"“{value}” can't be said for {slot}.", remedy=remedy)
    return changed


def _wordings(pack: Pack, type_: str, slot: str) -> Iterator[tuple[tuple[str, ...], Canonical]]:
    """All words that may fill a slot of a type, with the values that they stand for."""
    grammar = compile_grammar([load_pack(PACKS_DIR / "_common.yaml"), pack])
    automaton = grammar.types.get(f"{pack.skill}.{type_}") or grammar.types[type_]
    if automaton.wildcard:
        raise BadInput(f"{slot} takes free words.", remedy="Name a slot that is filled from a list.")
    for count, found in enumerate(_said(grammar, automaton.states, 0)):
        if count == MOST_WORDINGS:
            raise BadInput(f"{slot} can be filled in too many ways.", remedy="Name a slot that is filled from a list.")
        yield found


def _said(grammar: Grammar, states: Automaton, state: int) -> Iterator[tuple[tuple[str, ...], Canonical]]:
    at = states[state]
    if at.final:
        yield (), at.value
    for word, target in at.words.items():
        for rest, value in _said(grammar, states, target):
            yield (word, *rest), value
    for call in at.calls:
        for inside, _ in _said(grammar, grammar.types[call.type].states, 0):
            for rest, value in _said(grammar, states, call.target):
                yield (*inside, *rest), value
