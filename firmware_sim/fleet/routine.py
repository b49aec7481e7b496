"""A day of a household: what is said when, and what must be so afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final, TypeAlias

from device.dialogue.spoken import say
from firmware_sim.fleet.household import LAMPS, Household
from firmware_sim.fleet.ledger import (
    AlarmGone,
    AlarmSet,
    Effect,
    Ledger,
    Listed,
    Loudness,
    ReminderSet,
    RemindersGone,
    Silence,
    TimerGone,
    TimerLonger,
    TimerSet,
    TimersHeld,
)
from firmware_sim.fleet.wording import OUT_OF_SCOPE, Wordings
from firmware_sim.home.house import SCENES
from firmware_sim.home.line_up import LineUp
from firmware_sim.scenario.model import Expect

_MINUTES: Final = (3, 5, 7, 8, 10, 12, 15, 20, 25, 30, 45)
_COLOURS: Final = {"red": "#ff0000", "blue": "#0000ff", "green": "#008000"}
_CHANNELS: Final = LineUp().channels
_SEVERAL: Final = frozenset({"lights", "lamps", "all", "every", "everything"})
_QUESTIONS: Final[tuple[tuple[str, Mapping[str, str], str], ...]] = (
    ("time.query", {}, ".+"),
    ("date.query", {}, ".+"),
    ("math.compute", {"expression": "seven times eight"}, ".*56.*"),
    ("math.compute", {"expression": "144 divided by 12"}, ".*12.*"),
    ("word.spell", {"word": "necessary"}, ".*N, E, C, E, S, S, A, R, Y.*"),
    ("joke.tell", {}, ".+"),
    ("smalltalk.greet", {}, ".+"),
    ("smalltalk.thanks", {}, ".+"),
    ("random.pick", {}, ".+"),
)
"""Intent, slots and what the answer must be."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that somebody says.

    Attributes:
        kind: For the report: what it is about.
        text: The words.
        expect: What must be so, besides all that is kept.
        effects: What is kept differently from then on.
        asks: It is to be answered with a question.
    """

    kind: str
    text: str
    expect: Expect = Expect()  # noqa: RUF009 - frozen
    effects: tuple[Effect, ...] = ()
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Errand:
    """What is talked about at one moment of a day.

    Attributes:
        at: Naive local time.
        talk: What is said then, one after the other; each line depends on those before it.
    """

    at: datetime
    talk: Talk


class Speaker:
    """Somebody of a household, with words and chance of their own.

    Args:
        household: Where they live.
        words: How people put it.
        chance: Theirs.
    """

    def __init__(self, household: Household, words: Wordings, chance: Random) -> None:
        self.household = household
        self.chance = chance
        self._words = words

    def say(self, intent: str, **slots: str) -> str:
        """A sentence of an intent with these slots."""
        return self._words.say(self.chance, intent, slots)

    def maybe(self, share: float) -> bool:
        """True so often."""
        return self.chance.random() < share


Talk: TypeAlias = Callable[[Speaker, Ledger, datetime], list[Line]]
"""What is said, given what the device holds and the naive local time."""


def day(speaker: Speaker, today: date, *, first: bool) -> list[Errand]:
    """All errands of a day, in order; on the `first` the weekday alarm is set."""
    home, chance = speaker.household, speaker.chance
    midnight = datetime.combine(today, datetime.min.time())
    up = midnight + timedelta(hours=home.wake[0], minutes=home.wake[1] + (0 if today.weekday() < 5 else 90))
    bed = midnight + timedelta(hours=home.bedtime, minutes=chance.randint(0, 40))
    plan: list[tuple[float, datetime, datetime, Talk]] = [
        (0.9, up + timedelta(minutes=2), up + timedelta(minutes=12), morning_lights),
        (0.7, up + timedelta(minutes=13), up + timedelta(minutes=20), coffee),
        (0.6, up + timedelta(minutes=21), up + timedelta(minutes=30), question),
        (0.6, up + timedelta(minutes=31), up + timedelta(minutes=40), heating),
        (0.6, up + timedelta(minutes=41), up + timedelta(minutes=50), reminder),
        (0.5, up + timedelta(minutes=51), up + timedelta(minutes=58), lights_out),
        (0.8, midnight + timedelta(hours=11), midnight + timedelta(hours=12), shopping),
        (0.4, midnight + timedelta(hours=12), midnight + timedelta(hours=13), question),
        (0.3, midnight + timedelta(hours=13), midnight + timedelta(hours=14), out_of_scope),
        (0.4, midnight + timedelta(hours=14), midnight + timedelta(hours=15), vacuum),
        (0.8, midnight + timedelta(hours=16), midnight + timedelta(hours=17), music),
        (0.6, midnight + timedelta(hours=17), midnight + timedelta(hours=17.9), shopping),
        (0.9, midnight + timedelta(hours=18), midnight + timedelta(hours=18.2), cooking),
        (0.5, midnight + timedelta(hours=18.3), midnight + timedelta(hours=18.5), another_timer),
        (0.9, midnight + timedelta(hours=19.2), midnight + timedelta(hours=19.5), evening_lights),
        (0.6, midnight + timedelta(hours=19.6), midnight + timedelta(hours=19.9), television),
        (0.3, midnight + timedelta(hours=20), midnight + timedelta(hours=20.5), out_of_scope),
        (0.4, midnight + timedelta(hours=20.6), midnight + timedelta(hours=20.9), question),
        (0.4, bed - timedelta(minutes=12), bed - timedelta(minutes=10), extra_alarm),
        (0.5, bed - timedelta(minutes=9), bed - timedelta(minutes=7), locks),
        (0.9, bed - timedelta(minutes=4), bed, good_night),
    ]
    errands = [
        Errand(low + (high - low) * chance.random(), talk)
        for share, low, high, talk in plan
        if speaker.maybe(share * home.liveliness)
    ]
    if first:
        errands.append(Errand(midnight + timedelta(hours=20.55), weekday_alarm))
    return sorted(errands, key=lambda errand: errand.at)


def answer_to_ring(speaker: Speaker, ledger: Ledger) -> Line:
    """What somebody says when something rings."""
    kinds = {due.kind for due in ledger.ringing}
    if kinds == {"alarm"} and speaker.maybe(0.2):
        return Line("ring", speaker.say("alarm.snooze"), effects=(Silence(snoozed=True),))
    if kinds == {"alarm"} and speaker.maybe(0.6):
        return Line("ring", speaker.say("alarm.stop"), effects=(Silence(),))
    if kinds == {"timer"} and speaker.maybe(0.3):
        text = speaker.chance.choice(
            ("turn off the timer", "stop the timer", "cancel the timer", "end the timer please")
        )
        return Line("ring", text, effects=(Silence(),))
    return Line("ring", speaker.chance.choice(("stop", "stop", "okay stop", "stop it")), effects=(Silence(),))


# What is talked about -------------------------------------------------------------------------------------------------


def morning_lights(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """Light in one room, then in another one, then the blinds."""
    first, second = speaker.chance.sample(speaker.household.rooms, 2)
    text = speaker.say("light.on", room=first)
    lines = [Line("light", text, _lamps(first, text, on=True))]
    if speaker.maybe(0.5):
        text = speaker.chance.choice(("and in the {}", "and the {} too", "also in the {}")).format(second)
        lines.append(Line("follow-up", text, _lamps(second, text, on=True)))
    if speaker.maybe(0.5):
        text = speaker.say("cover.open", device="bedroom blinds")
        position = 50 if "half" in text else 100
        lines.append(Line("blinds", text, _is("cover.bedroom", position=position)))
    return lines


def coffee(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """The machine on, or off by "it"."""
    lines = [Line("switch", speaker.say("switch.on", device="coffee machine"), _is("switch.coffee", on=True))]
    if speaker.maybe(0.4):
        text = speaker.chance.choice(("turn it off again", "turn it off", "switch it off please"))
        lines.append(Line("follow-up", text, _is("switch.coffee", on=False)))
    return lines


def question(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """Something that has an answer."""
    intent, slots, reply = speaker.chance.choice(_QUESTIONS)
    return [Line("question", speaker.say(intent, **slots), Expect(intent=intent, reply=reply, failed=False))]


def heating(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """A temperature, sometimes put right."""
    room, degrees = speaker.chance.choice(("living room", "bedroom")), speaker.chance.randint(18, 23)
    place = f"climate.{room.replace(' ', '_')}"
    text = speaker.say("climate.set", temperature=f"{degrees} degrees", room=room)
    lines = [Line("heating", text, _is(place, target=float(degrees)))]
    if speaker.maybe(0.3):
        text = speaker.chance.choice(("no, {} degrees", "sorry, i meant {} degrees", "make that {}")).format(
            degrees + 2
        )
        lines.append(Line("correction", text, _is(place, target=float(degrees + 2))))
    return lines


def reminder(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """To be reminded today or tomorrow; sometimes all are called off."""
    lines = []
    if any(due.kind == "reminder" for due in ledger.due) and speaker.maybe(0.2):
        text = speaker.chance.choice(("delete all my reminders", "cancel all reminders please"))
        return [Line("reminder", text, effects=(RemindersGone(),))]
    known = {due.text for due in ledger.due if due.kind == "reminder"}
    message = speaker.chance.choice([errand for errand in speaker.household.errands if errand not in known] or ["rest"])
    hour = speaker.chance.choice((10, 13, 15))
    at = now.replace(hour=hour, minute=speaker.chance.choice((0, 15, 30, 45)), second=0, microsecond=0)
    if at <= now + timedelta(minutes=5):
        at += timedelta(days=1)
    words = f"{_clock(at)} tomorrow" if at.date() > now.date() else _clock(at)
    text = speaker.say("reminder.set", message=message, time=words)
    lines.append(Line("reminder", text, effects=(ReminderSet(at, message),)))
    if speaker.maybe(0.3):
        asked = Expect(intent="reminder.query", reply=f".*{message}.*")
        lines.append(Line("reminder", speaker.say("reminder.query"), asked))
    return lines


def shopping(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """Items on the list, or off it, or what there is."""
    lines: list[Line] = []
    have = list(ledger.lists["shopping"])
    if have and speaker.maybe(0.4):
        gone = speaker.chance.choice(have)
        have.remove(gone)
        text = speaker.say("list.remove", item=gone, **({"list": "shopping"} if speaker.maybe(0.5) else {}))
        lines.append(Line("list", text, effects=(Listed("shopping", gone, there=False),)))
    for item in speaker.chance.sample(speaker.household.groceries, speaker.chance.randint(1, 3)):
        if item not in have:
            have.append(item)
            text = speaker.say("list.add", item=item, **({"list": "shopping"} if speaker.maybe(0.5) else {}))
            lines.append(Line("list", text, effects=(Listed("shopping", item),)))
    if have and speaker.maybe(0.3):
        text = speaker.say("list.query", **({"list": "shopping"} if speaker.maybe(0.5) else {}))
        lines.append(Line("list", text, Expect(intent="list.query", reply=".*" + ".*".join(have) + ".*")))
    if len(have) > 6:
        asked = Line("list", "clear the shopping list", asks=True)
        lines += [asked, Line("list", "yes", effects=tuple(Listed("shopping", item, there=False) for item in have))]
    return lines


def out_of_scope(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """Something that no gadget of this kind can do."""
    text = speaker.chance.choice(OUT_OF_SCOPE)
    return [Line("out of scope", text, Expect(changes=(), asks=False))]


def vacuum(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """Start it, or send it home."""
    on = speaker.maybe(0.6)
    return [Line("vacuum", speaker.say("vacuum.start" if on else "vacuum.stop"), _is("vacuum.robot", cleaning=on))]


def music(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """Music of a kind, at a loudness, until it is enough."""
    genre = speaker.chance.choice(speaker.household.genres)
    lines = [Line("music", speaker.say("media.play", genre=genre), Expect(player={"playing": True, "paused": False}))]
    if speaker.maybe(0.5):
        level = 10 * speaker.chance.randint(2, 8)
        lines.append(Line("volume", speaker.say("volume.set", percent=f"{level} percent"), effects=(Loudness(level),)))
    if speaker.maybe(0.3):
        lines.append(Line("music", speaker.say("media.pause"), Expect(player={"playing": False, "paused": True})))
        lines.append(Line("music", speaker.say("media.resume"), Expect(player={"playing": True, "paused": False})))
    lines.append(Line("music", speaker.say("media.stop"), Expect(player={"playing": False, "track": None})))
    return lines


def cooking(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """A timer with a name; how much is left; sometimes called off, held, or made longer."""
    running = {due.text for due in ledger.due if due.kind == "timer"}
    dish = speaker.chance.choice([dish for dish in speaker.household.dishes if dish not in running] or ["lasagne"])
    minutes = speaker.chance.choice(_MINUTES)
    text = speaker.say("timer.start", name=dish, duration=_minutes(minutes))
    lines = [Line("timer", text, effects=(TimerSet(60 * minutes, dish),))]
    if speaker.maybe(0.4):
        lines.append(Line("timer", speaker.say("timer.query"), Expect(intent="timer.query", reply=".*(left|with).*")))
    if not any(due.kind == "timer" for due in ledger.due):
        choice = speaker.chance.random()
        if choice < 0.2:
            more = speaker.chance.choice((2, 3, 5))
            text = speaker.say("timer.extend", duration=_minutes(more))
            lines.append(Line("timer", text, effects=(TimerLonger(60 * more),)))
        elif choice < 0.3:
            lines.append(Line("timer", speaker.say("timer.pause"), effects=(TimersHeld(paused=True),)))
            lines.append(Line("timer", speaker.say("timer.resume"), effects=(TimersHeld(paused=False),)))
        elif choice < 0.4:
            lines.append(Line("timer", speaker.say("timer.cancel", name=dish), effects=(TimerGone(dish),)))
    return lines


def another_timer(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """A timer without a name: asked back, or put right."""
    minutes = speaker.chance.choice(_MINUTES)
    length, effects = _minutes(minutes), (TimerSet(60 * minutes),)
    if speaker.maybe(0.3):
        lines = [Line("timer", speaker.say("timer.start"), asks=True), Line("follow-up", length, effects=effects)]
    else:
        lines = [Line("timer", speaker.say("timer.start", duration=length), effects=effects)]
    if speaker.maybe(0.4):
        other = minutes + 5
        text = speaker.chance.choice(("no, {}", "no i meant {}", "sorry, {}", "make it {}")).format(_minutes(other))
        lines.append(Line("correction", text, effects=(TimerGone(""), TimerSet(60 * other))))
    return lines


def evening_lights(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """Cosy: a percentage, a colour, a scene, and here."""
    room = speaker.chance.choice(speaker.household.rooms)
    percent = 10 * speaker.chance.randint(2, 9)
    text = speaker.say("light.set", room=room, percent=f"{percent} percent")
    lines = [Line("light", text, _lamps(room, text, on=True, brightness=percent))]
    if speaker.maybe(0.4):
        name, rgb = speaker.chance.choice(list(_COLOURS.items()))
        text = speaker.say("light.color", device="floor lamp", color=name)
        lines.append(Line("light", text, _is("light.floor_lamp", on=True, color=rgb)))
    if speaker.maybe(0.3):
        text = speaker.say("scene.activate", scene="movie night")
        lines.append(Line("scene", text, _scene("scene.movie_night")))
    elif speaker.maybe(0.5):
        text = speaker.chance.choice(("lights off", "turn off the lights", "turn the lights off in here"))
        lines.append(Line("light", text, _lamps(speaker.household.room, text, on=False)))
    return lines


def lights_out(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """Leaving the house: a room's lights, or all of them."""
    if speaker.maybe(0.4):
        off = {lamp: {"on": False} for lamps in LAMPS.values() for lamp in lamps}
        text = speaker.chance.choice(("turn off all the lights", "all lights off please", "switch every light off"))
        return [Line("light", text, Expect(house=off))]
    room = speaker.chance.choice(speaker.household.rooms)
    text = speaker.say("light.off", room=room)
    return [Line("light", text, _lamps(room, text, on=False))]


def television(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """On, to a channel, and off."""
    lines = [Line("tv", speaker.say("tv.on"), Expect(tv={"on": True}))]
    channel = speaker.chance.randrange(len(_CHANNELS))
    text = speaker.say("tv.channel", channel=_CHANNELS[channel].lower())
    lines.append(Line("tv", text, Expect(tv={"on": True, "channel": channel + 1})))
    if speaker.maybe(0.7):
        lines.append(Line("tv", speaker.say("tv.off"), Expect(tv={"on": False})))
    return lines


def extra_alarm(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """An early start tomorrow, looked up or called off again."""
    at = datetime.combine(now.date() + timedelta(days=1), datetime.min.time())
    at += timedelta(hours=4, minutes=5 * speaker.chance.randint(0, 11))
    text = speaker.say("alarm.set", time=_clock(at), date="tomorrow")
    lines = [Line("alarm", text, effects=(AlarmSet(at),))]
    if speaker.maybe(0.3):
        lines.append(Line("alarm", speaker.say("alarm.query"), Expect(intent="alarm.query", failed=False)))
    if speaker.maybe(0.2):
        lines.append(Line("alarm", speaker.say("alarm.cancel", time=_clock(at)), effects=(AlarmGone(at),)))
    return lines


def weekday_alarm(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """The alarm of all weekdays."""
    hour, minute = speaker.household.wake
    at = now.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=1)
    while at.weekday() > 4:
        at += timedelta(days=1)
    text = speaker.say("alarm.set", time=_clock(at), recurrence="every weekday")
    return [Line("alarm", text, effects=(AlarmSet(at, weekdays=True),))]


def locks(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """The doors."""
    device, place = speaker.chance.choice((("front door", "lock.front_door"), ("back door", "lock.back_door")))
    return [Line("lock", speaker.say("lock.lock", device=device), _is(place, locked=True))]


def good_night(speaker: Speaker, ledger: Ledger, now: datetime) -> list[Line]:
    """Blinds, lights, a scene."""
    text = speaker.say("cover.close", device="bedroom blinds")
    lines = [Line("blinds", text, _is("cover.bedroom", position=0))]
    if speaker.maybe(0.4):
        lines.append(Line("scene", "good night", _scene("scene.good_night")))
    else:
        room = speaker.chance.choice(speaker.household.rooms)
        text = speaker.say("light.off", room=room)
        lines.append(Line("light", text, _lamps(room, text, on=False)))
    return lines


def _lamps(room: str, text: str, **state: Any) -> Expect:
    """All lamps of a room where lights were spoken of, else its main one: "the light in the kitchen"."""
    lamps = LAMPS[room] if _SEVERAL & set(text.split()) else LAMPS[room][:1]
    return Expect(house=dict.fromkeys(lamps, state))


def _is(appliance: str, **state: Any) -> Expect:
    return Expect(house={appliance: state})


def _scene(name: str) -> Expect:
    return Expect(house={appliance: dict(state) for appliance, state in SCENES[name].items()})


def _minutes(count: int) -> str:
    return say(timedelta(minutes=count))


def _clock(at: datetime) -> str:
    """As people type a time: 7 am, 7:30 pm."""
    hour, half = (at.hour + 11) % 12 + 1, "am" if at.hour < 12 else "pm"
    return f"{hour}:{at.minute:02} {half}" if at.minute else f"{hour} {half}"
