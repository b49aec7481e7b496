"""From hassil templates to a minimal word automaton.

Two steps, as in any regular-expression compiler: the syntax trees become a nondeterministic automaton over
*pieces* of words, boundaries between words, and slots; that is read word by word and made deterministic
(subset construction). Equal states are shared as they are built, children first, which for an acyclic
automaton gives the minimal one (Revuz 1992, "Minimisation of acyclic deterministic automata in linear
time").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import hassil.expression as ast
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError

from device.nlu.text import words

MAX_PERMUTATION = 8
"""Items of one `(a;b;…)`: n items take n·2^(n-1) copies."""


class TemplateError(ValueError):
    """A template can't be used: why, and what to do. The caller knows skill, intent and phrase."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.remedy = remedy


class Call(NamedTuple):
    """A place where the words of a type stand: in a slot, or unnamed inside another type."""

    slot: str
    type: str


Label: TypeAlias = str | Call
Body: TypeAlias = tuple[ast.Expression, str]
"""A parsed rule and the skill whose rules it may refer to."""

_EPSILON = ""
_BOUNDARY = " "
_PLAIN = re.compile(r"[a-z]+(?:'[a-z]+)*")


class Node(NamedTuple):
    """A finished state: words and calls lead to other states; `accepts` numbers what ends here."""

    words: dict[str, int]
    calls: dict[Call, int]
    accepts: int | None


@lru_cache(maxsize=8192)
def parse(template: str) -> ast.Expression:
    """Syntax tree of one template.

    Raises:
        TemplateError: hassil can't read it.
    """
    if not template.strip():
        raise TemplateError("it is empty", "Write the words of a command, or delete the entry.")
    try:
        return parse_sentence(template).expression
    except (ParseError, AssertionError) as error:
        raise TemplateError(f"it is not a valid template ({error})", "Check that every bracket is closed.") from error


class TemplateAutomaton:
    """Collects templates, then gives the minimal automaton of all of them.

    Args:
        call: Maps the name in `{name}` to what stands there.
        rule: Finds a rule by name as seen from a skill.

    Both raise `TemplateError` for an unknown name.
    """

    def __init__(self, call: Callable[[str], Call], rule: Callable[[str, str], Body]) -> None:
        self._call = call
        self._rule = rule
        self._edges: list[list[tuple[Label, int]]] = [[]]
        self._accepts: dict[int, int] = {}
        self._after_call: set[int] = set()
        self._open_rules: list[str] = []

    def add(self, template: str, skill: str, accepts: int = 0) -> None:
        """Add a template of a skill; its sentences end in states that accept this number.

        Raises:
            TemplateError: Not parseable, unknown names, a cycle of rules, or a way to say nothing at all.
        """
        tree = parse(template)
        end = self._expand(tree, 0, skill)
        self._accepts[end] = accepts

    def add_words(self, name: tuple[str, ...], accepts: int) -> None:
        """Add plain words, which are never read as a template."""
        state = 0
        for word in name:
            state = self._edge(self._edge(state, word), _BOUNDARY)
        self._accepts[state] = accepts

    def build(self) -> tuple[Node, ...]:
        """The automaton; the first node is the start and every arc leads to a later node.

        Raises:
            TemplateError: Some way through a template has no words, or a word touches a slot.
        """
        nodes: list[Node] = []
        known: dict[object, int] = {}
        done: dict[frozenset[int], int] = {}
        arcs_of: dict[int, tuple[list[tuple[Label, int]], int | None]] = {}

        def visit(subset: frozenset[int]) -> int:
            if subset in done:
                return done[subset]
            targets: dict[Label, set[int]] = {}
            ends: list[int] = []
            for state in subset:
                if state not in arcs_of:
                    arcs_of[state] = self._read(state)
                arcs, accepts = arcs_of[state]
                for label, target in arcs:
                    targets.setdefault(label, set()).add(target)
                if accepts is not None:
                    ends.append(accepts)
            arcs_out = {label: visit(frozenset(target)) for label, target in targets.items()}
            end = min(ends, default=None)
            key = (end, frozenset(arcs_out.items()))
            if key not in known:
                known[key] = len(nodes)
                literal = {label: target for label, target in arcs_out.items() if isinstance(label, str)}
                called = {label: target for label, target in arcs_out.items() if isinstance(label, Call)}
                nodes.append(Node(literal, called, end))
            done[subset] = known[key]
            return known[key]

        start = visit(frozenset([0]))
        if nodes[start].accepts is not None:
            raise TemplateError(
                "it can be said without any word, because everything in it is optional",
                "Take the square brackets from at least one word.",
            )
        last = len(nodes) - 1  # children were made before their parents: reversed, every arc leads forward
        return tuple(
            Node(
                {word: last - target for word, target in sorted(node.words.items())},
                {call: last - target for call, target in sorted(node.calls.items())},
                node.accepts,
            )
            for node in reversed(nodes)
        )

    def _edge(self, source: int, label: Label, target: int | None = None) -> int:
        if target is None:
            target = len(self._edges)
            self._edges.append([])
        self._edges[source].append((label, target))
        return target

    def _expand(self, tree: ast.Expression, start: int, skill: str) -> int:
        """Add a copy of a syntax tree behind a state and return the state behind it."""
        if isinstance(tree, ast.TextChunk):
            return self._text(tree.original_text, start)
        if isinstance(tree, ast.ListReference):
            state = self._edge(start, self._call(tree.slot_name))
            self._after_call.add(state)
            return state
        if isinstance(tree, ast.RuleReference):
            return self._expand_rule(tree.rule_name, start, skill)
        if isinstance(tree, ast.Alternative):
            ends = [self._expand(item, start, skill) for item in tree.items]
            end = self._edge(ends[0], _EPSILON)
            for other in ends[1:]:
                self._edge(other, _EPSILON, end)
            return end
        if isinstance(tree, ast.Permutation):
            return self._expand_permutation(tree, start, skill)
        if isinstance(tree, ast.Sequence):
            for item in tree.items:
                start = self._expand(item, start, skill)
            return start
        raise TemplateError(
            f"it holds a {type(tree).__name__}, which is not supported",
            "Use (a|b), [a], (a;b), <rule> and {slot}.",
        )

    def _expand_rule(self, name: str, start: int, skill: str) -> int:
        if name in self._open_rules:
            circle = " -> ".join([*self._open_rules[self._open_rules.index(name) :], name])
            raise TemplateError(
                f"its rules refer to each other in a circle ({circle})",
                "Write one of them out without the others.",
            )
        body, home = self._rule(skill, name)
        self._open_rules.append(name)
        try:
            return self._expand(body, start, home)
        finally:
            self._open_rules.pop()

    def _expand_permutation(self, tree: ast.Permutation, start: int, skill: str) -> int:
        """Lattice of the subsets that were said so far: 2^n states instead of n! orders."""
        count = len(tree.items)
        if count > MAX_PERMUTATION:
            raise TemplateError(
                f"a permutation of {count} items is too large (at most {MAX_PERMUTATION})",
                "Group some of the items, or fix the place of one.",
            )
        said = {0: start}
        for subset in range(1 << count):
            for i, item in enumerate(tree.items):
                if not subset & 1 << i:
                    end = self._expand(item, said[subset], skill)
                    more = subset | 1 << i
                    said[more] = self._edge(end, _EPSILON, said.get(more))
        return said[(1 << count) - 1]

    def _text(self, text: str, start: int) -> int:
        for piece in re.split(r"(\s+)", text):
            if piece:
                start = self._edge(start, _BOUNDARY if piece.isspace() else piece.lower())
        return start

    def _read(self, start: int) -> tuple[list[tuple[Label, int]], int | None]:
        """Whole words and calls that follow a state which stands between two words, and what it accepts."""
        arcs: list[tuple[Label, int]] = []
        accepts: list[int] = []
        seen: set[tuple[int, str, bool]] = set()
        stack: list[tuple[int, str, bool]] = [(start, "", start in self._after_call)]
        while stack:
            item = stack.pop()
            if item in seen:
                continue
            seen.add(item)
            state, prefix, touching = item
            if state in self._accepts:
                if prefix:
                    arcs.extend(self._words(prefix, self._accepting(self._accepts[state]), stack))
                else:
                    accepts.append(self._accepts[state])
            for label, target in self._edges[state]:
                if isinstance(label, Call):
                    if prefix:
                        raise self._touching(prefix)
                    arcs.append((label, target))
                elif label == _BOUNDARY:
                    if prefix:
                        arcs.extend(self._words(prefix, target, stack))
                    else:
                        stack.append((target, "", False))
                elif label == _EPSILON:
                    stack.append((target, prefix, touching))
                elif touching:
                    raise self._touching(label)
                else:
                    stack.append((target, prefix + label, False))
        return arcs, min(accepts, default=None)

    def _words(self, written: str, target: int, stack: list[tuple[int, str, bool]]) -> Iterator[tuple[Label, int]]:
        """Arc for a word as written in a template, which may be said as several ("21") or as none ("-")."""
        said = (written,) if _PLAIN.fullmatch(written) else words(written)
        if not said:
            stack.append((target, "", False))
            return
        for word in reversed(said[1:]):
            before = len(self._edges)
            self._edges.append([])
            self._edge(self._edge(before, word), _BOUNDARY, target)
            target = before
        yield said[0], target

    def _accepting(self, accepts: int) -> int:
        state = len(self._edges)
        self._edges.append([])
        self._accepts[state] = accepts
        return state

    @staticmethod
    def _touching(text: str) -> TemplateError:
        return TemplateError(
            f"`{text}` touches a slot", "Put a space between them; inside [ ], put the space there too."
        )
