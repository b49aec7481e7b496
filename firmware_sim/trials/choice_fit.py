"""The weights of `device.speech.bias.choice`, fitted to what a recognizer heard, and how they do. No sound here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from device.errors import BadInput
from device.nlu.text import spoken
from device.speech.bias.choice import CLOSED, FREE, Weights, believed, log_odds
from device.speech.ports import Transcript
from firmware_sim.trials.speech_scores import wilson

Kind: TypeAlias = Literal["command", "near miss", "foreign"]
"""For the gadget, word for word; for one that knows a word more; for nobody."""

L2: Final = 0.05
"""Ridge penalty on weights of standardized features (Hastie, Tibshirani and Friedman 2009, section 4.4.4): next to
nothing against a hundred examples, but weights stay finite where a line parses right from wrong."""

_EVERY: Final = "all"


@dataclass(frozen=True, slots=True)
class Example:
    """Something that was said, as a gadget heard it.

    Attributes:
        gadget: Who heard it.
        kind: What it was.
        noise: What else sounded, `clean` or as in `babble 12 dB`.
        said: The words, or the recording's file name.
        heard: With the sentences that it may have been.
        features: What `device.speech.bias.choice.features` gives for it; none without sentences.
        right: The best of them is what was said, or, with free words in it, as near to it as free decoding.
    """

    gadget: str
    kind: Kind
    noise: str
    said: str
    heard: Transcript
    features: tuple[float, ...]
    right: bool

    @property
    def certain(self) -> bool:
        """Free decoding and the best sentence are the same, so that there is nothing to weigh."""
        return bool(self.heard.hypotheses) and self.heard.hypotheses[0].text == spoken(self.heard.text)


class Fitted(NamedTuple):
    """Weights of `choose`: for sentences without free words, and with them."""

    closed: Weights
    free: Weights


SHIPPED: Final = Fitted(CLOSED, FREE)


def fit_both(examples: Sequence[Example]) -> Fitted:
    """Weights for both sorts of sentences, from the examples in which there is something to weigh.

    Raises:
        BadInput: There is no example of a sort.
    """
    found: dict[bool, list[Example]] = {False: [], True: []}
    for each in examples:
        if each.heard.hypotheses and not each.certain:
            found[each.heard.hypotheses[0].free].append(each)
    if not all(found.values()):
        raise BadInput("Too little was heard to fit weights to.", remedy="Take a larger --sample.")
    closed, free = (
        fit(
            np.array([each.features for each in found[sort]]),
            np.array([each.right for each in found[sort]], np.float64),
        )
        for sort in (False, True)
    )
    return Fitted(closed, free)


def fit(values: NDArray[np.float64], right: NDArray[np.float64]) -> Weights:
    """Logistic regression with a ridge penalty, in which right and wrong count as much whichever there are more of.

    Args:
        values: Features, shape [n, k], n > 0. One that never changes gets no weight.
        right: 0 or 1, shape [n].

    Returns:
        The constant, and a weight for each feature as it is, not standardized.
    """
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale = np.where(scale > 1e-9, scale, np.inf)
    x = np.column_stack([np.ones(len(values)), (values - mean) / scale])
    half = len(right) / 2
    count = np.where(right > 0, half / max(1.0, right.sum()), half / max(1.0, len(right) - right.sum()))

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = x @ weights
        surprise = count @ (np.logaddexp(0, odds) - right * odds)
        return surprise + L2 / 2 * weights @ weights, x.T @ (count * (expit(odds) - right)) + L2 * weights

    constant, *slopes = minimize(loss, np.zeros(x.shape[1]), jac=True).x
    raw = np.array(slopes) / scale
    return tuple(float(each) for each in (constant - raw @ mean, *raw))


def probability(example: Example, weights: Fitted) -> float:
    """That the best sentence was said, as `choose` reckons with its own weights."""
    hypotheses = example.heard.hypotheses
    if not hypotheses or example.certain:
        return float(bool(hypotheses))
    chosen = weights.free if hypotheses[0].free else weights.closed
    return float(expit(log_odds(example.features, chosen)))


def halves(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Two halves of all that was said by chance; what was heard several times is in one of them only."""
    said = sorted({each.said for each in examples})
    first = {said[place] for place in np.random.default_rng(seed).permutation(len(said))[: len(said) // 2]}
    return [each for each in examples if each.said in first], [each for each in examples if each.said not in first]


def tabulate(examples: Sequence[Example], weights: Mapping[str, Fitted]) -> list[dict[str, Any]]:
    """How often a right sentence is turned away, and a wrong one taken.

    Args:
        examples: What was heard.
        weights: By name.

    Returns:
        For each gadget, kind and noise, and for each kind in all noises: `gadget`, `kind`, `noise`, `right` and `wrong`
        (how many there are), `turned_away` and `taken`: for each name `n`, `rate` (0 to 1, None of none) and
        `interval` (Wilson, 95 %).
    """
    groups: dict[tuple[str, str, str], list[Example]] = {}
    for each in examples:
        for noise in (each.noise, _EVERY):
            groups.setdefault((each.gadget, each.kind, noise), []).append(each)
    return [
        {"gadget": key[0], "kind": key[1], "noise": key[2]} | _figures(groups[key], weights)
        for key in sorted(groups, key=lambda key: (key[0], key[1], key[2] == _EVERY, _place(key[2])))
    ]


def lines(weights: Fitted) -> str:
    """What `device/speech/bias/choice.py` says of these weights, to three digits."""
    pairs = zip(("CLOSED", "FREE"), weights, strict=True)
    return "\n".join(f"{name}: Final[Weights] = {rounded(each)}" for name, each in pairs)


def rounded(weights: Weights) -> Weights:
    """Three digits of each."""
    return tuple(float(f"{each:.3g}") for each in weights)


def _figures(group: Sequence[Example], weights: Mapping[str, Fitted]) -> dict[str, Any]:
    right = [each for each in group if each.right]
    wrong = [each for each in group if not each.right]
    taken = {
        name: {id(each) for each in group if probability(each, given) >= believed(each.heard.snr_db)}
        for name, given in weights.items()
    }
    return {
        "right": len(right),
        "wrong": len(wrong),
        "turned_away": {name: _share([id(each) not in ids for each in right]) for name, ids in taken.items()},
        "taken": {name: _share([id(each) in ids for each in wrong]) for name, ids in taken.items()},
    }


def _share(found: Sequence[bool]) -> dict[str, Any]:
    if not found:
        return {"n": 0, "rate": None, "interval": None}
    rate = sum(found) / len(found)
    return {"n": sum(found), "rate": round(rate, 4), "interval": wilson(rate, len(found))}


def _place(noise: str) -> tuple[str, float]:
    """Clean first, then each noise from faint to loud."""
    name, *level = noise.split()
    return ("", 0.0) if not level else (name, -float(level[0]))
