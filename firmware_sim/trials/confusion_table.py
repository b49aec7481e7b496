"""What a recogniser hears in place of what was said: heard words aligned with spoken ones by sound, and counted.

`quantize.data.augment` reads the table.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, TypeAlias

import msgspec

from device.nlu.phonemes import Phonemizer, Sounds
from device.nlu.phonetics import distance

Words: TypeAlias = tuple[str, ...]
Group: TypeAlias = tuple[Words, Words]
"""Words that were said and what was heard of them; one of the two may be empty."""

PLAUSIBLE: Final = 0.35
"""Distance per phoneme up to which a confusion that was seen only once is believed."""

LOST: Final = 0.6
"""Share of wrong words from which a sentence was not heard at all; what was made up tells nothing of its words."""

_SIZES: Final = ((1, 1), (1, 0), (0, 1), (1, 2), (2, 1), (1, 3), (2, 2), (2, 3))
"""Groups that are tried: words said, words heard."""
_GROUPING: Final = 0.25
"""Cost of each word that a group has more than one and one, so that words are grouped only where sounds ask for it."""


class Take(msgspec.Struct, frozen=True):
    """One sentence as it is to be said: its words, the voice, its speed, and the noise (None: quiet)."""

    said: Words
    engine: str
    voice: str
    speed: float
    snr_db: float | None


class Hearing(msgspec.Struct, frozen=True):
    """What a recogniser heard of a take."""

    recogniser: str
    take: Take
    heard: Words


class Misheard(msgspec.Struct, frozen=True):
    """How often a word or pair of words was said, and what was heard instead how often ("": nothing)."""

    said: int
    heard: dict[str, int]


class Confusions(msgspec.Struct, frozen=True):
    """The table. Counts of words are of the sentences that were heard; `wrong` has only what was kept.

    Attributes:
        recogniser: Name of the speech-to-text engine.
        voices: Who spoke.
        snr_db: Noise levels; None is quiet.
        sentences: How many were said.
        lost: How many of them were not heard at all, or wholly otherwise.
        words: Words said in the others.
        substituted: Of these, words that were heard as others.
        deleted: Words that were not heard.
        inserted: Words that were heard and not said.
        wrong: Word or pair of words to what was heard instead.
        extra: Word that was heard and not said, to how often.
    """

    recogniser: str
    voices: list[str]
    snr_db: list[float | None]
    sentences: int
    lost: int
    words: int
    substituted: int
    deleted: int
    inserted: int
    wrong: dict[str, Misheard]
    extra: dict[str, int]


def tabulate(hearings: Sequence[Hearing], phonemizer: Phonemizer) -> Confusions:
    """Align and count.

    Kept is what was heard twice, or once and sounds alike; opposites ("on" and "off") never, since whoever learns
    from them learns the wrong command.

    Raises:
        EngineMissing: espeak-ng, which pronounces the words, is not installed.
        EngineFailed: It broke.
    """
    sounds = phonemizer.vocabulary({word for h in hearings for word in (*h.take.said, *h.heard)})
    groups = [aligned(h.take.said, h.heard, sounds) for h in hearings]
    understood = [group for h, group in zip(hearings, groups, strict=True) if error_rate(group) < LOST]
    said: Counter[str] = Counter()
    wrong: dict[str, Counter[str]] = defaultdict(Counter)
    extra: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for pairs in understood:
        line = [word for spoken, _ in pairs for word in spoken]
        said.update(line)
        said.update(" ".join(pair) for pair in pairwise(line))
        for spoken, heard in pairs:
            if spoken == heard:
                continue
            if spoken:
                wrong[" ".join(spoken)][" ".join(heard)] += 1
            else:
                extra[" ".join(heard)] += 1
            errors["substituted" if spoken and heard else "deleted" if spoken else "inserted"] += max(1, len(spoken))
    kept = {
        spoken: Misheard(said[spoken], dict(sorted(believed.items())))
        for spoken, counts in sorted(wrong.items())
        if (believed := {h: n for h, n in counts.items() if _believed(spoken, h, n, sounds)})
    }
    return Confusions(
        hearings[0].recogniser if hearings else "",
        sorted({f"{h.take.engine} {h.take.voice}" for h in hearings}),
        sorted({h.take.snr_db for h in hearings}, key=lambda level: (level is not None, level)),
        len(hearings),
        len(hearings) - len(understood),
        sum(len(spoken) for pairs in understood for spoken, _ in pairs),
        errors["substituted"],
        errors["deleted"],
        errors["inserted"],
        kept,
        {word: count for word, count in sorted(extra.items()) if count > 1},
    )


def aligned(said: Words, heard: Words, sounds: Mapping[str, Sounds]) -> list[Group]:
    """Groups of said and heard words, in order; between equal words they are cut where the sounds fit best.

    Args:
        said: Words said.
        heard: Words heard.
        sounds: Pronunciation of each of them.
    """
    from rapidfuzz.distance import Levenshtein

    groups: list[Group] = []
    left = right = 0
    for block in Levenshtein.editops(said, heard).as_matching_blocks():
        groups += _by_sound(said[left : block.a], heard[right : block.b], sounds)
        groups += [((word,), (word,)) for word in said[block.a : block.a + block.size]]
        left, right = block.a + block.size, block.b + block.size
    return groups


def error_rate(groups: Sequence[Group]) -> float:
    """Wrong words for each word said (word error rate, with a group counted by its longer side)."""
    wrong = sum(max(len(spoken), len(heard)) for spoken, heard in groups if spoken != heard)
    return wrong / max(1, sum(len(spoken) for spoken, _ in groups))


def summary(table: Confusions) -> str:
    """Figures of a table and its most frequent confusions, to be read by a person."""
    rate = (table.substituted + table.deleted + table.inserted) / max(1, table.words)
    top = sorted(((n, s, h) for s, m in table.wrong.items() for h, n in m.heard.items()), reverse=True)[:12]
    return "\n".join(
        [
            f"{table.recogniser}: {table.sentences} sentences, {table.lost} lost; in the others {table.words} words, "
            f"{rate:.1%} wrong ({table.substituted} heard as others, {table.deleted} not heard, "
            f"{table.inserted} added).",
            f"{len(table.wrong)} words or pairs are confused, most often:",
            *(f"  {n:4d}  {said} -> {heard or '(nothing)'}" for n, said, heard in top),
        ]
    )


def _by_sound(said: Words, heard: Words, sounds: Mapping[str, Sounds]) -> list[Group]:
    """The cheapest division of two stretches into groups, by dynamic programming."""
    best: dict[tuple[int, int], tuple[float, tuple[int, int]]] = {(0, 0): (0.0, (0, 0))}
    for i in range(len(said) + 1):
        for j in range(len(heard) + 1):
            choices = [
                (best[i - a, j - b][0] + _cost(said[i - a : i], heard[j - b : j], sounds), (a, b))
                for a, b in _SIZES
                if a <= i and b <= j
            ]
            if choices:
                best[i, j] = min(choices)
    groups: list[Group] = []
    i, j = len(said), len(heard)
    while i or j:
        a, b = best[i, j][1]
        groups.append((said[i - a : i], heard[j - b : j]))
        i, j = i - a, j - b
    return groups[::-1]


def _cost(said: Words, heard: Words, sounds: Mapping[str, Sounds]) -> float:
    return _apart(_joined(said, sounds), _joined(heard, sounds)) + _GROUPING * max(0, len(said) + len(heard) - 2)


def _believed(spoken: str, heard: str, count: int, sounds: Mapping[str, Sounds]) -> bool:
    first, second = spoken.split(), heard.split()
    if any(frozenset((a, b)) in _OPPOSITES for a in first for b in second if a not in second and b not in first):
        return False
    if count > 1:
        return True
    one, other = _joined(first, sounds), _joined(second, sounds)
    return bool(one and other) and _apart(one, other) <= PLAUSIBLE * max(len(one), len(other))


def _joined(group: Iterable[str], sounds: Mapping[str, Sounds]) -> Sounds:
    return tuple(sound for word in group for sound in sounds[word])


_apart = lru_cache(maxsize=65536)(distance)


_OPPOSITES: Final = frozenset(
    frozenset(pair.split())
    for pair in (
        "on off", "up down", "lock unlock", "open close", "start stop", "mute unmute", "pause play", "yes no",
        "louder quieter", "warmer colder", "warmer cooler", "next previous", "can can't", "do don't", "am pm",
        "enable disable", "add remove", "more less", "brighter darker", "brighten dim", "increase decrease",
    )
)  # fmt: skip
