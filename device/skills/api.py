"""The door of a skill: `Request` in, `Outcome` out.

A skill holds no dialogue logic: missing required slots, confirmations and corrections are the policy's. It
may answer with a `Question` when only it can know that something is ambiguous ("which light?").
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Protocol, TypeAlias

from device.clock import Clock
from device.nlu.pack import Pack
from device.nlu.types import Slot, Value
from device.skills.ports import House, Json, Player, Television, Volume
from device.skills.schedule import Scheduler
from device.store.database import Database


@dataclass(frozen=True, slots=True)
class Request:
    """One command, complete: required slots are filled, confirmation was given.

    Attributes:
        intent: Short name, e.g. `start`.
        slots: Filled slots by name.
        now: Wall time of the command, aware.
        room: Room in which the device stands, empty if not configured.
        text: The words of the command.
        confirmed: The user has just said yes to it.
    """

    intent: str
    slots: Mapping[str, Slot]
    now: datetime
    room: str = ""
    text: str = ""
    confirmed: bool = False

    def value(self, slot: str) -> Value | None:
        """Resolved value of a slot, or None."""
        return self.slots[slot].value if slot in self.slots else None

    def words(self, slot: str) -> str:
        """Words of a slot, or an empty string."""
        return self.slots[slot].text if slot in self.slots else ""


@dataclass(frozen=True, slots=True)
class Change:
    """What was done, for programs and people: `target` got `set`."""

    skill: str
    action: str
    target: str = ""
    set: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """The skill needs one slot (again), or a yes where `slot` is empty.

    `options` lets the answer be one of these, by name or by position.
    """

    slot: str
    reply: str
    values: Mapping[str, object] = field(default_factory=dict)
    options: tuple[str, ...] = ()


Undo: TypeAlias = Callable[[], Awaitable[None]]
"""Takes back what a command did."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a skill answers.

    Attributes:
        reply: Key into the intent's `replies` (then the pack's); "" says nothing (only a chime is heard).
        values: Placeholders of the reply; `Value` types are rendered as people say them.
        changes: What was done.
        question: Set when one slot is still needed.
        mentioned: Slot name to slot: what "it", "them" and "there" mean afterwards.
        failed: The command was understood but could not be done (the reply says why).
        undo: Takes it back, so that "no, fifteen minutes" replaces a timer instead of adding one. Not needed
            where the corrected command overwrites the first by itself (set the volume, dim a light).
    """

    reply: str = "done"
    values: Mapping[str, object] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    question: Question | None = None
    mentioned: Mapping[str, Slot] = field(default_factory=dict)
    failed: bool = False
    undo: Undo | None = None


class Skill(Protocol):
    """One skill; its pack of the same name says what it understands and answers."""

    name: str

    async def handle(self, request: Request) -> Outcome:
        """Do it.

        Raises:
            DeviceError: It could not be done; `spoken` is said.
        """


@dataclass(frozen=True, slots=True)
class Services:
    """What the composition root gives to skills.

    Attributes:
        clock: Wall and monotonic time.
        database: Everything that is remembered.
        scheduler: The process's only one.
        house: Lights and appliances.
        television: The TV set.
        player: Plays the media library.
        volume: The device's own loudness.
        room: Room in which the device stands, empty if not configured.
        packs: All packs, from which help takes its examples.
        random: Dice and shuffling; tests give a seeded one.
    """

    clock: Clock
    database: Database
    scheduler: Scheduler
    house: House
    television: Television
    player: Player
    volume: Volume
    room: str = ""
    packs: Sequence[Pack] = ()
    random: Random = field(default_factory=Random)
