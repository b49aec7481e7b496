"""The stage of one scenario: gadgets in a home, people who talk to them, and what happens step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from device.config import Config
from device.events import Observation, SoundBegan, TurnDone
from firmware_sim.board.board import Board, Place
from firmware_sim.board.profile import load_profile
from firmware_sim.clock import VirtualClock
from firmware_sim.gadget import Gadget
from firmware_sim.home.world import World
from firmware_sim.kit import Kit, SpeechKit, TonesKit
from firmware_sim.scenario.check import board_of
from firmware_sim.scenario.excerpt import Excerpt, Heard, excerpt
from firmware_sim.scenario.expect import Miss, Moment, looked_at, misses, present
from firmware_sim.scenario.faults import inject
from firmware_sim.scenario.load import Loaded
from firmware_sim.scenario.model import ACTIONS, Expect, Fault, Said, Scenario, Sound, Step
from firmware_sim.scenario.played import GOOD, Failure, Played, Status
from firmware_sim.scenario.sounds import Sounds, music_folder
from firmware_sim.scenario.trace import Trace, describe
from firmware_sim.scenario.values import moment, seconds

PATIENCE: Final = 120.0
"""Virtual seconds within which a device must have answered."""

RING_PATIENCE: Final = 8 * 86400.0
"""Virtual seconds for which `advance: ring` waits."""

LONGEST_SOUND: Final = 12 * 3600.0
"""Virtual seconds of a scenario beyond which no sound of it is kept."""

_REST: Final = 0.4
"""Virtual seconds that a person takes before speaking."""


class Stage:
    """What a scenario is played on.

    Args:
        loaded: The scenario, checked.
        config: The device's settings.
        folder: An empty folder; each gadget has a home in it.
        keep_sound: Keep what is worth hearing of it.

    Attributes:
        failures: What was not as expected.
    """

    def __init__(self, loaded: Loaded, config: Config, folder: Path, *, keep_sound: bool = False) -> None:
        self.loaded = loaded
        self.failures: list[Failure] = []
        self._config = config
        self._profile = load_profile(board_of(loaded, loaded.scenario.board))
        self._folder = folder
        self._keep_sound = keep_sound
        self._trace = Trace()
        self._gadgets: list[Gadget] = []
        self._seen: list[list[Observation]] = []
        self._index = 0
        self._off_for = 0.0
        self._ended = 0.0
        self._clock: VirtualClock
        self._world: World
        self._kit: Kit | None = None
        self._sounds: Sounds | None = None

    async def perform(self, clock: VirtualClock) -> None:
        """Play all steps; the first that fails is the last, since what follows would only fail of it.

        Raises:
            DeviceError: The device can't start.
        """
        scenario = self._scenario
        self._clock = clock
        clock.drift(1 + self._profile.clock.drift_ppm / 1e6)
        self._world = World.furnished(clock, scenario.seed)
        self._world.house.on_change = lambda name, state: self._note("house", appliance=name, **state)
        self._world.television.on_change = lambda state: self._note("tv", **state)
        self._kit = self._engines()
        self._sounds = Sounds(self._kit, self.loaded.file.parent, scenario.seed) if self._kit else None
        for number, room in enumerate(scenario.rooms or (self._config.home.room,)):
            await self._furnish(number, room)
        try:
            for self._index, step in enumerate(scenario.steps):
                following = scenario.steps[self._index + 1] if self._index + 1 < len(scenario.steps) else None
                for _ in range(step.repeat):
                    await self._step(step, following)
                    if self.failures:
                        return
        finally:
            self._ended = clock.monotonic()
            for gadget in self._gadgets:
                await gadget.shut_down()

    def stuck(self, why: str) -> None:
        """The step that was being played will never end."""
        self._fail([Miss("end", "an end of the step", why)])

    def played(self, status: Status, reason: str, took: float) -> Played:
        """How it went, once it is over."""
        observations = [seen for row in self._seen for seen in row]
        return Played(
            self.loaded.name,
            self.loaded.file,
            self.loaded.line(),
            status,
            reason,
            tuple(self.failures),
            tuple(self._trace.records),
            self._trace.digest(),
            tuple(round(1000 * seen.after_speech, 1) for seen in observations if isinstance(seen, SoundBegan)),
            self._ended,
            took,
            sum(isinstance(seen, TurnDone) for seen in observations),
            sum(gadget.board.flash.wear().bytes_total for gadget in self._gadgets),
            self._heard(good=status in GOOD) if self._keep_sound else None,
        )

    # Furniture -------------------------------------------------------------------------------------------------

    @property
    def _scenario(self) -> Scenario:
        return self.loaded.scenario

    def _engines(self) -> Kit | None:
        match self._scenario.ears:
            case "tones":
                return TonesKit()
            case "speech":
                return SpeechKit(self._config, self._folder / "models")
        return None

    async def _furnish(self, number: int, room: str) -> None:
        scenario = self._scenario
        home = replace(self._config.home, room=room)
        if scenario.music:
            home = replace(home, player="local", music=str(music_folder()))
        folder = self._folder / f"home-{number}"
        folder.mkdir()
        place = Place(scenario.noise_dbfs, scenario.echo)
        board = Board(self._clock, self._profile, folder, scenario.seed + number, place, record=self._keep_sound)
        seen: list[Observation] = []
        self._seen.append(seen)

        def observe(observation: Observation) -> None:
            seen.append(observation)
            kind, data = describe(observation)
            if scenario.rooms:
                data = {"room": room, **data}
            self._note(kind, **{k: _without(v, self._folder) for k, v in data.items()})

        config = replace(self._config, home=home)
        gadget = Gadget(self._clock, config, board, self._world, self._kit, observe, model=scenario.model)
        self._gadgets.append(gadget)
        await gadget.boot()

    # Steps -----------------------------------------------------------------------------------------------------

    async def _step(self, step: Step, following: Step | None) -> None:
        """One step: its moment, its action, its end, and whether all is as expected."""
        gadget = self._gadgets[0]
        if step.send_after is not None:
            async with asyncio.timeout(PATIENCE):
                await gadget.sounding(seconds(step.send_after))
        before = [len(seen) for seen in self._seen]
        sounds_before = [len(each.board.audible) for each in self._gadgets]
        began = self._clock.monotonic()
        self._note("step", line=self._line(), does=_action(step))
        await self._act(step)
        if following is not None and following.send_after is not None:
            async with asyncio.timeout(PATIENCE):
                await gadget.sounding(0.0)
        elif step.advance is None:
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(each.quiet() for each in self._gadgets if each.on))
        await self._bury_the_dead()
        self._judge(step, began, before, sounds_before)

    async def _act(self, step: Step) -> None:
        gadget = self._gadgets[0]
        if step.say is not None:
            await self._say(step.say if isinstance(step.say, Said) else Said(step.say), rested=step.send_after is None)
        elif step.type is not None:
            await gadget.type(step.type)
        elif step.hear is not None:
            self._hear(step.hear)
        elif step.press is not None:
            await gadget.press(step.press)
        elif step.mute is not None:
            gadget.switch(step.mute)
        elif step.advance is not None:
            await self._advance(step.advance)
        elif step.fault is not None:
            await self._fault(step.fault, gadget)

    async def _say(self, said: Said, *, rested: bool) -> None:
        if self._sounds is None:
            if self._gadgets[0].on:
                await self._gadgets[0].type(said.text)
            return
        if rested:
            await self._clock.sleep(_REST)
        ends = 0.0
        for number, gadget in enumerate(self._gadgets):
            pcm = self._sounds.said(said, number)
            ends = max(ends, gadget.board.hear(pcm, snr_db=said.snr_db, through=self._sounds.way(said)))
        await self._clock.sleep(ends - self._clock.monotonic())

    def _hear(self, sound: Sound) -> None:
        assert self._sounds is not None
        for gadget in self._gadgets:
            gadget.board.lay(self._sounds.bed(sound, self._clock.monotonic()))

    async def _advance(self, time: str | int | float) -> None:
        gadget = self._gadgets[0]
        if time == "ring":
            if not await gadget.until_ring(RING_PATIENCE):
                self._fail([Miss("advance", "something to ring", f"nothing in {RING_PATIENCE / 86400:g} days")])
            return
        if isinstance(time, str) and time.startswith("to "):
            now = self._clock.now()
            span = moment(time, now).timestamp() - now.timestamp()
        else:
            span = seconds(time)
        others = [asyncio.create_task(other.advance(span)) for other in self._gadgets[1:]]
        await gadget.advance(span)
        await asyncio.gather(*others)

    async def _fault(self, fault: Fault, gadget: Gadget) -> None:
        self._off_for = seconds(fault.off_for)
        await inject(fault, gadget, self._clock)

    async def _bury_the_dead(self) -> None:
        """A device that died in the middle of a write is started again."""
        for gadget in self._gadgets:
            if gadget.died.is_set():
                self._note("died", room=gadget.config.home.room)
                await gadget.bury()
                await self._clock.sleep(self._off_for)
                await gadget.boot()

    def _judge(self, step: Step, began: float, before: Sequence[int], sounds_before: Sequence[int]) -> None:
        fresh = [seen[count:] for seen, count in zip(self._seen, before, strict=True)]
        sounds = [g.board.sounds_since(count) for g, count in zip(self._gadgets, sounds_before, strict=True)]
        answers = tuple(g.config.home.room for g, s in zip(self._gadgets, sounds, strict=True) if "speech" in s)
        peak = self._gadgets[0].board.speaker.peak(began)
        moment = Moment(self._gadgets[0], fresh[0], sounds[0], peak, answers)
        found = looked_at(lambda: misses(step.expect or Expect(), moment))
        found += looked_at(lambda: present(step.absent or Expect(), moment))
        if step.within_ms is not None and (moment.latency_ms is None or moment.latency_ms > step.within_ms):
            late = "no answer was heard" if moment.latency_ms is None else f"{moment.latency_ms:.0f} ms"
            found.append(Miss("within_ms", f"at most {step.within_ms:g} ms", late))
        if found:
            self._fail(found)

    def _fail(self, found: Sequence[Miss]) -> None:
        step = self._scenario.steps[self._index]
        where = next((line for m in found if (line := self._line_of(m))), self._line())
        self.failures.append(Failure(self._index + 1, where, _action(step), tuple(found)))

    def _line(self) -> int:
        return self.loaded.line("steps", self._index)

    def _line_of(self, miss: Miss) -> int:
        """The line of an expectation, where it has one of its own."""
        for key in ("expect", "absent"):
            path = ("steps", self._index, key, miss.key.partition(".")[0])
            if (*self.loaded.root, *path) in self.loaded.marks.lines:
                return self.loaded.line(*path)
        return 0

    def _note(self, kind: str, **data: object) -> None:
        self._trace.add(self._clock.monotonic(), kind, **data)

    def _heard(self, *, good: bool) -> Excerpt | None:
        """What is worth hearing: of what went wrong, the end; tones that went well are not."""
        if self._kit is None or self._ended > LONGEST_SOUND or (good and self._scenario.ears != "speech"):
            return None
        board = self._gadgets[0].board
        microphone = board.recorded()
        heard = Heard(microphone, board.speaker.between(0.0, len(microphone)))
        return excerpt(heard, [record.at for record in self._trace.records], last=not good)


def _action(step: Step) -> str:
    """What a step does, in a few words."""
    for name in ACTIONS:
        if (value := getattr(step, name)) is not None:
            if isinstance(value, Said):
                value = value.text or value.file
            if isinstance(value, Fault | Sound):
                given = {k: v for k in value.__struct_fields__ if (v := getattr(value, k)) != getattr(type(value)(), k)}
                value = ", ".join(f"{k} {_plain(v)}" for k, v in given.items())
            return f"{name} {value}"
    return "look"


def _plain(value: object) -> str:
    fields = getattr(value, "__struct_fields__", None)
    if fields is None:
        return str(value)
    return " ".join(f"{name}={v}" for name in fields if (v := getattr(value, name)) not in (None, "", 0))


def _without(value: object, folder: Path) -> object:
    """A text without the temporary folder, which is another one in each run."""
    return value.replace(str(folder), "") if isinstance(value, str) else value
