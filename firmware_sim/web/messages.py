"""What page and server say to each other: JSON objects with a `type`; sound goes as binary beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from device.errors import BadInput
from device.skills.ports import Json

FaultName: TypeAlias = Literal[
    "microphone_unplugged",
    "microphone_silent",
    "speaker_gone",
    "flash_full",
    "flash_read_only",
    "network_offline",
    "stt_broken",
    "tts_broken",
    "ears_broken",
]
"""Faults that are on or off."""

Power: TypeAlias = Literal["off", "booting", "on", "failed"]
NoteKind: TypeAlias = Literal["power", "ring", "interrupted", "fault", "trouble", "problem"]
Level: TypeAlias = Annotated[int, Meta(ge=0, le=100)]

_DAY = 86_400


# From the page ------------------------------------------------------------------------------------------------


class _Order(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """What the page asks for."""


class Say(_Order, frozen=True, tag="say"):
    """A command as text."""

    text: Annotated[str, Meta(min_length=1, max_length=500)]


class Press(_Order, frozen=True, tag="press"):
    """The talk button."""


class Switch(_Order, frozen=True, tag="switch"):
    """The mute switch on the case."""

    off: bool


class Mute(_Order, frozen=True, tag="mute"):
    """The microphone off or on by software, which the switch overrules."""

    on: bool


class Plug(_Order, frozen=True, tag="plug"):
    """The power plug."""

    on: bool


class SetVolume(_Order, frozen=True, tag="volume"):
    """The volume knob."""

    level: Level


class Fault(_Order, frozen=True, tag="fault"):
    """Make something go wrong, or right again."""

    name: FaultName
    on: bool


class Unreachable(_Order, frozen=True, tag="unreachable"):
    """Let an appliance, or "television", not answer; or answer again."""

    id: Annotated[str, Meta(max_length=100)]
    on: bool


class StepClock(_Order, frozen=True, tag="step_clock"):
    """Set the wall clock forward or back."""

    seconds: Annotated[int, Meta(ge=-_DAY, le=_DAY)]


class Microphone(_Order, frozen=True, tag="microphone"):
    """This page begins to stream its microphone, or ends it."""

    on: bool


Order: TypeAlias = Say | Press | Switch | Mute | Plug | SetVolume | Fault | Unreachable | StepClock | Microphone

_orders = msgspec.json.Decoder(Order)


def read_order(text: str) -> Order:
    """Decode what the page sent.

    Raises:
        BadInput: Not JSON, or no order; says what is wrong with it.
    """
    try:
        order: Order = _orders.decode(text)
    except msgspec.DecodeError as error:  # ValidationError is one too
        raise BadInput(f"That message can't be used: {error}.", remedy="Reload the page.") from error
    return order


# To the page --------------------------------------------------------------------------------------------------


class Countdown(Struct, frozen=True):
    """A timer: `ends` in Unix seconds by the device's clock, or `remaining` seconds while it is paused."""

    label: str
    duration: float
    ends: float | None = None
    remaining: float | None = None


class Appointment(Struct, frozen=True):
    """An alarm or a reminder; `at` is naive wall time in ISO form."""

    kind: str
    at: str
    text: str
    repeats: bool


class State(Struct, frozen=True, tag="state", tag_field="type", omit_defaults=True):
    """Everything that the page shows, or the parts of it that have changed.

    Attributes:
        now: The device's wall clock, Unix seconds.
        power: Whether it runs.
        boot: What it does while it boots.
        light: Pattern of the ring.
        phase: Phase of the turn machine.
        switched_off: The mute switch is at off.
        muted: The microphone is off by software.
        volume: 0 to 100; None while there is no device to ask.
        volume_muted: Its sound is off.
        house: State by appliance id.
        television: State of the set.
        player: State of the player.
        timers: Those that run.
        appointments: Alarms and reminders to come.
        ringing: What rings.
        lists: Items by list.
        faults: Those that are on.
        unreachable: Ids that don't answer.
        clock_offset: Seconds by which the wall clock was set forward.
        streaming: A page streams its microphone.
        dropped: Samples of the microphone that were dropped.
    """

    now: float
    power: Power | UnsetType = UNSET
    boot: str | UnsetType = UNSET
    light: str | UnsetType = UNSET
    phase: str | UnsetType = UNSET
    switched_off: bool | UnsetType = UNSET
    muted: bool | UnsetType = UNSET
    volume: int | UnsetType | None = UNSET
    volume_muted: bool | UnsetType = UNSET
    house: Mapping[str, Mapping[str, Json]] | UnsetType = UNSET
    television: Mapping[str, Json] | UnsetType = UNSET
    player: Mapping[str, Json] | UnsetType = UNSET
    timers: tuple[Countdown, ...] | UnsetType = UNSET
    appointments: tuple[Appointment, ...] | UnsetType = UNSET
    ringing: tuple[str, ...] | UnsetType = UNSET
    lists: Mapping[str, tuple[str, ...]] | UnsetType = UNSET
    faults: tuple[str, ...] | UnsetType = UNSET
    unreachable: tuple[str, ...] | UnsetType = UNSET
    clock_offset: float | UnsetType = UNSET
    streaming: bool | UnsetType = UNSET
    dropped: int | UnsetType = UNSET

    def since(self, before: State) -> State | None:
        """The fields in which it differs from `before`; None if only time has passed."""
        changed = {
            name: value
            for name in self.__struct_fields__
            if name != "now" and (value := getattr(self, name)) != getattr(before, name)
        }
        return State(self.now, **changed) if changed else None


class TurnTaken(Struct, frozen=True, tag="turn", tag_field="type"):
    """One turn: the object of `homebody ask --json`, and its changes in words."""

    at: float
    ignored: bool
    turn: Mapping[str, Any]
    done: tuple[str, ...]


class FirstSound(Struct, frozen=True, tag="first_sound", tag_field="type"):
    """The reply began to sound: milliseconds after the endpoint and after the last word."""

    latency_ms: float
    after_speech_ms: float


class Note(Struct, frozen=True, tag="note", tag_field="type"):
    """A line of the log; `remedy` says what a person can do."""

    at: float
    kind: NoteKind
    text: str
    remedy: str = ""


Event: TypeAlias = TurnTaken | FirstSound | Note
"""What happened; the last ones are kept for pages that come later."""


class Refused(Struct, frozen=True, tag="refused", tag_field="type"):
    """An order that was not carried out."""

    message: str
    remedy: str = ""


class Thing(Struct, frozen=True):
    """An appliance, for the plan."""

    id: str
    name: str
    kind: str
    room: str


class Welcome(Struct, frozen=True, tag="welcome", tag_field="type"):
    """The first message: what there is, how it stands, and what happened before this page came.

    Attributes:
        board: What the board is, for people.
        leds: LEDs on its case; 0 for none.
        mute_switch: Whether a switch cuts its microphone off.
        buffer_ms: Milliseconds of each sound's delay that are the browser's.
        wake_words: What it wakes for.
        things: What stands in the flat.
        channels: The television's, by number.
        state: Everything.
        past: The last events, oldest first.
    """

    board: str
    leds: int
    mute_switch: bool
    buffer_ms: float
    wake_words: tuple[str, ...]
    things: tuple[Thing, ...]
    channels: Mapping[int, str]
    state: State
    past: tuple[Event, ...]


Message: TypeAlias = Welcome | State | Event | Refused
