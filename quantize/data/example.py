"""One labelled sentence, the currency of this folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from device.nlu.types import Act


class Span(msgspec.Struct, frozen=True, array_like=True):
    """Words `start` to `end` (exclusive) fill a slot of this type."""

    type: str
    start: int
    end: int


class Example(msgspec.Struct, frozen=True, omit_defaults=True):
    """One utterance and what is known about it.

    Attributes:
        words: Spoken words of the utterance.
        intent: Its intent, or None where it has none of its own (a bare "yes"): then not trained, not scored.
        act: What it does in the dialogue.
        spans: Slots, not overlapping, in order.
        annotated: Slot types that the source marks reliably in such a sentence. Other words are neither
            trained nor scored as "no slot". None means all types.
        context: Words that the device said just before, if any.
        source: Corpus or generator.
    """

    words: tuple[str, ...]
    intent: str | None
    act: Act = Act.COMMAND
    spans: tuple[Span, ...] = ()
    annotated: frozenset[str] | None = None
    context: tuple[str, ...] = ()
    source: str = ""

    @property
    def key(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What makes two examples the same sentence."""
        return self.words, self.context


def write_examples(path: Path, examples: Iterable[Example]) -> None:
    """Write one JSON object a line."""
    encoder = msgspec.json.Encoder()
    path.write_bytes(b"".join(encoder.encode(example) + b"\n" for example in examples))


def read_examples(path: Path) -> list[Example]:
    """Read what `write_examples` wrote."""
    decoder = msgspec.json.Decoder(Example)
    return [decoder.decode(line) for line in path.read_bytes().splitlines()]
