"""Training, development and held-out sets.

Held out are real people's sentences only: the corpora's own test parts. Nothing that stands there, word for word or
nearly so, is trained on. The development part is cut from the training data; thresholds and temperatures are fitted
on it.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from device.nlu.pack import Pack
from device.nlu.types import OOS, Act
from quantize.data.augment import Rates, augmented
from quantize.data.corpora import read_clinc150, read_hwu64, read_slurp, read_snips
from quantize.data.dialogue import DialogueSampler
from quantize.data.example import Example
from quantize.data.leaks import drop_leaks
from quantize.data.mapping import map_examples
from quantize.data.sample import PackSampler, borrowed_values

DEV_SHARE: Final = 0.06
"""Share of the training sentences kept for development."""


_ANSWERS: Final = (Act.AFFIRM, Act.DENY)
"""Held-out "yes" and "no" have no intent to be scored, so that they may be trained on as answers to a question."""


class Amounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of what is generated or kept.

    Attributes:
        per_intent: Pack sentences of each intent.
        per_slot: Answers to each slot's question.
        acts: Short answers of each kind (yes, no, cancel, again, selection).
        nonsense: Generated sentences that mean nothing.
        noise: Share of pack sentences that are misheard, or said with a filler, a false start or a small word less.
        context: Share of ordinary sentences that are said after something else.
        oos_caps: Most out-of-scope sentences of a corpus.
        scope_caps: Most in-scope sentences of one intent of a corpus.
    """

    per_intent: int = 150
    per_slot: int = 40
    acts: int = 350
    nonsense: int = 400
    noise: float = 0.25
    corpus_noise: float = 0.1
    context: float = 0.12
    oos_caps: dict[str, int] = msgspec.field(default_factory=lambda: {"clinc150": 7000, "snips": 3000})
    scope_caps: dict[str, int] = msgspec.field(default_factory=lambda: {"snips": 1200})


class Data(NamedTuple):
    """The three sets; `unseen` are those of the test set whose kind of request no training sentence has."""

    train: list[Example]
    dev: list[Example]
    test: list[Example]
    unseen: list[Example]


def build(data_dir: Path, packs: Sequence[Pack], seed: int, amounts: Amounts = Amounts()) -> Data:  # noqa: B008
    """Read, map, sample and split.

    Args:
        data_dir: Folder of the corpora.
        packs: Skill packs; a corpus sentence of an intent that no pack has is left out.
        seed: Of all chance.
        amounts: How much.

    Raises:
        BadInput: A corpus is missing.
        PackError: A template can't be parsed.
    """
    chance = random.Random(seed)
    known = {name for pack in packs for name in pack.intent_names()} | {OOS, None}
    test = [example for example in held_out(data_dir) if example.intent in known]
    tested = {example.words for example in held_out(data_dir)}
    real = [
        example
        for example in _unique(
            map_examples(
                raw
                for part in (
                    read_hwu64(data_dir, "train"),
                    read_slurp(data_dir),
                    read_clinc150(data_dir, "train"),
                    read_snips(data_dir, "train"),
                )
                for raw in part
            )
        )
        if example.words not in tested and example.intent in known
    ]
    real = _capped(real, amounts, chance)
    sampler = PackSampler(packs, chance, borrowed_values(e for e in real if not _is_dev(e)))
    dialogue = DialogueSampler(sampler, chance)
    made = [e for intent in sampler.intents for e in sampler.sentences(intent, amounts.per_intent)]
    made = list(augmented(made, chance, Rates.shared(amounts.noise)))
    heard = list(augmented(real, chance, Rates.shared(amounts.corpus_noise)))
    spoken = list(dialogue.in_context([*heard, *made], amounts.context))
    spoken += dialogue.answers(amounts.per_slot)
    spoken += dialogue.acts(amounts.acts)
    spoken += dialogue.nonsense(real, amounts.nonsense)
    spoken = [e for e in _unique(spoken) if e.words not in tested or (e.context and e.act in _ANSWERS)]
    spoken, _ = drop_leaks(spoken, test)
    return Data(
        [e for e in spoken if not _is_dev(e)],
        [e for e in spoken if _is_dev(e)],
        test,
        unseen(data_dir),
    )


def held_out(data_dir: Path) -> list[Example]:
    """The corpora's test parts, each sentence once.

    Raises:
        BadInput: A corpus is missing.
    """
    parts = (read_hwu64(data_dir, "test"), read_clinc150(data_dir, "test"), read_snips(data_dir, "test"))
    return _unique(map_examples(raw for part in parts for raw in part))


def unseen(data_dir: Path) -> list[Example]:
    """CLINC150's `oos_test`: unlike its other out-of-scope sentences, of intents that are nowhere trained on.

    Raises:
        BadInput: The corpus is missing.
    """
    return _unique(map_examples(raw for raw in read_clinc150(data_dir, "test") if raw.intent == OOS))


def _capped(examples: Iterable[Example], amounts: Amounts, chance: random.Random) -> list[Example]:
    """A random choice of what there is too much of."""
    shuffled = list(examples)
    chance.shuffle(shuffled)
    counts: dict[tuple[str, str | None], int] = {}
    kept: list[Example] = []
    for example in shuffled:
        key = example.source, example.intent
        caps = amounts.oos_caps if example.intent == OOS else amounts.scope_caps
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= caps.get(example.source, len(shuffled)):
            kept.append(example)
    return kept


def _unique(examples: Iterable[Example]) -> list[Example]:
    """The first of each sentence; the same words in another context are another sentence."""
    return list({example.key: example for example in reversed(list(examples)) if example.words}.values())[::-1]


def _is_dev(example: Example) -> bool:
    """By the words alone, so that a sentence stays on its side however the rest changes."""
    digest = hashlib.sha256(" ".join(example.words).encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32 < DEV_SHARE
