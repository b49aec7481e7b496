"""The grammar: skill packs compiled to word automata.

One automaton an intent and one a type. A slot is a *call*: an arc that runs through the automaton of its
type, so types are compiled once, slots keep their borders even side by side, and a household with thousands
of names stays small (a recursive transition network without recursion; Woods 1970, "Transition network
grammars for natural language analysis"). All automata are deterministic on words, minimal and acyclic: arcs
lead to later states.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

import msgspec

from device.errors import PackError
from device.nlu.pack import IntentSpec, Pack, TypeSpec, ValueSpec, all_types
from device.nlu.template import Body, Call, Node, TemplateAutomaton, TemplateError, parse
from device.nlu.text import words

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
            skill sees because a later pack defines the same name.
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
        return _FORMAT + msgspec.msgpack.encode(self)

    @staticmethod
    def from_bytes(data: bytes) -> Grammar:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: Damaged, or written by another version.
        """
        if not data.startswith(_FORMAT):
            raise ValueError("not a compiled grammar of this version")
        try:
            return msgspec.msgpack.decode(data[len(_FORMAT) :], type=Grammar)
        except msgspec.DecodeError as error:
            raise ValueError(f"damaged grammar: {error}") from error


def grammar_key(packs: Sequence[Pack], names: Mapping[str, Sequence[str]] | None = None) -> str:
    """Hex SHA-256 of everything that a compiled grammar depends on."""
    content = (packs, sorted((key, list(value)) for key, value in (names or {}).items()))
    return hashlib.sha256(_FORMAT + msgspec.msgpack.encode(content)).hexdigest()


def compile_grammar(packs: Sequence[Pack], names: Mapping[str, Sequence[str]] | None = None) -> Grammar:
    """Compile packs.

    A rule or type is looked up in the pack that uses it first, then in all packs (the last one wins).

    Args:
        packs: All packs, with the common one.
        names: Household names by type (`room`, `device`, ...), in plain words. Those of types that
            no pack has are ignored.

    Raises:
        PackError: Unknown slot, type or rule; rules or types that refer to each other in a circle; a template
            that can't be parsed or can be said without words; names for a type that is not `household`. Names
            skill, intent and phrase.
    """
    return _Compiler(packs, names or {}).compile()


class _Compiler:
    def __init__(self, packs: Sequence[Pack], names: Mapping[str, Sequence[str]]) -> None:
        self._packs = {pack.skill: pack for pack in packs}
        self._common_types = all_types(packs)
        self._home_of_type = {name: pack.skill for pack in packs for name in pack.types}
        self._home_of_rule = {name: pack.skill for pack in packs for name in pack.rules}
        self._names = names
        self._types: dict[str, TypeAutomaton] = {}
        self._open_types: list[str] = []
        for name, given in names.items():
            if any(not words(name_) for name_ in given):
                raise PackError(f"a {name} of this household has a name without words.", remedy="Name it.")
            if name in self._common_types and not self._common_types[name].household:
                raise PackError(
                    f"pack `{self._home_of_type[name]}`, type `{name}`: is no list of household names.",
                    remedy=f"Write `household: true` into the type, or give no names for `{name}`.",
                )

    def compile(self) -> Grammar:
        intents = {
            f"{pack.skill}.{name}": self._intent(pack, name, intent)
            for pack in self._packs.values()
            for name, intent in pack.intents.items()
            if intent.phrases
        }
        return Grammar(intents, self._types)

    def _intent(self, pack: Pack, name: str, intent: IntentSpec) -> Automaton:
        def call(slot: str) -> Call:
            if slot not in intent.slots:
                raise self._unknown("slot", f"{{{slot}}}", slot, intent.slots, f"the intent `{name}`")
            return Call(slot, self._type(pack.skill, intent.slot_type(slot)))

        def build(phrases: Iterable[str]) -> tuple[Node, ...]:
            automaton = TemplateAutomaton(call, self._rule)
            for phrase in phrases:
                automaton.add(phrase, pack.skill)
            return automaton.build()

        return _states(_located(build, intent.phrases, f"pack `{pack.skill}`, intent `{name}`, phrase"))

    def _type(self, skill: str, name: str) -> str:
        """Compile a type as seen from a skill, and return its key."""
        own = name in self._packs[skill].types
        if not own and name not in self._common_types:
            raise self._unknown("type", name, name, {**self._common_types, **self._packs[skill].types}, "the packs")
        home = skill if own else self._home_of_type[name]
        key = name if home == self._home_of_type[name] else f"{home}.{name}"
        if key in self._open_types:
            circle = " -> ".join([*self._open_types[self._open_types.index(key) :], key])
            raise TemplateError(
                f"its types refer to each other in a circle ({circle})",
                "Write one of them out without the others.",
            )
        if key not in self._types:
            self._open_types.append(key)
            self._types[key] = self._compile_type(home, name, self._packs[home].types[name])
            self._open_types.pop()
        return key

    def _compile_type(self, skill: str, name: str, spec: TypeSpec) -> TypeAutomaton:
        if spec.wildcard:
            return TypeAutomaton(name, (), wildcard=True)
        entries = dict(_entry(value) for value in spec.values)
        if spec.template is not None:
            entries[spec.template] = None
        values = list(entries.values())
        names = self._names.get(name, ()) if spec.household else ()

        def call(other: str) -> Call:
            return Call("", self._type(skill, other))

        def build(templates: Iterable[str]) -> tuple[Node, ...]:
            automaton = TemplateAutomaton(call, self._rule)
            for number, template in enumerate(templates):
                automaton.add(template, skill, number)
            for number, household_name in enumerate(names, len(values)):
                automaton.add_words(words(household_name), number)
            return automaton.build()

        nodes = _located(build, list(entries), f"pack `{skill}`, type `{name}`, value")
        return TypeAutomaton(name, _states(nodes, [*values, *names]))

    def _rule(self, skill: str, name: str) -> Body:
        own = self._packs[skill].rules
        if name not in own and name not in self._home_of_rule:
            raise self._unknown("rule", f"<{name}>", name, {**self._home_of_rule, **own}, "the packs")
        home = skill if name in own else self._home_of_rule[name]
        return parse(self._packs[home].rules[name]), home

    def _unknown(self, kind: str, written: str, name: str, known: Collection[str], place: str) -> TemplateError:
        close = difflib.get_close_matches(name, list(known), n=1)
        remedy = f"Did you mean `{close[0]}`?" if close else f"Known: {', '.join(sorted(known)) or 'none'}."
        return TemplateError(f"{place} has no {kind} `{written}`", remedy)


def _states(nodes: tuple[Node, ...], values: Sequence[Canonical] = (None,)) -> Automaton:
    return tuple(
        State(
            node.words,
            tuple(CallArc(call.slot, call.type, target) for call, target in node.calls.items()),
            node.accepts is not None,
            None if node.accepts is None else values[node.accepts],
        )
        for node in nodes
    )


def _entry(value: str | ValueSpec) -> tuple[str, Canonical]:
    """Template and canonical value of an entry of a closed list."""
    return (value, value) if isinstance(value, str) else (value.spoken, value.out)


def _located(
    build: Callable[[Iterable[str]], tuple[Node, ...]], templates: Sequence[str], where: str
) -> tuple[Node, ...]:
    """Build from all templates; where that fails, from each alone, to name the one at fault."""
    try:
        return build(templates)
    except TemplateError:
        for template in templates:
            try:
                build([template])
            except TemplateError as error:
                raise PackError(f'{where} "{template}": {error}.', remedy=error.remedy) from error
        raise
