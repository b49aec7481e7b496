"""How the device and the flat look to the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from device.app import Brain
from device.errors import BadInput
from device.skills.schedule import Timer
from device.store.items import Items
from firmware_sim.home.world import World
from firmware_sim.web.messages import Appointment, Countdown, Thing

TELEVISION: Final = "television"
"""Id of the set among what may not answer."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the device has in mind: see the fields of `State`."""

    timers: tuple[Countdown, ...] = ()
    appointments: tuple[Appointment, ...] = ()
    ringing: tuple[str, ...] = ()
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def remembered(brain: Brain) -> Remembered:
    """Look into the device's storage.

    Raises:
        StorageError: It can't be read.
    """
    now = brain.clock.now().timestamp()
    occasions = (*brain.scheduler.occasions("alarm"), *brain.scheduler.occasions("reminder"))
    items = Items(brain.database)
    return Remembered(
        tuple(_countdown(timer, now) for timer in brain.scheduler.timers()),
        tuple(Appointment(o.kind, o.at.isoformat(timespec="minutes"), o.text, bool(o.rrule)) for o in occasions),
        tuple(brain.words(ring) for ring in brain.scheduler.ringing()),
        {name: tuple(items.items(name)) for name in items.lists()},
    )


def things(world: World) -> tuple[Thing, ...]:
    """What stands in the flat."""
    return tuple(Thing(a.id, a.name, a.kind, a.room) for a in world.house.appliances())


def unreachable(world: World) -> tuple[str, ...]:
    """Ids of what does not answer."""
    television = () if world.television.reachable else (TELEVISION,)
    return (*sorted(world.house.unreachable), *television)


def cut_off(world: World, thing: str, on: bool) -> str:
    """Let an appliance or the television not answer, or answer again; returns its name.

    Raises:
        BadInput: There is no such thing.
    """
    if thing == TELEVISION:
        world.television.reachable = not on
        return TELEVISION
    names = {a.id: a.name for a in world.house.appliances()}
    if thing not in names:
        raise BadInput(f"There is no appliance {thing!r}.", remedy="Choose one of the list.")
    (world.house.unreachable.add if on else world.house.unreachable.discard)(thing)
    return names[thing]


def _countdown(timer: Timer, now: float) -> Countdown:
    remaining = timer.remaining.total_seconds()
    if timer.paused:
        return Countdown(timer.label, timer.duration.total_seconds(), remaining=remaining)
    # Rounded, so that a timer that merely runs on does not look changed.
    return Countdown(timer.label, timer.duration.total_seconds(), ends=round(now + remaining, 1))
