"""Readers of the public corpora in their upstream layouts; labels stay the corpora's own.

HWU64 (Liu et al. 2019, arXiv 1903.05566), CLINC150 (Larson et al. 2019, arXiv 1909.02027), SNIPS (Coucke et al.
2018, arXiv 1805.10190, in the split of Goo et al. 2018), SLURP (Bastianelli et al. 2020, arXiv 2011.13205) and
MASSIVE (FitzGerald et al. 2022, arXiv 2204.08582).

A reader gives `Sentence`: the pieces of a sentence as they are written there. `as_spoken` brings them to the words
of `device.nlu.text`, in which the shipped model is trained; `as_written` keeps the corpus's own tokens, in which the
benchmarks are scored.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, TypeVar, get_args

import msgspec

from device.errors import BadInput
from device.nlu.text import words
from device.nlu.types import OOS

Corpus: TypeAlias = Literal["hwu64", "clinc150", "snips", "slurp", "massive"]
Part: TypeAlias = Literal["train", "dev", "test"]
Split: TypeAlias = Literal["train", "test"]

HWU_FOLDS: Final = Path(
    "nlu-evaluation-data/CrossValidation/autoGeneFromRealAnno/autoGene_2018_03_22-13_01_25_169/CrossValidation"
)
HWU_FOLD: Final = HWU_FOLDS / "KFold_1"
FOLDS: Final = 10
MASSIVE: Final = (Path("massive/1.1/data/en-US.jsonl"), Path("massive/1.0/data/en-US.jsonl"))
"""Where MASSIVE's two releases have their English sentences; the first that is there is read."""
_ANNOTATION: Final = re.compile(r"\[\s*([^:\]]+?)\s*:\s*([^\]]*?)\s*\]")
_BROKEN_POSSESSIVE: Final = re.compile(r"(?<=\w)\s+'\s*s\b")

REAL_SOURCES: Final[frozenset[str]] = frozenset(get_args(Corpus))
"""Names of the corpora: `Raw.corpus`, `Example.source`."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A corpus sentence as it is written there: its intent and its pieces, each (slot type or "", text)."""

    corpus: Corpus
    intent: str
    pieces: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Raw:
    """A corpus sentence: words, the corpus's intent, and its slots as (type, start, end) of words."""

    corpus: Corpus
    words: tuple[str, ...]
    intent: str
    slots: tuple[tuple[str, int, int], ...] = ()


def as_spoken(sentence: Sentence) -> Raw:
    """The sentence in `device.nlu.text.words`; each piece is brought to words by itself, so that spans stay exact."""
    if sentence.corpus == "snips":
        return _joined(sentence, lambda text: _joined_clitics(words(text)))
    return _joined(sentence, lambda text: words(_BROKEN_POSSESSIVE.sub("'s", text)))


def as_written(sentence: Sentence) -> Raw:
    """The sentence in the corpus's own tokens: lower case, split at spaces."""
    return _joined(sentence, lambda text: text.lower().split())


def read_hwu64(data_dir: Path, split: Split, fold: int = 1) -> Iterator[Raw]:
    """A published fold of HWU64 as spoken; see `hwu64`.

    Raises:
        BadInput: The folder is not there, or a file is not in the published format.
    """
    return _spoken(hwu64(data_dir, split, fold))


def read_slurp(data_dir: Path) -> Iterator[Raw]:
    """SLURP's development sentences as spoken; the same intents and slot types as HWU64.

    Raises:
        BadInput: The file is not there or not in the published format.
    """
    return _spoken(slurp(data_dir, "dev"))


def read_clinc150(data_dir: Path, split: Split) -> Iterator[Raw]:
    """CLINC150 as spoken, its out-of-scope sentences (intent `oos`) last; `train` includes the validation part.

    Raises:
        BadInput: The file is not there or not in the published format.
    """
    found = [raw for part in _parts(split) for raw in _spoken(clinc150(data_dir, part))]
    return iter(sorted(found, key=lambda raw: raw.intent == OOS))


def read_snips(data_dir: Path, split: Split) -> Iterator[Raw]:
    """SNIPS as spoken; `train` includes the validation part.

    Raises:
        BadInput: A file is not there or not in the published format.
    """
    for part in _parts(split):
        yield from _spoken(snips(data_dir, part))


def hwu64(data_dir: Path, split: Split, fold: int = 1) -> Iterator[Sentence]:
    """One published fold of HWU64; intents are `scenario_intent`, the csv files' names.

    Args:
        data_dir: Folder of the corpora.
        split: `trainset`, or `testset/csv`.
        fold: 1 to 10.

    Raises:
        BadInput: No such fold, the folder is not there, or a file lacks its columns.
    """
    if not 1 <= fold <= FOLDS:
        raise BadInput(f"HWU64 has no fold {fold}.", remedy=f"Choose one of 1 to {FOLDS}.")
    folder = data_dir / HWU_FOLDS / f"KFold_{fold}" / ("trainset" if split == "train" else "testset/csv")
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise BadInput(f"{folder} holds no corpus files.", remedy=_REMEDY)
    for path in paths:
        rows = csv.DictReader((line for _, line in _lines(path)), delimiter=";")
        if "answer_annotation" not in (rows.fieldnames or ()):
            raise BadInput(f"{path} has no column `answer_annotation`.", remedy=_REMEDY)
        for row in rows:
            yield Sentence("hwu64", path.stem, _pieces(row["answer_annotation"] or ""))


class _SlurpRow(msgspec.Struct):
    scenario: str
    action: str
    sentence_annotation: str


def slurp(data_dir: Path, part: Part) -> Iterator[Sentence]:
    """A part of SLURP (without its synthetic sentences); intents are `scenario_action`.

    Raises:
        BadInput: The file is not there or not in the published format.
    """
    path = data_dir / "slurp/dataset/slurp" / f"{'devel' if part == 'dev' else part}.jsonl"
    for row in _json_lines(path, _SlurpRow):
        yield Sentence("slurp", f"{row.scenario}_{row.action}", _pieces(row.sentence_annotation))


class _MassiveRow(msgspec.Struct):
    partition: str
    intent: str
    annot_utt: str


def massive(data_dir: Path, part: Part) -> Iterator[Sentence]:
    """A part of MASSIVE's locale en-US, release 1.1 or 1.0.

    Raises:
        BadInput: The file is not there or not in the published format.
    """
    path = next((data_dir / path for path in MASSIVE if (data_dir / path).exists()), data_dir / MASSIVE[0])
    for row in _json_lines(path, _MassiveRow):
        if row.partition == part:
            yield Sentence("massive", row.intent, _pieces(row.annot_utt))


def clinc150(data_dir: Path, part: Part) -> Iterator[Sentence]:
    """A part of CLINC150's `data_full.json` and after it the part's out-of-scope sentences (intent `oos`).

    Raises:
        BadInput: The file is not there or not in the published format.
    """
    path = data_dir / "clinc150/data_full.json"
    data = _decoded(_read(path), dict[str, list[tuple[str, str]]], str(path))
    name = "val" if part == "dev" else part
    for rows in (name, f"oos_{name}"):
        if rows not in data:
            raise BadInput(f"{path} has no part `{rows}`.", remedy=_REMEDY)
        for text, intent in data[rows]:
            yield Sentence("clinc150", intent, (("", text),))


def snips(data_dir: Path, part: Part) -> Iterator[Sentence]:
    """A part of SNIPS; the pieces are its chunks.

    Raises:
        BadInput: A file is not there, or the three do not belong together.
    """
    folder = data_dir / "snips" / ("valid" if part == "dev" else part)
    texts, tags, intents = ([line for _, line in _lines(folder / name)] for name in ("seq.in", "seq.out", "label"))
    if not len(texts) == len(tags) == len(intents):
        raise BadInput(f"seq.in, seq.out and label of {folder} have different numbers of lines.", remedy=_REMEDY)
    for number, (text, tag, intent) in enumerate(zip(texts, tags, intents, strict=True), start=1):
        try:
            pieces = _chunks(text.split(), tag.split())
        except ValueError as error:
            raise BadInput(f"{folder}, line {number}: seq.in and seq.out differ in length.", remedy=_REMEDY) from error
        yield Sentence("snips", intent.strip(), pieces)


def _pieces(annotation: str) -> tuple[tuple[str, str], ...]:
    """Parse "wake me at [time : six am]"."""
    found: list[tuple[str, str]] = []
    end = 0
    for match in _ANNOTATION.finditer(annotation):
        found += [("", annotation[end : match.start()]), (match[1], match[2])]
        end = match.end()
    found.append(("", annotation[end:]))
    return tuple((kind, text) for kind, text in found if text.strip())


def _chunks(tokens: Sequence[str], tags: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Join tokens of equal label, so that "the 25th" and "7 : 00" come out right when they are brought to words.

    Raises:
        ValueError: Not as many tags as tokens.
    """
    chunks: list[tuple[str, list[str]]] = []
    for token, tag in zip(tokens, tags, strict=True):
        kind = tag[2:] if tag != "O" else ""
        if chunks and tag[0] != "B" and chunks[-1][0] == kind:
            chunks[-1][1].append(token)
        else:
            chunks.append((kind, [token]))
    return tuple((kind, " ".join(inside)) for kind, inside in chunks)


def _joined(sentence: Sentence, to_words: Callable[[str], Iterable[str]]) -> Raw:
    found: list[str] = []
    slots: list[tuple[str, int, int]] = []
    for kind, text in sentence.pieces:
        start = len(found)
        found += to_words(text)
        if kind and len(found) > start:
            slots.append((kind, start, len(found)))
    return Raw(sentence.corpus, tuple(found), sentence.intent, tuple(slots))


def _joined_clitics(tokens: Iterable[str]) -> list[str]:
    """SNIPS writes "i d", "what s", "it ll" for "i'd", "what's", "it'll"."""
    found: list[str] = []
    for token in tokens:
        if found and token in {"s", "d", "ll", "m", "re", "ve", "t"} and found[-1].isalpha() and len(token) < 3:
            found[-1] = f"{found[-1]}'{token}"
        else:
            found.append(token)
    return found


def _spoken(sentences: Iterable[Sentence]) -> Iterator[Raw]:
    return (raw for raw in map(as_spoken, sentences) if raw.words)


def _parts(split: Split) -> tuple[Part, ...]:
    return ("train", "dev") if split == "train" else ("test",)


_T = TypeVar("_T")


def _json_lines(path: Path, row: type[_T]) -> Iterator[_T]:
    for number, line in _lines(path):
        if line.strip():
            yield _decoded(line.encode(), row, f"{path}, line {number}")


def _decoded(text: bytes, kind: type[_T], where: str) -> _T:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise BadInput(f"{where}: not in the published format ({error}).", remedy=_REMEDY) from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, from 1."""
    for number, line in enumerate(_read(path).splitlines(), start=1):
        try:
            yield number, line.decode()
        except UnicodeDecodeError as error:
            raise BadInput(f"{path}, line {number}: not UTF-8.", remedy=_REMEDY) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} can't be read ({error.strerror}).", remedy=_REMEDY) from error


_REMEDY: Final = (
    "Give --data-dir the folder that holds the corpora in their upstream layouts; `homebody data list` shows what is "
    "there, `homebody data fetch` gets what is missing."
)
