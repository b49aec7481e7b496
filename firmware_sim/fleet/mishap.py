"""What goes wrong in a household, by chance: power, storage, network, clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "power cut", "cut in a write", "process killed", "disk full", "network away", "network flapping", "clock set"
]

A_DAY: Final[Mapping[Kind, float]] = {
    "power cut": 0.1,
    "cut in a write": 0.05,
    "process killed": 0.05,
    "disk full": 0.03,
    "network away": 0.05,
    "network flapping": 0.05,
    "clock set": 0.05,
}
"""How often each happens on a day of a household: far more often than to anybody."""

_DAY: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Mishap:
    """Something that goes wrong.

    Attributes:
        at: Seconds since the beginning.
        kind: What.
        lasts: Seconds until it is over, or for which the power is off.
        amount: Seconds by which the clock is set; writes until the cut.
    """

    at: float
    kind: Kind
    lasts: float = 0.0
    amount: int = 0


def mishaps(chance: Random, days: int) -> list[Mishap]:
    """All that goes wrong in so many days, in order; nothing in the first hour or the last."""
    found = [
        _mishap(chance, kind, chance.uniform(3600.0, days * _DAY - 7200.0))
        for kind, often in A_DAY.items()
        for _ in range(_count(chance, often * days))
    ]
    return sorted(found, key=lambda mishap: mishap.at)


def _mishap(chance: Random, kind: Kind, at: float) -> Mishap:
    match kind:
        case "power cut" | "cut in a write":
            amount = chance.randint(1, 12) if kind == "cut in a write" else 0
            return Mishap(at, kind, chance.choice((5.0, 20.0, 300.0, 3600.0)), amount)
        case "process killed":
            return Mishap(at, kind, 2.0)
        case "clock set":
            return Mishap(at, kind, amount=chance.choice((-120, -30, -3, 2, 20, 90)))
    return Mishap(at, kind, 3600.0)


def _count(chance: Random, mean: float) -> int:
    """How often something happens that is as likely at any moment: Poisson, by the gaps between."""
    count, gone = 0, chance.expovariate(1.0)
    while gone < mean:
        count += 1
        gone += chance.expovariate(1.0)
    return count
