"""Training sentences from the skill packs: random walks through the templates' syntax trees.

Trees are walked rather than the compiled automata: an author's alternatives are then equally likely, whatever
words they share with others.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, TypeAlias

import hassil.expression as ast

from device.errors import PackError
from device.nlu.pack import IntentSpec, Pack, TypeSpec, ValueSpec
from device.nlu.template import parse
from device.nlu.text import words
from device.nlu.types import Act
from quantize.data.example import Example, Span
from quantize.data.mapping import INTENT_ACTS

SOURCE: Final = "packs"
OPTIONAL_RATE: Final = 0.35
"""How often an optional part is said."""
BORROWED_RATE: Final = 0.5
"""How often a slot takes a value of real people's sentences, unless the pack narrows the type or has a template."""

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

Piece: TypeAlias = tuple[str, str]
"""Text as written, and the slot that it fills ("" for none)."""


class PackSampler:
    """Samples sentences, slot values and replies of a set of packs.

    Args:
        packs: All packs, `common` among them.
        random_: Source of chance; the same seed gives the same sentences.
        borrowed: Type to values that people said, for the free-word types.
    """

    def __init__(
        self, packs: Sequence[Pack], random_: random.Random, borrowed: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.packs = packs
        self._random = random_
        self._borrowed = borrowed or {}
        self._common = next((pack for pack in packs if pack.skill == "common"), Pack("common"))

    @cached_property
    def intents(self) -> dict[str, tuple[Pack, IntentSpec]]:
        """Full intent name to its pack and specification."""
        return {f"{pack.skill}.{name}": (pack, spec) for pack in self.packs for name, spec in pack.intents.items()}

    def sentences(self, intent: str, count: int) -> list[Example]:
        """Up to `count` different sentences of an intent; fewer if its phrases do not give more."""
        pack, spec = self.intents[intent]
        act = INTENT_ACTS.get(intent, Act.COMMAND)
        found: dict[tuple[str, ...], Example] = {}
        for attempt in range(count * 4 if spec.phrases else 0):
            pieces = self._walk(parse(spec.phrases[attempt % len(spec.phrases)]), pack, spec)
            said, spans = _assemble(pieces, spec)
            if said and said not in found:
                found[said] = Example(said, intent, act, spans, source=SOURCE)
            if len(found) == count:
                break
        return list(found.values())

    def value(self, type_: str, pack: Pack) -> tuple[str, ...]:
        """Words that may fill a slot of a type, as a pack sees it."""
        spec = self._type(type_, pack)
        if spec.template is not None:
            return words(self._text(parse(spec.template), pack))
        borrowed = () if type_ in pack.types else self._borrowed.get(type_, ())
        if borrowed and self._random.random() < BORROWED_RATE:
            return words(self._random.choice(borrowed))
        chosen = self._random.choice([*spec.values, *spec.samples])
        return words(self._text(parse(chosen.spoken), pack) if isinstance(chosen, ValueSpec) else chosen)

    def fill(self, template: str, spec: IntentSpec, pack: Pack) -> tuple[str, ...]:
        """Words of a reply or question, its `{placeholders}` replaced by sampled values or nothing."""
        said: list[str] = []
        for number, part in enumerate(_PLACEHOLDER.split(template)):
            if number % 2 == 0:
                said += words(part)
            elif part in spec.slots:
                said += self.value(spec.slot_type(part), pack)
        return tuple(said)

    def _walk(self, tree: ast.Expression, pack: Pack, spec: IntentSpec) -> Iterator[Piece]:
        if isinstance(tree, ast.TextChunk):
            yield tree.original_text, ""
        elif isinstance(tree, ast.ListReference):
            yield " ".join(self.value(spec.slot_type(tree.slot_name), pack)), tree.slot_name
        elif isinstance(tree, ast.RuleReference):
            yield from self._walk(self._rule(tree.rule_name, pack), pack, spec)
        else:
            for item in self._chosen(tree):
                yield from self._walk(item, pack, spec)

    def _text(self, tree: ast.Expression, pack: Pack) -> str:
        """Text of a type's template, where `{other}` stands for another type's words."""
        if isinstance(tree, ast.TextChunk):
            return tree.original_text
        if isinstance(tree, ast.ListReference):
            return " ".join(self.value(tree.slot_name, pack))
        if isinstance(tree, ast.RuleReference):
            return self._text(self._rule(tree.rule_name, pack), pack)
        return "".join(self._text(item, pack) for item in self._chosen(tree))

    def _chosen(self, tree: ast.Expression) -> list[ast.Expression]:
        """The parts of an alternative, permutation or sequence that are said this time, in order."""
        if not isinstance(tree, ast.Group):
            raise PackError(f"a template holds a {type(tree).__name__}, which is not supported.")
        items: list[ast.Expression] = list(tree.items)
        if isinstance(tree, ast.Permutation):
            self._random.shuffle(items)
        if not isinstance(tree, ast.Alternative):
            return items
        said = [item for item in items if not _is_empty(item)]
        if len(said) < len(items) and self._random.random() >= OPTIONAL_RATE:
            return []
        return [self._random.choice(said)]

    def _rule(self, name: str, pack: Pack) -> ast.Expression:
        return parse(pack.rules[name] if name in pack.rules else self._common.rules[name])

    def _type(self, name: str, pack: Pack) -> TypeSpec:
        if name in pack.types:
            return pack.types[name]
        if name in self._common.types:
            return self._common.types[name]
        return next(other.types[name] for other in self.packs if name in other.types)


def _is_empty(item: ast.Expression) -> bool:
    if isinstance(item, ast.TextChunk):
        return not item.original_text.strip()
    return isinstance(item, ast.Sequence) and all(_is_empty(part) for part in item.items)


def _assemble(pieces: Iterable[Piece], spec: IntentSpec) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    """Join pieces to words; text that touches ("light", "s") is one word, a slot is words of its own."""
    said: list[str] = []
    spans: list[Span] = []
    pending = ""
    for text, slot in pieces:
        if not slot:
            pending += text
            continue
        said += words(pending)
        pending = ""
        inside = text.split()
        if inside:
            spans.append(Span(spec.slot_type(slot), len(said), len(said) + len(inside)))
            said += inside
    said += words(pending)
    return tuple(said), tuple(spans)


def borrowed_values(examples: Iterable[Example]) -> dict[str, list[str]]:
    """Slot values of real people's sentences by type, sorted, for `PackSampler`."""
    found: dict[str, set[str]] = {}
    for example in examples:
        for span in example.spans:
            found.setdefault(span.type, set()).add(" ".join(example.words[span.start : span.end]))
    return {type_: sorted(values) for type_, values in found.items()}
