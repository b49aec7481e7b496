"""Taking out of an utterance what is nobody's business, before it may leave the device.

Words leave only if they are public: words of the packs that ship, function words, and what stands in a dictionary, and
no name. What a slot holds becomes the slot's type ("remind me to {message}"), numbers become {number}, and every
other word becomes {withheld}. Numbers in rows (telephone numbers, codes), addresses and names of the household are
caught wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from device.feedback.names import NAMES
from device.nlu.pack import Pack, ValueSpec
from device.nlu.report import WITHHELD
from device.nlu.text import number_words, spoken
from device.nlu.text import words as spoken_words
from device.nlu.understand import clean
from device.skills.wordnet import WordNet

Filled: TypeAlias = tuple[str, str]
"""Slot type and the words that fill it."""

_PRIVATE: Final = re.compile(
    r"\S+@\S+"  # an e-mail address
    r"|\b(?:https?://|www\.)\S+|\b[\w-]+\.(?:com|org|net|de|co\.uk|io|info)\b\S*"  # an address of the web
    r"|\+?\d(?:[\s()/.-]{0,2}\d){4,}",  # a telephone number, a code, an account
    re.IGNORECASE,
)
_MARK: Final = "zqwithheldqz"
"""Stands for what was cut out of the text as written; no word of any language."""

_NUMBERS: Final = frozenset(
    [*(word for n in (*range(21), *range(30, 100, 10)) for word in number_words(str(n)).split()),
     *"oh hundred thousand million double triple".split()]
)  # fmt: skip
_MANY: Final = 4
"""Number words in a row from which on they are a telephone number or a code rather than an amount."""

_PLAIN: Final = re.compile(r"[a-z][a-z']{0,39}")
_CONTRACTED: Final = re.compile(r"(?:'(?:s|re|ve|ll|d|m)|n't)$")
_FUNCTION_WORDS: Final = frozenset(
    """
    a about above across after again against all almost along already also although always am among an and another
    any anybody anyone anything anywhere are around as at away be because been before behind being below beside
    between both but by can cannot could did do does doing done down during each either else enough even ever every
    everybody everyone everything everywhere few for from further get getting give given go goes going gone got had
    has have having he hello her here hers herself hey hi him himself his how however i if in inside instead into is
    it its itself just last least less let like made make many maybe me might mine more most much must my myself
    near neither never next no nobody none nor not nothing now nowhere of off often oh okay on once only onto or
    other ought our ours ourselves out outside over own perhaps please quite rather really same shall she should
    since so some somebody somehow someone something sometimes somewhere soon still such than thank thanks that the
    their theirs them themselves then there these they this those though through till to together too toward towards
    under until up upon us very was we well were what whatever when whenever where wherever whether which while who
    whoever whole whom whose why will with within without would yes yet you your yours yourself yourselves
    """.split()
)

_CUES: Final = frozenset("mr mrs ms miss aunt auntie uncle cousin doctor call phone ring text email named".split())
_NO_NAME: Final = frozenset(
    "a an the my our your his her their me him them us it that this these when if off on up down in to for and or at "
    "of back out list number home mom mum dad everyone everybody message again about with from please".split()
)
"""What may follow a cue and is no name."""

_TOLD: Final = frozenset({"person", "device", "room"})
"""Household names that are told as their type; others ("away", "dinner") are also everyday words."""


class Redactor:
    """Knows what is public.

    Args:
        packs: Those that ship; the words of their phrases and closed lists are public, their samples are not.
        household: Slot type, perhaps behind the skill and a dot, to this household's names.
        knows: Whether a word stands in a dictionary.
    """

    def __init__(
        self,
        packs: Sequence[Pack],
        household: Mapping[str, Sequence[str]],
        knows: Callable[[str], bool],
    ) -> None:
        self._public = _FUNCTION_WORDS | _words_of(packs)
        self._knows = knows
        names = {
            (type_.rpartition(".")[2], spoken_words(name)) for type_, several in household.items() for name in several
        }
        self._household = sorted((n for n in names if n[1]), key=lambda n: (-len(n[1]), n))

    def __call__(self, heard: str, slots: Iterable[Filled], types: Collection[str] = _TOLD) -> tuple[str, ...]:
        """Redact an utterance.

        Args:
            heard: As typed, or as the speech engine wrote it: capitals tell names.
            slots: What is known to be a slot's words.
            types: What may be a slot in such a sentence; the heating is no device where it is the verb's own object.

        Returns:
            Words in spoken form, and `{type}` for what was taken out.
        """
        capital = _capitalised(heard)
        tokens = list(clean(heard))
        private = [spoken_words(match[0]) for match in _PRIVATE.finditer(heard)]
        if any(_replaced(tokens, phrase, "") == tokens for phrase in private):  # it is said otherwise in its context
            tokens = [_held(WITHHELD) if word == _MARK else word for word in clean(_PRIVATE.sub(f" {_MARK} ", heard))]
        for type_, text in sorted(slots, key=lambda slot: -len(slot[1])):
            tokens = _replaced(tokens, spoken_words(text), _held(type_))
        for phrase in private:
            tokens = _replaced(tokens, phrase, _held(WITHHELD))
        for type_, name in self._household:
            if type_ in _TOLD and type_ in types:
                tokens = _replaced(tokens, name, _held(type_))
            elif not all(map(self._is_public, name)) or type_ == "person":
                tokens = _replaced(tokens, name, _held(WITHHELD))
        tokens = _without_numbers(tokens)
        kept = [
            word
            if word.startswith("{") or (word not in capital and not _is_called(tokens, at) and self._is_public(word))
            else _held(WITHHELD)
            for at, word in enumerate(tokens)
        ]
        return tuple(word for at, word in enumerate(kept) if word != _held(WITHHELD) or kept[at - 1 : at] != [word])

    def _is_public(self, word: str) -> bool:
        bare = _CONTRACTED.sub("", word)
        if bare in NAMES or not _PLAIN.fullmatch(word):
            return False
        return word in self._public or bare in self._public or self._knows(bare)


def in_dictionary(wordnet: WordNet, word: str) -> bool:
    """Whether a dictionary has a word, or its base form, without a capital: "lights" and "rose" but not "London"."""
    start = word[:3]
    return any(
        entry.islower() and entry.startswith(start) for sense in wordnet.senses(word) for entry in sense.words
    )  # fmt: skip


def _held(type_: str) -> str:
    return f"{{{type_}}}"


def _words_of(packs: Sequence[Pack]) -> set[str]:
    """Words of phrases, rules and closed lists."""
    templates: list[str] = []
    for pack in packs:
        templates += [phrase for spec in pack.intents.values() for phrase in spec.phrases]
        templates += pack.rules.values()
        for type_ in pack.types.values():
            templates += [value.spoken if isinstance(value, ValueSpec) else value for value in type_.values]
            templates += [type_.template] if type_.template else []
    plain = (re.sub(r"\{[^}]*\}|<[^>]*>", " ", template) for template in templates)
    return {word for text in plain for word in re.findall(r"[a-z][a-z']*", text)}


def _capitalised(written: str) -> frozenset[str]:
    """Words that are written with a capital inside of a sentence; none where all are ("TURN ON THE LIGHT")."""
    parts = re.findall(r"[^\W\d_][\w'’]*|[.!?]", written)
    if not any(part.islower() for part in parts):
        return frozenset()
    inside = [part for before, part in zip([".", *parts], parts, strict=False) if before not in ".!?"]
    named = (part for part in inside if part[0].isupper() and not re.match(r"I\b", part))
    return frozenset(word for part in named for word in spoken(part).split()) - _CALENDAR


_CALENDAR: Final = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april june july august september "
    "october november december christmas easter halloween thanksgiving tv".split()
)


def _replaced(tokens: Sequence[str], phrase: Sequence[str], by: str) -> list[str]:
    """The tokens with every occurrence of some words replaced by one token."""
    found, at, length = list(tokens), 0, len(phrase)
    while length and at + length <= len(found):
        if found[at : at + length] == list(phrase):
            found[at : at + length] = [by]
        at += 1
    return found


def _without_numbers(tokens: Sequence[str]) -> list[str]:
    """Runs of number words as one {number}, long ones as {withheld}."""
    found: list[str] = []
    run: list[str] = []
    for word in (*tokens, ""):
        if word in _NUMBERS:
            run.append(word)
            continue
        if run in (["one"], ["oh"]):  # "play this one", "oh no"
            found += run
        elif run:
            found.append(_held("number" if len(run) < _MANY else WITHHELD))
        run = []
        found.append(word)
    return found[:-1]


def _is_called(tokens: Sequence[str], at: int) -> bool:
    """Whether the words before make this one a person: "call ...", "aunt ...", "my name is ..."."""
    word, before = tokens[at], tokens[at - 1] if at else ""
    if list(tokens[max(at - 2, 0) : at]) == ["name", "is"]:
        return True
    return before in _CUES and word not in _NO_NAME
