"""How long a call of an engine takes on a board: its speed, its cores, its temperature, its memory."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Mapping
from typing import Final

from device.clock import Clock
from firmware_sim.board.profile import Profile

REFERENCE: Final[Mapping[str, float]] = {"audio": 0.0011, "stt": 0.058, "nlu": 0.00044, "tts": 0.012}
"""CPU-seconds that one call of a worker takes on the reference core, an AMD EPYC's.

`homebody bench`, as README.md has it: Moonshine a command; a median sentence understood; eSpeak to its first sound;
and for one frame of 32 ms that is listened to, 3.37 % of a core.
"""

FOOTPRINT_MB: Final = 238.5
"""Peak memory of the device with all its engines, in 10^6 bytes; `homebody bench`, as README.md has it."""

HUNGRY: Final = frozenset({"stt", "tts"})
"""Workers whose calls need memory of their own: they fail when there is none."""

_UNDELAYED: Final = frozenset({"audio"})
"""Workers that count as load but are never late: a frame takes far less than it lasts."""

_SCATTER: Final = 0.1
"""Standard deviation of the logarithm of a cost: the same call never takes quite the same time."""


class Processor:
    """What `InlineWorkers` asks how long a call takes (`cost`), and what that does to the board.

    A call is one busy core for as long as it takes. When more calls than cores are busy, a new one gets its share of
    a core; those that have begun keep their time. Temperature T follows dT/dt = heating · busy cores
    − (T − ambient) / cooling, solved exactly between the moments at which a call begins or ends.

    Attributes:
        pressure: True lets calls of `HUNGRY` workers fail for want of memory: a fault to be injected; true from the
            beginning on a board with less than `FOOTPRINT_MB`.
        busy_seconds: CPU-seconds of this board by worker.
        peak_temperature: The hottest it has been, in °C.
    """

    def __init__(self, profile: Profile, clock: Clock, seed: int = 0) -> None:
        """`seed`: of how the costs scatter."""
        self.pressure = profile.memory_mb < FOOTPRINT_MB
        self.busy_seconds: dict[str, float] = {}
        self.peak_temperature = profile.thermal.ambient
        self._profile = profile
        self._clock = clock
        self._random = random.Random(seed)
        self._temperature = profile.thermal.ambient
        self._throttled = False
        self._settled = clock.monotonic()
        self._ends: list[float] = []

    @property
    def temperature(self) -> float:
        """Of the processor now, in °C."""
        self._settle()
        return self._temperature

    @property
    def throttled(self) -> bool:
        """Whether it runs slowly now, because it got too hot."""
        self._settle()
        return self._throttled

    def cost(self, worker: str) -> float:
        """Virtual seconds that a call takes which begins now on this worker.

        Raises:
            MemoryError: The call gets no memory.
        """
        if self.pressure and worker in HUNGRY:
            raise MemoryError(f"no memory is left for the worker {worker!r}")
        self._settle()
        thermal = self._profile.thermal
        speed = self._profile.speed * (thermal.throttled_speed if self._throttled else 1.0)
        work = REFERENCE.get(worker, 0.0) * math.exp(self._random.gauss(0.0, _SCATTER)) / speed
        seconds = work * max(1.0, (len(self._ends) + 1) / self._profile.cores)
        self.busy_seconds[worker] = self.busy_seconds.get(worker, 0.0) + work
        heapq.heappush(self._ends, self._settled + seconds)
        return 0.0 if worker in _UNDELAYED else seconds

    def _settle(self) -> None:
        """Bring the temperature up to now."""
        now = self._clock.monotonic()
        while self._ends and self._ends[0] <= now:
            self._warm(self._ends[0])
            heapq.heappop(self._ends)
        self._warm(now)

    def _warm(self, until: float) -> None:
        """Let the calls that run heat until then; in between the temperature only rises or only falls."""
        thermal = self._profile.thermal
        limit = thermal.ambient + thermal.heating * thermal.cooling * min(len(self._ends), self._profile.cores)
        self._temperature = limit + (self._temperature - limit) * math.exp((self._settled - until) / thermal.cooling)
        self._settled = until
        self.peak_temperature = max(self.peak_temperature, self._temperature)
        if self._temperature >= thermal.throttle_at:
            self._throttled = True
        elif self._temperature <= thermal.resume_at:
            self._throttled = False
