"""The device as a service of systemd (`Type=notify`): listens and answers until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from device.app import EdgeLoop, build_brain, load_engines, make_edge_loop
from device.clock import Clock, SystemClock
from device.config import home_folder, load_config
from device.dialogue.conversation import Turn
from device.errors import BundleError, DeviceError
from device.events import Observation, Trouble, TurnDone
from device.nlu.bundles import Bundles
from device.service import Notifier
from device.workers import ThreadWorkers

_LISTENING: Final = "Listening."

Observe: TypeAlias = Callable[[Observation], None]


def serve(told: Callable[[Turn], None] | None = None) -> None:
    """Listen and answer as a service of systemd; troubles go to standard error.

    Args:
        told: Told each turn; by default what is said is said to nobody else.

    Raises:
        DeviceError: Something without which nothing works; in a group where it broke later.
    """

    def observe(seen: Observation) -> None:
        """The journal keeps what goes wrong, a line each; what people say is none of its business."""
        if isinstance(seen, Trouble):
            sys.stderr.write(f"trouble: {seen.error}\n")
            sys.stderr.flush()
        elif told and isinstance(seen, TurnDone):
            told(seen.turn)

    asyncio.run(_until_told(Notifier(), observe))


async def _until_told(notifier: Notifier, observe: Observe) -> None:
    """Run until a signal asks for the end."""
    service = asyncio.create_task(_run(notifier, observe))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, service.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await service


async def _run(notifier: Notifier, observe: Observe) -> None:
    """Load everything, then listen and answer until cancelled."""
    notifier.status("Loading.")
    home = home_folder()
    config = load_config(home)
    clock = SystemClock(config.home.timezone)
    model = _installed_model(home)
    # Networks are loaded without the interpreter's lock: on two cores beside all the rest.
    engines = asyncio.get_running_loop().run_in_executor(None, load_engines, config, home)
    with contextlib.closing(build_brain(config, home, clock, ThreadWorkers())) as brain:
        for problem in brain.problems:
            observe(Trouble(problem, clock.monotonic()))
        edge = make_edge_loop(brain, await engines, observe)
        try:
            await live(edge, notifier, clock, observe, lambda: _installed_model(home) != model)
        finally:
            notifier.stopping()
            edge.close()


async def live(
    edge: EdgeLoop, notifier: Notifier, clock: Clock, observe: Observe, outdated: Callable[[], bool] = lambda: False
) -> None:
    """Listen and answer, with signs of life as long as there is life; voice and ears warm up meanwhile.

    Until cancelled, or until it is outdated and at rest: systemd starts it anew then.

    Args:
        edge: The edge loop.
        notifier: Told how it is.
        clock: Time.
        observe: Told what happens.
        outdated: Whether a start now would load something else.

    Raises:
        ExceptionGroup: With an `EngineFailed` where voice or ears don't work.
    """
    state = _LISTENING
    try:
        edge.open()
    except DeviceError as error:  # deaf or mute is a state: `watch` opens what is missing once it is there
        state = Exception.__str__(error)
        observe(Trouble(error, clock.monotonic()))
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(part) for part in (edge.watch(), edge.run(), edge.warm_up())]
        notifier.ready(state)
        told = False
        while not (edge.resting and outdated()):
            await clock.sleep(notifier.pause)
            stuck = edge.stuck
            if stuck is None:
                notifier.alive(_state(edge))
            elif not told:  # a sign of life no more: it is to be started anew
                notifier.status(f"Stuck: {Exception.__str__(stuck)}")
                observe(Trouble(stuck, clock.monotonic()))
            told = stuck is not None
        notifier.status("Starts anew, with the language model that was installed.")
        for task in running:
            task.cancel()


def _installed_model(home: Path) -> str:
    try:
        return Bundles(home).active
    except BundleError:  # what is damaged says nothing, and a start would go on with what there is
        return ""


def _state(edge: EdgeLoop) -> str:
    if edge.assistant.closed:
        return "The microphone is switched off."
    return "Deaf: no sound comes from the microphone." if edge.assistant.deaf else _LISTENING
