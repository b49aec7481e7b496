"""What differs between two model bundles, as somebody asks who has to approve the second one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from device.nlu.onnx_model import JointModel
from device.nlu.text import words
from device.nlu.types import OOS
from models.labels import LabelSchema
from models.manifest import Manifest, Provenance
from models.signature import signer_id

_HIGHER: Final = re.compile(r"(accuracy|f1|auroc|recall|precision|oos_rejected)$")
_LOWER: Final = re.compile(r"(in_scope_rejected|ece|brier|loss|gap|_ms|_mb)$")
_FRACTION: Final = re.compile(r"(auroc|ece|brier)$")
"""Metrics from 0 to 1; the others are percentages."""

_COST: Final = re.compile(r"_(ms|mb)$")


class Delta(msgspec.Struct, frozen=True):
    """A value that changed; None where it was not there."""

    name: str
    before: Any
    after: Any


class MetricDelta(msgspec.Struct, frozen=True):
    """A figure that changed.

    Attributes:
        name: Path in the manifest's metrics, with dots.
        before: In the first bundle, None if it has no such figure.
        after: In the second.
        gain: How much better the second is, negative where it is worse: in points of 100; for milliseconds and
            megabytes in percent of the first. None for a figure that is neither better nor worse, as a count is, or
            that only one of them has.
    """

    name: str
    before: float | None
    after: float | None
    gain: float | None


class Names(msgspec.Struct, frozen=True):
    """Names of one kind that only the second bundle has, and that only the first has."""

    added: tuple[str, ...]
    removed: tuple[str, ...]


class Disagreement(msgspec.Struct, frozen=True):
    """A sentence that the two understand differently; a rejected one is `oos`. `expected` is None if nobody says."""

    text: str
    before: str
    after: str
    expected: str | None


class BundleDiff(msgspec.Struct, frozen=True):
    """What differs.

    Attributes:
        names: Name and version of both.
        same: Nothing differs but perhaps the signature.
        ontology: Head of the label schema to the names that came and went.
        reordered: Both have the same labels in another order.
        settings: Language, longest input, board, calibration, signer.
        recipe: How it was made.
        metrics: Held-out figures, the worst change first, those that are neither better nor worse last.
        files: File to its checksum.
        provenance: Source of data or weights to what is said of it.
    """

    names: tuple[str, str]
    same: bool
    ontology: dict[str, Names]
    reordered: bool
    settings: tuple[Delta, ...]
    recipe: tuple[Delta, ...]
    metrics: tuple[MetricDelta, ...]
    files: tuple[Delta, ...]
    provenance: tuple[Delta, ...]


def compare(first: JointModel, second: JointModel) -> BundleDiff:
    """Compare two bundles by their manifests and labels."""
    a, b = first.manifest, second.manifest
    ontology = _ontology(first.labels, second.labels)
    settings = _changes(_settings(a), _settings(b))
    recipe, files = _changes(a.recipe, b.recipe), _changes(a.files, b.files)
    metrics, provenance = _metrics(a.metrics, b.metrics), _sources(a.provenance, b.provenance)
    versions = (f"{a.name} {a.version}", f"{b.name} {b.version}")
    signed = all(delta.name == "signed by" for delta in settings)
    same = versions[0] == versions[1] and signed and not (recipe or files or metrics or provenance)
    return BundleDiff(
        names=versions,
        same=same,
        ontology=ontology,
        reordered=not ontology and a.ontology != b.ontology,
        settings=settings,
        recipe=recipe,
        metrics=metrics,
        files=files,
        provenance=provenance,
    )


def disagreements(
    first: JointModel, second: JointModel, sentences: Iterable[tuple[str, str | None]]
) -> list[Disagreement]:
    """The sentences whose likeliest intents differ.

    Args:
        first: A model.
        second: Another one.
        sentences: Texts, each with the right intent if somebody knows it.
    """
    found: list[Disagreement] = []
    for text, expected in sentences:
        before, after = intent(first, text), intent(second, text)
        if before != after:
            found.append(Disagreement(text, before, after, expected))
    return found


def intent(model: JointModel, text: str) -> str:
    """The likeliest intent of a text, or `oos` where the model rejects it."""
    prediction = model.predict(words(text))
    return prediction.intents[0][0] if prediction.accepted and prediction.intents else OOS


def _ontology(first: LabelSchema, second: LabelSchema) -> dict[str, Names]:
    found: dict[str, Names] = {}
    for head in ("intents", "slot_types", "acts"):
        before, after = set(getattr(first, head)), set(getattr(second, head))
        if before != after:
            found[head] = Names(tuple(sorted(after - before)), tuple(sorted(before - after)))
    return found


def _settings(manifest: Manifest) -> dict[str, Any]:
    return {
        "language": manifest.language,
        "max_tokens": manifest.max_tokens,
        "board": manifest.board or "any",
        "calibration": msgspec.structs.asdict(manifest.calibration),
        "signed by": signer_id(manifest) or "nobody",
    }


def _sources(before: Sequence[Provenance], after: Sequence[Provenance]) -> tuple[Delta, ...]:
    """As `_changes`, but each source is one value."""
    old, new = ({source.name: msgspec.to_builtins(source) for source in sources} for sources in (before, after))
    names = dict.fromkeys((*old, *new))
    return tuple(Delta(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def _metrics(before: Any, after: Any) -> tuple[MetricDelta, ...]:
    old, new = (dict(_flat(metrics)) for metrics in (before, after))
    deltas = [
        MetricDelta(name, was, now, _gain(name, was, now))
        for name in old.keys() | new.keys()
        if (was := _number(old.get(name))) != (now := _number(new.get(name)))
    ]
    return tuple(sorted(deltas, key=lambda delta: (delta.gain is None, delta.gain or 0.0, delta.name)))


def _gain(name: str, before: float | None, after: float | None) -> float | None:
    if before is None or after is None:
        return None
    sign = 1 if _HIGHER.search(name) else -1 if _LOWER.search(name) else 0
    if not sign:
        return None
    scale = 100 / before if _COST.search(name) and before else 100 if _FRACTION.search(name) else 1
    return round(sign * (after - before) * scale, 6)


def _changes(before: Any, after: Any) -> tuple[Delta, ...]:
    old, new = (dict(_flat(values)) for values in (before, after))
    return tuple(
        Delta(name, old.get(name), new.get(name))
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    )


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested dicts, by their paths; a list is a leaf, but one of rows with an `intent` is a dict."""
    if isinstance(value, list | tuple) and value and all(isinstance(row, dict) and "intent" in row for row in value):
        value = {row["intent"]: {key: cell for key, cell in row.items() if key != "intent"} for row in value}
    if not isinstance(value, dict):
        yield path, list(value) if isinstance(value, tuple) else value
        return
    for name, part in value.items():
        yield from _flat(part, f"{path}.{name}" if path else str(name))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
