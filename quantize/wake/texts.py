"""What is said: the phrase, what sounds nearly like it, and everything else."""

from __future__ import annotations

import pydoc_data.topics
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from device.errors import BadInput
from device.nlu.phonemes import Phonemizer, Sounds
from device.nlu.phonetics import distance
from device.nlu.text import words
from quantize.data.corpora import as_spoken, clinc150, hwu64

NEAREST: Final = 40
"""Words of the vocabulary that replace each word of the phrase."""

SAME: Final = 0.3
"""Distance below which two words are the same to the ear (`device.nlu.phonetics`): "alexa" said by another accent."""

_SENTENCE: Final = re.compile(r"[A-Z][A-Za-z,' \n-]{20,160}[.?]")
_PHRASE: Final = re.compile(r"[a-z']+( [a-z']+){0,5}")


def checked(phrase: str) -> str:
    """The phrase in the words that are spoken.

    Raises:
        BadInput: It is empty, has signs that can't be spoken, or is too short to be told from other speech.
    """
    plain = " ".join(words(phrase))
    if not _PHRASE.fullmatch(plain):
        raise BadInput(
            f"{phrase!r} can't be a wake word.", remedy="Type one to six English words, such as hey biscuit."
        )
    if len(_sounds([plain])[0]) < 3:
        raise BadInput(f"{phrase!r} is too short a wake word.", remedy="Take one of two or more syllables.")
    return plain


def sentences(data_dir: Path | None, rng: np.random.Generator) -> list[str]:
    """English to be spoken as what is no wake word, shuffled.

    Args:
        data_dir: Folder with the corpora HWU64 and CLINC150; None takes the prose that comes with every Python.
        rng: Shuffles.

    Raises:
        BadInput: A corpus is not as it was published.
    """
    if data_dir:
        read = chain(hwu64(data_dir, "train"), clinc150(data_dir, "train"))
        found = {" ".join(as_spoken(sentence).words) for sentence in read}
    else:
        prose = (_SENTENCE.findall(text) for text in pydoc_data.topics.topics.values())
        found = {" ".join(words(sentence)) for sentence in chain.from_iterable(prose)}
    usual = sorted(text for text in found if 8 < len(text) < 160)
    return [usual[at] for at in rng.permutation(len(usual))]


def near_misses(phrase: str, texts: Iterable[str], count: int, rng: np.random.Generator) -> list[str]:
    """Phrases that sound like another one but are not: words alone or lost, then swapped and run into others.

    Args:
        phrase: As `checked` gives it.
        texts: Whose words are taken for the swaps.
        count: How many, at most.
        rng: Draws them.

    Raises:
        EngineMissing: `espeak-ng` is not installed.
    """
    said = phrase.split()
    vocabulary = sorted({word for text in texts for word in text.split() if word.isalpha() and len(word) > 1})
    spoken = dict(zip(vocabulary, _sounds(vocabulary), strict=True))
    around = {word: _nearest(sounds, spoken) for word, sounds in zip(said, _sounds(said), strict=True)}
    single = {word for near in around.values() for word in near}
    single |= {" ".join(said[:at] + said[at + 1 :]) for at in range(len(said)) if len(said) > 1}
    mixed: set[str] = set()
    for _ in range(2 * count):
        changed = list(said)
        for at in rng.choice(len(said), size=int(rng.integers(1, len(said) + 1)), replace=False):
            changed[at] = str(rng.choice(around[said[at]]))
        before, after = (str(word) if rng.random() < 0.3 else "" for word in rng.choice(vocabulary, size=2))
        mixed.add(f"{before} {' '.join(changed)} {after}".strip())
    drawn = sorted(mixed - single)
    several = [*sorted(single), *(drawn[at] for at in rng.permutation(len(drawn)))]
    whole = _sounds([phrase])[0]
    apart = zip(several, _sounds(several), strict=True)
    return [miss for miss, sounds in apart if phrase not in miss and distance(sounds, whole) > SAME][:count]


def without(phrases: Sequence[str], texts: Iterable[str]) -> list[str]:
    """The texts in which none of the phrases is said."""
    said = re.compile("|".join(rf"\b{re.escape(phrase)}\b" for phrase in phrases))
    return [text for text in texts if not said.search(text)]


def _nearest(sounds: Sounds, spoken: Mapping[str, Sounds]) -> list[str]:
    """Words that sound most like one, but not the same."""
    apart = {word: distance(sounds, other) for word, other in spoken.items()}
    return [word for word in sorted(apart, key=apart.__getitem__) if apart[word] > SAME][:NEAREST]


def _sounds(texts: Sequence[str]) -> list[Sounds]:
    return Phonemizer().heard(texts)
