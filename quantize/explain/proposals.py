"""What to write where: phrases for the pack of an intent, values for a slot type, sentences that are out of scope.

A proposed phrase is tried first: one that would also say a sentence of another intent is not proposed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import msgspec

from device.nlu.onnx_model import Floats
from device.nlu.pack import Pack, TypeSpec
from device.nlu.text import words as spoken_words
from device.nlu.types import OOS
from quantize.data.example import Span
from quantize.evaluate.outcomes import Outcome
from quantize.explain.failures import DECISIONS, Failure
from quantize.explain.neighbours import Neighbours
from quantize.explain.probe import Probe, intent_specs, says
from quantize.explain.templates import Template, abstract, merged

VOTERS: Final = 9
"""Nearest training sentences that are asked how many more are needed."""

PHRASES: Final = 6
"""Most phrases of one proposal."""

SHOWN: Final = 4
"""Sentences that are quoted."""

_Key = TypeVar("_Key")

Slots = Callable[[int], Sequence[Span]]
"""Number of a sentence to its slots, as far as they are known."""


class Phrase(msgspec.Struct, frozen=True):
    """A phrase for a pack.

    Attributes:
        template: As it stands in the pack.
        covers: Failed sentences that it was made of.
        sentences: How many different training sentences of it would outvote the wrong neighbours of those.
    """

    template: str
    covers: int
    sentences: int


class Proposal(msgspec.Struct, frozen=True):
    """What would help against some failures.

    Attributes:
        kind: `phrases` of an intent, `values` of a slot type, or sentences that are `out_of_scope`.
        target: The intent, the slot type, or the intent that takes what is out of scope.
        pack: File that they belong into; empty where no pack has the target, or for sentences out of scope.
        failures: Failed sentences, the expected gain.
        mistaken: What the model said instead, to how often.
        sentences: Training sentences that are needed.
        phrases: To be added.
        values: To be added to the type.
        examples: Failed sentences.
        refused: Phrases that were not proposed because they would take sentences of other intents.
        unlike: Failed sentences with no training sentence of their intent near them; no phrase was made of them.
    """

    kind: Literal["phrases", "values", "out_of_scope"]
    target: str
    pack: str
    failures: int
    mistaken: dict[str, int]
    sentences: int
    phrases: tuple[Phrase, ...] = ()
    values: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    refused: int = 0
    unlike: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What proposals are made from.

    Attributes:
        outcomes: All sentences and what the model made of them.
        embeddings: [S, hidden], of all sentences.
        slots: Slots of a sentence.
        neighbours: Training sentences.
        packs: All packs.
        files: Skill to its pack's file name.
    """

    outcomes: Sequence[Outcome]
    embeddings: Floats
    slots: Slots
    neighbours: Neighbours
    packs: Sequence[Pack]
    files: Mapping[str, str]


def propose(
    failures: Sequence[Failure], evidence: Evidence, labelled: Iterable[tuple[Sequence[str], str]]
) -> list[Proposal]:
    """Proposals for failures, those that concern most of them first.

    Args:
        failures: From `find_failures`, without those whose label is doubtful.
        evidence: What is known.
        labelled: Sentences with their intents that no proposed phrase may take for another.
    """
    missed = [failure for failure in failures if failure.kind in DECISIONS and failure.expected != OOS]
    accepted = [failure for failure in failures if failure.kind == "accepted"]
    slots = [failure for failure in failures if failure.kind not in DECISIONS and failure.expected]
    found = [
        *_phrases(missed, evidence, labelled),
        *_out_of_scope(accepted, evidence),
        *_values(slots, evidence),
    ]
    return sorted(found, key=lambda one: (-one.failures, one.kind, one.target))


def needed(failures: Sequence[Failure], evidence: Evidence) -> dict[int, int]:
    """Sentence to how many training sentences near it are missing until its nearest ones are for its label."""
    numbers = [failure.number for failure in failures]
    near, _ = evidence.neighbours.table(evidence.embeddings[numbers], VOTERS)
    found = {}
    for failure, row in zip(failures, near, strict=True):
        votes = Counter(evidence.neighbours.intents[row].tolist())
        rival = max((count for intent, count in votes.items() if intent != failure.expected), default=0)
        found[failure.number] = max(1, rival - votes[failure.expected] + 1)
    return found


def _phrases(
    failures: Sequence[Failure], evidence: Evidence, labelled: Iterable[tuple[Sequence[str], str]]
) -> Iterable[Proposal]:
    specs = intent_specs(evidence.packs)
    lacking = needed(failures, evidence)
    by_intent = _grouped(failures, lambda failure: failure.expected)
    candidates: list[tuple[str, Template]] = []
    for intent, group in by_intent.items():
        spec = specs.get(intent)
        said = ((f.number, evidence.outcomes[f.number].words) for f in group if lacking[f.number] <= VOTERS)
        sentences = ((number, abstract(words, evidence.slots(number), spec)) for number, words in said)
        candidates += [(intent, template) for template in merged(sentences)]
    wrong = Probe(evidence.packs, [(intent, str(t)) for intent, t in candidates]).taken_wrongly(labelled)
    for intent, group in by_intent.items():
        mine = [(number, template) for number, (name, template) in enumerate(candidates) if name == intent]
        phrases = []
        for _, template in ((number, t) for number, t in mine if number not in wrong):
            most = max(lacking[number] for number in template.numbers)
            phrases.append((template, Phrase(str(template), len(template.numbers), most)))
        phrases.sort(key=lambda one: (-one[1].covers, one[1].sentences))
        covered = {number for template, _ in phrases[:PHRASES] for number in template.numbers}
        rest = [failure for failure in group if failure.number not in covered]
        yield Proposal(
            "phrases",
            intent,
            evidence.files.get(intent.partition(".")[0], "") if intent in specs else "",
            len(group),
            _mistaken(group),
            sum(phrase.sentences for _, phrase in phrases[:PHRASES]) or max(lacking[f.number] for f in group),
            tuple(phrase for _, phrase in phrases[:PHRASES]),
            examples=_quoted((f for f in rest if lacking[f.number] <= VOTERS), evidence),
            refused=len([number for number, _ in mine if number in wrong]),
            unlike=_quoted((f for f in rest if lacking[f.number] > VOTERS), evidence),
        )


def _out_of_scope(failures: Sequence[Failure], evidence: Evidence) -> Iterable[Proposal]:
    lacking = needed(failures, evidence)
    for intent, group in _grouped(failures, lambda failure: failure.predicted).items():
        yield Proposal(
            "out_of_scope",
            intent,
            "",
            len(group),
            _mistaken(group),
            sum(lacking[failure.number] for failure in group),
            examples=_quoted(group, evidence),
        )


def _values(failures: Sequence[Failure], evidence: Evidence) -> Iterable[Proposal]:
    """Values that a type does not know yet; where it knows them all, the sentences around them are quoted."""
    texts = [_text(failure, evidence) for failure in failures]
    asked = [(f.intent, f.expected, tuple(text.split())) for f, text in zip(failures, texts, strict=True)]
    known = dict(zip(failures, says(evidence.packs, asked), strict=True))
    for (skill, type_), group in _grouped(failures, lambda f: _home(f, evidence.packs)).items():
        own = (pack.types[type_] for pack in evidence.packs if pack.skill == skill and type_ in pack.types)
        samples = _samples(next(own, None))
        new = [_text(failure, evidence) for failure in group if not known[failure]]
        values = tuple(dict.fromkeys(text for text in new if text not in samples))
        yield Proposal(
            "values",
            type_,
            evidence.files.get(skill, ""),
            len({failure.number for failure in group}),
            _mistaken(group),
            len(values),
            values=values,
            examples=_quoted(group, evidence),
        )


def _home(failure: Failure, packs: Sequence[Pack]) -> tuple[str, str]:
    """Skill whose pack has the type as the intent's pack sees it, and the type."""
    own = failure.intent.partition(".")[0]
    having = [pack.skill for pack in packs if failure.expected in pack.types]
    return own if own in having else next(iter(having), ""), failure.expected


def _samples(spec: TypeSpec | None) -> set[str]:
    return {" ".join(spoken_words(text)) for text in spec.samples} if spec else set()


def _text(failure: Failure, evidence: Evidence) -> str:
    span = failure.span
    return " ".join(evidence.outcomes[failure.number].words[span.start : span.end]) if span else ""


def _grouped(failures: Iterable[Failure], key: Callable[[Failure], _Key]) -> dict[_Key, list[Failure]]:
    groups: dict[_Key, list[Failure]] = defaultdict(list)
    for failure in failures:
        groups[key(failure)].append(failure)
    return groups


def _mistaken(group: Sequence[Failure]) -> dict[str, int]:
    return dict(Counter(failure.predicted or "nothing" for failure in group).most_common())


def _quoted(group: Iterable[Failure], evidence: Evidence) -> tuple[str, ...]:
    numbers = list(dict.fromkeys(failure.number for failure in group))
    return tuple(evidence.outcomes[number].text for number in numbers[:SHOWN])
