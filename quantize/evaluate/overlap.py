"""Entity F1 by type and token overlap: the measure of HWU64's authors.

Liu et al. 2019 (arXiv 1903.05566) score entities with the program that they published, xliuhw/NLU-Evaluation-Scripts
(`Evaluation.java`, method `entityPartialTokensMatch_MulOccr`; `calcMicroAverage.py`). `published` follows it to the
letter, its oddities included, so that the figure may stand beside theirs:

- Within a sentence, for each type: a true entity is found (TP) if a predicted one of the same type overlaps it in the
  sense that the true entity's first or last token lies within the predicted one. A prediction strictly inside a true
  entity, touching neither end, is therefore no match.
- A true entity that is not found is a FN. FP are the predictions of the type less the TP, where there are predictions;
  one prediction that covers two true entities of its type counts as two TP, which makes FP fall by one.
- Predictions of types that occur nowhere among the test set's true entities are not counted.
- TP, FP and FN are summed over sentences and types (micro average), fold by fold; the reported figure is the mean of
  the folds' F1.

`one_to_one` is the same idea without the oddities: spans of one type that share a token match, each at most once
(a largest matching), and predictions of all types count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from quantize.data.example import Span


class Counts(NamedTuple):
    """True positives, false positives and false negatives."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    @property
    def precision(self) -> float:
        """TP / (TP + FP), 0 where nothing was predicted."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0

    @property
    def recall(self) -> float:
        """TP / (TP + FN), 0 where there was nothing to find."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def plus(self, other: Counts) -> Counts:
        """Counts of two sets together."""
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)


Pair = tuple[Sequence[Span], Sequence[Span]]
"""True and predicted spans of one sentence."""


def published(pairs: Iterable[Pair]) -> Counts:
    """Counts of a whole test set by the authors' program."""
    pairs = list(pairs)
    evaluated = {span.type for gold, _ in pairs for span in gold}
    total = Counts()
    for gold, guess in pairs:
        for kind in evaluated:
            pair = [s for s in gold if s.type == kind], [s for s in guess if s.type == kind]
            total = total.plus(_published_type(*pair))
    return total


def one_to_one(pairs: Iterable[Pair]) -> Counts:
    """Counts where spans that share a type and a token match, each at most once."""
    total = Counts()
    for gold, guess in pairs:
        found = _matching(gold, guess)
        total = total.plus(Counts(found, len(guess) - found, len(gold) - found))
    return total


def strict(pairs: Iterable[Pair]) -> Counts:
    """Counts where type, start and end must agree; the F1 is seqeval's in strict IOB2 mode."""
    total = Counts()
    for gold, guess in pairs:
        found = len(set(gold) & set(guess))
        total = total.plus(Counts(found, len(guess) - found, len(gold) - found))
    return total


def _published_type(gold: Sequence[Span], guess: Sequence[Span]) -> Counts:
    found = sum(any(_end_within(true, said) for said in guess) for true in gold)
    return Counts(found, len(guess) - found if guess else 0, len(gold) - found)


def _end_within(true: Span, said: Span) -> bool:
    return said.start <= true.start < said.end or said.start < true.end <= said.end


def _matching(gold: Sequence[Span], guess: Sequence[Span]) -> int:
    """Size of a largest matching. Within a type spans do not overlap, so that taking the next that fits is enough."""
    found = 0
    for kind in {span.type for span in gold}:
        said = sorted((s for s in guess if s.type == kind), key=lambda span: span.start)
        for true in sorted((s for s in gold if s.type == kind), key=lambda span: span.start):
            while said and said[0].end <= true.start:
                said.pop(0)
            if said and said[0].start < true.end:
                said.pop(0)
                found += 1
    return found
