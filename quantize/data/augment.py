"""Sentences as they reach the model on a device: misheard, hesitant, begun twice, with a small word lost.

Every function takes an example and a source of chance and gives a copy with other words, whose slots are exactly
where they were: a change that would cut across a slot's border or leave a slot without words is not made.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import msgspec

from device.errors import BadInput
from quantize.data.example import Example, Span

Change: TypeAlias = Callable[[Example, random.Random], Example]

CONFUSIONS: Final = Path(__file__).with_name("confusions.json")
"""What Moonshine tiny hears of sentences of the packs; made by `homebody data confusions`."""

PRIOR: Final = 2
"""Times that each word counts as heard rightly besides what was counted, so that a word said once is not always
misheard."""

FILLERS: Final = (
    "um", "uh", "so", "well", "hey", "okay", "okay so", "uh can you", "hmm", "please", "right", "oh", "and", "now",
    "could you please", "hi", "alright", "yeah so", "hey there", "can you", "would you", "i was wondering", "er",
)  # fmt: skip
"""What people say before a command."""
REMNANTS: Final = ("nabu", "hey nabu", "okay nabu", "jarvis", "hey jarvis", "alexa", "homebody", "hey homebody", "bu")
"""What is left of a wake word."""
HESITATIONS: Final = ("um", "uh", "er", "like", "hmm", "you know", "uhm")
"""What people say in the middle."""
ENDINGS: Final = ("please", "thanks", "thank you", "okay", "will you", "if you can", "would you", "for me")
"""What people say at the end."""
SMALL_WORDS: Final = frozenset({"the", "a", "an", "please", "to", "my", "me", "some", "of", "is", "are", "that"})
"""Words that recognisers and hurried people leave out, and that no command depends on."""


class Misheard(msgspec.Struct, frozen=True):
    """How often a word or pair of words was said, and what was heard instead how often ("": nothing)."""

    said: int
    heard: dict[str, int]


class Confusions(msgspec.Struct, frozen=True):
    """A recogniser's errors, as `homebody data confusions` writes them; what else it writes is not needed here.

    Attributes:
        words: How many words were said.
        wrong: Word or pair of words to what was heard instead.
        extra: Words that were heard and not said, with counts.
    """

    words: int
    wrong: dict[str, Misheard]
    extra: dict[str, int]


class Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Share of the sentences that each change is made to, independently; 0.25 in all by default.

    Attributes:
        asr: Some words as the recogniser hears them.
        word_errors: Share of the words that are misheard in these.
        filler: "Um", "could you please" and the like, before, within or after.
        remnant: The end of a wake word before the command.
        dropped: A small word left out.
        false_start: A word or two said twice.
    """

    asr: float = 0.06
    word_errors: float = 0.15
    filler: float = 0.08
    remnant: float = 0.03
    dropped: float = 0.06
    false_start: float = 0.02

    @classmethod
    def shared(cls, share: float) -> Rates:
        """The default mix at another `share` of changed sentences in all, 0 to 1."""
        usual = cls()
        factor = share / (usual.asr + usual.filler + usual.remnant + usual.dropped + usual.false_start)
        return cls(
            usual.asr * factor,
            usual.word_errors,
            usual.filler * factor,
            usual.remnant * factor,
            usual.dropped * factor,
            usual.false_start * factor,
        )


def augmented(examples: Iterable[Example], chance: random.Random, rates: Rates) -> Iterator[Example]:
    """Each example once, some of them changed, in the order of how it comes about: said, then heard."""
    changes: Sequence[tuple[float, Change]] = (
        (rates.dropped, dropped),
        (rates.false_start, false_start),
        (rates.filler, filler),
        (rates.remnant, remnant),
        (rates.asr, AsrNoise(read_confusions(), rates.word_errors)),
    )
    for example in examples:
        changed = example
        for rate, change in changes:
            if chance.random() < rate:
                changed = change(changed, chance)
        yield changed


class AsrNoise:
    """Words as a recogniser hears them; a word that it often mishears is changed often.

    Args:
        table: The recogniser's confusions.
        rate: Share of words misheard in sentences like those of the table; 0 changes nothing. In sentences of
            other words it is lower, since only words of the table are changed.
    """

    def __init__(self, table: Confusions, rate: float) -> None:
        self._options = {
            tuple(said.split()): _Option(
                sum(wrong.heard.values()) / (wrong.said + PRIOR),
                [tuple(heard.split()) for heard in wrong.heard],
                list(wrong.heard.values()),
            )
            for said, wrong in table.wrong.items()
        }
        self._longest = max(map(len, self._options), default=0)
        inserted = sum(table.extra.values())
        expected = inserted + sum(
            option.share * table.wrong[" ".join(said)].said * len(said) for said, option in self._options.items()
        )
        self._scale = rate * table.words / expected if expected else 0.0
        self._extra = [tuple(words.split()) for words in table.extra]
        self._extra_counts = list(table.extra.values())
        self._extra_share = inserted / max(1, table.words)

    def __call__(self, example: Example, chance: random.Random) -> Example:
        """The example as it is heard this time."""
        edits: list[tuple[int, int, tuple[str, ...]]] = []
        at = 0
        while at < len(example.words):
            if chance.random() < self._scale * self._extra_share and not _inside(example, at):
                edits.append((at, at, chance.choices(self._extra, self._extra_counts)[0]))
            taken = 1
            for length in range(self._longest, 0, -1):
                option = self._options.get(example.words[at : at + length])
                if option and chance.random() < self._scale * option.share:
                    edits.append((at, at + length, chance.choices(option.heard, option.counts)[0]))
                    taken = length
                    break
            at += taken
        for start, end, said in reversed(edits):
            example = edited(example, start, end, said)
        return example


@lru_cache(maxsize=1)
def read_confusions(path: Path = CONFUSIONS) -> Confusions:
    """Read a table of `homebody data confusions`.

    Raises:
        BadInput: It can't be read or is no such table.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Confusions)
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(
            f"{path} holds no confusions ({error}).", remedy="Make them with: homebody data confusions SENTENCES"
        ) from error


def filler(example: Example, chance: random.Random) -> Example:
    """A filler before the sentence, mostly, or within or after it; never inside a slot."""
    place = chance.random()
    inner = [at for at in range(1, len(example.words)) if not _inside(example, at)]
    if place < 0.25 and inner:
        at = chance.choice(inner)
        return edited(example, at, at, chance.choice(HESITATIONS).split())
    if place < 0.4:
        end = len(example.words)
        return edited(example, end, end, chance.choice(ENDINGS).split())
    return edited(example, 0, 0, chance.choice(FILLERS).split())


def remnant(example: Example, chance: random.Random) -> Example:
    """The end of a wake word before the sentence."""
    return edited(example, 0, 0, chance.choice(REMNANTS).split())


def dropped(example: Example, chance: random.Random) -> Example:
    """A small word outside of the slots left out; the example itself where there is none, or hardly another word."""
    at = [i for i in _outside(example) if example.words[i] in SMALL_WORDS]
    if not at or len(example.words) < 3:
        return example
    gone = chance.choice(at)
    return edited(example, gone, gone + 1, ())


def false_start(example: Example, chance: random.Random) -> Example:
    """One or two words outside of the slots said twice, often with a hesitation between."""
    outside = set(_outside(example))
    groups = [(i, i + n) for i in outside for n in (1, 2) if outside.issuperset(range(i, i + n))]
    if not groups:
        return example
    start, end = chance.choice(sorted(groups))
    pause = chance.choice(("", "", "uh", "um")).split()
    return edited(example, start, start, [*example.words[start:end], *pause])


def edited(example: Example, start: int, end: int, said: Sequence[str]) -> Example:
    """Other words in place of `start` to `end` (exclusive); equal numbers insert.

    What is inserted at a slot's border stays outside of the slot.

    Returns:
        A copy; or the example itself, if the change would cut across a slot's border, or leave a slot or the
        sentence without words.
    """
    grown = len(said) - (end - start)
    spans = []
    for span in example.spans:
        if end <= span.start:
            moved = Span(span.type, span.start + grown, span.end + grown)
        elif start >= span.end:
            moved = span
        elif span.start <= start and end <= span.end:
            moved = Span(span.type, span.start, span.end + grown)
        else:
            return example
        if moved.start >= moved.end:
            return example
        spans.append(moved)
    words = (*example.words[:start], *said, *example.words[end:])
    return msgspec.structs.replace(example, words=words, spans=tuple(spans)) if words else example


class _Option(NamedTuple):
    share: float
    heard: list[tuple[str, ...]]
    counts: list[int]


def _outside(example: Example) -> list[int]:
    """Positions of words in no slot."""
    return [i for i in range(len(example.words)) if not any(s.start <= i < s.end for s in example.spans)]


def _inside(example: Example, at: int) -> bool:
    """Whether the place before word `at` is within a slot, not at its border."""
    return any(span.start < at < span.end for span in example.spans)
