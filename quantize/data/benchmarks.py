"""The public benchmarks as they are published: their split, their tokens, their labels.

Unlike the training data of the shipped model (`quantize.data.split`), nothing is mapped, normalised or left out, so
that figures can be set beside published ones. Names are brought to snake case (`AddToPlaylist` to
`add_to_playlist`), because `LabelSchema` wants that.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from device.errors import BadInput
from device.nlu.types import Act
from models.labels import LabelSchema
from quantize.data import corpora
from quantize.data.corpora import Part, Sentence, as_written
from quantize.data.example import Example, Span

BENCHMARKS: Final = ("snips", "hwu64", "clinc150", "slurp", "massive")

DEV_SHARE: Final = 0.1
"""Share of an HWU64 fold's training set that becomes its development set; the other corpora publish one."""
_DEV_SEED: Final = 1903
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_NAME: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Benchmark:
    """One corpus in its published split, with the corpus's own labels and tokens.

    Attributes:
        name: One of `BENCHMARKS`.
        train: Training sentences.
        dev: For every choice: early stopping, thresholds, settings.
        test: For the figure that is reported.
        labels: Names of all three parts, and `oos`; CLINC150 has no slot types.
    """

    name: str
    train: list[Example]
    dev: list[Example]
    test: list[Example]
    labels: LabelSchema


def benchmark(name: str, data_dir: Path, fold: int = 1) -> Benchmark:
    """Read a benchmark.

    SNIPS, CLINC150 (with its out-of-scope sentences), SLURP (without its synthetic ones) and MASSIVE (en-US) have
    published training, development and test sets. HWU64 has ten folds of training and test sets (the tenth test set
    is the largest, 1,352 sentences; every sentence is in one of them); a tenth of each intent's different sentences
    in the training set is drawn as development set, always the same ones.

    Args:
        name: One of `BENCHMARKS`.
        data_dir: Folder of the corpora in their upstream layouts.
        fold: 1 to 10, of HWU64; the others have no folds, and it is ignored.

    Raises:
        BadInput: No such benchmark or fold, or a file of it is missing or not in the published format.
    """
    if name == "hwu64":
        rest = _examples(corpora.hwu64(data_dir, "train", fold))
        dev = _drawn(rest, DEV_SHARE, _DEV_SEED)
        train = [example for example in rest if example.words not in dev]
        return _benchmark(
            name,
            train,
            [example for example in rest if example.words in dev],
            _examples(corpora.hwu64(data_dir, "test", fold)),
        )
    if name not in _READERS:
        raise BadInput(f"There is no benchmark {name!r}.", remedy=f"Choose one of {', '.join(BENCHMARKS)}.")
    read = _READERS[name]
    return _benchmark(name, *(_examples(read(data_dir, part)) for part in ("train", "dev", "test")))


def slurp_dev(data_dir: Path) -> list[Example]:
    """SLURP's development set by itself, which the shipped model is trained on.

    Raises:
        BadInput: The file is missing or not in the published format.
    """
    return _examples(corpora.slurp(data_dir, "dev"))


_Reader: TypeAlias = Callable[[Path, Part], Iterable[Sentence]]
_READERS: Final[Mapping[str, _Reader]] = {
    "snips": corpora.snips,
    "clinc150": corpora.clinc150,
    "slurp": corpora.slurp,
    "massive": corpora.massive,
}


def snake(name: str) -> str:
    """A label in snake case: `timeRange` to `time_range`, `movie-type` to `movie_type`."""
    return _NO_NAME.sub("_", _CAMEL.sub("_", name).lower()).strip("_")


def _examples(sentences: Iterable[Sentence]) -> list[Example]:
    found: list[Example] = []
    for raw in map(as_written, sentences):
        if raw.words:
            spans = tuple(Span(snake(kind), start, end) for kind, start, end in raw.slots)
            annotated = frozenset[str]() if raw.corpus == "clinc150" else None
            found.append(Example(raw.words, snake(raw.intent), Act.COMMAND, spans, annotated, (), raw.corpus))
    return found


def _drawn(examples: Iterable[Example], share: float, seed: int) -> set[tuple[str, ...]]:
    """The given share of each intent's different sentences; repetitions stay on one side."""
    by_intent: dict[str, list[tuple[str, ...]]] = {}
    for said, intent in {example.words: example.intent or "" for example in examples}.items():
        by_intent.setdefault(intent, []).append(said)
    chance = random.Random(seed)
    return {
        said
        for _, sentences in sorted(by_intent.items())
        for said in chance.sample(sentences, round(len(sentences) * share))
    }


def _benchmark(name: str, train: list[Example], dev: list[Example], test: list[Example]) -> Benchmark:
    every = [*train, *dev, *test]
    labels = LabelSchema.of(
        {example.intent for example in every if example.intent},
        {span.type for example in every for span in example.spans},
        tuple(Act),
    )
    return Benchmark(name, train, dev, test, labels)
