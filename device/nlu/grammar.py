"""The grammar: skill packs compiled to word automata.

One automaton an intent and one a type. A slot is a *call*: an arc that runs through the automaton of its
type, so types are compiled once, slots keep their borders even side by side, and a household with thousands
of names stays small (a recursive transition network without recursion; Woods 1970, "Transition network
grammars for natural language analysis"). All automata are deterministic on words, minimal and acyclic: arcs
lead to later states.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

import msgspec

from device.nlu.pack import Pack

Canonical: TypeAlias = str | float | int | None
"""Value of a closed list's entry; None where the words are resolved to a value afterwards."""

_FORMAT = b"homebody-grammar-1"


class CallArc(msgspec.Struct, frozen=True, array_like=True):
    """Words of a type stand here.

    Attributes:
        slot: Slot of the intent that they fill; empty inside another type's automaton.
        type: Key into `Grammar.types`.
        target: State behind them.
    """

    slot: str
    type: str
    target: int


class State(msgspec.Struct, frozen=True, array_like=True):
    """One state of an automaton.

    Attributes:
        words: Next word to next state.
        calls: Types whose words may stand next.
        final: A sentence (or a type's words) may end here.
        value: Canonical value when a closed list's entry ends here.
    """

    words: dict[str, int]
    calls: tuple[CallArc, ...] = ()
    final: bool = False
    value: Canonical = None


Automaton: TypeAlias = tuple[State, ...]
"""The start is state 0. It has no arcs where nothing can be said (a household type without names)."""


class TypeAutomaton(msgspec.Struct, frozen=True, array_like=True):
    """What may be said for a type: its automaton, or, for a wildcard, one or more words of any kind."""

    name: str
    states: Automaton
    wildcard: bool = False


class Grammar(msgspec.Struct, frozen=True, dict=True):
    """All that is understood without a model.

    Attributes:
        intents: Full intent name (`timer.start`) to its automaton, in the order of the packs.
        types: Type key to automaton. The key is the type's name, or `skill.name` for a type that only this
            skill sees because an earlier pack defines the same name.
    """

    intents: dict[str, Automaton]
    types: dict[str, TypeAutomaton]

    @cached_property
    def intent_names(self) -> tuple[str, ...]:
        """Full intent names, in the order of the packs."""
        return tuple(self.intents)

    @cached_property
    def intents_by_word(self) -> Mapping[str, Sequence[int]]:
        """First word outside of a slot to the numbers of the intents that may begin with it."""
        index: dict[str, list[int]] = {}
        for number, states in enumerate(self.intents.values()):
            for word in states[0].words:
                index.setdefault(word, []).append(number)
        return index

    @cached_property
    def intents_by_type(self) -> Mapping[str, Sequence[int]]:
        """Type key to the numbers of the intents that may begin with a slot of this type."""
        index: dict[str, list[int]] = {}
        for number, states in enumerate(self.intents.values()):
            for key in {call.type for call in states[0].calls}:
                index.setdefault(key, []).append(number)
        return index

    def to_bytes(self) -> bytes:
        """Serialize for a cache on disk; name it by `grammar_key`."""
        data = msgspec.msgpack.encode(self)
        return _FORMAT + hashlib.sha256(data).digest() + data

    @staticmethod
    def from_bytes(data: bytes) -> Grammar:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: Damaged, or written by another version.
        """
        start = len(_FORMAT) + hashlib.sha256().digest_size
        if not data.startswith(_FORMAT):
            raise ValueError("not a compiled grammar of this version")
        if hashlib.sha256(data[start:]).digest() != data[len(_FORMAT) : start]:
            raise ValueError("damaged grammar")
        return msgspec.msgpack.decode(data[start:], type=Grammar)


def grammar_key(packs: Sequence[Pack], names: Mapping[str, Sequence[str]] | None = None) -> str:
    """Hex SHA-256 of everything that a compiled grammar depends on."""
    content = (packs, sorted((key, list(value)) for key, value in (names or {}).items()))
    return hashlib.sha256(_FORMAT + msgspec.msgpack.encode(content)).hexdigest()


def compile_grammar(packs: Sequence[Pack], names: Mapping[str, Sequence[str]] | None = None) -> Grammar:
    """Compile packs.

    A rule or type is looked up in the pack that uses it, then in all packs, of which the first has it (`_common`
    is read first).

    Args:
        packs: All packs, with the common one.
        names: Household names by type (`room`, `device`, ...), in plain words; a skill's own type of that name
            takes them, too, unless there are some for it alone (`light.device`). Those of types that no pack has
            are ignored.

    Raises:
        PackError: Unknown slot, type or rule; rules or types that refer to each other in a circle; a template
            that can't be parsed or can be said without words; names for a type that is not `household`. Names
            skill, intent and phrase.
    """
    from device.nlu.compiler import Compiler  # with hassil 150 ms to import, not needed where the cache holds it

    return Compiler(packs, names or {}).compile()
