"""The names of this household: what a slot of a household type may say, from drivers, settings and lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from device.nlu.text import spoken
from device.skills.ports import Appliance, House, Television


def household_names(
    house: House, television: Television, people: Sequence[str], lists: Iterable[str]
) -> Mapping[str, tuple[str, ...]]:
    """Names by slot type, in spoken form, without duplicates.

    Args:
        house: Its appliances give rooms, devices and scenes.
        television: Its line-up gives channels, inputs and apps.
        people: Members of the household.
        lists: Names of the lists that exist.
    """
    appliances = house.appliances()
    kinds = sorted({appliance.kind for appliance in appliances} - {"scene"})
    named: dict[str, Iterable[str]] = {
        # Each skill hears the names of its own kind only, so that nobody opens a lamp.
        **{f"{kind}.device": _names(a for a in appliances if a.kind == kind) for kind in kinds},
        "device": _names(a for a in appliances if a.kind != "scene"),
        "scene": _names(a for a in appliances if a.kind == "scene"),
        "room": (a.room for a in appliances),
        "channel": (channel.name for channel in television.channels()),
        "input": television.inputs(),
        "app": television.apps(),
        "person": people,
        "list": lists,
    }
    return {type_: tuple(dict.fromkeys(filter(None, map(spoken, names)))) for type_, names in named.items()}


def _names(appliances: Iterable[Appliance]) -> Iterator[str]:
    for appliance in appliances:
        yield appliance.name
        yield from appliance.aliases
