"""One row of Homebody's JSONL and what it says; see `quantize.data.formats`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import TypeAlias

import msgspec

from device.nlu.text import words
from device.nlu.types import Act
from quantize.data.example import Example, Span

ToWords: TypeAlias = Callable[[str], Iterable[str]]
"""Text to words: `device.nlu.text.words`, or as they are written."""


class Wrong(Exception):
    """What is wrong with a row, and what to do about it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class Slot(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A slot of a row: its words (`value`), or its place, in words from 0, the end exclusive."""

    type: str
    value: str | None = None
    start: int | None = None
    end: int | None = None


class Row(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A line of Homebody's JSONL."""

    text: str | None = None
    words: tuple[str, ...] | None = None
    intent: str | None = None
    slots: dict[str, str | list[str]] | list[Slot] = {}
    spans: tuple[Span, ...] = ()
    act: Act = Act.COMMAND
    annotated: frozenset[str] | None = None
    context: str | tuple[str, ...] = ()
    source: str = ""


def as_row(example: Example) -> Row:
    """The most readable row that gives the same example when it is read in its spoken form."""
    places = [Slot(span.type, start=span.start, end=span.end) for span in example.spans]
    values: dict[str, str | list[str]] = {}
    for span in example.spans:
        value = " ".join(example.words[span.start : span.end])
        before = values.get(span.type)
        values[span.type] = value if before is None else [*([before] if isinstance(before, str) else before), value]
    exact = Row(
        None, example.words, example.intent, places, (), example.act, example.annotated, example.context, example.source
    )
    for slots in (values, places):
        readable = msgspec.structs.replace(exact, text=" ".join(example.words), words=None, slots=slots)
        try:
            if example_of(readable, words) == example:
                return readable
        except Wrong:
            pass
    return exact


def example_of(row: Row, to_words: ToWords) -> Example:
    """The example of a row.

    Raises:
        Wrong: The row contradicts itself, or lacks something.
    """
    if (row.text is None) == (row.words is None):
        raise Wrong("it needs either `text` or `words`.", "Give the sentence one time.")
    if row.intent is None and row.act is Act.COMMAND:
        raise Wrong("it has no `intent`.", 'Name one; "oos" is what the device can\'t do.')
    if row.intent == "":
        raise Wrong("its `intent` is empty.", "Name an intent, or delete the row.")
    said, spans = _placed(row, to_words)
    if not said:
        raise Wrong("it has no words.", "Delete it, or write what is said.")
    context = tuple(to_words(row.context)) if isinstance(row.context, str) else row.context
    return Example(said, row.intent, row.act, spans, row.annotated, context, row.source)


def _placed(row: Row, to_words: ToWords) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    """Words and spans of a row."""
    if isinstance(row.slots, dict):
        said = row.words if row.words is not None else tuple(to_words(row.text or ""))
        wanted = [(k, v) for k, values in row.slots.items() for v in ([values] if isinstance(values, str) else values)]
        spans = [*row.spans, *(_find(said, type_, tuple(to_words(value))) for type_, value in wanted)]
        return said, _ordered(spans, len(said))
    if any(slot.start is None or slot.end is None for slot in row.slots):
        if not all(slot.value is not None and slot.start is None and slot.end is None for slot in row.slots):
            raise Wrong("a slot needs `start` and `end`, or a `value`.", "Give all slots of a row in the same way.")
        said = row.words if row.words is not None else tuple(to_words(row.text or ""))
        found = [_find(said, slot.type, tuple(to_words(slot.value or ""))) for slot in row.slots]
        return said, _ordered(found, len(said))
    tokens = row.words if row.words is not None else tuple((row.text or "").split())
    given = [Span(slot.type, slot.start or 0, slot.end or 0) for slot in row.slots]
    spans_ = _ordered([*row.spans, *given], len(tokens))
    if row.words is not None:
        return tokens, spans_
    return _joined(_pieces(tokens, spans_), to_words)


def _ordered(spans: Iterable[Span], length: int) -> tuple[Span, ...]:
    found = sorted(spans, key=lambda span: span.start)
    for span in found:
        if not 0 <= span.start < span.end <= length:
            raise Wrong(
                f"slot `{span.type}` from {span.start} to {span.end} is not within its {length} words.",
                "`start` counts from 0, `end` is the word after the last one.",
            )
    for one, other in pairwise(found):
        if other.start < one.end:
            raise Wrong(f"slots `{one.type}` and `{other.type}` overlap.", "A word fills one slot at most.")
    return tuple(found)


def _find(said: tuple[str, ...], type_: str, inside: tuple[str, ...]) -> Span:
    if not inside:
        raise Wrong(f"slot `{type_}` is empty.", "Leave it out.")
    starts = [i for i in range(len(said) - len(inside) + 1) if said[i : i + len(inside)] == inside]
    value = " ".join(inside)
    if not starts:
        raise Wrong(f"slot `{type_}`: “{value}” is not in “{' '.join(said)}”.", "Give the words as they are said.")
    if len(starts) > 1:
        raise Wrong(
            f"slot `{type_}`: “{value}” stands there {len(starts)} times.",
            'Give its place: "slots": [{"type": …, "start": …, "end": …}], in words from 0.',
        )
    return Span(type_, starts[0], starts[0] + len(inside))


def _pieces(tokens: tuple[str, ...], spans: Iterable[Span]) -> Iterator[tuple[str, str]]:
    end = 0
    for span in spans:
        yield "", " ".join(tokens[end : span.start])
        yield span.type, " ".join(tokens[span.start : span.end])
        end = span.end
    yield "", " ".join(tokens[end:])


def _joined(pieces: Iterable[tuple[str, str]], to_words: ToWords) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    said: list[str] = []
    spans: list[Span] = []
    for type_, text in pieces:
        start = len(said)
        said += to_words(text)
        if type_ and len(said) > start:
            spans.append(Span(type_, start, len(said)))
    return tuple(said), tuple(spans)
