"""Has everything said that a training needs: by the voices that train, and by those that judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from quantize.wake.examples import Material
from quantize.wake.texts import near_misses, sentences, without
from quantize.wake.voices import Engine, Line, Studio, cast

PHRASE_SHARES: Final[Mapping[Engine, float]] = {"kokoro": 0.65, "piper": 0.12, "flite": 0.08, "espeak": 0.15}
MISS_SHARES: Final[Mapping[Engine, float]] = {"kokoro": 0.35, "piper": 0.25, "flite": 0.15, "espeak": 0.25}
TALK_SHARES: Final[Mapping[Engine, float]] = {"kokoro": 0.3, "piper": 0.25, "flite": 0.15, "espeak": 0.3}
JUDGES_SHARES: Final[Mapping[Engine, float]] = {"kokoro": 0.08, "flite": 0.42, "espeak": 0.5}
"""Who speaks: the most natural the phrase, the cheapest what there has to be hours of."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The numbers of a training.

    Attributes:
        phrases: Renderings of each phrase.
        misses: Of what nearly sounds like one.
        sentences: Of other speech.
        judges: Of each phrase by voices that don't train.
        positives: Examples of each phrase.
        negatives: Examples without.
        steps: Batches that are learned from.
        mined_hours: Talk in which the network then looks for its own mistakes.
        more_steps: Batches that are learned from with these.
        hours: Of other talk by voices that don't train, on which the threshold is set.
        rate: False accepts an hour that are allowed there.
        checked_rate: The same where the device looks at each of them again.
    """

    phrases: int = 700
    misses: int = 1000
    sentences: int = 1500
    judges: int = 200
    positives: int = 8000
    negatives: int = 24000
    steps: int = 2500
    mined_hours: float = 3.0
    more_steps: int = 800
    hours: float = 6.0
    rate: float = 0.5
    checked_rate: float = 5.0


def gather(
    studio: Studio, phrases: Sequence[str], data_dir: Path | None, recipe: Recipe, alone: bool, seed: int
) -> tuple[Material, Material]:
    """What trains and what judges. Other speech is the same for all phrases, so that it is rendered once.

    Args:
        studio: Renders.
        phrases: The wake words, of `texts.checked`.
        data_dir: See `texts.sentences`.
        recipe: How much of everything.
        alone: See `Material.alone`.
        seed: Of all chance.

    Raises:
        BadInput: A corpus is not as it was published.
        EngineMissing: A program or voice is not installed.
        EngineFailed: A program broke or hung.
    """
    texts = sentences(data_dir, np.random.default_rng([seed, 0]))
    half = len(texts) // 2
    others = without(phrases, texts)
    rng = np.random.default_rng([seed, 1])
    misses = without(phrases, [miss for word in phrases for miss in near_misses(word, others, recipe.misses, rng)])
    rng.shuffle(misses)

    def material(count: int, misses: Sequence[str], held_out: bool, talk: Mapping[Engine, float]) -> Material:
        voices = studio.voices(held_out)
        who = "voices that judge" if held_out else "voices that train"

        def lines(said: Sequence[str], shares: Mapping[Engine, float], chance: np.random.Generator) -> list[Line]:
            return list(zip(said, cast(voices, shares, len(said), chance), strict=True))

        speech = texts[half:][: recipe.sentences] if held_out else texts[:half][: recipe.sentences]
        usual = lines(speech, talk, np.random.default_rng([seed, 2 + held_out]))
        kept = set(without(phrases, speech))
        return Material(
            [
                studio.say(lines(said(word, count, alone, rng), PHRASE_SHARES, rng), f"{word}, {who}")
                for word in phrases
            ],
            studio.say(lines(misses, MISS_SHARES, rng), f"near misses, {who}"),
            studio.say([line for line in usual if line[0] in kept], f"other speech, {who}"),
            alone,
        )

    return (
        material(recipe.phrases, misses[recipe.judges :][: recipe.misses], False, TALK_SHARES),
        material(recipe.judges, misses[: recipe.judges], True, JUDGES_SHARES),
    )


def said(phrase: str, count: int, alone: bool, rng: np.random.Generator) -> list[str]:
    """A phrase as it is called, asked, and begun a sentence with; where it stands alone, politely as well."""
    tunes = (f"{phrase}.", f"{phrase}!", f"{phrase}?", f"{phrase},")
    polite = (f"please {phrase}.", f"okay {phrase}.", f"oh {phrase}!") if alone else ()
    return [str(line) for line in rng.choice([*tunes, *tunes, *polite], size=count)]
