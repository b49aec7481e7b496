"""A television set, alone or on an HDMI-CEC bus."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from device.errors import SkillError
from device.skills.ports import Channel, Json, Television
from firmware_sim.home import cec
from firmware_sim.home.cec import Bus, Frame, Key, Opcode, Power, Refusal, Source
from firmware_sim.home.line_up import TUNER, LineUp, load_line_up
from firmware_sim.home.network import Network
from firmware_sim.home.state_file import StateFile

_KNOWN: Final = frozenset(Opcode)

_INITIAL: Final[Mapping[str, Json]] = {
    "on": False, "channel": 1, "input": TUNER, "app": "", "subtitles": False, "volume": 30, "muted": False
}  # fmt: skip


class SimulatedTelevision:
    """Implements `device.skills.ports.Television`.

    A set that is off takes nothing but power; a channel leaves an app and another input, as on a real set. On a bus
    it has the logical address 0, and `apply` speaks to it as the gadget at address 4, in keys and frames where CEC
    has them; the rest (apps, subtitles, inputs that are no HDMI plug) is set directly. Others on the bus change it
    too.

    Args:
        path: JSON file that keeps the state; None keeps it in memory.
        line_up: Channels, inputs and apps.
        bus: The HDMI-CEC bus; None sets everything directly.
        network: What messages to the set go through; None lets them arrive at once.

    Attributes:
        on_change: Called with the new state after every change.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        line_up: LineUp = LineUp(),  # noqa: B008 - frozen
        bus: Bus | None = None,
        network: Network | None = None,
    ) -> None:
        self._file = StateFile(path)
        self._line_up = line_up
        self._channels = tuple(Channel(number, name) for number, name in enumerate(line_up.channels, start=1))
        self._state = {**_INITIAL, **{k: v for k, v in self._file.load().items() if self._allowed(k, v)}}
        self._network = network
        self._bus = bus
        self._gadget = Source(bus, cec.PLAYBACK_1, "Homebody", 0x1000) if bus else None
        self._reachable = False
        self._digits = ""
        self._key = 0
        self.reachable = True
        self.on_change: Callable[[Mapping[str, Json]], None] = lambda _state: None

    @property
    def reachable(self) -> bool:
        """False lets it not answer: a fault to be injected, like a plug that is pulled."""
        return self._reachable

    @reachable.setter
    def reachable(self, reachable: bool) -> None:
        if self._bus and reachable != self._reachable:
            if reachable:
                self._bus.attach(cec.TV, self._receive)
            else:
                self._bus.detach(cec.TV)
        self._reachable = reachable

    def channels(self) -> Sequence[Channel]:
        """See `Television.channels`."""
        return self._channels

    def inputs(self) -> Sequence[str]:
        """See `Television.inputs`."""
        return self._line_up.inputs

    def apps(self) -> Sequence[str]:
        """See `Television.apps`."""
        return self._line_up.apps

    def state(self) -> Mapping[str, Json]:
        """See `Television.state`."""
        return dict(self._state)

    async def apply(self, change: Mapping[str, Json]) -> Mapping[str, Json]:
        """See `Television.apply`."""
        if self._network:
            await self._network.reach("The television")
        if not self.reachable:
            raise SkillError("The television does not answer.", remedy="Check its power and its cable.")
        self._check(change)
        new = self._after(change)
        if not new["on"] and change.keys() - {"on"}:
            raise SkillError("The television is off.", remedy="Turn it on first.")
        if self._gadget:
            self._say(self._gadget, change, new)
        if self._gadget is None or self._state != new:
            self._set(new)
        return self.state()

    def _say(self, gadget: Source, change: Mapping[str, Json], new: Mapping[str, Json]) -> None:
        """What of a change CEC can say."""
        if new["on"] and not self._state["on"]:
            gadget.turn_on()
        if "channel" in change:
            for digit in str(int(_number(change["channel"]))).zfill(self._longest):
                gadget.press(Key.NUMBER_0 + int(digit))
        elif plug := _physical(new["input"]) if new["input"] != self._state["input"] else 0:
            # By the standard the set itself says this when its user picks a source; here the gadget is that user.
            gadget.select(plug)
        if steps := round(_number(new["volume"]) - _number(self._state["volume"])):
            gadget.press(Key.VOLUME_UP if steps > 0 else Key.VOLUME_DOWN, abs(steps))
        if new["muted"] != self._state["muted"]:
            gadget.press(Key.MUTE)
        if self._state["on"] and not new["on"]:
            gadget.standby()

    def _receive(self, frame: Frame) -> None:
        """A frame from the bus; one for the set alone that it can't obey is answered with Feature Abort."""
        refusal = self._obey(frame)
        if refusal is not None and frame.directed:
            self._send(frame.initiator, Opcode.FEATURE_ABORT, bytes((frame.opcode, refusal)))

    def _obey(self, frame: Frame) -> Refusal | None:
        match frame.opcode:
            case Opcode.IMAGE_VIEW_ON | Opcode.TEXT_VIEW_ON:
                self._set(self._after({"on": True}))
            case Opcode.STANDBY:
                self._set(self._after({"on": False}))
            case Opcode.ACTIVE_SOURCE | Opcode.SET_STREAM_PATH if len(frame.operands) == 2:
                return self._show(int.from_bytes(frame.operands))
            case Opcode.USER_CONTROL_PRESSED if frame.operands:
                self._key = frame.operands[0]
                return self._press(self._key)
            case Opcode.USER_CONTROL_RELEASED:
                if self._key in (Key.VOLUME_UP, Key.VOLUME_DOWN, Key.MUTE):
                    self._report_audio(frame)
            case Opcode.GIVE_AUDIO_STATUS:
                self._report_audio(frame)
            case Opcode.GIVE_DEVICE_POWER_STATUS:
                self._answer(frame, Opcode.REPORT_POWER_STATUS, Power.ON if self._state["on"] else Power.STANDBY)
            case Opcode.GIVE_OSD_NAME:
                self._answer(frame, Opcode.SET_OSD_NAME, *b"TV")
            case opcode if opcode not in _KNOWN:
                return Refusal.UNRECOGNIZED_OPCODE
        return None

    def _show(self, physical: int) -> Refusal | None:
        """The picture of a plug, whatever hangs behind a switch there; a set that is off shows none."""
        name = next((name for name in self._line_up.inputs if _physical(name) == physical & 0xF000), TUNER)
        if not self._state["on"]:
            return Refusal.NOT_IN_CORRECT_MODE
        if name != self._state["input"]:
            self._set(self._after({"input": name}))
        return None

    def _press(self, key: int) -> Refusal | None:
        if not self._state["on"] and key != Key.POWER:
            return Refusal.NOT_IN_CORRECT_MODE
        typed, self._digits = self._digits, ""  # any other key ends a number
        match key:
            case Key.POWER:
                self._set(self._after({"on": not self._state["on"]}))
            case Key.VOLUME_UP:
                self._set(self._after({"volume": min(100, _number(self._state["volume"]) + 1)}))
            case Key.VOLUME_DOWN:
                self._set(self._after({"volume": max(0, _number(self._state["volume"]) - 1)}))
            case Key.MUTE:
                self._set(self._after({"muted": not self._state["muted"]}))
            case Key.CHANNEL_UP | Key.CHANNEL_DOWN:
                step = 1 if key == Key.CHANNEL_UP else -1
                at = int(_number(self._state["channel"])) - 1 + step
                self._switch({"channel": at % len(self._channels) + 1})
            case Key.INPUT_SELECT:
                inputs = self._line_up.inputs
                at = inputs.index(str(self._state["input"])) + 1
                self._switch({"input": inputs[at % len(inputs)]})
            case Key.ENTER:
                self._tune(typed)
            case digit if Key.NUMBER_0 <= digit <= Key.NUMBER_9:
                typed += str(digit - Key.NUMBER_0)
                if len(typed) == self._longest:
                    self._tune(typed)
                else:
                    self._digits = typed
            case _:
                return Refusal.INVALID_OPERAND
        return None

    @property
    def _longest(self) -> int:
        """Digits after which a channel number is complete without Enter."""
        return len(str(len(self._channels)))

    def _tune(self, typed: str) -> None:
        if typed and self._allowed("channel", int(typed)):
            self._switch({"channel": int(typed)})

    def _switch(self, change: Mapping[str, Json]) -> None:
        """Change the picture by the set's own keys, and tell the bus where it comes from now."""
        before = self._state
        self._set(self._after(change))
        old, new = _physical(before["input"]), _physical(self._state["input"])
        if new and new != old:
            self._send(cec.BROADCAST, Opcode.ROUTING_CHANGE, old.to_bytes(2) + new.to_bytes(2))
        elif old and not new:
            self._send(cec.BROADCAST, Opcode.ACTIVE_SOURCE, new.to_bytes(2))

    def _report_audio(self, frame: Frame) -> None:
        """Seven bits of volume in per cent, and whether it is muted."""
        muted = 0x80 if self._state["muted"] else 0
        self._answer(frame, Opcode.REPORT_AUDIO_STATUS, muted | round(_number(self._state["volume"])))

    def _answer(self, frame: Frame, opcode: Opcode, *operands: int) -> None:
        if frame.directed:
            self._send(frame.initiator, opcode, bytes(operands))

    def _send(self, destination: int, opcode: Opcode, operands: bytes) -> None:
        if self._bus:
            self._bus.transmit(Frame(cec.TV, destination, opcode, operands))

    def _after(self, change: Mapping[str, Json]) -> dict[str, Json]:
        """The state with a change, and with what follows from it."""
        new = {**self._state, **change}
        if "channel" in change:
            new |= {"app": "", "input": TUNER}
        elif "input" in change:
            new["app"] = ""
        return new

    def _set(self, new: dict[str, Json]) -> None:
        self._file.save(new)
        self._state = new
        self.on_change(self.state())

    def _check(self, change: Mapping[str, Json]) -> None:
        for key, value in change.items():
            if key not in _INITIAL:
                raise SkillError(f"The television has no `{key}`.")
            if not self._allowed(key, value):
                raise SkillError(f"The television refuses {key} {value!r}.")

    def _allowed(self, key: str, value: Json) -> bool:
        match key:
            case "channel":
                return not isinstance(value, bool) and any(channel.number == value for channel in self._channels)
            case "input":
                return value in self._line_up.inputs
            case "app":
                return value == "" or value in self._line_up.apps
            case "volume":
                return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100
        return key in _INITIAL and isinstance(value, bool)


def _number(value: Json) -> float:
    assert isinstance(value, int | float)
    return value


def _physical(name: Json) -> int:
    """Physical address of an input: 0x2000 for "HDMI 2"; 0, the set's own, for one that is no HDMI plug."""
    plug, _, number = str(name).partition(" ")
    return int(number) << 12 if plug == "HDMI" and number in "123456789" and number else 0


def build(home: Path) -> Television:
    """Driver entry point: the set, with its state and, if there is one, its line-up in the home folder."""
    folder = home / "simulated"
    own = folder / "television.toml"
    return SimulatedTelevision(folder / "television.json", line_up=load_line_up(own) if own.exists() else LineUp())
