"""What a service tells systemd that started it: sd_notify(3), a datagram of assignments to a socket that it names."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from typing import Final

_log = logging.getLogger(__name__)

PAUSE: Final = 15.0
"""Seconds between signs of life where no watchdog asks for them: then they only say how it is."""


class Notifier:
    """Tells systemd how a service is. Where none listens, and where it can't be told, the service goes on.

    Args:
        environ: `NOTIFY_SOCKET` names the socket ("@" begins an abstract one), `WATCHDOG_USEC` how many microseconds
            may pass between two signs of life of the process `WATCHDOG_PID`; see sd_watchdog_enabled(3).

    Attributes:
        pause: Seconds between signs of life: half of what the watchdog allows.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        watched = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        allowed = environ.get("WATCHDOG_USEC", "")
        self.pause = int(allowed) / 2e6 if watched and allowed.isdecimal() and int(allowed) else PAUSE

    def ready(self, status: str) -> None:
        """It has started."""
        self._tell(f"READY=1\nSTATUS={status}")

    def status(self, status: str) -> None:
        """How it is, in one line."""
        self._tell(f"STATUS={status}")

    def alive(self, status: str) -> None:
        """A sign of life for the watchdog, with how it is."""
        self._tell(f"WATCHDOG=1\nSTATUS={status}")

    def stopping(self) -> None:
        """It is about to end."""
        self._tell("STOPPING=1")

    def _tell(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as wire:
                wire.sendto(message.encode(), self._address)
        except OSError as error:  # nobody is helped by a device that ends because its minder is gone
            _log.warning("systemd could not be told how it is: %s", error)
