"""The home around a gadget as one thing, handed to the device through its drivers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device.app import driver
from device.clock import Clock
from firmware_sim.home.cec import Bus
from firmware_sim.home.house import SimulatedHouse
from firmware_sim.home.network import Network
from firmware_sim.home.player import SimulatedPlayer
from firmware_sim.home.television import SimulatedTelevision


@dataclass(frozen=True, slots=True)
class World:
    """What stays as it is when the gadget loses its power."""

    house: SimulatedHouse
    television: SimulatedTelevision
    player: SimulatedPlayer
    network: Network
    bus: Bus

    @classmethod
    def furnished(cls, clock: Clock, seed: int = 0) -> World:
        """The flat and its television, reached over one network; `seed` is of what the network loses."""
        network, bus = Network(clock, seed), Bus(clock)
        television = SimulatedTelevision(network=network, bus=bus)
        return cls(SimulatedHouse(network=network), television, SimulatedPlayer(), network, bus)

    def driver(self, port: str, name: str, home: Path) -> Any:
        """This home's driver of a port, where the simulated one is configured.

        Raises:
            Missing: Another one is configured, and no such driver is installed.
        """
        ours = {"house": self.house, "television": self.television, "player": self.player}
        return ours[port] if name == "simulated" and port in ours else driver(port, name, home)
