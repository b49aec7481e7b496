"""Short answers that need no model: yes, no, cancel, say that again, the second one, and what corrects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final, Literal

from device.nlu.text import spoken
from device.nlu.types import Act

_PHRASES: Final[dict[Act, str]] = {
    Act.AFFIRM: "yes|yeah|yep|yup|yes please|sure|sure thing|of course|okay|ok|go ahead|do it|please do|correct|right|"
    "that's right|exactly|absolutely|definitely|affirmative|yes do it|yes go ahead|sounds good|fine|please|i do|"
    "yes i do|yes i am|i'm sure|yes i'm sure|yes that's right|by all means|uh huh|aye",
    Act.DENY: "no|nope|nah|no thanks|no thank you|don't|do not|please don't|no don't|not now|rather not|negative|"
    "no way|absolutely not|i don't|no i don't|better not|no please don't|don't do it|wrong|no that's wrong",
    Act.CANCEL: "cancel|cancel that|cancel it|never mind|nevermind|forget it|forget about it|forget that|leave it|"
    "no never mind|abort|quit|drop it|stop it|no forget it|please cancel|oh never mind|actually never mind",
    Act.REPEAT: "repeat|repeat that|say that again|say it again|again please|pardon|pardon me|what|come again|"
    "what did you say|excuse me|sorry what|what was that|could you repeat that|can you repeat that|"
    "please repeat that|i didn't hear you|i didn't catch that|one more time|huh",
}
_BY_PHRASE: Final = {tuple(p.split()): act for act, phrases in _PHRASES.items() for p in phrases.split("|")}

FIXED: Final = tuple(" ".join(words) for words in _BY_PHRASE)
"""Everything that needs no model, in spoken form."""

_CORRECTIONS: Final = tuple(
    sorted(
        (
            tuple(p.split())
            for p in "no|no no|no i said|no i meant|no make it|no make that|i said|i meant|i mean|no i mean|actually|"
            "actually make it|actually make that|make that|make it|sorry|sorry i meant|wait|wait no|no wait|"
            "no sorry|correction|change it to|change that to|no change it to|rather|no not|not|oh no|oops|"
            "no actually|no it's|no the|i want".split("|")
        ),
        key=len,
        reverse=True,
    )
)
_FOLLOW_ONS: Final = tuple(
    sorted(
        (
            tuple(p.split())
            for p in "and|and what about|and how about|what about|how about|also|and also|and for|and in".split("|")
        ),
        key=len,
        reverse=True,
    )
)  # fmt: skip
_REPAIRS: Final = tuple(
    tuple(p.split())
    for p in "no wait i mean|oh no wait|no i mean|no make that|no make it|no wait|wait no|sorry i mean|sorry i meant|"
    "i mean|i meant|make that|or rather|no sorry|sorry|actually|scratch that|no".split("|")
)
"""Markers of a self-correction in the middle of a command, longest first."""

HESITATIONS: Final = frozenset("uh um er erm uhm hm hmm mm mmm ah".split())
"""Sounds that are no words."""

_FURTHER: Final = frozenset(
    "more|a bit more|a little more|some more|even more|bit more|more please|a bit more please|another|another one|"
    "another one please|one more|once more|tell me another|tell me another one|do it again|and again".split("|")
)

_OPENERS: Final = frozenset("please so well oh and but okay ok hey now then just because".split())
_ASKING: Final = frozenset("is are was were am did does why who when where what what's which how".split())
_ASKING_YOU: Final = frozenset({("do", "you"), ("have", "you"), ("has", "the"), ("has", "anyone")})
_WE: Final = frozenset({"i", "we", "he", "she", "they", "you"})
_TELLING: Final = frozenset("he she they he's she's they're we i'll i've don't never nobody somebody someone".split())
_AS_WELL: Final = (("too",), ("also",), ("as", "well"))
"""What may close a follow-on without being a part of it."""

_FILLERS: Final = frozenset(
    "please uh um er well so the a an in at for on to with about from by of like just let's say it's is i'd i would "
    "want set make it that i think i guess maybe then".split()
)


def to_device(words: Sequence[str], begins: Callable[..., bool]) -> bool:
    """False for a question about what a command does, a ban on it, or a tale of somebody who did it.

    "Is the kitchen light on", "never unlock the door" and "he set a timer" are near to commands in their words, but
    a command is meant only where its own phrases begin like that ("don't wake me").

    Args:
        words: What was said.
        begins: Whether a phrase of the command begins with these words.
    """
    rest = list(words)
    while rest and rest[0] in _OPENERS:
        rest.pop(0)
    first, second = (*rest, "", "")[:2]
    if first in _ASKING or (first, second) in _ASKING_YOU:
        return any(begins(word) for word in _ASKING)
    if (first, second) == ("do", "not"):
        first = "don't"
    if any(who in _WE and did.endswith("ed") and did != "need" for who, did in pairwise(rest[:4])):
        return False
    if (first, second) == ("i", "don't"):
        return begins(first, second)
    return first not in _TELLING or begins(first)


def affirms(words: Sequence[str]) -> bool:
    """True if at least one word is one that yes is said with, and none takes it back.

    A model takes "maybe" for a weak yes; a door is not opened for that.
    """
    return not _YES_WORDS.isdisjoint(words) and _NOT_QUITE.isdisjoint(words)


def further(words: Sequence[str]) -> bool:
    """True for "a bit more" and "another one": the same once more."""
    return " ".join(words) in _FURTHER


def repairs(words: Sequence[str]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """What stands before and after each self-correction: "set a timer for ten | no | fifteen minutes"."""
    at = 1
    while at < len(words) - 1:
        marker = next((m for m in _REPAIRS if tuple(words[at : at + len(m)]) == m and at + len(m) < len(words)), None)
        if marker:
            yield tuple(words[:at]), tuple(words[at + len(marker) :])
        at += len(marker) if marker else 1


_YES_WORDS: Final = frozenset(
    "yes yeah yep yup sure ok okay right correct exactly absolutely definitely affirmative fine please course go ahead "
    "do aye indeed certainly good great perfect agreed alright confirm confirmed".split()
)
_NOT_QUITE: Final = frozenset("no not don't maybe perhaps never wait later unsure guess if what why who".split())


_COUNTING: Final = frozenset(
    "twenty thirty forty fifty sixty seventy eighty ninety and point minus plus times hundred thousand number to "
    "channel that this next last other another first second third".split()
)
"""Behind these a last "one" is a number, or stands for a thing."""


def exact_act(words: Sequence[str]) -> Act | None:
    """The act of a fixed short answer ("yes please", "never mind"), or None."""
    return _BY_PHRASE.get(tuple(words))


def correction(words: Sequence[str]) -> tuple[str, ...] | None:
    """What follows a correcting opener ("no i meant | fifteen minutes"), or None.

    "not the kitchen the bedroom" gives what follows "not"; the last name wins when it is resolved.
    """
    return _after(words, _CORRECTIONS)


def follow_on(words: Sequence[str]) -> tuple[str, ...] | None:
    """What follows an opener that carries the last command over ("what about | tomorrow | too"), or None."""
    rest = _after(words, _FOLLOW_ONS)
    closing = next((end for end in _AS_WELL if rest and len(rest) > len(end) and rest[-len(end) :] == end), ())
    return rest[: len(rest) - len(closing)] if rest else None


def strip_fillers(words: Sequence[str]) -> tuple[str, ...]:
    """Words without the leading fillers and prepositions, and without a trailing "please" or "one" ("the red one")."""
    rest = list(words)
    while len(rest) > 1 and (rest[-1] in ("please", "thanks") or (rest[-1] == "one" and rest[-2] not in _COUNTING)):
        rest.pop()
    start = 0
    while start < len(rest) - 1 and rest[start] in _FILLERS:
        start += 1
    return tuple(rest[start:])


def _after(words: Sequence[str], openers: Sequence[tuple[str, ...]]) -> tuple[str, ...] | None:
    for opener in openers:
        if len(words) > len(opener) and tuple(words[: len(opener)]) == opener:
            return tuple(words[len(opener) :])
    return None


_STOP_WORDS: Final = frozenset(
    "stop|stop it|stop stop|stop that|okay stop|please stop|stop please|stop talking|be quiet|quiet|silence|shut up|"
    "that's enough|enough|cancel|cancel that|never mind|hush|thank you|thanks|okay thanks|okay thank you|turn it off|"
    "stop the alarm|stop alarm|stop the timer|stop timer|alarm off|i'm awake".split("|")
)
_SNOOZE_WORDS: Final = frozenset(
    "snooze|snooze it|snooze please|five more minutes|ten more minutes|later|not now".split("|")
)

_SHORT: Final = 3
"""Words within which "stop" is no part of a conversation."""


def interruption(text: str) -> Literal["stop", "snooze"] | None:
    """What a short utterance over the device's own sound asks for; None for anything else.

    Over one's own voice recognizers err ("flee stop", "he stopped"), and who says "stop" then means it.
    """
    said = spoken(text)
    heard = said.split()
    if said in _STOP_WORDS or (len(heard) <= _SHORT and any(word.startswith("stop") for word in heard)):
        return "stop"
    return "snooze" if said in _SNOOZE_WORDS else None
