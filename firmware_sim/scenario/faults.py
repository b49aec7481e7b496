"""What goes wrong: each key of a `fault` step, carried out on a gadget and its home."""

from __future__ import annotations

from typing import Final

from firmware_sim.clock import VirtualClock
from firmware_sim.gadget import Gadget
from firmware_sim.home.network import Network
from firmware_sim.scenario.model import ClockFault, EngineFault, Fault
from firmware_sim.scenario.values import seconds

TELEVISION: Final = "television"

OVERDRIVE_DB: Final = 40.0
"""Gain of a microphone that clips."""

SLOW: Final = 0.8
"""Share of real time at which a slow microphone delivers."""

LOST: Final = 0.05
"""Share of frames that xruns lose."""


async def inject(fault: Fault, gadget: Gadget, clock: VirtualClock) -> None:
    """Let it go wrong, or mend it.

    Raises:
        DeviceError: The device can't start again after its power came back.
    """
    _storage(fault, gadget)
    _sound(fault, gadget)
    if fault.memory is not None:
        gadget.board.processor.pressure = fault.memory == "pressure"
    if fault.engine is not None:
        _engines(fault.engine, gadget)
    if fault.clock is not None:
        _clock(fault.clock, clock)
        if gadget.on:
            gadget.program.look()
    if fault.network is not None:
        _network(fault.network, gadget.world.network)
    if fault.unreachable is not None:
        gadget.world.house.unreachable = {name for name in fault.unreachable if name != TELEVISION}
        gadget.world.television.reachable = TELEVISION not in fault.unreachable
    await _power(fault, gadget, clock)


def _storage(fault: Fault, gadget: Gadget) -> None:
    if fault.storage is not None:
        gadget.board.flash.full = fault.storage == "full"
        gadget.board.flash.read_only = fault.storage == "read_only"


def _sound(fault: Fault, gadget: Gadget) -> None:
    microphone = gadget.board.microphone
    if fault.microphone or fault.speaker:
        gadget.faults.sound = "ok" not in (fault.microphone, fault.speaker)
    match fault.microphone:
        case "unplugged":
            microphone.unplug()
        case "silent":
            microphone.silence()
        case "clipping":
            microphone.amplify(OVERDRIVE_DB)
        case "slow":
            microphone.slow(SLOW)
        case "xruns":
            microphone.xruns(LOST)
        case "ok":
            microphone.plug()
            microphone.amplify(0.0)
            microphone.slow(1.0)
            microphone.xruns(0.0)
    match fault.speaker:
        case "unplugged":
            gadget.board.speaker.unplug()
        case "ok":
            gadget.board.speaker.plug()


def _engines(fault: EngineFault, gadget: Gadget) -> None:
    for name in ("stt", "tts", "ears"):
        match getattr(fault, name):
            case "hang":
                gadget.faults.hung.add(name)
            case "crash":
                gadget.faults.broken.add(name)
            case "ok":
                gadget.faults.hung.discard(name)
                gadget.faults.broken.discard(name)


def _clock(fault: ClockFault, clock: VirtualClock) -> None:
    if fault.step:
        clock.step(seconds(fault.step))
    if fault.drift_ppm is not None:
        clock.drift(1 + fault.drift_ppm / 1e6)
    if fault.zone:
        clock.set_zone(fault.zone)


def _network(state: str, network: Network) -> None:
    change = {
        "online": network.online,
        "offline": network.offline,
        "slow": network.slow,
        "lossy": network.lossy,
        "flapping": network.flap,
    }[state]
    change()


async def _power(fault: Fault, gadget: Gadget, clock: VirtualClock) -> None:
    """Off, and on again where it is not to stay off."""
    if fault.power == "on":
        await gadget.boot()
        return
    if fault.flip == "bundle":
        gadget.install_update()
    if fault.after_writes is not None:
        gadget.board.flash.cut(fault.after_writes)
        return
    if fault.power in ("cut", "off") or fault.process or fault.flip:
        await gadget.cut(power=fault.process is None)
        if fault.flip:
            gadget.flip(fault.flip)
        if fault.power != "off":
            await clock.sleep(seconds(fault.off_for))
            await gadget.boot()
