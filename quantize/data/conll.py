"""CoNLL blocks: a word and its BIO tag a line, comments `# intent = x` before them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from device.nlu.types import Act
from quantize.data.example import Example
from quantize.data.rows import Row, Slot, Wrong

OUTSIDE: Final = "O"
_COMMENT: Final = re.compile(r"#\s*(\w+)\s*[=:]\s*(.*)")
_TAG: Final = re.compile(r"([BI])-(\S+)")
_KNOWN: Final = ("intent", "act", "context", "source")


def rows(lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, Row | Wrong]]:
    """Rows of a file, each with the number of its block's first line; blocks are divided by empty lines."""
    block: list[tuple[int, bytes]] = []
    for number, line in (*lines, (0, b"")):
        if line.strip():
            block.append((number, line))
        elif block:
            yield _row(block)
            block = []


def block_of(example: Example) -> str:
    """An example as a block, ending with a line feed."""
    comments: Mapping[str, str] = {
        "intent": example.intent or "",
        "act": "" if example.act is Act.COMMAND else example.act,
        "context": " ".join(example.context),
        "source": example.source,
    }
    lines = [f"# {name} = {value}" for name, value in comments.items() if value]
    lines += (f"{word}\t{tag}" for word, tag in zip(example.words, tags_of(example), strict=True))
    return "\n".join(lines) + "\n"


def tags_of(example: Example) -> list[str]:
    """BIO tag of each word."""
    tags = [OUTSIDE] * len(example.words)
    for span in example.spans:
        tags[span.start : span.end] = [f"B-{span.type}", *[f"I-{span.type}"] * (span.end - span.start - 1)]
    return tags


def slots_of(tags: Sequence[str]) -> list[Slot]:
    """The slots that BIO tags mark.

    Raises:
        Wrong: A tag is none, or `I-` follows nothing of its type.
    """
    found: list[Slot] = []
    for place, tag in enumerate(tags):
        if tag == OUTSIDE:
            continue
        match = _TAG.fullmatch(tag)
        if match is None:
            raise Wrong(f"word {place + 1} has the tag `{tag}`.", "Use O, B-type and I-type.")
        last = found[-1] if found else None
        if match[1] == "B":
            found.append(Slot(match[2], start=place, end=place + 1))
        elif last is not None and last.end == place and last.type == match[2]:
            last.end = place + 1
        else:
            raise Wrong(f"word {place + 1}: `{tag}` follows no `B-{match[2]}`.", "A slot begins with B-.")
    return found


def _row(block: Sequence[tuple[int, bytes]]) -> tuple[int, Row | Wrong]:
    comments: dict[str, str] = {}
    words: list[str] = []
    tags: list[str] = []
    first = block[0][0]
    for number, line in block:
        try:
            columns = line.decode().split()
        except UnicodeDecodeError:
            return number, Wrong("it is not UTF-8.", "Save the file as UTF-8.")
        comment = _COMMENT.fullmatch(line.decode().strip())
        if columns[0].startswith("#") and (comment or len(columns) != 2):
            if comment and comment[1] in _KNOWN:
                comments[comment[1]] = comment[2]
        elif len(columns) < 2:
            return number, Wrong(f"“{columns[0]}” has no tag.", "Write a word and its tag, O where it fills no slot.")
        else:
            words.append(columns[0])
            tags.append(columns[-1])
    try:
        act = Act(comments.get("act", Act.COMMAND))
        slots = slots_of(tags)
    except Wrong as error:
        return first, error
    except ValueError:
        return first, Wrong(f"there is no act `{comments['act']}`.", f"Use one of {', '.join(Act)}.")
    text = " ".join(words)
    intent = comments.get("intent")
    return first, Row(text, None, intent, slots, (), act, None, comments.get("context", ""), comments.get("source", ""))
