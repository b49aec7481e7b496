"""Whether what was expected is so: each expectation against what happened in a step and how things stand after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from device.audio.level import dbfs
from device.audio.mixer import DUCKED
from device.errors import DeviceError
from device.events import Interrupted, Observation, PhaseChanged, Rang, SoundBegan, Trouble, TurnDone
from device.nlu.text import words
from device.store.items import Items
from device.store.profiles import Profiles
from device.turns import Phase
from firmware_sim.gadget import Gadget
from firmware_sim.scenario.model import Expect, ExpectedTimer
from firmware_sim.scenario.values import seconds

_TIMER_TOLERANCE: Final = 3.0
"""Seconds by which a timer's remaining time may differ: it runs while the device answers."""

_GAIN_TOLERANCE: Final = 0.02
_PEAK_TOLERANCE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Moment:
    """What happened in a step, and the gadgets as they are after it.

    Attributes:
        gadget: The one that is looked at.
        seen: What it told in the step.
        sounds: Kinds of sound that were heard from it.
        peak: Largest sample that was heard from it.
        answers: Rooms of all gadgets that answered.
    """

    gadget: Gadget
    seen: Sequence[Observation]
    sounds: frozenset[str] = frozenset()
    peak: int = 0
    answers: tuple[str, ...] = ()

    @property
    def turns(self) -> list[TurnDone]:
        """The turns of the step."""
        return [seen for seen in self.seen if isinstance(seen, TurnDone)]

    @property
    def latency_ms(self) -> float | None:
        """From the last word to the first sound of the step's first answer."""
        return next((1000 * seen.after_speech for seen in self.seen if isinstance(seen, SoundBegan)), None)


@dataclass(frozen=True, slots=True)
class Miss:
    """An expectation that is not met: its key (a path such as `house.light.kitchen.on`), what was wanted and found."""

    key: str
    wanted: Any
    found: Any


def misses(expected: Expect, moment: Moment) -> list[Miss]:
    """All expectations that are not met."""
    return [miss for key, wanted in _given(expected) for miss in _CHECKS[key](key, wanted, moment)]


def present(absent: Expect, moment: Moment) -> list[Miss]:
    """All that must not be and is, each as a whole: `house` with two lamps is met only if both are as it says."""
    return [
        Miss(key, f"not {wanted!r}", "just that")
        for key, wanted in _given(absent)
        if not _CHECKS[key](key, wanted, moment)
    ]


def _given(expected: Expect) -> list[tuple[str, Any]]:
    return [(name, value) for name in Expect.__struct_fields__ if (value := getattr(expected, name)) is not None]


Check = Callable[[str, Any, Moment], list[Miss]]


def _equal(get: Callable[[Moment], Any]) -> Check:
    def check(key: str, wanted: Any, moment: Moment) -> list[Miss]:
        found = get(moment)
        return [] if found == wanted else [Miss(key, wanted, found)]

    return check


def _row(get: Callable[[Moment], Sequence[str]]) -> Check:
    """One or several strings, in order."""

    def check(key: str, wanted: Any, moment: Moment) -> list[Miss]:
        row, found = (wanted,) if isinstance(wanted, str) else tuple(wanted), tuple(get(moment))
        return [] if row == found else [Miss(key, list(row), list(found))]

    return check


def _includes(get: Callable[[Moment], Sequence[str]]) -> Check:
    """One or several strings among others; an empty list wants none at all."""

    def check(key: str, wanted: Any, moment: Moment) -> list[Miss]:
        row, found = [wanted] if isinstance(wanted, str) else list(wanted), list(get(moment))
        met = set(row) <= set(found) if row else not found
        return [] if met else [Miss(key, row, found)]

    return check


def _turn(get: Callable[[TurnDone], Any], check: Callable[[Callable[[Moment], Any]], Check]) -> Check:
    """A check of the last turn; without a turn nothing is met."""

    def whole(key: str, wanted: Any, moment: Moment) -> list[Miss]:
        turns = moment.turns
        if not turns:
            return [Miss(key, wanted, "no turn at all")]
        return check(lambda _: get(turns[-1]))(key, wanted, moment)

    return whole


def _matches(get: Callable[[Moment], str]) -> Check:
    def check(key: str, wanted: Any, moment: Moment) -> list[Miss]:
        found = get(moment)
        return [] if re.fullmatch(wanted, found, re.IGNORECASE | re.DOTALL) else [Miss(key, wanted, found)]

    return check


def _state(get: Callable[[Gadget], Mapping[str, Any]]) -> Check:
    """Some keys of a state."""

    def check(key: str, wanted: Any, moment: Moment) -> list[Miss]:
        found = get(moment.gadget)
        return [Miss(f"{key}.{k}", v, found.get(k)) for k, v in wanted.items() if found.get(k) != v]

    return check


def _house(key: str, wanted: Any, moment: Moment) -> list[Miss]:
    house = moment.gadget.world.house
    found = {name: house.state(name) for name in wanted}
    return [
        Miss(f"{key}.{name}.{k}", v, found[name].get(k))
        for name, state in wanted.items()
        for k, v in state.items()
        if found[name].get(k) != v
    ]


def _lists(key: str, wanted: Any, moment: Moment) -> list[Miss]:
    items = Items(moment.gadget.brain.database)
    found = {name: tuple(items.items(name)) for name in wanted}
    return [Miss(f"{key}.{n}", list(i), list(found[n])) for n, i in wanted.items() if tuple(i) != found[n]]


def _timers(key: str, wanted: Any, moment: Moment) -> list[Miss]:
    timers = moment.gadget.brain.scheduler.timers()
    found = [
        {"label": timer.label, "remaining": round(timer.remaining.total_seconds(), 1), "paused": timer.paused}
        for timer in timers
    ]
    met = len(timers) == len(wanted) and all(map(_timer_as, wanted, found))
    return [] if met else [Miss(key, [msgspec.to_builtins(timer) for timer in wanted], found)]


def _timer_as(wanted: ExpectedTimer, found: Mapping[str, Any]) -> bool:
    return (
        wanted.label in (None, found["label"])
        and wanted.paused in (None, found["paused"])
        and (wanted.remaining is None or abs(seconds(wanted.remaining) - found["remaining"]) <= _TIMER_TOLERANCE)
    )


def _time(key: str, wanted: Any, moment: Moment) -> list[Miss]:
    found = f"{moment.gadget.brain.clock.now():%H:%M:%S}"
    return [] if found.startswith(wanted) else [Miss(key, wanted, found)]


def _media_gain(key: str, wanted: Any, moment: Moment) -> list[Miss]:
    brain, mixer = moment.gadget.brain, moment.gadget.mixer
    found = round(brain.volume.gain("media") * (DUCKED if mixer.ducked else 1.0), 3)
    return [] if abs(found - wanted) <= _GAIN_TOLERANCE else [Miss(key, wanted, found)]


def _peak(key: str, wanted: Any, moment: Moment) -> list[Miss]:
    found = round(dbfs(moment.peak), 1)
    return [] if abs(found - wanted) <= _PEAK_TOLERANCE else [Miss(key, wanted, found)]


def _written(key: str, wanted: Any, moment: Moment) -> list[Miss]:
    found = moment.gadget.board.flash.wear().bytes_total / 1e6
    return [] if found <= wanted else [Miss(key, f"at most {wanted}", round(found, 3))]


def _current_profile(moment: Moment) -> str:
    return Profiles(moment.gadget.brain.database).current()


def _occasions(kind: str) -> Callable[[Moment], list[Any]]:
    return lambda moment: moment.gadget.brain.scheduler.occasions(kind)  # type: ignore[arg-type]


_CHECKS: Final[Mapping[str, Check]] = {
    "reply": _turn(lambda done: "" if done.ignored else done.turn.reply, _matches),
    "transcript": _turn(lambda done: " ".join(words(done.turn.transcript)), _equal),
    "intent": _turn(lambda done: tuple(reading.intent for reading in done.turn.interpretations), _row),
    "slots": _turn(
        lambda done: {
            name: slot.text for reading in done.turn.interpretations[:1] for name, slot in reading.slots.items()
        },
        _equal,
    ),
    "changes": _turn(lambda done: [f"{c.skill}.{c.action} {c.target}".strip() for c in done.turn.changes], _row),
    "asks": _turn(lambda done: done.turn.expects_answer, _equal),
    "failed": _turn(lambda done: done.turn.failed, _equal),
    "ignored": _turn(lambda done: done.ignored, _equal),
    "turns": _equal(lambda moment: len(moment.turns)),
    "rang": _includes(lambda moment: [seen.ring.kind for seen in moment.seen if isinstance(seen, Rang)]),
    "announced": _matches(lambda moment: " ".join(seen.words for seen in moment.seen if isinstance(seen, Rang))),
    "trouble": _includes(lambda moment: [type(s.error).__name__ for s in moment.seen if isinstance(s, Trouble)]),
    "sound": _includes(lambda moment: sorted(moment.sounds)),
    "peak_dbfs": _peak,
    "woken": _equal(
        lambda moment: any(isinstance(s, PhaseChanged) and s.phase is Phase.LISTENING for s in moment.seen)
    ),
    "interrupted": _equal(lambda moment: any(isinstance(seen, Interrupted) for seen in moment.seen)),
    "answers": _row(lambda moment: moment.answers),
    "house": _house,
    "tv": _state(lambda gadget: gadget.world.television.state()),
    "player": _state(lambda gadget: gadget.brain.services.player.state()),
    "timers": _timers,
    "alarms": _row(lambda moment: [f"{alarm.at:%a %H:%M}".lower() for alarm in _occasions("alarm")(moment)]),
    "reminders": _row(lambda moment: [reminder.text for reminder in _occasions("reminder")(moment)]),
    "lists": _lists,
    "ringing": _row(lambda moment: [ring.kind for ring in moment.gadget.brain.scheduler.ringing()]),
    "volume": _equal(lambda moment: moment.gadget.brain.volume.level()),
    "muted": _equal(lambda moment: moment.gadget.brain.volume.muted()),
    "media_gain": _media_gain,
    "led": _equal(lambda moment: moment.gadget.board.lights.pattern.value),
    "phase": _equal(lambda moment: moment.gadget.phase.value),
    "time": _time,
    "profile": lambda key, wanted, moment: _equal(_current_profile)(key, wanted.lower(), moment),
    "mb_written": _written,
}


def looked_at(check: Callable[[], list[Miss]]) -> list[Miss]:
    """What a check finds; a state that can't even be read (a full or broken storage) is a miss itself."""
    try:
        return check()
    except DeviceError as error:
        return [Miss("state", "to be readable", str(error))]
