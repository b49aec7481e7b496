"""The report of `homebody errors`: what fails, what looks like a wrong label, and what would help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from device.nlu.grammar import compile_grammar
from device.nlu.match import match
from device.nlu.onnx_model import JointModel, Logits
from device.nlu.pack import Pack
from quantize.data.example import Span
from quantize.evaluate.outcomes import Outcome
from quantize.explain.clusters import cluster
from quantize.explain.failures import DECISIONS, Failure, find_failures
from quantize.explain.neighbours import Neighbours
from quantize.explain.noise import Suspect, suspects
from quantize.explain.probe import says
from quantize.explain.proposals import Evidence, Proposal, propose
from quantize.explain.trial import Trial, trial

QUOTED = 3
"""Sentences of each cluster that are quoted."""


class ClusterReport(msgspec.Struct, frozen=True):
    """Failures that look alike; `examples` are the most central ones."""

    kind: str
    expected: str
    predicted: str
    words: tuple[str, ...]
    count: int
    examples: tuple[str, ...]


class ErrorReport(msgspec.Struct, frozen=True):
    """What a model gets wrong.

    Attributes:
        sentences: All that were looked at.
        failed: Those with a failure.
        kinds: Kind of failure to how many.
        exact: Wrong decisions of the model that the device would not make, because a pack says the sentence.
        doubtful: Sentences whose label is probably wrong; they are in no cluster and no proposal.
        unmarked: Slots that the labels lack though the packs know their words: type, words and sentence.
        clusters: The largest first.
        proposals: Those that concern most failures first.
        trial: What the proposals do to failures that they were not made from, if that was asked for.
    """

    sentences: int
    failed: int
    kinds: dict[str, int]
    exact: int
    doubtful: tuple[Suspect, ...]
    unmarked: tuple[tuple[str, str, str], ...]
    clusters: tuple[ClusterReport, ...]
    proposals: tuple[Proposal, ...]
    trial: Trial | None = None


def report_errors(
    outcomes: Sequence[Outcome],
    outputs: Sequence[Logits],
    model: JointModel,
    neighbours: Neighbours,
    packs: Sequence[Pack],
    files: Mapping[str, str],
    *,
    try_out: bool = False,
) -> ErrorReport:
    """Find, sort and explain failures, and propose what to write.

    Args:
        outcomes: Labelled sentences and answers.
        outputs: Of the model, for embeddings and for slots that nobody marked; in the same order.
        model: The bundle.
        neighbours: Training sentences.
        packs: All packs.
        files: Skill to its pack's file name.
        try_out: Also try the proposals on failures that they were not made from.
    """
    embeddings = np.array([output.embedding for output in outputs], np.float32)
    failures = find_failures(outcomes)
    doubtful = suspects(failures, outcomes, neighbours)
    unmarked = _unmarked(failures, outcomes, packs)
    left_out = {suspect.number for suspect in doubtful}
    exact = _exactly_right([f.number for f in failures if f.kind in DECISIONS], outcomes, packs)
    real = [failure for failure in failures if failure.number not in left_out and failure not in unmarked]

    def slots(number: int) -> Sequence[Span]:
        if outcomes[number].marked:
            return outcomes[number].spans
        return [Span(slot.type, slot.start, slot.end) for slot in model.interpret(outputs[number]).slots]

    evidence = Evidence(outcomes, embeddings, slots, neighbours, packs, files)
    open_ = [failure for failure in real if failure.number not in exact]
    failed = {failure.number for failure in failures}
    right = [(one.words, one.expected) for i, one in enumerate(outcomes) if one.expected and i not in failed]
    trained = [(example.words, str(example.intent)) for example in neighbours.examples]
    words = [outcome.words for outcome in outcomes]
    return ErrorReport(
        sentences=len(outcomes),
        failed=len(failed),
        kinds=dict(Counter(failure.kind for failure in failures).most_common()),
        exact=len(exact),
        doubtful=tuple(doubtful),
        unmarked=tuple((f.predicted, text, outcomes[f.number].text) for f, text in unmarked.items()),
        clusters=tuple(
            ClusterReport(
                one.kind,
                one.expected,
                one.predicted,
                one.words,
                len(one.failures),
                tuple(outcomes[failure.number].text for failure in one.failures[:QUOTED]),
            )
            for one in cluster(real, words, embeddings)
        ),
        proposals=tuple(propose(open_, evidence, [*right, *trained])),
        trial=trial(open_, evidence, lambda said: model.logits(said).embedding) if try_out else None,
    )


def _exactly_right(numbers: Sequence[int], outcomes: Sequence[Outcome], packs: Sequence[Pack]) -> set[int]:
    """Sentences that a pack says word for word, with the right intent."""
    grammar = compile_grammar(packs)
    found = set()
    for number in numbers:
        readings = {reading.intent for reading in match(grammar, outcomes[number].words) if not reading.wildcards}
        if readings == {outcomes[number].expected}:
            found.add(number)
    return found


def _unmarked(failures: Sequence[Failure], outcomes: Sequence[Outcome], packs: Sequence[Pack]) -> dict[Failure, str]:
    """Slots that are said to be none, though a pack has their words as values of the type that the model saw."""
    spurious = [(f, f.span) for f in failures if f.kind == "spurious" and f.span]
    words = [outcomes[failure.number].words[span.start : span.end] for failure, span in spurious]
    asked = [(failure.intent, failure.predicted, said) for (failure, _), said in zip(spurious, words, strict=True)]
    return {
        failure: " ".join(said)
        for (failure, _), said, known in zip(spurious, words, says(packs, asked), strict=True)
        if known
    }
