"""Readers of the public corpora in their upstream layouts; labels stay the corpora's own.

HWU64 (Liu et al. 2019, arXiv 1903.05566), CLINC150 (Larson et al. 2019, arXiv 1909.02027), SNIPS (Coucke et al.
2018, arXiv 1805.10190, in the split of Goo et al. 2018) and SLURP (Bastianelli et al. 2020, arXiv 2011.13205).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from device.errors import BadInput
from device.nlu.text import words

Split: TypeAlias = Literal["train", "test"]

HWU_FOLD = Path(
    "nlu-evaluation-data/CrossValidation/autoGeneFromRealAnno/autoGene_2018_03_22-13_01_25_169/CrossValidation/KFold_1"
)
_ANNOTATION = re.compile(r"\[\s*([^:\]]+?)\s*:\s*([^\]]*?)\s*\]")
_BROKEN_POSSESSIVE = re.compile(r"(?<=\w)\s+'\s*s\b")


@dataclass(frozen=True, slots=True)
class Raw:
    """A corpus sentence: spoken words, the corpus's intent, and its slots as (type, start, end) of words."""

    corpus: Literal["hwu64", "clinc150", "snips", "slurp"]
    words: tuple[str, ...]
    intent: str
    slots: tuple[tuple[str, int, int], ...] = ()


def read_hwu64(data_dir: Path, split: Split) -> Iterator[Raw]:
    """First published fold of HWU64; intents are `scenario_intent`, the csv files' names.

    Raises:
        BadInput: The folder is not there.
    """
    folder = data_dir / HWU_FOLD / ("trainset" if split == "train" else "testset/csv")
    for path in _existing(sorted(folder.glob("*.csv")), folder):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter=";"):
                raw = _annotated("hwu64", path.stem, row["answer_annotation"])
                if raw.words:
                    yield raw


def read_slurp(data_dir: Path) -> Iterator[Raw]:
    """SLURP's development sentences; the same intents and slot types as HWU64.

    Raises:
        BadInput: The file is not there.
    """
    path = data_dir / "slurp/dataset/slurp/devel.jsonl"
    for line in _lines(path):
        row = json.loads(line)
        yield _annotated("slurp", f"{row['scenario']}_{row['action']}", row["sentence_annotation"])


def read_clinc150(data_dir: Path, split: Split) -> Iterator[Raw]:
    """CLINC150 with its out-of-scope sentences (intent `oos`); `train` includes the validation part.

    Raises:
        BadInput: The file is not there.
    """
    path = data_dir / "clinc150/data_full.json"
    parts = {"train": ("train", "val", "oos_train", "oos_val"), "test": ("test", "oos_test")}[split]
    data = json.loads("".join(_lines(path)))
    for part in parts:
        for sentence, intent in data[part]:
            yield Raw("clinc150", words(sentence), intent)


def read_snips(data_dir: Path, split: Split) -> Iterator[Raw]:
    """SNIPS; `train` includes the validation part.

    Raises:
        BadInput: A file is not there.
    """
    for part in ("train", "valid") if split == "train" else ("test",):
        folder = data_dir / "snips" / part
        rows = zip(*(_lines(folder / name) for name in ("seq.in", "seq.out", "label")), strict=True)
        for tokens, tags, intent in rows:
            yield _from_bio("snips", intent.strip(), tokens.split(), tags.split())


def _annotated(corpus: Literal["hwu64", "slurp"], intent: str, annotation: str) -> Raw:
    """Parse "wake me at [time : six am]"; each piece is brought to words by itself, so that spans stay exact."""
    found: list[str] = []
    slots: list[tuple[str, int, int]] = []
    end = 0
    for match in _ANNOTATION.finditer(annotation):
        found += words(annotation[end : match.start()])
        inside = words(_BROKEN_POSSESSIVE.sub("'s", match[2]))
        if inside:
            slots.append((match[1], len(found), len(found) + len(inside)))
            found += inside
        end = match.end()
    found += words(annotation[end:])
    return Raw(corpus, tuple(found), intent, tuple(slots))


def _from_bio(corpus: Literal["snips"], intent: str, tokens: list[str], tags: list[str]) -> Raw:
    """Chunks of equal label are brought to words together, so that "the 25th" and "7 : 00" come out right."""
    chunks: list[tuple[str, list[str]]] = []
    for token, tag in zip(tokens, tags, strict=True):
        kind = tag[2:] if tag != "O" else ""
        if chunks and tag[0] != "B" and chunks[-1][0] == kind:
            chunks[-1][1].append(token)
        else:
            chunks.append((kind, [token]))
    found: list[str] = []
    slots: list[tuple[str, int, int]] = []
    for kind, inside in chunks:
        spoken_words = _joined_clitics(words(" ".join(inside)))
        if kind and spoken_words:
            slots.append((kind, len(found), len(found) + len(spoken_words)))
        found += spoken_words
    return Raw(corpus, tuple(found), intent, tuple(slots))


def _joined_clitics(tokens: Iterable[str]) -> list[str]:
    """SNIPS writes "i d", "what s", "it ll" for "i'd", "what's", "it'll"."""
    found: list[str] = []
    for token in tokens:
        if found and token in {"s", "d", "ll", "m", "re", "ve", "t"} and found[-1].isalpha() and len(token) < 3:
            found[-1] = f"{found[-1]}'{token}"
        else:
            found.append(token)
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"{path} can't be read ({error.strerror}).", remedy=_REMEDY) from error


def _existing(paths: list[Path], folder: Path) -> list[Path]:
    if not paths:
        raise BadInput(f"{folder} holds no corpus files.", remedy=_REMEDY)
    return paths


_REMEDY = "Give --data-dir the folder that holds the corpora in their upstream layouts (see the model card)."

REAL_SOURCES = frozenset({"hwu64", "clinc150", "snips", "slurp"})
"""Names of the corpora: `Raw.corpus`, `Example.source`."""
