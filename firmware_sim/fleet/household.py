"""Who lives with a gadget: their home's zone and board, when they get up, what they own and like; drawn by a seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

ZONES: Final = (
    "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles", "Asia/Kolkata", "Australia/Sydney"
)  # fmt: skip
"""Zones of households: some change to summer time in March, one back from it in April, one never."""

BOARDS: Final = ("speaker-pi4", "speaker-pi5", "tv-arm", "laptop")

ROOMS: Final = ("living room", "kitchen", "bedroom", "office")
"""Rooms in which a gadget stands; each has lamps."""

LAMPS: Final = {
    "living room": ("light.living_room", "light.reading_lamp", "light.floor_lamp"),
    "kitchen": ("light.kitchen", "light.counter"),
    "bedroom": ("light.bedroom", "light.bedside"),
    "bathroom": ("light.bathroom",),
    "hallway": ("light.hallway",),
    "office": ("light.office", "light.desk"),
}
"""Lamps by room, as the flat is furnished."""

_GROCERIES: Final = (
    "milk", "eggs", "bread", "butter", "oat milk", "bananas", "coffee beans", "rice", "olive oil", "toilet paper",
    "cheddar cheese", "tomatoes", "dog food", "washing up liquid", "orange juice", "salt and pepper", "yoghurt",
    "chicken", "onions", "tea bags",
)  # fmt: skip
_DISHES: Final = ("pasta", "rice", "pizza", "eggs", "bread", "soup", "tea", "potatoes")
_ERRANDS: Final = (
    "call the dentist", "water the plants", "take out the bins", "pick up the parcel", "feed the cat",
    "pay the electricity bill", "book the car service", "ring grandma", "collect the dry cleaning", "charge the bike",
)  # fmt: skip
_GENRES: Final = ("jazz", "folk", "classical", "pop", "rock", "ambient")


@dataclass(frozen=True, slots=True)
class Household:
    """One household and its gadget.

    Attributes:
        number: Which one of the fleet.
        zone: IANA zone of its home.
        board: Profile of its gadget.
        room: Where the gadget stands.
        wake: Hour and minute of the alarm on weekdays.
        bedtime: Hour at which the last light goes out.
        rooms: Rooms whose lights they switch by voice.
        groceries: What they buy.
        dishes: What they cook by a timer.
        errands: What they want to be reminded of.
        genres: What they listen to.
        liveliness: How much of a full day's talk they have, 0 to 1.
    """

    number: int
    zone: str
    board: str
    room: str
    wake: tuple[int, int]
    bedtime: int
    rooms: tuple[str, ...]
    groceries: tuple[str, ...]
    dishes: tuple[str, ...]
    errands: tuple[str, ...]
    genres: tuple[str, ...]
    liveliness: float


def household(seed: int, number: int) -> Household:
    """The household of this number in the fleet of this seed; the others don't matter to it."""
    chance = Random(f"household {seed}/{number}")
    return Household(
        number,
        chance.choice(ZONES),
        chance.choice(BOARDS),
        chance.choice(ROOMS),
        (chance.randint(5, 8), chance.choice((0, 10, 15, 20, 30, 40, 45))),
        chance.randint(21, 23),
        tuple(chance.sample(sorted(LAMPS), 3)),
        tuple(chance.sample(_GROCERIES, 10)),
        tuple(chance.sample(_DISHES, 4)),
        tuple(chance.sample(_ERRANDS, 5)),
        tuple(chance.sample(_GENRES, 3)),
        chance.uniform(0.5, 1.0),
    )
