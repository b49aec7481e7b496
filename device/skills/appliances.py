"""What the skills of the house share: finding what was meant, and changing it with an honest answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process

from device.errors import SkillError
from device.nlu.text import spoken
from device.nlu.types import Slot
from device.skills.api import Change, Outcome, Question, Request
from device.skills.common import ALL_WORDS, CLOSE, failure, named, one_of, text_of
from device.skills.ports import Appliance, House, Json, Kind

HERE: Final = frozenset({"here", "room"})
WHOLE_HOUSE: Final = frozenset({"house", "flat", "home", "apartment"})
_OFFERED: Final = 3

NOUNS: Final[Mapping[Kind, tuple[frozenset[str], frozenset[str]]]] = {
    "light": (frozenset({"light", "lamp"}), frozenset({"lights", "lamps", "lighting"})),
    "switch": (
        frozenset({"plug", "switch", "socket", "outlet"}),
        frozenset({"plugs", "switches", "sockets", "outlets"}),
    ),
    "climate": (
        frozenset({"thermostat", "heating", "temperature", "heat", "radiator", "air conditioning"}),
        frozenset({"thermostats", "radiators"}),
    ),
    "cover": (
        frozenset({"blind", "shade", "shutter"}),
        frozenset({"blinds", "shades", "shutters", "covers"}),
    ),
    "lock": (frozenset({"door", "lock"}), frozenset({"doors", "locks"})),
    "vacuum": (frozenset({"vacuum", "vacuum cleaner", "robot", "hoover"}), frozenset({"vacuums"})),
    "scene": (frozenset({"scene"}), frozenset({"scenes"})),
}
"""What people call the things of a kind without meaning a particular one: one of them, several."""

_DETERMINED: Final = frozenset({"all", "the", "my", "our"})
_ARTICLES: Final = frozenset({"the", "my", "our", "a", "an", "that", "this", "these", "those", "of", "in"})


@dataclass(frozen=True, slots=True)
class Found:
    """What a command means.

    Attributes:
        appliances: What is to be changed; empty when `problem` is set.
        target: What to call it in the reply.
        problem: The answer where nothing or too much was found.
        all: The whole house was meant.
    """

    appliances: tuple[Appliance, ...] = ()
    target: str = ""
    problem: Outcome | None = None
    all: bool = False

    @property
    def be(self) -> str:
        """The verb that agrees with `target`."""
        plural = len(self.appliances) > 1 or (self.target.endswith("s") and not self.target.endswith("ss"))
        return "are" if plural else "is"

    @property
    def mentioned(self) -> Mapping[str, Slot]:
        """What "it", "them" and "there" mean afterwards."""
        rooms = {appliance.room for appliance in self.appliances}
        slots = {"device": named(self.target)} if self.target else {}
        if len(rooms) == 1 and "" not in rooms:
            slots["room"] = named(rooms.pop())
        return slots


def the(name: str) -> str:
    """A name within a sentence: "the kitchen light", but "Anna's lamp" and "all lights"."""
    first = name.partition(" ")[0]
    return name if not name or first in _DETERMINED or first.endswith("'s") else f"the {name}"


def find(house: House, request: Request, kind: Kind, others: Sequence[Kind] = (), ask: str = "device") -> Found:
    """What a command means: by name, by room, "here", or all of a kind.

    Args:
        house: Where to look.
        request: The slots `device` and `room`, the words, and the room in which the device stands.
        kind: Kind that the skill is about.
        others: Kinds in which a thing may also be found by its own name.
        ask: Slot to ask for when several could be meant.
    """
    every = [a for a in house.appliances() if a.kind == kind]
    device, said_room = _bare(text_of(request, "device")), _bare(text_of(request, "room"))
    rooms = {spoken(a.room): a.room for a in house.appliances() if a.room}
    words = {*request.text.split(), *spoken(text_of(request, "device")).split()}
    wants_all = not ALL_WORDS.isdisjoint(words) or said_room in WHOLE_HOUSE
    if not device and not wants_all:
        device = _in_text(every, request.text)
    room = request.room if said_room in HERE else _room(rooms, said_room)
    if said_room and not room and said_room not in HERE | WHOLE_HOUSE:
        return _unknown(every, said_room)
    if device and device not in ALL_WORDS:
        named_so = _exact([*every, *(a for a in house.appliances() if a.kind in others)], device, room)
        if named_so:
            nearby = [a for a in named_so if a.room == request.room]
            one = named_so if len(named_so) == 1 else nearby
            return Found((one[0],), one[0].name) if len(one) == 1 else _ambiguous(named_so, ask)
        inside, noun = _split_room(rooms, device)
        if noun not in NOUNS[kind][0] | NOUNS[kind][1]:
            return _similar(every, device, room)
        room = room or inside
    pool = [a for a in every if not room or a.room == room]
    if not pool:
        return _unknown(every, room or device)
    return _of_kind(pool, kind, device or request.text, room, request.room, wants_all, ask)


def _of_kind(
    pool: Sequence[Appliance], kind: Kind, said: str, room: str, here: str, wants_all: bool, ask: str
) -> Found:
    """No particular one was named: all of a room, the one of the room, or all of the house."""
    if len(pool) == 1:
        return Found((pool[0],), pool[0].name)
    everywhere = Found(tuple(pool), f"all {_plural(kind)}", all=True)
    if wants_all and not room:
        return everywhere
    plural = not NOUNS[kind][1].isdisjoint(said.split())
    place = room or here
    local = [a for a in pool if a.room == place]
    if len(local) == 1:
        return Found((local[0],), local[0].name)
    if local and (plural or wants_all):
        return Found(tuple(local), f"{place} {_plural(kind)}")
    nouns = NOUNS[kind][0] | NOUNS[kind][1]
    main = [a for a in local if spoken(a.name) in {f"{place} {noun}" for noun in nouns}]
    if main:
        return Found((main[0],), main[0].name)
    return everywhere if plural and not local else _ambiguous(local or pool, ask)


def _in_text(appliances: Sequence[Appliance], text: str) -> str:
    """A name that stands in the words without having been found as a slot; the longest one."""
    names = {spoken(name) for a in appliances for name in (a.name, *a.aliases)}
    return max((name for name in names if f" {name} " in f" {text} "), key=len, default="")


def _exact(appliances: Sequence[Appliance], device: str, room: str) -> list[Appliance]:
    """Those of this name or alias, in that room if one was said. A name comes before an alias."""
    inside = [a for a in appliances if not room or a.room in (room, "")]
    names = {device, f"{spoken(room)} {device}"} if room else {device}
    own = [a for a in inside if spoken(a.name) in names]
    return own or [a for a in inside if any(spoken(alias) in names for alias in a.aliases)]


def _similar(appliances: Sequence[Appliance], device: str, room: str) -> Found:
    """The one whose name sounds most like what was said, if it is close enough."""
    inside = [a for a in appliances if not room or a.room in (room, "")]
    owners = [(spoken(name), a) for a in inside for name in (a.name, *a.aliases)]
    best = process.extractOne(device, [name for name, _ in owners], scorer=fuzz.ratio, score_cutoff=CLOSE)
    if best is None:
        return _unknown(appliances, device)
    appliance = owners[best[2]][1]
    return Found((appliance,), appliance.name)


def _room(rooms: Mapping[str, str], said: str) -> str:
    """The room that was said, as the house calls it; "" if the house has no such room."""
    best = process.extractOne(said, list(rooms), scorer=fuzz.ratio, score_cutoff=CLOSE) if said else None
    return rooms[best[0]] if best else ""


def _split_room(rooms: Mapping[str, str], device: str) -> tuple[str, str]:
    """Split "kitchen lights" into the room and the rest."""
    for room in sorted(rooms, key=len, reverse=True):
        if device.startswith(f"{room} "):
            return rooms[room], device.removeprefix(f"{room} ")
    return "", device


def _bare(said: str) -> str:
    """Words without articles: "all of the lights" becomes "lights"."""
    kept = [word for word in spoken(said).split() if word not in _ARTICLES]
    rest = [word for word in kept if word not in ALL_WORDS]
    return " ".join(rest or kept)


def _plural(kind: Kind) -> str:
    return {"climate": "thermostats", "cover": "blinds", "lock": "doors", "switch": "plugs"}.get(kind, f"{kind}s")


def _unknown(known: Sequence[Appliance], said: str) -> Found:
    """Say what exists: the few names that are nearest to what was said."""
    if not known:
        return Found(problem=failure("none"))
    names = {spoken(a.name): a.name for a in known}
    nearest = process.extract(said, list(names), scorer=fuzz.WRatio, limit=_OFFERED)
    return Found(problem=failure("unknown", {"said": said, "options": tuple(the(names[n]) for n, _, _ in nearest)}))


def _ambiguous(appliances: Sequence[Appliance], ask: str) -> Found:
    names = tuple(dict.fromkeys(a.room if ask == "room" else a.name for a in appliances))
    options = one_of([the(name) for name in names])
    return Found(problem=Outcome(question=Question(ask, "which", {"options": options}, names)))


async def change(
    house: House,
    request: Request,
    skill: str,
    found: Found,
    new: Callable[[Mapping[str, Json]], Mapping[str, Json]],
    done: Outcome,
    already: Outcome | None = None,
) -> Outcome:
    """Change what was found.

    Args:
        house: Where.
        request: The command.
        skill: Name for the changes.
        found: What to change, without a problem.
        new: From present state to what is to be set; an empty mapping leaves an appliance alone.
        done: Answer when all did it.
        already: Answer when none had to do anything; `done` if None.

    Returns:
        The answer; `offline`, naming them, when some did not answer.
    """
    changes: list[Change] = []
    before: list[tuple[str, Mapping[str, Json]]] = []
    silent: list[str] = []
    for appliance in found.appliances:
        state = house.state(appliance.id)
        wanted = {key: value for key, value in new(state).items() if state.get(key) != value}
        if not wanted:
            continue
        try:
            await house.apply(appliance.id, wanted)
        except SkillError:
            silent.append(appliance.name)
            continue
        before.append((appliance.id, {key: state[key] for key in wanted if key in state}))
        changes.append(Change(skill, request.intent, appliance.id, wanted))

    async def undo() -> None:
        for appliance_id, old in before:
            await house.apply(appliance_id, old)

    if silent:
        return Outcome("offline", {"target": tuple(map(the, silent))}, tuple(changes), failed=True, undo=undo)
    answer = done if changes or already is None else already
    values = {"target": the(found.target), "be": found.be, **answer.values}
    return Outcome(answer.reply, values, tuple(changes), mentioned=found.mentioned, undo=undo)
