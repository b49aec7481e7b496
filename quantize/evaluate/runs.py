"""Bundles on a public benchmark, or the shipped one on held-out sentences: what is asked, and what is made of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any, Final

from device.errors import BadInput
from device.nlu.onnx_model import JointModel, load_model
from device.nlu.pack import PACKS_DIR, load_packs
from models.manifest import Manifest, file_sha256
from quantize.data.benchmarks import Benchmark, benchmark
from quantize.data.example import Example
from quantize.data.split import build, held_out, unseen
from quantize.evaluate.fairness import Fairness, fairness
from quantize.evaluate.figures import evaluate as by_corpus
from quantize.evaluate.measures import (
    Figures,
    calibration_figures,
    confusion,
    intent_figures,
    per_slot,
    scope_figures,
    slot_figures,
)
from quantize.evaluate.outcomes import Judge, Outcome, answered, answers, named, outcomes_of
from quantize.evaluate.robustness import Perturbation, noisy_slices, robustness
from quantize.evaluate.slices import Known, slices

FLOAT32: Final = "float32.onnx"
"""The graph before quantization, beside the bundle's folder or in the folder above it."""

FOLDED: Final = frozenset({"hwu64"})
"""Benchmarks whose figure is the mean over cross-validation folds, one bundle a fold."""


_FOLD: Final = re.compile(r"fold(\d+)$")

LOSSES: Final = ("intent_accuracy", "intent_macro_f1", "slot_f1", "entity_f1", "sentence_accuracy", "oos_recall_at_5")
"""Figures whose loss by quantization is reported."""


@dataclass(frozen=True)
class Run:
    """Everything known about one evaluation.

    Attributes:
        name: Benchmark, or `model`.
        figures: What `--json` prints.
        outcomes: Of every sentence.
        slices: Rows of `slices`.
        robustness: Rows of `robustness`.
        fairness: Result of `fairness`, of the shipped ontology only.
        manifest: Of the (first) bundle.
        judge: What counts as right in slices and pictures.
    """

    name: str
    figures: Figures
    outcomes: list[Outcome]
    slices: list[dict[str, Any]]
    manifest: Manifest
    judge: Judge = named
    robustness: list[dict[str, Any]] = field(default_factory=list)
    fairness: dict[str, Any] = field(default_factory=dict)

    def answer(self, outcome: Outcome) -> str:
        """What counts as the answer: the likeliest of a benchmark's intents, or the device's, rejection included."""
        return outcome.predicted if self.judge is named else outcome.answer

    def scored(self) -> list[Outcome]:
        """Sentences with an intent; out-of-scope ones only where rejecting is an answer."""
        return [o for o in self.outcomes if o.inside or (o.expected is not None and self.judge is not named)]

    def pairs(self) -> list[tuple[str, str]]:
        """Expected intent and answer of each scored sentence."""
        return [(str(o.expected), self.answer(o)) for o in self.scored()]

    def details(self) -> dict[str, Any]:
        """The rest of `result.json`: slices, robustness, fairness, slot types, confusion."""
        names, matrix = confusion(self.pairs())
        return {
            "slices": self.slices,
            "robustness": self.robustness,
            "fairness": self.fairness,
            "slot_types": per_slot([o for o in self.outcomes if o.marked]),
            "confusion": {"intents": names, "matrix": matrix},
        }


def evaluate_benchmark(
    name: str,
    data_dir: Path,
    bundles: Sequence[Path],
    perturbations: Mapping[str, Perturbation] | None = None,
) -> Run:
    """Figures of bundles that were trained on a benchmark.

    Args:
        name: One of `quantize.data.benchmarks.BENCHMARKS`.
        data_dir: Folder of the corpora.
        bundles: HWU64: one a fold, of the fold that its name ends in (`…-fold3`), else in order. Others: one a seed.
        perturbations: For the robustness, measured on the first bundle.

    Returns:
        With several bundles, each figure is their mean, `…_std` the sample standard deviation and `runs` the single
        ones; `n` counts all test sentences answered, `bundle_mb` is the largest.

    Raises:
        BadInput: No bundle; the corpus is missing; or a bundle was trained for other labels.
        BundleError: A bundle can't be loaded.
    """
    if not bundles:
        raise BadInput(f"There is no bundle to evaluate on {name}.", remedy="Name bundles with --bundle.")
    figures: list[Figures] = []
    outcomes: list[Outcome] = []
    known: dict[str, Known] = {}
    first: tuple[JointModel, Benchmark, list[Outcome]] | None = None
    for number, bundle in enumerate(bundles, 1):
        model = load_model(bundle)
        numbered = _FOLD.search(model.manifest.name)
        fold = int(numbered[1]) if numbered else number
        data = benchmark(name, data_dir, fold)
        _check_labels(model, data, bundle)
        part = f"{name}.{fold}" if name in FOLDED else f"{name}.{number}"
        test = answers(model, data.test, part)
        dev = answers(model, data.dev)
        figures.append(
            benchmark_figures(test, dev) | {"n": len(test)} | identity(bundle) | loss(model, bundle, data, test, dev)
        )
        outcomes += test
        known[part] = Known.of(data.train)
        first = first or (model, data, test)
    assert first is not None
    model, data, test = first
    rows = robustness(model, data.test, test, perturbations or {}, named)
    return Run(
        name,
        combined(figures),
        outcomes,
        slices(outcomes, named, known) + noisy_slices(rows),
        model.manifest,
        named,
        rows,
    )


def benchmark_figures(test: Sequence[Outcome], dev: Sequence[Outcome]) -> Figures:
    """All measures that apply to a benchmark."""
    found = intent_figures(test) | slot_figures(test) | calibration_figures(test)
    if any(o.expected is not None and not o.inside for o in test):
        found["in_scope_accuracy"] = found["intent_accuracy"]
        found |= scope_figures(test, dev)
    return found


def identity(bundle: Path) -> Figures:
    """`seed`, `model_sha256` and `bundle_mb` (10^6 bytes) of a bundle."""
    size = sum(path.stat().st_size for path in bundle.iterdir() if path.is_file())
    return {
        "seed": Manifest.read(bundle).recipe.get("seed"),
        "model_sha256": file_sha256(bundle / "model.onnx"),
        "bundle_mb": round(size / 1e6, 2),
    }


def loss(model: JointModel, bundle: Path, data: Benchmark, test: Sequence[Outcome], dev: Sequence[Outcome]) -> Figures:
    """`int8_loss`: the figures `LOSSES` of the graph before quantization, less the bundle's, in points.

    Empty if that graph was not kept (`FLOAT32` in the bundle's parent folder). It is asked with the bundle's
    calibration; its threshold at 5 % rejected is its own.

    Args:
        model: The bundle.
        bundle: Its folder.
        data: The benchmark.
        test: Outcomes of the bundle on the test set.
        dev: And on the development set.
    """
    graph = bundle.parent / FLOAT32
    if not graph.exists():
        return {}
    before = replace(model, session=_session(graph))
    precise = benchmark_figures(answers(before, data.test), answers(before, data.dev))
    exported = benchmark_figures(test, dev)
    return {"int8_loss": {key: round(precise[key] - exported[key], 2) for key in LOSSES if key in precise}}


def combined(figures: Sequence[Figures]) -> Figures:
    """Mean and spread of several runs; of one run, its figures."""
    if len(figures) == 1:
        return dict(figures[0])
    found: Figures = {}
    for key in figures[0]:
        values = [run.get(key) for run in figures]
        if key == "n":
            found[key] = sum(run["n"] for run in figures)
        elif key == "bundle_mb":
            found[key] = max(run[key] for run in figures)
        elif key == "int8_loss":
            kept = [run[key] for run in figures if key in run]
            found[key] = {name: round(mean(run[name] for run in kept), 2) for name in kept[0]}
        elif key in ("seed", "model_sha256"):
            found[key] = values[0] if len(set(values)) == 1 else values
        elif all(isinstance(value, float) for value in values):
            numbers = [float(run[key]) for run in figures]
            found[key] = round(mean(numbers), 4 if max(numbers) <= 1 else 2)
            found[f"{key}_std"] = round(stdev(numbers), 4 if max(numbers) <= 1 else 2)
    found["runs"] = list(figures)
    return found


def _check_labels(model: JointModel, data: Benchmark, bundle: Path) -> None:
    lacking = sorted(set(data.labels.intents) - set(model.labels.intents))
    lacking += sorted(set(data.labels.slot_types) - set(model.labels.slot_types))
    if lacking:
        shown = ", ".join(lacking[:5]) + (", …" if len(lacking) > 5 else "")
        raise BadInput(
            f"{bundle} was not trained for {data.name}: it does not know {len(lacking)} of its labels ({shown}).",
            remedy=f"Leave --bundle out to have models trained on {data.name}, or name one that was.",
        )


def _session(graph: Path) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def spoken_sentences(examples: Iterable[Example]) -> list[str]:
    """Words between spaces, for measuring latency."""
    return [" ".join(example.words) for example in examples]


def evaluate_held_out(bundle: Path, data_dir: Path, perturbations: Mapping[str, Perturbation]) -> Run:
    """Figures of a bundle that speaks the shipped ontology, on the corpora's mapped test parts, by corpus.

    Slices, robustness and fairness count a sentence as right when it is accepted with the right intent.

    Args:
        bundle: To measure.
        data_dir: Folder of the corpora.
        perturbations: For the robustness.

    Raises:
        BadInput: A corpus is missing, or the bundle speaks another ontology.
        BundleError: The bundle can't be loaded.
    """
    model = load_model(bundle)
    packs = load_packs(PACKS_DIR)
    wanted = {intent for pack in packs for intent in pack.intent_names()}
    if lacking := sorted(wanted - set(model.labels.intents)):
        raise BadInput(
            f"{bundle} does not speak Homebody's ontology: it lacks {len(lacking)} intents ({', '.join(lacking[:5])}).",
            remedy="Evaluate it on the benchmark that it was trained for, as `homebody evaluate snips --bundle …`.",
        )
    test = [e for e in held_out(data_dir) if e.intent is None or e.intent in model.labels.intents]
    outputs = [model.logits(e.words, e.context) for e in test]
    calibration = model.manifest.calibration
    figures = by_corpus(test, outputs, model.labels, calibration, unseen(data_dir))
    outcomes = outcomes_of(test, outputs, model.labels, calibration, "model")
    figures |= calibration_figures(outcomes) | {"n": len(outcomes)} | identity(bundle)
    before, after = model.manifest.metrics.get("parity_float32"), figures["combined"]
    if before:
        figures["int8_loss"] = {
            key: round(before[key] - after[key], 2) for key in LOSSES if key in before and key in after
        }
    trained = build(data_dir, packs, int(model.manifest.recipe["seed"])).train
    rows = robustness(model, test, outcomes, perturbations, answered)
    return Run(
        "model",
        figures,
        outcomes,
        slices(outcomes, answered, {"model": Known.of(trained)}) + noisy_slices(rows),
        model.manifest,
        answered,
        rows,
        fairness(model, Fairness.read().examples()),
    )
