"""Is a device fit for use: checks that can fail, but neither raise nor hang."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from device.clock import Clock
from device.errors import EngineHung, reportable
from device.workers import Workers

DEADLINE: Final = 60.0
"""Seconds for one check: a slow board that has just started reads its models from a card."""

Look: TypeAlias = Callable[[], str]
"""Looks at one thing and says how it is; raises `DeviceError` where it is not fit for use."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it is.
        ok: It is fit for use.
        detail: How it is, or what is wrong.
        remedy: What can be done about it; empty where all is well.
        milliseconds: How long it took.
    """

    name: str
    ok: bool
    detail: str
    remedy: str
    milliseconds: float


async def examine(
    looks: Mapping[str, Look], clock: Clock, workers: Workers, deadline: float = DEADLINE
) -> AsyncIterator[Check]:
    """Look at one thing after the other, each in a worker of its own, so that one that hangs is left behind.

    Args:
        looks: What is looked at, by its name.
        clock: Time.
        workers: Where it is done.
        deadline: Seconds after which one that has not answered has failed.
    """
    for name, look in looks.items():
        began = clock.monotonic()
        ok, remedy = False, ""
        try:
            detail = await workers.run(name, look, deadline=deadline)
            ok = True
        except EngineHung:
            detail, remedy = f"It did not answer within {deadline:g} s.", "Start the device again."
        except Exception as error:  # a check that breaks has failed, whatever broke it
            trouble = reportable(error)
            detail, remedy = Exception.__str__(trouble), trouble.remedy
        yield Check(name, ok, detail, remedy, 1000 * (clock.monotonic() - began))
