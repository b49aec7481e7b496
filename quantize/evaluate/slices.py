"""Accuracy on parts of a test set that are known to be hard, each with how sure the figure is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from quantize.data.example import Example
from quantize.evaluate.measures import percent
from quantize.evaluate.outcomes import Judge, Outcome

Row: TypeAlias = dict[str, Any]

SHORT: Final = 3
"""Words of a short command, at most."""
LONG: Final = 12
"""Words of a long one, at least."""

NUMBERS: Final = frozenset(
    "zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million half "
    "quarter first second third fourth fifth sixth seventh eighth ninth tenth twelfth fifteenth twentieth "
    "thirtieth".split()
)
DIALECT: Final = frozenset(
    "colour colours favourite favourites centre theatre theatres grey programme programmes organise cancelled litre "
    "litres metre metres kilometre kilometres neighbour neighbours realise recognise travelling jewellery pyjamas "
    "mum mummy mums telly lorry flat lift hoover autumn holiday holidays fortnight arvo barbie brekkie maths loo "
    "wee aye lad lads bloke dodgy queue quid petrol takeaway cinema whilst cheers ta reckon "
    "y'all yall gonna wanna gotta gimme lemme ain't aint kinda dunno cuz 'til til".split()
)
"""Spellings and words of British, Irish, Australian and informal American English. The corpora are mostly written in
American English; not all kinds are in them, so that the fairness slice has sentences of its own."""


@dataclass(frozen=True)
class Known:
    """What training has seen.

    Attributes:
        counts: Training sentences of each intent.
        vocabulary: Words of the training sentences.
    """

    counts: Mapping[str, int]
    vocabulary: frozenset[str]

    @classmethod
    def of(cls, train: Iterable[Example]) -> Known:
        """Count intents and collect words."""
        counts: Counter[str] = Counter()
        words: set[str] = set()
        for example in train:
            words.update(example.words)
            if example.intent:
                counts[example.intent] += 1
        return cls(counts, frozenset(words))

    @property
    def rare(self) -> frozenset[str]:
        """The quarter of the intents with the fewest training sentences."""
        by_count = sorted(self.counts, key=lambda intent: (self.counts[intent], intent))
        return frozenset(by_count[: round(len(by_count) / 4)])


def wilson(right: int, n: int) -> tuple[float, float]:
    """95 % interval of a share in percent (Wilson 1927): honest for few sentences and near 0 and 100 %."""
    from scipy.stats import binomtest

    interval = binomtest(right, n).proportion_ci(0.95, method="wilson")
    return percent(interval.low), percent(interval.high)


def row(name: str, rights: Sequence[bool]) -> Row:
    """`name`, `n`, `accuracy` and `interval` (both None where n is 0)."""
    if not rights:
        return {"name": name, "n": 0, "accuracy": None, "interval": None}
    return {
        "name": name,
        "n": len(rights),
        "accuracy": percent(np.mean(rights)),
        "interval": list(wilson(sum(rights), len(rights))),
    }


def slices(outcomes: Sequence[Outcome], judge: Judge, known: Mapping[str, Known]) -> list[Row]:
    """In-scope sentences by kind: `name`, `n`, `accuracy`, `interval`.

    Args:
        outcomes: Of a test set, or of several.
        judge: What counts as right.
        known: What the training of each part (`Outcome.part`) has seen.
    """
    rare = {part: seen.rare for part, seen in known.items()}
    kinds: dict[str, Callable[[Outcome], bool]] = {
        "all in scope": lambda _: True,
        f"short (at most {SHORT} words)": lambda o: len(o.words) <= SHORT,
        f"long (at least {LONG} words)": lambda o: len(o.words) >= LONG,
        "with numbers": lambda o: any(w in NUMBERS or any(c.isdigit() for c in w) for w in o.words),
        "dialect words and spellings": lambda o: any(w in DIALECT for w in o.words),
        "rare intents (bottom quartile)": lambda o: o.expected in rare[o.part],
        "with a word unseen in training": lambda o: any(w not in known[o.part].vocabulary for w in o.words),
    }
    inside = [o for o in outcomes if o.inside]
    return [row(name, [judge(o) for o in inside if belongs(o)]) for name, belongs in kinds.items()]
