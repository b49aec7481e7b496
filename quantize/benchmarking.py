"""Students trained on one published corpus, to be compared with what others have reached on it.

The plans of `quantize/plans` were chosen on development sentences; test sentences are neither trained on nor looked
at before `homebody evaluate`.

HWU64 publishes ten folds and no development sets. Its plan was chosen on a tenth of fold 1's training set; the
students are then trained on whole training sets, as the published systems were. Two folds share a teacher, which is
trained on the sentences that are in both of their training sets: it has seen neither test set.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from quantize.data.benchmarks import Benchmark, benchmark
from quantize.pipeline import Run
from quantize.plan import Plan, Sets

_log = logging.getLogger(__name__)

PLANS: Final = Path(__file__).parent / "plans"
FOLDS: Final = {"hwu64": 10}
"""Published cross-validation folds; other corpora have one split."""


def students(name: str, data_dir: Path, runs: Path) -> list[Path]:
    """Bundles of a benchmark's students, one a fold, trained if they are not there; resumable.

    Args:
        name: One of `BENCHMARKS`.
        data_dir: Folder of the corpora.
        runs: Folder of all runs; each student's is in it.

    Raises:
        BadInput: The corpus is missing.
    """
    return [student(name, data_dir, runs, fold) for fold in range(1, FOLDS.get(name, 1) + 1)]


def student(name: str, data_dir: Path, runs: Path, fold: int = 1) -> Path:
    """The bundle of one fold's student; see `students`."""
    folds = name in FOLDS
    folder = runs / (f"{name}-fold{fold}" if folds else name)
    bundle = folder / "bundle"
    if bundle.exists():  # made whole or not at all
        return bundle
    _log.info("%s is trained in %s", name, folder)
    plan = Plan.read(PLANS / f"{name}.toml")
    if folds:
        both = _teachers_of_two(name, plan, data_dir, runs, fold)
        run = both.derived(folder, named(plan, f"fold{fold}"), lambda: _whole(benchmark(name, data_dir, fold)))
    else:
        run = Run(folder, plan)
        run.data(lambda: _sets(benchmark(name, data_dir)))
    run.teachers()
    run.student()
    run.bundle(bundle)
    return bundle


def named(plan: Plan, addition: str) -> Plan:
    """The same plan under another name."""
    return msgspec.structs.replace(plan, name=f"{plan.name}-{addition}")


def _teachers_of_two(name: str, plan: Plan, data_dir: Path, runs: Path, fold: int) -> Run:
    """The run whose teachers serve this fold and the other of its pair: 1 and 2, 3 and 4, ..."""
    one = fold - (fold - 1) % 2
    run = Run(runs / f"{name}-folds{one}and{one + 1}", named(plan, f"folds{one}and{one + 1}"))

    def common() -> Sets:
        mine, other = _whole(benchmark(name, data_dir, one)), _whole(benchmark(name, data_dir, one + 1))
        held_out = {example.words for example in (*mine.test, *other.test)}
        train, dev = ([e for e in part if e.words not in held_out] for part in (mine.train, mine.dev))
        return replace(mine, train=train, dev=dev)

    run.data(common)
    run.teachers()
    return run


def _sets(corpus: Benchmark) -> Sets:
    return Sets(corpus.train, corpus.dev, corpus.test, corpus.labels)


def _whole(corpus: Benchmark) -> Sets:
    return replace(_sets(corpus), train=[*corpus.train, *corpus.dev])
