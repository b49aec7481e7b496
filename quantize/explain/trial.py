"""Do proposals help? Made from four fifths of the failures, tried on the last fifth.

Two ways in which a phrase helps are tried without training: the exact grammar says the sentence, and sentences sampled
from the phrase become neighbours of the sentence, which are asked instead of the model (k nearest neighbours over the
bundle's embeddings, a cheap stand-in for retraining). Sentences that were right before show what it breaks.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from device.nlu.onnx_model import Floats
from device.nlu.types import OOS
from quantize.data.sample import PackSampler
from quantize.explain.failures import DECISIONS, Failure
from quantize.explain.neighbours import Neighbours
from quantize.explain.probe import Probe, intent_specs
from quantize.explain.proposals import VOTERS, Evidence, Proposal, propose

FOLDS: Final = 5
RIGHT: Final = 1500
"""Sentences that were right and are tried again."""
SAMPLED: Final = 9
"""Sentences sampled of each phrase."""

Embed: TypeAlias = Callable[[Sequence[str]], Floats]
"""Words to the embedding, [hidden]."""
_Labels: TypeAlias = np.ndarray[Any, np.dtype[np.str_]]


class Trial(msgspec.Struct, frozen=True):
    """What proposals did to failures that they were not made from.

    Attributes:
        failures: Wrong decisions that were tried.
        said: Of them, those that a phrase says, with the right intent.
        right: Sentences that were right and were tried.
        said_wrongly: Of them, those that a phrase takes for something else.
        read_before: Failures that their neighbours alone read rightly, without any proposal.
        repaired: Failures that they read rightly only with the proposals.
        spoiled: Failures that they read rightly only without them.
        kept: Right sentences that their neighbours read rightly without any proposal.
        broken: Of those, what they read wrongly with them.
        gained: Right sentences that they read rightly only with them.
        groups: Confusion pairs with two failures or more.
        groups_helped: Of those, with a failure that was repaired or said.
    """

    failures: int
    said: int
    right: int
    said_wrongly: int
    read_before: int
    repaired: int
    spoiled: int
    kept: int
    broken: int
    gained: int
    groups: int
    groups_helped: int


def trial(failures: Sequence[Failure], evidence: Evidence, embed: Embed, seed: int = 7) -> Trial:
    """Try proposals across folds of the failures.

    Args:
        failures: From `find_failures`, without those whose label is doubtful.
        evidence: As for `propose`; its training sentences are the only ones that a phrase is checked against.
        embed: The model's embedding of a sentence.
        seed: Of folds and samples.
    """
    chance = random.Random(seed)
    failed = [failure for failure in failures if failure.kind in DECISIONS]
    chance.shuffle(failed)
    wrong = {failure.number for failure in failures}
    right = [i for i, one in enumerate(evidence.outcomes) if one.expected and i not in wrong]
    right = chance.sample(right, min(RIGHT, len(right)))
    trained = [(e.words, str(e.intent)) for e in evidence.neighbours.examples]
    counts: Counter[str] = Counter()
    helped: set[tuple[str, ...]] = set()
    for fold in range(FOLDS):
        tried = failed[fold::FOLDS]
        numbers = [f.number for f in tried] + right[fold::FOLDS]
        seen = [failure for failure in failed if failure not in tried]
        proposals = propose(seen, evidence, trained)
        said = _said(proposals, evidence)
        before, after = _votes(numbers, evidence, *_added(seen, proposals, evidence, embed, chance))
        for at, number in enumerate(numbers):
            outcome = evidence.outcomes[number]
            exact = said.intent(outcome.words)
            was, now = before[at] == outcome.expected, after[at] == outcome.expected
            if at < len(tried):
                counts["failures"] += 1
                counts["said"] += exact == outcome.expected
                counts["read_before"] += was
                counts["repaired"] += now and not was
                counts["spoiled"] += was and not now
                if exact == outcome.expected or (now and not was):
                    helped.add(tried[at].group)
            else:
                counts["right"] += 1
                counts["said_wrongly"] += exact is not None and exact != outcome.expected
                counts["kept"] += was
                counts["broken"] += was and not now
                counts["gained"] += now and not was
    groups = {group for group, count in Counter(failure.group for failure in failed).items() if count > 1}
    fields = {name: int(counts[name]) for name in Trial.__struct_fields__ if not name.startswith("groups")}
    return Trial(**fields, groups=len(groups), groups_helped=len(groups & helped))


def _said(proposals: Sequence[Proposal], evidence: Evidence) -> Probe:
    return Probe(evidence.packs, [(p.target, phrase.template) for p in proposals for phrase in p.phrases])


def _added(
    seen: Sequence[Failure], proposals: Sequence[Proposal], evidence: Evidence, embed: Embed, chance: random.Random
) -> tuple[Floats, _Labels]:
    """Embeddings and labels of what somebody would write who follows the proposals."""
    specs = intent_specs(evidence.packs)
    sentences: list[tuple[Sequence[str], str]] = []
    for proposal in proposals:
        skill, _, name = proposal.target.partition(".")
        for phrase in proposal.phrases if proposal.target in specs else ():
            spec = msgspec.structs.replace(specs[proposal.target], phrases=(phrase.template,))
            packs = [
                msgspec.structs.replace(p, intents={name: spec}) if p.skill == skill else p for p in evidence.packs
            ]
            sampled = PackSampler(packs, chance).sentences(proposal.target, SAMPLED)
            sentences += [(example.words, proposal.target) for example in sampled]
    vectors = [embed(words) for words, _ in sentences]
    labels = [intent for _, intent in sentences]
    outside = [failure.number for failure in seen if failure.expected == OOS]
    vectors += list(evidence.embeddings[outside])
    labels += [OOS] * len(outside)
    hidden = evidence.embeddings.shape[1]
    return np.array(vectors, np.float32).reshape(-1, hidden), np.array(labels, np.str_)


def _votes(numbers: Sequence[int], evidence: Evidence, added: Floats, labels: _Labels) -> tuple[list[str], list[str]]:
    """What the neighbours of each sentence say, without and with what is added."""
    known: Neighbours = evidence.neighbours
    queries = evidence.embeddings[list(numbers)]
    near, similarity = known.table(queries, VOTERS)
    before = [_elect(known.intents[row], weights) for row, weights in zip(near, similarity, strict=True)]
    if not len(added):
        return before, before
    more = queries @ added.T
    after = [
        _elect(np.concatenate([known.intents[row], labels]), np.concatenate([weights, new]))
        for row, weights, new in zip(near, similarity, more, strict=True)
    ]
    return before, after


def _elect(labels: _Labels, similarity: Floats) -> str:
    """The label with most similarity among the nearest."""
    votes: dict[str, float] = defaultdict(float)
    for at in np.argsort(-similarity, kind="stable")[:VOTERS]:
        votes[str(labels[at])] += float(similarity[at])
    return max(votes, key=lambda label: votes[label])
