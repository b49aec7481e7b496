"""Princeton WordNet's dictionary files, read in place: a binary search in the index, then one line of data.

File formats: https://wordnet.princeton.edu/documentation/wndb5wn; finding the base form of an inflected word:
https://wordnet.princeton.edu/documentation/morphy7wn. Nothing is loaded; a look-up reads a few kilobytes.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from device.errors import Missing

PLACES: Final = (Path("/usr/share/wordnet"), Path("/usr/share/wordnet/dict"), Path("/usr/local/WordNet-3.0/dict"))
"""Where Debian's `wordnet-base` and Princeton's own installation put them."""

PARTS: Final = ("noun", "verb", "adj", "adv")

_ENDINGS: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "noun": (
        ("s", ""), ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("men", "man"),
        ("ies", "y"),
    ),
    "verb": (("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")),
    "adj": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
    "adv": (),
}  # fmt: skip
"""Morphy's rules of detachment."""


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning.

    Attributes:
        part: "noun", "verb", "adj" or "adv".
        words: Synonyms, the looked-up word among them.
        gloss: Definition, without its examples.
        example: The first example, or "".
    """

    part: str
    words: tuple[str, ...]
    gloss: str
    example: str


class WordNet:
    """A folder of WordNet's files, opened.

    Raises:
        Missing: They are not there.
    """

    def __init__(self, folder: Path) -> None:
        for part in PARTS:
            if not (folder / f"index.{part}").is_file() or not (folder / f"data.{part}").is_file():
                raise Missing(f"There is no WordNet in {folder}.", remedy="apt-get install wordnet-base")
        self._folder = folder

    def senses(self, word: str) -> list[Sense]:
        """All meanings, of the part of speech that is used most first, then the most usual first; empty if unknown."""
        name = word.lower().replace(" ", "_")
        entries = []
        for part in PARTS:
            base = next((base for base in self._bases(name, part) if self._line(part, base)), None)
            if base:
                entries.append((part, *_index_entry(self._line(part, base))))
        entries.sort(key=lambda entry: -entry[1])
        return [self._sense(part, offset) for part, _, offsets in entries for offset in offsets]

    def _bases(self, name: str, part: str) -> Iterator[str]:
        """The word itself, its irregular base, then what Morphy's rules make of it."""
        yield name
        if name in self._exceptions[part]:
            yield self._exceptions[part][name]
        for ending, instead in _ENDINGS[part]:
            if name.endswith(ending) and len(name) > len(ending):
                yield name.removesuffix(ending) + instead

    @cached_property
    def _exceptions(self) -> dict[str, dict[str, str]]:
        tables = {}
        for part in PARTS:
            path = self._folder / f"{part}.exc"
            lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
            tables[part] = dict(line.split()[:2] for line in lines if len(line.split()) >= 2)
        return tables

    @cached_property
    def _index(self) -> dict[str, mmap.mmap]:
        return {part: _mapped(self._folder / f"index.{part}") for part in PARTS}

    def _line(self, part: str, name: str) -> str:
        """The index line of a word, or "". Lines are sorted by their bytes; the licence in front begins with blanks."""
        index, key = self._index[part], name.encode() + b" "
        low, high = 0, len(index)
        while low < high:  # invariant: the line, if there is one, begins in [low, high)
            start = index.rfind(b"\n", 0, (low + high) // 2) + 1
            end = index.find(b"\n", start) + 1 or len(index)
            line = index[start:end]
            if line.startswith(key):
                return line.decode()
            if line < key:
                low = end
            else:
                high = start
        return ""

    def _sense(self, part: str, offset: int) -> Sense:
        with (self._folder / f"data.{part}").open("rb") as file:
            file.seek(offset)
            fields, _, text = file.readline().decode().partition(" | ")
        head = fields.split(" ")
        count = int(head[3], 16)
        words = tuple(head[4 + 2 * n].partition("(")[0].replace("_", " ") for n in range(count))
        gloss, _, examples = text.strip().partition('; "')
        return Sense(part, words, gloss.strip().rstrip(";"), examples.partition('"')[0])


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _index_entry(line: str) -> tuple[int, list[int]]:
    """How many of its senses were seen in WordNet's corpus, and where they are described."""
    fields = line.split()
    pointers = int(fields[3])
    return int(fields[5 + pointers]), [int(offset) for offset in fields[6 + pointers :]]


def find_wordnet() -> WordNet:
    """The WordNet of this machine.

    Raises:
        Missing: It is not installed.
    """
    for folder in PLACES:
        if (folder / "index.noun").is_file():
            return WordNet(folder)
    raise Missing("WordNet is not installed.", remedy="apt-get install wordnet-base")
