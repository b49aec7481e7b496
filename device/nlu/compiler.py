"""From skill packs to a grammar: looks up slots, types and rules, and says which phrase is at fault."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from device.errors import PackError
from device.nlu.grammar import Automaton, CallArc, Canonical, Grammar, State, TypeAutomaton
from device.nlu.pack import IntentSpec, Pack, TypeSpec, ValueSpec, all_types
from device.nlu.template import Body, Call, Node, TemplateAutomaton, TemplateError, parse
from device.nlu.text import words


class Compiler:
    """Compiles all packs; see `device.nlu.grammar.compile_grammar` for arguments and errors."""

    def __init__(self, packs: Sequence[Pack], names: Mapping[str, Sequence[str]]) -> None:
        self._packs = {pack.skill: pack for pack in packs}
        self._common_types = all_types(packs)
        first_wins = list(reversed(packs))
        self._home_of_type = {name: pack.skill for pack in first_wins for name in pack.types}
        self._home_of_rule = {name: pack.skill for pack in first_wins for name in pack.rules}
        self._names = names
        self._words = lru_cache(maxsize=None)(words)  # several skills' types take the same names
        self._types: dict[str, TypeAutomaton] = {}
        self._open_types: list[str] = []
        for key in names:
            skill, _, type_ = key.rpartition(".")
            types = self._packs[skill].types if skill in self._packs else {} if skill else self._common_types
            if type_ in types and not types[type_].household:
                raise PackError(
                    f"pack `{skill or self._home_of_type[type_]}`, type `{type_}`: is no list of household names.",
                    remedy=f"Write `household: true` into the type, or give no names for `{key}`.",
                )

    def compile(self) -> Grammar:
        """The grammar of all intents that have phrases.

        Raises:
            PackError: A pack is wrong.
        """
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
                raise self._unknown("slot", f"{{{slot}}}", slot, intent.slots, f"the intent `{name}` has no")
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
            raise self._unknown("type", name, name, {**self._common_types, **self._packs[skill].types}, "no pack has a")
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
        names = self._names.get(f"{skill}.{name}", self._names.get(name, ())) if spec.household else ()

        said = [self._words(given) for given in names]
        if not all(said):
            raise PackError(
                f"a {name} of this household has a name without words ({names[said.index(())]!r}).",
                remedy="Give it a name that can be said.",
            )

        def call(other: str) -> Call:
            return Call("", self._type(skill, other))

        def build(templates: Iterable[str]) -> tuple[Node, ...]:
            automaton = TemplateAutomaton(call, self._rule)
            for number, template in enumerate(templates):
                automaton.add(template, skill, number)
            for number, household_name in enumerate(said, len(values)):
                automaton.add_words(household_name, number)
            return automaton.build()

        nodes = _located(build, list(entries), f"pack `{skill}`, type `{name}`, value")
        return TypeAutomaton(name, _states(nodes, [*values, *names]))

    def _rule(self, skill: str, name: str) -> Body:
        own = self._packs[skill].rules
        if name not in own and name not in self._home_of_rule:
            raise self._unknown("rule", f"<{name}>", name, {**self._home_of_rule, **own}, "no pack has a")
        home = skill if name in own else self._home_of_rule[name]
        return parse(self._packs[home].rules[name]), home

    def _unknown(self, kind: str, written: str, name: str, known: Collection[str], owner: str) -> TemplateError:
        close = difflib.get_close_matches(name, list(known), n=1)
        remedy = f"Did you mean `{close[0]}`?" if close else f"Known: {', '.join(sorted(known)) or 'none'}."
        return TemplateError(f"{owner} {kind} `{written}`", remedy)


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
