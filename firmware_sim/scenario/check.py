"""What can be known before a scenario is played: whether its steps make sense, and what it expects is possible."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

import device.errors
from device.config import Config
from device.errors import DeviceError
from device.nlu.pack import PACKS_DIR, Pack, load_packs
from device.nlu.types import OOS
from device.skills.ports import Kind
from firmware_sim.board.board import KINDS
from firmware_sim.board.profile import Profile, load_profile
from firmware_sim.home.house import FLAT, INITIAL
from firmware_sim.home.television import SimulatedTelevision
from firmware_sim.scenario.load import Loaded, ScenarioError
from firmware_sim.scenario.marked import Path_
from firmware_sim.scenario.model import ACTIONS, AUDIBLE, NEEDS_EARS, Expect, Said, Sound, Step
from firmware_sim.scenario.values import moment, seconds
from firmware_sim.sound.acoustics import space
from firmware_sim.sound.voices import Voices

RINGS: Final = ("timer", "alarm", "reminder")

_EARS: Final = "Set `ears: tones` or `ears: speech`."


def check(loaded: Loaded) -> Config:
    """Look a scenario over.

    Returns:
        The device's settings.

    Raises:
        ScenarioError: The first thing in it that can't be.
    """
    for path, problem, remedy in _problems(loaded):
        raise loaded.error(path, problem, remedy=remedy)
    return config_of(loaded)


def config_of(loaded: Loaded) -> Config:
    """The device's settings in a scenario.

    Raises:
        ScenarioError: An unknown key or an impossible value.
    """
    scenario = loaded.scenario
    home = {"timezone": scenario.zone, **scenario.config.get("home", {})}
    if scenario.rooms:
        home["room"] = scenario.rooms[0]
    if scenario.packs:
        nlu = {"packs": str(loaded.file.parent / scenario.packs), **scenario.config.get("nlu", {})}
    else:
        nlu = scenario.config.get("nlu", {})
    try:
        return msgspec.convert({**scenario.config, "home": home, "nlu": nlu}, Config)
    except msgspec.ValidationError as error:
        raise loaded.error(
            ("config",), f"the settings can't be so: {error}.", remedy="See device/config.py."
        ) from error


Problem = tuple[Path_, str, str]


def _problems(loaded: Loaded) -> Iterator[Problem]:
    """Everything that can't be: its path, what is wrong, what to do."""
    scenario = loaded.scenario
    if not scenario.steps:
        yield ("steps",), "there are no steps.", "Write what is said, and what must come of it."
    try:
        start = datetime.fromisoformat(scenario.start)
    except ValueError:
        yield ("start",), f"{scenario.start} is no time.", "Write 2026-05-04T08:00."
        return
    try:
        now = start.replace(tzinfo=ZoneInfo(scenario.zone))
    except (ValueError, KeyError, OSError):
        yield ("zone",), f"there is no time zone {scenario.zone}.", "Write it like Europe/Berlin."
        return
    if start.tzinfo is not None:
        yield ("start",), "the start has a zone of its own.", "Write the zone as `zone`."
    yield from _refused(("limit",), lambda: seconds(scenario.limit))
    try:
        profile = load_profile(board_of(loaded, scenario.board))
    except DeviceError as error:
        yield ("board",), Exception.__str__(error), error.remedy
        return
    packs = _shipped_packs()
    if scenario.packs:
        yield from _refused(("packs",), lambda: load_packs(loaded.file.parent / scenario.packs))
        packs = (*packs, *load_packs(loaded.file.parent / scenario.packs))
    for index, step in enumerate(scenario.steps):
        for path, problem, remedy in _step(loaded, step, profile, packs, now, first=not index):
            yield ("steps", index, *path), problem, remedy


def _step(
    loaded: Loaded, step: Step, profile: Profile, packs: Sequence[Pack], now: datetime, *, first: bool
) -> Iterator[Problem]:
    scenario = loaded.scenario
    actions = [name for name in ACTIONS if getattr(step, name) is not None]
    audible = scenario.ears in AUDIBLE
    if len(actions) > 1:
        yield (), f"a step does one thing, this one {len(actions)}: {', '.join(actions)}.", "Make a step of each."
    if not actions and step.expect is None and step.absent is None:
        yield (), "a step without anything to do or to expect.", f"It does one of {', '.join(ACTIONS)}."
    if not audible:
        for name in ("hear", "press", "mute", "send_after", "within_ms"):
            if getattr(step, name) is not None and (name != "press" or step.press == "talk"):
                yield (
                    (name,),
                    f"`{name}` means nothing where commands are typed.",
                    "Set `ears: tones` or `ears: speech`.",
                )
    if step.press is not None and step.press not in profile.buttons:
        has = f"It has: {', '.join(profile.buttons)}." if profile.buttons else "It has none."
        yield ("press",), f"the board {profile.name} has no button {step.press}.", has
    if step.mute is not None and not profile.mute_switch:
        yield ("mute",), f"the board {profile.name} has no mute switch.", "Choose another `board`."
    if step.send_after is not None and first:
        yield ("send_after",), "the first step has no answer before it.", ""
    for name in ("send_after", "advance"):
        value = getattr(step, name)
        if value is not None and not (isinstance(value, str) and value.startswith(("to ", "ring"))):
            yield from _refused((name,), partial(seconds, value))
        if isinstance(value, str) and value.startswith("to "):
            yield from _refused((name,), partial(moment, value, now))
    if isinstance(step.say, Said):
        yield from _said(loaded, step.say)
    if step.hear is not None:
        yield from _sound(loaded, step.hear)
    if step.fault is not None:
        yield from _fault(step, audible=audible)
    for name in ("expect", "absent"):
        if (expected := getattr(step, name)) is not None:
            for path, problem, remedy in _expect(expected, packs, audible=audible, music=scenario.music):
                yield (name, *path), problem, remedy


def _said(loaded: Loaded, said: Said) -> Iterator[Problem]:
    if bool(said.text) is bool(said.file):
        yield ("say",), "somebody says either a `text` or a `file`.", ""
    if said.file and not (loaded.file.parent / said.file).is_file():
        yield ("say", "file"), f"there is no recording {said.file}.", "It is looked for beside the scenario file."
    yield from _refused(("say", "pause"), lambda: seconds(said.pause))
    if said.voice and loaded.scenario.ears == "speech":
        yield from _refused(("say", "voice"), lambda: Voices().person(said.voice))
    if said.room:
        yield from _refused(("say", "room"), lambda: space(said.room))
    if said.distance and len(said.distance) != max(1, len(loaded.scenario.rooms)):
        yield ("say", "distance"), "there must be one distance for each of `rooms`.", ""


def _sound(loaded: Loaded, sound: Sound) -> Iterator[Problem]:
    if sum(map(bool, (sound.file, sound.talk, sound.noise))) != 1:
        yield ("hear",), "one of `file`, `talk` and `noise` sounds.", ""
    if sound.file and not (loaded.file.parent / sound.file).is_file():
        yield ("hear", "file"), f"there is no recording {sound.file}.", "It is looked for beside the scenario file."


def _fault(step: Step, *, audible: bool) -> Iterator[Problem]:
    fault = step.fault
    assert fault is not None
    if not msgspec.to_builtins(fault):
        yield ("fault",), "nothing goes wrong here.", "Name what does, e.g. {microphone: unplugged}."
    for name in ("microphone", "speaker", "engine", "memory"):
        if getattr(fault, name) is not None and not audible:
            yield ("fault", name), f"a device that is typed to has no {name}.", _EARS
    if fault.after_writes and fault.power != "cut":
        yield ("fault", "after_writes"), "writes are counted until a `power: cut`.", "Add it."
    known = {*(appliance.id for appliance in FLAT), "television"}
    for name in fault.unreachable or ():
        if name not in known:
            yield ("fault", "unreachable"), f"there is no {name}.", _close(name, known)
    if fault.clock and fault.clock.zone:
        yield from _refused(("fault", "clock", "zone"), partial(ZoneInfo, fault.clock.zone))


def _expect(expected: Expect, packs: Sequence[Pack], *, audible: bool, music: bool) -> Iterator[Problem]:
    if not audible:
        for name in NEEDS_EARS:
            if getattr(expected, name) is not None:
                yield (name,), f"`{name}` can't be where commands are typed.", _EARS
    for name in ("reply", "announced"):
        try:
            re.compile(getattr(expected, name) or "")
        except re.error as error:
            yield (name,), f"no regular expression: {error}.", "Put a backslash before signs that mean themselves."
    intents = {name: spec for pack in packs for name, spec in _specs(pack)}
    for name in _row(expected.intent):
        if name not in intents and name not in ("", OOS):
            yield ("intent",), f"there is no intent {name}.", _close(name, intents)
    first = next(iter(_row(expected.intent)), "")
    if expected.slots is not None and first in intents:
        for slot in expected.slots:
            if slot not in intents[first]:
                yield ("slots", slot), f"{first} has no slot {slot}.", _close(slot, intents[first])
    for name in (*_row(expected.rang), *_row(expected.ringing)):
        if name not in RINGS:
            yield ("rang",), f"no {name} can ring.", f"Choose from: {', '.join(RINGS)}."
    for name in _row(expected.sound):
        if name not in KINDS:
            yield ("sound",), f"there is no sound {name}.", f"Choose from: {', '.join(KINDS)}."
    for name in _row(expected.trouble):
        if name not in _troubles():
            yield ("trouble",), f"there is no error {name}.", _close(name, _troubles())
    yield from _world(expected)
    if expected.media_gain is not None and not music:
        yield ("media_gain",), "there is no music whose gain could be heard.", "Set `music: true`."


def _world(expected: Expect) -> Iterator[Problem]:
    kinds: dict[str, Kind] = {appliance.id: appliance.kind for appliance in FLAT}
    for name, state in (expected.house or {}).items():
        if name not in kinds:
            yield ("house", name), f"there is no appliance {name}.", _close(name, kinds)
            continue
        for key in state:
            if key not in INITIAL[kinds[name]]:
                yield ("house", name, key), f"a {kinds[name]} has no `{key}`.", _close(key, INITIAL[kinds[name]])
    television = SimulatedTelevision().state()
    for key in expected.tv or {}:
        if key not in television:
            yield ("tv", key), f"a television has no `{key}`.", _close(key, television)


def _refused(path: Path_, look: Callable[[], object]) -> Iterator[Problem]:
    """The problem of something that can't be read."""
    try:
        look()
    except ScenarioError:
        raise
    except DeviceError as error:
        yield path, Exception.__str__(error), error.remedy
    except (ValueError, KeyError, OSError) as error:
        yield path, f"{error}.", ""


def board_of(loaded: Loaded, board: str) -> str:
    """A board's profile by name, or a file beside the scenario's."""
    return str(loaded.file.parent / board) if board.endswith(".toml") and not Path(board).is_absolute() else board


def _specs(pack: Pack) -> list[tuple[str, Iterable[str]]]:
    return [(f"{pack.skill}.{name}", tuple(spec.slots)) for name, spec in pack.intents.items()]


def _row(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else value


@cache
def _shipped_packs() -> tuple[Pack, ...]:
    return tuple(load_packs(PACKS_DIR))


@cache
def _troubles() -> tuple[str, ...]:
    kinds = vars(device.errors).values()
    return tuple(k.__name__ for k in kinds if isinstance(k, type) and issubclass(k, DeviceError))


def _close(wrong: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(wrong, names, n=1)
    return f"Did you mean {close[0]}?" if close else f"There are: {', '.join(names[:12])}."
