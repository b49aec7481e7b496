"""Students trained on one published corpus, to be compared with what others have reached on it.

The plans of `quantize/plans` were chosen on development sentences; test sentences are neither trained on nor looked
at before `homebody evaluate`.
"""

from __future__ import annotations

import logging
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
    folder = runs / (f"{name}-fold{fold}" if name in FOLDS else name)
    bundle = folder / "bundle"
    if not (folder / "done").exists():
        _log.info("%s is trained in %s", name, folder)
        run = Run(folder, plan(name, fold))
        run.data(lambda: _sets(benchmark(name, data_dir, fold)))
        run.teachers()
        run.student()
        run.bundle(bundle)
        (folder / "done").touch()
    return bundle


def plan(name: str, fold: int = 1) -> Plan:
    """The plan of a benchmark's student; all folds have the same but for the name."""
    read = Plan.read(PLANS / f"{name}.toml")
    return msgspec.structs.replace(read, name=f"{read.name}-fold{fold}") if name in FOLDS else read


def _sets(corpus: Benchmark) -> Sets:
    return Sets(corpus.train, corpus.dev, corpus.test, corpus.labels)
