"""How people put it: any sentence that the packs allow for an intent and its slots, and what people say besides."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Final

from device.nlu.grammar import Grammar, compile_grammar
from device.nlu.pack import PACKS_DIR, load_packs

COLLOQUIAL: Final[Mapping[str, tuple[str, ...]]] = {
    "timer.start": (
        "could you give me a shout in {duration}",
        "i need to be told when {duration} are over",
        "stick a timer on for {duration} would you",
    ),
    "alarm.set": ("get me out of bed at {time} {date}", "i gotta be up by {time} {date}, set an alarm would you"),
    "reminder.set": ("at {time} tell me that i should {message}", "don't let me forget to {message} at {time} ok"),
    "list.add": ("we're all out of {item} again", "chuck {item} on the shopping list would you", "get more {item}"),
    "list.remove": ("scrap the {item} from the shopping list", "forget the {item}, we've got enough of it"),
    "list.query": ("so what do we need from the shop", "remind me what we have to buy"),
    "light.on": ("stick the lights on in the {room} would you", "can we have the {room} lights on"),
    "light.off": ("get the lights in the {room} off", "you can kill the lights in the {room} now"),
    "light.set": ("i'd like the {room} lights at about {percent}", "take the {room} lights to {percent} please"),
    "climate.set": ("i want it at {temperature} in the {room}", "get the {room} to {temperature} would you"),
    "cover.open": ("let some daylight in and open the {device}", "pull up the {device} will you"),
    "cover.close": ("shut the {device} it's getting dark", "pull the {device} shut"),
    "switch.on": ("get the {device} going", "fire up the {device}"),
    "switch.off": ("kill the power to the {device}", "i'm done with the {device}, switch it off"),
    "lock.lock": ("is the {device} locked? lock it please", "make sure the {device} is locked"),
    "tv.on": ("let's watch some telly", "get the telly going"),
    "tv.off": ("that's enough telly for today", "telly off please"),
    "tv.channel": ("let's see what's on {channel}, put it on the tv", "flip over to {channel} on the tv"),
    "media.play": ("put some {genre} on would you", "let's hear a bit of {genre}"),
    "media.pause": ("hold the music for a sec", "pause that song please"),
    "media.stop": ("enough of that music", "kill the music please"),
    "volume.set": ("let's have the volume at {percent}", "volume to {percent} please mate"),
    "time.query": ("have you got the time", "what's the time right now please"),
    "date.query": ("which day is it today again", "what day is it"),
    "joke.tell": ("make me laugh", "got any good jokes"),
}
"""Sentences outside the packs that the model has to understand."""

OUT_OF_SCOPE: Final = (
    "book me a flight to lisbon",
    "order a pizza with extra cheese",
    "what is my bank balance",
    "send an email to my boss saying i'm ill",
    "call me a taxi to the airport",
    "how do i get a red wine stain out of a carpet",
    "buy ten shares of a car company",
    "write me a poem about autumn",
    "translate good morning into japanese",
    "what did the prime minister say yesterday",
    "start the dishwasher on eco",
    "post a picture of my lunch",
    "how many calories are in a banana",
    "find me a good restaurant nearby",
    "is my train on time",
    "what's the traffic like on the motorway",
)
"""What no skill can do: it must be refused, and nothing may change."""

SHARE_COLLOQUIAL: Final = 0.15
"""Share of sentences that come from `COLLOQUIAL` where it has some."""


class Wordings:
    """Draws sentences. One a process is enough.

    Args:
        grammar: The compiled packs.
    """

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._known: dict[tuple[str, int, frozenset[str]], bool] = {}

    def say(self, chance: Random, intent: str, slots: Mapping[str, str] | None = None) -> str:
        """A sentence of an intent in which exactly these slots are filled, each with the words given.

        Raises:
            ValueError: The packs have no such sentence.
        """
        slots = slots or {}
        loose = [form for form in COLLOQUIAL.get(intent, ()) if _fields(form) == slots.keys()]
        if loose and chance.random() < SHARE_COLLOQUIAL:
            return chance.choice(loose).format_map(slots)
        return self.exact(chance, intent, slots)

    def exact(self, chance: Random, intent: str, slots: Mapping[str, str] | None = None) -> str:
        """As `say`, from the packs alone: a random walk through the intent's automaton that can come to an end."""
        slots = slots or {}
        at, left, words = 0, frozenset(slots), list[str]()
        if not self._ends(intent, 0, left):
            raise ValueError(f"no phrase of {intent} has just the slots {sorted(slots)}")
        while True:
            state = self._grammar.intents[intent][at]
            ways = [(word, target, left) for word, target in state.words.items() if self._ends(intent, target, left)]
            for call in state.calls:
                if call.slot in left and self._ends(intent, call.target, left - {call.slot}):
                    ways.append((slots[call.slot], call.target, left - {call.slot}))
            if state.final and not left and (not ways or chance.random() < 1 / (len(ways) + 1)):
                return " ".join(words)
            word, at, left = chance.choice(ways)
            words.append(word)

    def _ends(self, intent: str, at: int, left: frozenset[str]) -> bool:
        """Whether a sentence can be ended from a state with just these slots still to come."""
        key = intent, at, left
        if key not in self._known:
            state = self._grammar.intents[intent][at]
            self._known[key] = (
                (state.final and not left)
                or any(self._ends(intent, target, left) for target in state.words.values())
                or any(c.slot in left and self._ends(intent, c.target, left - {c.slot}) for c in state.calls)
            )
        return self._known[key]


@cache
def wordings() -> Wordings:
    """Of the packs that ship."""
    return Wordings(compile_grammar(load_packs(PACKS_DIR)))


def _fields(form: str) -> set[str]:
    return {part.partition("}")[0] for part in form.split("{")[1:]}
