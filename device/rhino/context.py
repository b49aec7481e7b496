"""A Rhino context as it is written: expressions, slots and macros, each with its line.

The language is described at https://picovoice.ai/docs/tips/syntax-cheat-sheet/: `[a, b]` is a choice, `(a, b)` one that
may be left out, `$type:name` a slot, `@macro` a macro.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, NoReturn, TypeAlias

import yaml

from device.errors import PackError
from device.nlu.text import words

BUILT_IN: Final = "pv."
"""What the names of slot types begin with that Rhino brings along."""

_GUIDE: Final = "See https://picovoice.ai/docs/tips/syntax-cheat-sheet/."
_TOKEN: Final = re.compile(r"\s*([\[\](),]|[$@][^\s\[\](),]*|[^\s\[\](),$@]+)")
_SLOT: Final = re.compile(r"\$(?P<type>(?:pv\.)?\w+)(?::(?P<name>\w+))?")
_MACRO: Final = re.compile(r"@(\w+)")
_PLAIN: Final = re.compile(r"[\w'’.-]+")


class Word(NamedTuple):
    """A word, in spoken form."""

    text: str


class SlotRef(NamedTuple):
    """A slot, by the type of its words and its own name."""

    type: str
    name: str


class MacroRef(NamedTuple):
    """The phrases of a macro stand here."""

    name: str


class Choice(NamedTuple):
    """One of several phrases; where it is `optional`, or none."""

    options: tuple[Phrase, ...]
    optional: bool


Token: TypeAlias = Word | SlotRef | MacroRef | Choice
Phrase: TypeAlias = tuple[Token, ...]


class Line(NamedTuple):
    """An expression, or a phrase of a macro, and the number of its line."""

    phrase: Phrase
    number: int


@dataclass(frozen=True, slots=True)
class Context:
    """A Rhino context.

    Attributes:
        path: Where it was read; for messages.
        expressions: Intent to its expressions.
        slots: Type to the words that may fill a slot of it, each in spoken form.
        macros: Name to its phrases.
    """

    path: Path
    expressions: Mapping[str, tuple[Line, ...]]
    slots: Mapping[str, tuple[str, ...]]
    macros: Mapping[str, tuple[Line, ...]]

    def fail(self, line: int, problem: str, remedy: str = _GUIDE) -> NoReturn:
        """Say what is wrong with a line.

        Raises:
            PackError: Always.
        """
        raise PackError(f"{self.path}, line {line}: {problem}.", remedy=remedy)


def read_context(path: Path) -> Context:
    """Read a Rhino context and check that all it refers to is there.

    Raises:
        PackError: Not readable, not YAML, not a context, an expression that can't be read or that can be said without
            words, an unknown slot or macro, macros that refer to each other in a circle; names file and line.
    """
    context = _Reader(path).read()
    for line in (line for lines in context.expressions.values() for line in lines):
        _check(context, line, line.phrase, ())
        if _may_be_silent(context, line.phrase):
            context.fail(
                line.number, "everything in this expression may be left out", "Give it a word that is always said."
            )
    return context


class _Reader:
    """Reads the YAML of one file by its nodes, which know their lines and keep `on` a word."""

    def __init__(self, path: Path) -> None:
        self._nothing = Context(path, {}, {}, {})

    def read(self) -> Context:
        path = self._nothing.path
        try:
            root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except (OSError, UnicodeDecodeError) as error:
            raise PackError(
                f"{path}: can't be read ({error}).", remedy="Give the YAML file of a Rhino context."
            ) from error
        except yaml.YAMLError as error:
            mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
            self._nothing.fail(mark.line + 1 if mark else 1, f"not valid YAML: {problem or error}")
        parts = dict(self._entries(dict(self._entries(root)).get("context")))
        if "expressions" not in parts:
            self._nothing.fail(1, "this is no Rhino context: there is no `context` with `expressions`")
        expressions = {name: self._lines(node) for name, node in self._entries(parts["expressions"])}
        slots = {name: tuple(self._values(node)) for name, node in self._entries(parts.get("slots"))}
        macros = {name: self._lines(node) for name, node in self._entries(parts.get("macros"))}
        return Context(path, expressions, slots, macros)

    def _entries(self, node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
        if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
            return
        if not isinstance(node, yaml.MappingNode):
            self._nothing.fail(node.start_mark.line + 1, "names with a colon are expected here")
        for key, value in node.value:
            yield str(key.value), value

    def _texts(self, node: yaml.Node) -> Iterator[tuple[str, int]]:
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for item in items:
            if not isinstance(item, yaml.ScalarNode) or not item.value.strip():
                self._nothing.fail(
                    item.start_mark.line + 1, "a phrase is expected here", "Put it into quotation marks."
                )
            yield item.value, item.start_mark.line + 1

    def _lines(self, node: yaml.Node) -> tuple[Line, ...]:
        return tuple(Line(self._phrase(text, number), number) for text, number in self._texts(node))

    def _values(self, node: yaml.Node) -> Iterator[str]:
        for text, number in self._texts(node):
            phrase = self._phrase(text, number)
            if not all(isinstance(token, Word) for token in phrase):
                self._nothing.fail(number, f"“{text}” fills a slot and can hold nothing but words")
            yield " ".join(token.text for token in phrase if isinstance(token, Word))

    def _phrase(self, text: str, number: int) -> Phrase:
        tokens = _TOKEN.findall(text)
        phrase, rest = self._sequence(tokens, number)
        if rest:
            self._nothing.fail(number, f"`{rest[0]}` stands where nothing is open", "Check the brackets and commas.")
        return phrase

    def _sequence(self, tokens: list[str], number: int) -> tuple[Phrase, list[str]]:
        """The phrase at the beginning of tokens, and what comes after it: a comma, a bracket or nothing."""
        found: list[Token] = []
        run: list[str] = []
        while tokens and tokens[0] not in ",])":
            piece, *tokens = tokens
            if piece not in "[(" and piece[0] not in "$@":
                if not _PLAIN.fullmatch(piece):
                    self._nothing.fail(number, f"“{piece}” is no word")
                run.append(piece)
                continue
            found += map(Word, words(" ".join(run)))
            run = []
            if piece in "[(":
                choice, tokens = self._choice(piece, tokens, number)
                found.append(choice)
            else:
                found.append(self._reference(piece, number))
        return (*found, *map(Word, words(" ".join(run)))), tokens

    def _choice(self, bracket: str, tokens: list[str], number: int) -> tuple[Choice, list[str]]:
        options: list[Phrase] = []
        separator = ","
        while separator == ",":
            option, tokens = self._sequence(tokens, number)
            if not option:
                self._nothing.fail(number, f"an option of `{bracket}` is empty", "Delete the comma that is too many.")
            options.append(option)
            if not tokens:
                self._nothing.fail(number, f"`{bracket}` is never closed")
            separator, *tokens = tokens
        if bracket + separator not in ("[]", "()"):
            self._nothing.fail(number, f"`{bracket}` is closed by `{separator}`")
        return Choice(tuple(options), bracket == "("), tokens

    def _reference(self, token: str, number: int) -> SlotRef | MacroRef:
        if slot := _SLOT.fullmatch(token):
            return SlotRef(slot["type"], slot["name"] or slot["type"].removeprefix(BUILT_IN))
        if macro := _MACRO.fullmatch(token):
            return MacroRef(macro[1])
        self._nothing.fail(number, f"`{token}` is no reference", "Write `$type:name` or `@macro`.")


def _check(context: Context, line: Line, phrase: Phrase, open_macros: tuple[str, ...]) -> None:
    for token in phrase:
        match token:
            case SlotRef(type_, _) if not type_.startswith(BUILT_IN) and type_ not in context.slots:
                known = ", ".join(f"${name}" for name in context.slots)
                context.fail(line.number, f"there is no slot `${type_}`", f"Known: {known or 'none'}.")
            case MacroRef(name) if name not in context.macros:
                known = ", ".join(f"@{name}" for name in context.macros)
                context.fail(line.number, f"there is no macro `@{name}`", f"Known: {known or 'none'}.")
            case MacroRef(name) if name in open_macros:
                circle = " -> ".join([*open_macros[open_macros.index(name) :], name])
                context.fail(
                    line.number, f"macros refer to each other in a circle ({circle})", "Write one of them out."
                )
            case MacroRef(name):
                for other in context.macros[name]:
                    _check(context, other, other.phrase, (*open_macros, name))
            case Choice(options, _):
                for option in options:
                    _check(context, line, option, open_macros)


def _may_be_silent(context: Context, phrase: Phrase) -> bool:
    """Whether a phrase can be said without any word."""

    def silent(token: Token) -> bool:
        match token:
            case Choice(options, optional):
                return optional or any(_may_be_silent(context, option) for option in options)
            case MacroRef(name):
                return any(_may_be_silent(context, line.phrase) for line in context.macros[name])
        return False

    return all(map(silent, phrase))
