"""An engine that can be made anew after a call of it was lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

E = TypeVar("E")


class Renewable(Generic[E]):
    """Holds one engine and knows how to make another.

    After a missed deadline the lost thread may use the old engine still, and engines are not thread-safe. The new
    one is made in the worker by the first call that needs it, since loading takes time.

    Args:
        make: Builds the engine; called now, and again after each `lose`.

    Raises:
        EngineMissing: From `make`.
    """

    def __init__(self, make: Callable[[], E]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._engine: E | None = make()
        self._losses = 0

    def take(self) -> E:
        """The engine, made anew if it was lost. Call it in the engine's worker.

        Raises:
            EngineMissing: It can't be made any more.
        """
        with self._lock:
            engine, losses = self._engine, self._losses
        if engine is None:
            engine = self._make()
            with self._lock:
                # A thread that was itself lost while it built must not give its engine to the others.
                if losses == self._losses:
                    self._engine = engine
        return engine

    def lose(self) -> None:
        """Give the engine up: a call of it never came back."""
        with self._lock:
            self._engine = None
            self._losses += 1
