"""From kept turns to reports: what was wrong, and what its person then said instead (a weak label).

Only turns with one command that stands by itself are told: an answer means nothing without its question, and two
commands in one breath have no one intent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from device.feedback.redact import Filled, Redactor
from device.nlu.acts import correction
from device.nlu.pack import IntentSpec
from device.nlu.report import FORMAT, LONGEST, WITHHELD, How, Meant, Report, Understood, Verdict
from device.nlu.text import spoken
from device.nlu.types import OOS, Act
from device.nlu.understand import clean
from device.store.turns import Reading, Turn

SECOND_TRY: Final = timedelta(minutes=1)
"""Within this time of a turn that went wrong, the next command says the same in other words."""

TRIES: Final = 3
"""How many turns after a wrong one are looked at."""

_MEANING: Final = frozenset({"no", "meant", "mean", "said", "correction", "wrong"})
"""Words of an opener that takes the last turn back ("no, I meant ..."), unlike "make it ..." and "actually ..."."""

_ABOUT_ITSELF: Final = frozenset({"feedback", "phrase", "privacy", "system", "smalltalk"})
"""Skills whose commands are never what was meant instead."""

_TALK: Final = frozenset({"message", "item", "name", "person", "query"})
"""Slot types that hold people's own words."""

WRONG: Final = "feedback.wrong"


@dataclass(frozen=True, slots=True)
class Told:
    """A report, and the words as they were heard, for the owner to compare."""

    heard: str
    report: Report


class Reporter:
    """Makes reports of turns.

    Args:
        specs: Intents by full name; they say of which type a slot is.
        redact: Takes out what is private.
        taught: Phrases of the household's own, and the command that each stands for, in spoken form.
        read: What a command would mean, standing alone.
    """

    def __init__(
        self,
        specs: Mapping[str, IntentSpec],
        redact: Redactor,
        taught: Mapping[str, str],
        read: Callable[[str], Sequence[Reading]],
    ) -> None:
        self._specs = specs
        self._redact = redact
        self._taught = taught
        self._read = read

    def reports(self, turns: Sequence[Turn], wrong: Iterable[int], *, all_turns: bool = False) -> list[Told]:
        """Reports of the turns that tell something, sorted by their words so that no order is told.

        Args:
            turns: Oldest first.
            wrong: Numbers of the turns that were called wrong.
            all_turns: Also those that nobody said anything about.
        """
        marked = set(wrong)
        found = [
            told
            for at, turn in enumerate(turns)
            if (told := self._told(turn, turns[at + 1 : at + 1 + TRIES], turn.id in marked))
            and (all_turns or told.report.verdict != "none" or told.report.meant or told.report.failed)
        ]
        return sorted(found, key=lambda told: (told.report.text, told.report.understood.intent))

    def _told(self, turn: Turn, later: Sequence[Turn], marked: bool) -> Told | None:
        reading = _alone(turn)
        if reading is None or self._is_own_phrase(turn, reading):
            return None
        wrong, meant, how = self._meant(turn, reading, later, marked)
        if how == "corrected":
            wrong = True
        known = meant if meant and meant.intent != OOS else None if wrong else reading
        text = self._redacted(turn.heard, known, reading)
        if text is None:
            return None
        said = self._redacted(_said(meant), meant, meant) if meant else None
        verdict: Verdict = "wrong" if wrong else "confirmed" if _confirmed(turn, later) else "none"
        report = Report(
            FORMAT,
            text,
            Understood(reading.intent, self._types(reading), reading.route, round(reading.probability, 4)),
            turn.failed,
            verdict,
            Meant(meant.intent, said, how) if meant and said and how else None,
            turn.model,
        )
        return Told(turn.heard, report)

    def _meant(
        self, turn: Turn, reading: Reading, later: Sequence[Turn], wrong: bool
    ) -> tuple[bool, Reading | None, How | None]:
        """Whether the turn was wrong after all, what was wanted, and how that is known."""
        taught = self._taught.get(spoken(turn.heard))
        if taught and (wrong or turn.failed):
            readings = self._read(taught)
            if len(readings) == 1 and readings[0].intent != OOS:
                return wrong, readings[0], "taught"
        before = turn
        for following in later:
            if following.at - before.at > SECOND_TRY:
                break
            before = following
            if following.intent == WRONG:
                continue
            other = following.readings[0] if len(following.readings) == 1 else None
            if other is None or following.failed or other.intent.partition(".")[0] in {*_ABOUT_ITSELF, "", OOS}:
                if wrong or turn.failed:
                    continue  # not understood again: the next try may be
                break
            takes_back = _takes_back(following.heard)
            if takes_back and other.intent != reading.intent:
                return True, other, "corrected"
            if wrong or turn.failed:
                return wrong, other, "again"
            break
        return wrong, None, None

    def _is_own_phrase(self, turn: Turn, reading: Reading) -> bool:
        """The words stood for a command of the household's own making: nobody else means that by them."""
        return not turn.failed and reading.text == self._taught.get(spoken(turn.heard))

    def _redacted(self, heard: str, known: Reading | None, made: Reading) -> str | None:
        """Redact by the right reading; None if there are no words left, or too many to be a command.

        What was taken for a message may be one even if the rest was wrong, so that it does not leave either.
        """
        guarded = [(WITHHELD, text) for type_, text in self._filled(made) if type_ in _TALK]
        if known and known.intent in self._specs:
            spec = self._specs[known.intent]
            types = [spec.slot_type(name) for name in spec.slots]
            tokens = self._redact(heard, [*self._filled(known), *guarded], types)
        else:
            tokens = self._redact(heard, guarded)
        plain = [token for token in tokens if not token.startswith("{")]
        return " ".join(tokens) if plain and len(tokens) <= LONGEST else None

    def _filled(self, reading: Reading) -> list[Filled]:
        spec = self._specs.get(reading.intent)
        if spec is None:
            return []
        return [(spec.slot_type(name), text) for name, text in reading.slots.items() if name in spec.slots]

    def _types(self, reading: Reading) -> tuple[str, ...]:
        return tuple(sorted({type_ for type_, _ in self._filled(reading)}))


def _alone(turn: Turn) -> Reading | None:
    """The one command of a turn that needs no other to be understood."""
    if len(turn.readings) != 1:
        return None
    reading = turn.readings[0]
    skill = reading.intent.partition(".")[0]
    if reading.act is not Act.COMMAND or reading.route == "dialogue" or skill in _ABOUT_ITSELF:
        return None
    return None if _takes_back(turn.heard) else reading


def _takes_back(heard: str) -> bool:
    said = clean(heard)
    rest = correction(said)
    return rest is not None and not _MEANING.isdisjoint(said[: len(said) - len(rest)])


def _said(reading: Reading) -> str:
    """The words of a command without "no, I meant"."""
    words = reading.text.split()
    return " ".join(correction(words) or words) if _takes_back(reading.text) else reading.text


def _confirmed(turn: Turn, later: Sequence[Turn]) -> bool:
    """A yes to its question, or thanks for what was done."""
    if turn.failed or not later or later[0].at - turn.at > SECOND_TRY or len(later[0].readings) != 1:
        return False
    answer = later[0].readings[0]
    return answer.act is Act.AFFIRM or answer.intent == "smalltalk.thanks"
