"""One life of what ships on a simulated board, from its start to its end: built as its own command line builds it."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from device.app import BUNDLE, Brain, EdgeLoop, build_brain, load_language_model
from device.app.parts import bundle_folders
from device.clock import Clock
from device.config import Config
from device.errors import BundleError, DeviceError
from device.events import Observation, Rang, Trouble, TurnDone
from device.nlu.onnx_model import JointModel, load_model
from device.nlu.pack import Pack
from device.speech.renewable import Renewable
from firmware_sim.board.board import Board
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.home.world import World
from firmware_sim.kit import Faults, Kit

HUNG: Final = 1e7
"""Virtual seconds that a call of a hung engine takes: longer than anybody waits."""

WARM_UP: Final = 0.1
"""Seconds that microphone and speaker have to begin before they are watched."""

_LOOK_AGAIN: Final = 3600.0
_AFTER_TROUBLE: Final = 5.0
"""Seconds until what is due is looked for again, as wall clocks are set; and after it could not be read."""


class Program:
    """What ships, running.

    Args:
        clock: Time.
        config: Its settings.
        board: What it runs on.
        world: The home around it.
        kit: Its engines; None for a device that is typed to.
        faults: What is wrong with its engines; may be changed at any time.
        observe: Told what happens while it lives.
        life: Which start of this board it is: the device's own chance is another one each time.
        model: Whether it has its language model.

    Attributes:
        brain: What understands.
        edge: The edge loop; None where commands are typed.

    Raises:
        DeviceError: It can't start: no storage, a bad pack.
    """

    def __init__(
        self,
        clock: Clock,
        config: Config,
        board: Board,
        world: World,
        kit: Kit | None,
        faults: Faults,
        observe: Callable[[Observation], None],
        life: int,
        *,
        model: bool = True,
    ) -> None:
        self._clock = clock
        self._config = config
        self._board = board
        self._faults = faults
        self._tell = observe
        self._alive = True
        self._tasks: list[asyncio.Task[None]] = []
        self._watching: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()
        with _shared_cache(board.home):
            self.brain: Brain = build_brain(
                config,
                board.home,
                clock,
                InlineWorkers(clock, self._cost),
                Random(f"{board.seed}/{life}"),
                world.driver,
                _find_model if model else _no_model,
            )
        for problem in self.brain.problems:
            self._trouble(problem)
        self.edge = None if kit is None else self._give_ears(kit)

    async def start(self) -> None:
        """Run."""
        if self.edge is None:
            self._run(self._watch())
            return
        self._run(self.edge.run())
        await self._clock.sleep(0)
        await self.listen()

    async def type(self, text: str) -> None:
        """Type a command into the conversation and wait until it is carried out; only where there are no ears."""
        try:
            turn = await self.brain.conversation.turn(text)
        except DeviceError as error:
            self._trouble(error)
        else:
            self._observe(TurnDone(turn, self._clock.monotonic()))
        self.look()

    def look(self) -> None:
        """Look at once what is due, where commands are typed: what ships does so twice a second."""
        self._looked.set()

    async def listen(self) -> None:
        """Open microphone and speaker, and watch both once they have had time to begin."""
        if self.edge is None:
            return
        try:
            self.edge.open()
        except DeviceError as error:  # unplugged: the device runs without it until it is back
            self._trouble(error)
        await self._clock.sleep(WARM_UP)
        self._watching = self._run(self.edge.watch())

    def rest(self) -> None:
        """Close microphone and speaker, unwatched: nothing will sound for a while, and that need not be computed."""
        if self._watching:
            self._watching.cancel()
        if self.edge:
            self.edge.close()

    def check(self) -> None:
        """Raise what broke it."""
        for task in self._tasks:
            if self._alive and task.done() and not task.cancelled():
                task.result()

    def die(self) -> None:
        """From now on nothing that it does is told, nor what breaks."""
        self._alive = False

    async def end(self) -> None:
        """Stop all that runs, and let go of the database."""
        self.die()
        self.rest()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(DeviceError):
            self.brain.close()

    def _give_ears(self, kit: Kit) -> EdgeLoop:
        stt, tts = Renewable(lambda: kit.stt(self._faults)), Renewable(lambda: kit.tts(self._faults))
        listener = kit.listener(self._config, self._faults)
        board = self._board
        edge = EdgeLoop(self.brain, board.ears, board.mouth, stt, tts, self._observe, listener, board.lights)
        board.mouth.mixer = edge.mixer
        return edge

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks = [*(t for t in self._tasks if not t.cancelled()), task]
        return task

    def _observe(self, seen: Observation) -> None:
        if self._alive:
            self._tell(seen)

    def _trouble(self, error: DeviceError) -> None:
        self._observe(Trouble(error, self._clock.monotonic()))

    async def _watch(self) -> None:
        """Where commands are typed: tell what is due; it rings until it is stopped, as in `homebody talk --text`."""
        scheduler = self.brain.scheduler
        while True:
            try:
                for ring in scheduler.due():
                    self._observe(Rang(ring, self.brain.words(ring), self._clock.monotonic()))
                    if ring.trouble:
                        self._trouble(ring.trouble)
                due = scheduler.next_due()
                pause = (due - self._clock.now()).total_seconds() if due else _LOOK_AGAIN
            except DeviceError as error:
                self._trouble(error)
                pause = _AFTER_TROUBLE
            self._looked.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(max(pause, 0.0), _LOOK_AGAIN)):
                    await self._looked.wait()

    def _cost(self, worker: str) -> float:
        return HUNG if worker in self._faults.hung else self._board.processor.cost(worker)


def _no_model(*_: object) -> None:
    """A device that has only its grammar."""


def _find_model(config: Config, home: Path, packs: Sequence[Pack], problems: list[DeviceError]) -> JointModel | None:
    """As every device finds it; the one that ships keeps nothing, so that all devices of this process have the same."""
    refused: list[BundleError] = []
    if bundle_folders(config, home, refused) == [BUNDLE] and not refused:
        return _shipped_model(config.nlu.threads)
    return load_language_model(config, home, packs, problems)


@cache
def _shipped_model(threads: int) -> JointModel:
    """Raises: BundleError, if it is damaged: a simulation without it would test something else."""
    return load_model(BUNDLE, threads)


@cache
def _cache_folder() -> Path:
    """Compiled grammars, shared by all devices of this process: a first start takes half a second."""
    folder = tempfile.mkdtemp(prefix="homebody-sim-cache-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@contextlib.contextmanager
def _shared_cache(home: Path) -> Iterator[None]:
    """Lend what other devices have compiled, and keep what this one compiles."""
    own, shared = home / "cache", _cache_folder()
    own.mkdir(parents=True, exist_ok=True)
    for file in shared.iterdir():
        if not (own / file.name).exists():
            shutil.copy(file, own)
    yield
    for file in own.iterdir():
        if not (shared / file.name).exists():
            shutil.copy(file, shared)
