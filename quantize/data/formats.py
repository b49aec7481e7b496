"""Labelled sentences of one's own: Homebody's JSONL, CoNLL and Hugging Face `datasets`, read and written.

**JSONL**, one object a line. `text` is what a person says or types, and is brought to the spoken form of
`device.nlu.text` ("6:30" to "six thirty"), as on the device; slots name their words, or their place in `text` split
at spaces, which is needed where the same words stand twice:

    {"text": "wake me at 6:30 tomorrow", "intent": "alarm.set", "slots": {"time": "6:30", "date": "tomorrow"}}
    {"text": "add milk and eggs", "intent": "list.add", "slots": {"item": ["milk", "eggs"]}}
    {"text": "add two to two", "intent": "math.add", "slots": [{"type": "number", "start": 1, "end": 2}]}

`words` (a list, taken as it is) may stand for `text`, and what `quantize.data.example` writes is read too. `intent`
may be left out where `act` (`affirm`, `deny`, …) says what a bare "yes" does; `context` is what the device said just
before.

**CoNLL**: a word and its BIO tag a line (the first and the last column), an empty line between sentences, and comments
`# intent = alarm.set` (also `act`, `context`, `source`).

**datasets**: a folder that `Dataset.save_to_disk` wrote, with the columns `text` or `tokens`, `intent`, and `tags`
(BIO) or `slots`; class labels by their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from device.errors import BadInput, StorageError
from device.nlu.text import words
from models.labels import LabelSchema
from quantize.data import conll
from quantize.data.example import Example
from quantize.data.rows import Row, ToWords, Wrong, as_row, example_of

if TYPE_CHECKING:
    from datasets import Dataset

ENDINGS: Final = {
    ".jsonl": "jsonl",
    ".json": "jsonl",
    ".conll": "conll",
    ".bio": "conll",
    ".txt": "conll",
    "": "datasets",
}


class BadRow(BadInput):
    """A row of a file that can't be used; the message names the file and the line."""


@dataclass
class Loaded:
    """What a file holds: its sentences, and what is wrong with the rows that were skipped."""

    examples: list[Example] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)


def read(path: Path, *, spoken: bool = True, skip_bad: bool = False, labels: LabelSchema | None = None) -> Loaded:
    """Read labelled sentences; the file's ending says the format, a folder is one of `datasets`.

    Args:
        path: `.jsonl`, `.conll` (or `.bio`, `.txt`), or a folder.
        spoken: Bring text to the spoken form; otherwise words stay as they are written, in lower case.
        skip_bad: Put rows that can't be used into `Loaded.bad` and go on.
        labels: If given, other intents and slot types are errors.

    Raises:
        BadRow: A row can't be used, and `skip_bad` is off.
        BadInput: The file can't be read at all, or holds no sentence.
    """
    kind = _kind(path)
    if kind == "datasets":
        return read_dataset(_from_disk(path), path.name, spoken=spoken, skip_bad=skip_bad, labels=labels)
    rows = (_json_rows if kind == "jsonl" else conll.rows)(_lines(path))
    return _load(rows, path.name, "line", _to_words(spoken), skip_bad, labels)


def read_dataset(
    dataset: Dataset, name: str, *, spoken: bool = True, skip_bad: bool = False, labels: LabelSchema | None = None
) -> Loaded:
    """Read a `datasets.Dataset` with the columns of the module's description; otherwise as `read`.

    Args:
        dataset: One split.
        name: For messages.
        spoken: As for `read`.
        skip_bad: As for `read`.
        labels: As for `read`.

    Raises:
        BadRow: A row can't be used, and `skip_bad` is off.
        BadInput: A column is missing, or there is no row.
    """
    columns = set(dataset.column_names)
    if not columns & {"text", "tokens"} or "intent" not in columns:
        raise BadInput(
            f"{name} has the columns {', '.join(sorted(columns))}.",
            remedy="It needs `intent`, and `text` or `tokens`; rename columns with Dataset.rename_column.",
        )
    return _load(_dataset_rows(dataset), name, "row", _to_words(spoken), skip_bad, labels)


def write(path: Path, examples: Iterable[Example]) -> None:
    """Write sentences in the format that the ending names.

    Reading gives the same examples again, except that CoNLL has no place for `annotated`, and that CoNLL and `datasets`
    bring words to the spoken form, which those of the factory have already.

    Raises:
        BadInput: No such format.
        StorageError: The file can't be written.
    """
    kind = _kind(path)
    try:
        if kind == "jsonl":
            path.write_bytes(b"".join(msgspec.json.encode(as_row(example)) + b"\n" for example in examples))
        elif kind == "conll":
            path.write_text("\n".join(map(conll.block_of, examples)), encoding="utf-8")
        else:
            _save(examples, path)
    except OSError as error:
        raise StorageError(f"{path} can't be written ({error.strerror}).", remedy="Name another place.") from error


def without_example(examples: Iterable[Example], labels: LabelSchema) -> tuple[list[str], list[str]]:
    """Intents and slot types of a schema that no sentence has."""
    intents: set[str | None] = set()
    types: set[str] = set()
    for example in examples:
        intents.add(example.intent)
        types.update(span.type for span in example.spans)
    return [i for i in labels.intents if i not in intents], [t for t in labels.slot_types if t not in types]


_Rows: TypeAlias = Iterator[tuple[int, Row | Wrong]]


def _load(rows: _Rows, name: str, unit: str, to_words: ToWords, skip_bad: bool, labels: LabelSchema | None) -> Loaded:
    loaded = Loaded()
    for number, row in rows:
        try:
            if isinstance(row, Wrong):
                raise row
            example = example_of(row, to_words)
            if labels is not None:
                _check_labels(example, labels)
        except Wrong as error:
            bad = BadRow(f"{name}, {unit} {number}: {error}", remedy=error.remedy)
            if not skip_bad:
                raise bad from None
            loaded.bad.append(bad)
        else:
            loaded.examples.append(example)
    if not loaded.examples:
        raise BadInput(
            f"{name} holds no sentence that can be used.",
            remedy=str(loaded.bad[0])
            if loaded.bad
            else "Put labelled sentences in it; `homebody data check --help` shows how.",
        )
    return loaded


def _check_labels(example: Example, labels: LabelSchema) -> None:
    if example.intent is not None and example.intent not in labels.intents:
        raise Wrong(f"there is no intent `{example.intent}`.", _nearest(example.intent, labels.intents))
    for span in example.spans:
        if span.type not in labels.slot_types:
            raise Wrong(f"there is no slot type `{span.type}`.", _nearest(span.type, labels.slot_types))


def _nearest(name: str, names: Iterable[str]) -> str:
    near = get_close_matches(name, list(names), n=1)
    return f"Did you mean `{near[0]}`?" if near else "Add it to a skill pack, or correct it."


def _json_rows(lines: Iterable[tuple[int, bytes]]) -> _Rows:
    decoder = msgspec.json.Decoder(Row)
    for number, line in lines:
        if line.strip():
            try:
                yield number, decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                yield number, Wrong(f"{error}.", "Write one JSON object a line; see `homebody data check --help`.")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} can't be read ({error.strerror}).", remedy="Check the name.") from error
    return enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1)


def _kind(path: Path) -> str:
    if path.suffix in ENDINGS and not (path.suffix and path.is_dir()):
        return ENDINGS[path.suffix]
    raise BadInput(
        f"{path.name}: the ending doesn't say a format.", remedy="Name it .jsonl, .conll, or a folder of `datasets`."
    )


def _to_words(spoken: bool) -> ToWords:
    return words if spoken else lambda text: text.lower().split()


def _from_disk(path: Path) -> Dataset:
    from datasets import Dataset, load_from_disk

    try:
        found = load_from_disk(str(path))
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{path} is not a folder of `datasets`.", remedy="Make it with Dataset.save_to_disk, or name a file."
        ) from error
    if not isinstance(found, Dataset):
        raise BadInput(f"{path} holds the splits {', '.join(found)}.", remedy=f"Name one: {path / next(iter(found))}")
    return found


def _dataset_rows(dataset: Dataset) -> _Rows:
    for number, row in enumerate(dataset):
        named = {name: _named(dataset.features[name], value) for name, value in row.items() if value is not None}
        try:
            yield number, _dataset_row(named)
        except Wrong as error:
            yield number, error
        except msgspec.ValidationError as error:
            yield number, Wrong(f"{error}.", "See `homebody data check --help` for the columns.")


def _dataset_row(row: Mapping[str, Any]) -> Row:
    fields = {name: row[name] for name in ("intent", "act", "context", "source", "annotated", "slots") if name in row}
    if "tokens" not in row:
        return msgspec.convert({"text": row["text"], **fields}, Row)
    tokens = row["tokens"]
    if "tags" in row:
        if len(row["tags"]) != len(tokens):
            raise Wrong(f"it has {len(tokens)} tokens and {len(row['tags'])} tags.", "Give each token one tag.")
        fields["slots"] = [msgspec.to_builtins(slot) for slot in conll.slots_of(row["tags"])]
    if any(len(token.split()) != 1 for token in tokens):
        raise Wrong("a token is empty or holds a space.", "Split tokens at spaces.")
    return msgspec.convert({"text": " ".join(tokens), **fields}, Row)


def _named(feature: Any, value: Any) -> Any:
    """A class label by its name, in a column or in a list."""
    inner = getattr(feature, "feature", feature)
    if not hasattr(inner, "int2str"):
        return value
    return [inner.int2str(each) for each in value] if isinstance(value, list) else inner.int2str(value)


def _save(examples: Iterable[Example], path: Path) -> None:
    import datasets

    rows = [
        {
            "text": " ".join(example.words),
            "tokens": list(example.words),
            "tags": conll.tags_of(example),
            "intent": example.intent,
            "act": example.act.value,
            "context": " ".join(example.context),
            "source": example.source,
            "annotated": None if example.annotated is None else sorted(example.annotated),
        }
        for example in examples
    ]
    datasets.disable_progress_bars()
    datasets.Dataset.from_list(rows).save_to_disk(str(path))
