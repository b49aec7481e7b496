"""From failed sentences to phrases of a pack: slots for their words, one template for sentences that nearly agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple, TypeAlias

from device.nlu.pack import IntentSpec
from quantize.data.example import Span

LONGEST: Final = 12
"""Tokens of a sentence that is still worth a phrase; nobody says a longer one a second time."""

SHARED: Final = 0.6
"""Share of tokens that two sentences must have in common, in order, to become one template."""

_VARIES: Final = 2
"""Most tokens that an alternative or optional part may have."""

PLEASE: Final = "<please>"
_POLITE: Final = tuple(
    tuple(said.split())
    for said in (
        "can you please", "could you please", "would you please", "will you please", "can you", "could you",
        "would you", "will you", "i want you to", "i'd like you to", "i need you to", "please",
    )
)  # fmt: skip
"""What the common rule `please` says, the longest first."""

Column: TypeAlias = tuple[tuple[str, ...], ...]
"""Alternatives at one place of a template, in the order in which they were met; an empty one may be left unsaid."""


class Template(NamedTuple):
    """A phrase and the sentences that it was made of.

    Attributes:
        columns: Its places from left to right.
        numbers: Of the sentences.
    """

    columns: tuple[Column, ...]
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        """As a pack has it."""
        return " ".join(_written(column) for column in self.columns)


def abstract(words: Sequence[str], spans: Iterable[Span], spec: IntentSpec | None) -> tuple[str, ...]:
    """A sentence with its slots as `{slot}` and its politeness as `<please>`.

    Args:
        words: Spoken form.
        spans: Its slots, not overlapping.
        spec: The intent's, which names the slots; None if no pack has it: slots are then named by their types.
    """
    free = {name: spec.slot_type(name) for name in spec.slots} if spec else None
    tokens: list[str] = []
    at = 0
    for span in sorted(spans, key=lambda one: one.start):
        slot = span.type if free is None else next((name for name, type_ in free.items() if type_ == span.type), "")
        if not slot or span.start < at:
            continue
        if free is not None:
            del free[slot]
        tokens += [*words[at : span.start], f"{{{slot}}}"]
        at = span.end
    tokens += words[at:]
    for said in _POLITE:
        if tuple(tokens[: len(said)]) == said and len(tokens) > len(said):
            return (PLEASE, *tokens[len(said) :])
    return tuple(tokens)


def merged(sentences: Iterable[tuple[int, tuple[str, ...]]]) -> list[Template]:
    """Templates of sentences, those of most sentences first.

    Args:
        sentences: Numbers and tokens, from `abstract`; what is too long or has no word of its own is left out.
    """
    found: list[Template] = []
    for number, tokens in sentences:
        if len(tokens) > LONGEST or not any(_is_word(token) for token in tokens):
            continue
        single = tuple(((token,),) for token in tokens)
        for i, template in enumerate(found):
            joined = _join(template.columns, single)
            if joined is not None:
                found[i] = Template(joined, (*template.numbers, number))
                break
        else:
            found.append(Template(single, (number,)))
    return sorted(found, key=lambda template: (-len(template.numbers), len(template.columns)))


def _join(one: tuple[Column, ...], other: tuple[Column, ...]) -> tuple[Column, ...] | None:
    """One template for both, or None if they have too little in common or differ in their slots."""
    if _slots(one) != _slots(other):
        return None
    steps = SequenceMatcher(None, one, _as_in(one, other), autojunk=False).get_opcodes()
    shared = sum(i2 - i1 for step, i1, i2, _, _ in steps if step == "equal")
    if shared < SHARED * max(len(one), len(other)):
        return None
    columns: list[Column] = []
    for step, i1, i2, j1, j2 in steps:
        mine, theirs = one[i1:i2], other[j1:j2]
        if step == "equal":
            columns += mine
        elif len(mine) > _VARIES or len(theirs) > _VARIES or _slots((*mine, *theirs)):
            return None
        elif len(mine) == len(theirs):
            columns += [_either(a, b) for a, b in zip(mine, theirs, strict=True)]
        elif mine and theirs:
            if any(len(column) > 1 for column in (*mine, *theirs)):
                return None
            columns.append(_either((_flat(mine),), (_flat(theirs),)))
        else:
            columns += [_either(column, ((),)) for column in (*mine, *theirs)]
    return tuple(columns)


def _as_in(known: Sequence[Column], columns: Sequence[Column]) -> tuple[Column, ...]:
    """Columns that a known one allows already, written as that."""
    return tuple(next((k for k in known if set(column) <= set(k)), column) for column in columns)


def _either(one: Column, other: Column) -> Column:
    return (*one, *(said for said in other if said not in one))


def _flat(columns: Sequence[Column]) -> tuple[str, ...]:
    return tuple(token for column in columns for token in column[0])


def _slots(columns: Iterable[Column]) -> list[str]:
    return [token for column in columns for said in column for token in said if token.startswith("{")]


def _is_word(token: str) -> bool:
    return token[:1] not in {"{", "<"}


def _written(column: Column) -> str:
    said = "|".join(" ".join(tokens) for tokens in column if tokens)
    if said == PLEASE:  # which may be left out as it is
        return said
    if () in column:
        return f"[{said}]"
    return f"({said})" if len(column) > 1 else said
