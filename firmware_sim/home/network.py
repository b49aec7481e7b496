"""The network between the gadget and the home: there, slow, lossy, gone, or coming and going."""

from __future__ import annotations

import random
from enum import StrEnum
from typing import Final

from device.clock import Clock
from device.errors import SkillError

TIME_OUT: Final = 3.0
"""Virtual seconds that a driver waits for an answer before it gives a message up."""


class NetworkState(StrEnum):
    """How the network is at a moment."""

    ONLINE = "online"
    SLOW = "slow"
    LOSSY = "lossy"
    OFFLINE = "offline"


class Network:
    """What messages to the house and the television go through; without one they arrive at once.

    It has no task of its own: how it is follows from what was set last and from the clock.

    Attributes:
        delivered: Messages that arrived.
        lost: Messages that did not.
    """

    def __init__(self, clock: Clock, seed: int = 0) -> None:
        """`seed`: of which messages are lost while it is lossy."""
        self.delivered = 0
        self.lost = 0
        self._clock = clock
        self._random = random.Random(seed)
        self._state = NetworkState.ONLINE
        self._latency = 0.0
        self._loss = 0.0
        self._up = self._period = self._since = 0.0

    @property
    def state(self) -> NetworkState:
        """How it is now."""
        if self._period:
            into = (self._clock.monotonic() - self._since) % self._period
            return NetworkState.ONLINE if into < self._up else NetworkState.OFFLINE
        return self._state

    def online(self) -> None:
        """Deliver everything at once."""
        self._become(NetworkState.ONLINE)

    def slow(self, latency: float = 2.0) -> None:
        """Deliver everything, `latency` seconds late.

        Raises:
            ValueError: `latency` is negative.
        """
        if latency < 0:
            raise ValueError("a latency is at least 0")
        self._become(NetworkState.SLOW, latency=latency)

    def lossy(self, share: float = 0.3) -> None:
        """Lose this share (0 to 1) of the messages, which is noticed after `TIME_OUT`.

        Raises:
            ValueError: `share` is no share.
        """
        if not 0 <= share <= 1:
            raise ValueError("a share is between 0 and 1")
        self._become(NetworkState.LOSSY, loss=share)

    def offline(self) -> None:
        """Deliver nothing; the gadget notices at once, as one whose radio has no link."""
        self._become(NetworkState.OFFLINE)

    def flap(self, up_seconds: float = 20.0, down_seconds: float = 10.0) -> None:
        """Be online, then offline, for so many seconds each, beginning now and until something else is set.

        Raises:
            ValueError: One of them is not positive.
        """
        if up_seconds <= 0 or down_seconds <= 0:
            raise ValueError("both times must be positive")
        self.online()
        self._up, self._period, self._since = up_seconds, up_seconds + down_seconds, self._clock.monotonic()

    async def reach(self, target: str) -> None:
        """Take a message there; returns when it has arrived.

        Args:
            target: Whom it is for, as the error calls it.

        Raises:
            SkillError: It did not arrive.
        """
        state = self.state
        lost = state is NetworkState.LOSSY and self._random.random() < self._loss
        if state is NetworkState.SLOW or lost:
            await self._clock.sleep(TIME_OUT if lost else self._latency)
        # What is on its way when the network goes is lost too.
        if lost or self.state is NetworkState.OFFLINE:
            self.lost += 1
            raise SkillError(f"{target} does not answer.", remedy="Check the network, then try again.")
        self.delivered += 1

    def _become(self, state: NetworkState, *, latency: float = 0.0, loss: float = 0.0) -> None:
        self._state, self._latency, self._loss, self._period = state, latency, loss, 0.0
