"""The wire between a television and its players: HDMI-CEC frames, the bus that carries them, a source on it.

Numbers are those of the Consumer Electronics Control supplement of HDMI 1.4 (CEC 1.4), as Linux lists them in
`include/uapi/linux/cec.h`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from device.clock import Clock
from device.errors import BadInput

TV: Final = 0
"""Logical address of the television."""

PLAYBACK_1: Final = 4
"""Logical address of the first playback device: the gadget."""

PLAYBACK_2: Final = 8
"""Logical address of the second playback device."""

FREE_USE: Final = 14
"""Logical address of whatever is none of the defined types, such as a remote control on the bus."""

BROADCAST: Final = 15
"""As a destination everybody; as an initiator somebody without an address."""

LOG_LENGTH: Final = 10_000
"""Frames that a bus remembers."""

_MOST_OPERANDS: Final = 14
"""A frame has at most 16 blocks: header, opcode, operands."""


class Opcode(IntEnum):
    """What a frame says."""

    FEATURE_ABORT = 0x00
    IMAGE_VIEW_ON = 0x04
    TEXT_VIEW_ON = 0x0D
    STANDBY = 0x36
    USER_CONTROL_PRESSED = 0x44
    USER_CONTROL_RELEASED = 0x45
    GIVE_OSD_NAME = 0x46
    SET_OSD_NAME = 0x47
    GIVE_AUDIO_STATUS = 0x71
    REPORT_AUDIO_STATUS = 0x7A
    ROUTING_CHANGE = 0x80
    ACTIVE_SOURCE = 0x82
    SET_STREAM_PATH = 0x86
    GIVE_DEVICE_POWER_STATUS = 0x8F
    REPORT_POWER_STATUS = 0x90


class Key(IntEnum):
    """Keys of a remote control, the operand of User Control Pressed; `NUMBER_0 + n` is the digit n."""

    NUMBER_0 = 0x20
    NUMBER_9 = 0x29
    ENTER = 0x2B
    CHANNEL_UP = 0x30
    CHANNEL_DOWN = 0x31
    INPUT_SELECT = 0x34
    POWER = 0x40
    VOLUME_UP = 0x41
    VOLUME_DOWN = 0x42
    MUTE = 0x43


class Power(IntEnum):
    """The operand of Report Power Status."""

    ON = 0
    STANDBY = 1


class Refusal(IntEnum):
    """Why a frame is answered with Feature Abort."""

    UNRECOGNIZED_OPCODE = 0
    NOT_IN_CORRECT_MODE = 1
    INVALID_OPERAND = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """One message on the bus.

    `str` of it is how tools write it, e.g. "40:36": from 4 to 0, Standby.

    Attributes:
        initiator: Logical address of the sender, 0 to 15.
        destination: Logical address of the receiver; `BROADCAST` for everybody.
        opcode: What it says, an `Opcode` if it is a known one.
        operands: Its arguments, at most 14 bytes.

    Raises:
        BadInput: An address, the opcode or the operands are out of range.
    """

    initiator: int
    destination: int
    opcode: int
    operands: bytes = b""

    def __post_init__(self) -> None:
        addresses = 0 <= self.initiator <= 15 and 0 <= self.destination <= 15
        if not addresses or not 0 <= self.opcode <= 255 or len(self.operands) > _MOST_OPERANDS:
            raise BadInput(
                "That is not a CEC frame.", remedy="Addresses are 0 to 15, the opcode a byte, operands at most 14."
            )

    @classmethod
    def parse(cls, text: str) -> Frame:
        """Read what `str` writes.

        Raises:
            BadInput: It is no frame.
        """
        try:
            header, opcode, *operands = bytes.fromhex(text.replace(":", " "))
        except ValueError as error:
            raise BadInput(f"{text!r} is not a CEC frame.", remedy="Write it like 40:36 or 4F:82:10:00.") from error
        return cls(header >> 4, header & 15, opcode, bytes(operands))

    @property
    def directed(self) -> bool:
        """True if it is for one participant, who can answer its sender."""
        return BROADCAST not in (self.initiator, self.destination)

    def __bytes__(self) -> bytes:
        return bytes((self.initiator << 4 | self.destination, self.opcode)) + self.operands

    def __str__(self) -> str:
        return bytes(self).hex(":").upper()


@dataclass(frozen=True, slots=True)
class Logged:
    """A frame that was on the bus: when (monotonic seconds), and whether anybody took it."""

    at: float
    frame: Frame
    acknowledged: bool


class Bus:
    """Carries frames at once; a real one takes 24 ms a byte.

    Attributes:
        log: The last `LOG_LENGTH` frames, in the order in which they were sent.
    """

    def __init__(self, clock: Clock) -> None:
        self.log: deque[Logged] = deque(maxlen=LOG_LENGTH)
        self._clock = clock
        self._participants: dict[int, Callable[[Frame], None]] = {}

    def attach(self, address: int, receive: Callable[[Frame], None]) -> None:
        """Plug somebody in; `receive` gets what is sent to `address` or to everybody, and may send from within.

        Raises:
            ValueError: The address is taken, or is none that a participant can have.
        """
        if address in self._participants or not 0 <= address < BROADCAST:
            raise ValueError(f"the logical address {address} is not free")
        self._participants[address] = receive

    def detach(self, address: int) -> None:
        """Unplug whoever has that address; harmless if nobody has."""
        self._participants.pop(address, None)

    def transmit(self, frame: Frame) -> bool:
        """Send a frame; False if nobody took it."""
        receivers = [
            receive
            for address, receive in self._participants.items()
            if frame.destination in (address, BROADCAST) and address != frame.initiator
        ]
        self.log.append(Logged(self._clock.monotonic(), frame, bool(receivers)))
        for receive in receivers:
            receive(frame)
        return bool(receivers)


class Source:
    """Somebody who shows pictures on the television or controls it: the gadget, a player, a remote control.

    Args:
        bus: Where it is plugged in.
        address: Its logical address.
        name: What it is called on the screen, at most 14 ASCII characters.
        physical: Its physical address: 0x1000 is HDMI 1, 0x2100 the first plug of a switch at HDMI 2; 0 for one
            that shows no picture.
    """

    def __init__(self, bus: Bus, address: int, name: str, physical: int = 0) -> None:
        self._bus = bus
        self._address = address
        self._name = name.encode("ascii", "replace")[:_MOST_OPERANDS]
        self._physical = physical
        bus.attach(address, self._receive)

    def turn_on(self) -> bool:
        """Turn the television on; this and the others return False if nobody took it."""
        return self._send(TV, Opcode.IMAGE_VIEW_ON)

    def standby(self) -> bool:
        """Turn the television off."""
        return self._send(TV, Opcode.STANDBY)

    def show(self) -> bool:
        """Turn the television on and put one's own picture on it: One Touch Play."""
        return self.turn_on() and self._send(BROADCAST, Opcode.ACTIVE_SOURCE, self._physical.to_bytes(2))

    def select(self, physical: int) -> bool:
        """Ask for the picture of the plug at this physical address."""
        return self._send(BROADCAST, Opcode.SET_STREAM_PATH, physical.to_bytes(2))

    def press(self, key: int, times: int = 1) -> bool:
        """Press a key of the television's; more than once is a key held down, which repeats, and one release."""
        pressed = [self._send(TV, Opcode.USER_CONTROL_PRESSED, bytes((key,))) for _ in range(times)]
        return all(pressed) and self._send(TV, Opcode.USER_CONTROL_RELEASED)

    def _send(self, destination: int, opcode: Opcode, operands: bytes = b"") -> bool:
        return self._bus.transmit(Frame(self._address, destination, opcode, operands))

    def _receive(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.GIVE_OSD_NAME if frame.directed:
                self._send(frame.initiator, Opcode.SET_OSD_NAME, self._name)
            case Opcode.GIVE_DEVICE_POWER_STATUS if frame.directed:
                self._send(frame.initiator, Opcode.REPORT_POWER_STATUS, bytes((Power.ON,)))
            case Opcode.SET_STREAM_PATH if self._physical and frame.operands == self._physical.to_bytes(2):
                self._send(BROADCAST, Opcode.ACTIVE_SOURCE, frame.operands)
