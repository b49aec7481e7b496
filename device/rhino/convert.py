"""A Rhino context as a skill pack: the same sentences, intents and slots, written as a person would write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Final

import msgspec
import yaml

from device.errors import PackError
from device.nlu.grammar import compile_grammar
from device.nlu.pack import PACKS_DIR, Pack, load_pack
from device.nlu.text import number_words
from device.rhino.context import BUILT_IN, Choice, Context, Line, MacroRef, Phrase, SlotRef, Token, Word
from device.rhino.factor import Pieces, one_of, templates

LONG: Final = 40
"""Letters from which alternatives become a rule; shorter ones do where they are used more than once."""

_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MAP, _SEQ, _STR = (f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str"))
_LETTERS: Final = [chr(code) for code in range(ord("a"), ord("z") + 1)]


def _counted(numbers: range, *, ordinal: bool = False) -> dict[str, Any]:
    return {"values": [{"in": number_words(str(number), ordinal), "out": number} for number in numbers]}


_BUILT_IN_TYPES: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "SingleDigitInteger": ("digit", _counted(range(10))),
    "TwoDigitInteger": ("number", {"template": "(zero|<under_hundred>)"}),
    "Percent": ("percent", {"template": "(zero|<under_hundred>|(a|one) hundred) percent"}),
    "SingleDigitOrdinal": ("ordinal_digit", _counted(range(1, 10), ordinal=True)),
    "TwoDigitOrdinal": ("ordinal", _counted(range(1, 100), ordinal=True)),
    "Alphabetic": ("letter", {"values": _LETTERS}),
    "Alphanumeric": ("letter_or_digit", {"values": [*_LETTERS, *(number_words(str(digit)) for digit in range(10))]}),
}
"""Rhino's own slot types to ours, which are narrowed: `number` knows how to read its words, and "three hundred" is none
here. The rules are those of the common pack."""

_RESERVED: Final = frozenset({"under_hundred"})
"""Rules of the common pack that the types above refer to."""


def convert(context: Context, skill: str) -> str:
    """A pack, YAML, that understands what a Rhino context does.

    Args:
        context: What was read.
        skill: Name of the skill, as in `coffee.order_drink`.

    Raises:
        PackError: The context can't be a pack: a type that Rhino does not have, a name that a pack can't have, two
            names that differ in their capitals only.
    """
    remedy = "Give it another name."
    for names in (context.expressions, context.slots, context.macros):
        for name, other in combinations(names, 2):
            if snake(name) == snake(other):
                raise PackError(f"{context.path}: `{name}` and `{other}` are one name in a pack.", remedy=remedy)
    content = _Converter(context, skill).pack()
    try:
        pack = msgspec.convert(content, Pack)
    except msgspec.ValidationError as error:
        raise PackError(f"{context.path}: a name can't be used in a pack ({error}).", remedy=remedy) from error
    compile_grammar([load_pack(PACKS_DIR / "_common.yaml"), pack])
    head = f"# Made from {context.path.name}, a Rhino context. Say more than “okay”, add examples, and it is yours.\n"
    return head + "\n".join(_written(part) for part in _parts(content))


def snake(name: str) -> str:
    """`orderDrink` as `order_drink`."""
    return re.sub(r"\W+", "_", _CAPITAL.sub("_", name)).strip("_").lower()


@dataclass(slots=True)
class _Converter:
    """Collects types and rules while intents are written."""

    context: Context
    skill: str
    types: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)

    def pack(self) -> dict[str, Any]:
        context = self.context
        intents = {snake(name): self._intent(lines) for name, lines in context.expressions.items()}
        self._name_alternatives([intent["phrases"] for intent in intents.values()])
        content = {
            "skill": self.skill,
            "description": f"Made from the Rhino context {context.path.name}.",
            "rules": self.rules,
            "types": self.types,
            "intents": intents,
            "replies": {"done": "Okay."},
        }
        return {key: value for key, value in content.items() if value}

    def _intent(self, lines: Sequence[Line]) -> dict[str, Any]:
        types: dict[str, list[str]] = {}
        for line in lines:
            for slot in self._slots(line.phrase):
                names = types.setdefault(snake(slot.name), [])
                type_ = self._type(slot.type, line.number)
                if type_ not in names:
                    names.append(type_)
        slots = {}
        for name, names in types.items():
            type_ = names[0] if len(names) == 1 else self._either(names)
            slots[name] = {} if type_ == name else {"type": type_}
        intent: dict[str, Any] = {"slots": slots} if slots else {}
        return intent | {"phrases": templates([self._pieces(line.phrase) for line in lines])}

    def _slots(self, phrase: Phrase) -> Iterator[SlotRef]:
        for token in phrase:
            match token:
                case SlotRef():
                    yield token
                case Choice(options, _):
                    for option in options:
                        yield from self._slots(option)
                case MacroRef(name):
                    for line in self.context.macros[name]:
                        yield from self._slots(line.phrase)

    def _type(self, name: str, number: int) -> str:
        """Our name of a slot type, which is declared where it is used first."""
        if not name.startswith(BUILT_IN):
            ours = snake(name)
            self.types.setdefault(ours, {"values": list(self.context.slots[name])})
            return ours
        known = _BUILT_IN_TYPES.get(name.removeprefix(BUILT_IN))
        if known is None:
            names = ", ".join(f"${BUILT_IN}{each}" for each in _BUILT_IN_TYPES)
            self.context.fail(number, f"there is no built-in slot `${name}`", f"Known: {names}.")
        ours, spec = known
        while self.types.get(ours, spec) != spec:  # a slot type of the context has the same name
            ours += "_"
        self.types.setdefault(ours, spec)
        return ours

    def _either(self, names: Sequence[str]) -> str:
        """A type for a slot that takes the words of several."""
        ours = "_or_".join(names)
        self.types[ours] = {"template": one_of([f"{{{name}}}" for name in names])}
        return ours

    def _pieces(self, phrase: Phrase) -> Pieces:
        return tuple(map(self._piece, phrase))

    def _piece(self, token: Token) -> str:
        match token:
            case Word(text):
                return text
            case SlotRef(_, name):
                return f"{{{snake(name)}}}"
            case Choice(options, optional):
                return one_of([" ".join(self._pieces(option)) for option in options], optional=optional)
            case MacroRef(name):
                return self._macro(name)

    def _macro(self, name: str) -> str:
        ours = snake(name)
        while ours in _RESERVED:
            ours += "_"
        if ours not in self.rules:
            said = [" ".join(self._pieces(line.phrase)) for line in self.context.macros[name]]
            self.rules[ours] = one_of(said)
        return f"<{ours}>"

    def _name_alternatives(self, intents: Sequence[list[str]]) -> None:
        """Make rules of alternatives that are long or used more than once, named after their first word."""
        everything = "\n".join(template for phrases in intents for template in phrases)
        for found in sorted(set(_ALTERNATIVES.findall(everything)), key=everything.index):
            if len(found) < LONG and (everything.count(found) == 1 or found.count("|") < 2):
                continue
            word = re.sub(r"\W", "", found[1:].partition("|")[0].partition(" ")[0])
            ours = word
            while not ours or ours in self.rules or ours in _RESERVED:
                ours = f"{ours or 'choice'}_"
            self.rules[ours] = found
            for phrases in intents:
                phrases[:] = [template.replace(found, f"<{ours}>") for template in phrases]


_ALTERNATIVES: Final = re.compile(r"\((?:[\w' ]+\|)+[\w' ]+\)|\[(?:[\w' ]+\|)+[\w' ]+\]")
"""Plain words to choose from, without anything inside that is more."""


class _Block(dict[str, Any]):
    """A mapping that is written with one entry a line, although there is nothing below its values."""


class _Phrases(list[str]):
    """A list that is written with one entry a line, each in quotation marks."""


class _Dumper(yaml.SafeDumper):
    """Writes what has nothing below it in one line, and never breaks a line inside a text."""

    def write_plain(self, text: str, split: bool = True) -> None:
        super().write_plain(text, split=False)

    def write_double_quoted(self, text: str, split: bool = True) -> None:
        super().write_double_quoted(text, split=False)


_Dumper.add_representer(_Block, lambda dumper, block: dumper.represent_mapping(_MAP, block, flow_style=False))
_Dumper.add_representer(
    _Phrases,
    lambda dumper, phrases: yaml.SequenceNode(
        _SEQ, [yaml.ScalarNode(_STR, phrase, style='"') for phrase in phrases], flow_style=False
    ),
)


def _parts(content: dict[str, Any]) -> Iterator[_Block]:
    """What stands together in a pack, as it is to be written."""
    yield _Block({key: content[key] for key in ("skill", "description")})
    if rules := content.get("rules"):
        yield _Block({"rules": _Block(rules)})
    if types := content.get("types"):
        yield _Block({"types": _Block(types)})
    intents = {name: intent | {"phrases": _Phrases(intent["phrases"])} for name, intent in content["intents"].items()}
    yield _Block({"intents": _Block(intents)})
    yield _Block({"replies": _Block(content["replies"])})


def _written(part: _Block) -> str:
    text: str = yaml.dump(
        part, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True, default_flow_style=None, indent=2
    )
    return text
