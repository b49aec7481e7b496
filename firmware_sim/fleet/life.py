"""A household lives with its gadget: errands, what rings, what goes wrong; each turn is judged by what is so then."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from msgspec.structs import replace

from device.config import Config, HomeConfig
from device.errors import DeviceError
from device.events import Observation, Rang, Trouble, TurnDone
from firmware_sim.board.board import Board
from firmware_sim.board.profile import load_profile
from firmware_sim.clock import VirtualClock
from firmware_sim.fleet.household import Household
from firmware_sim.fleet.ledger import PUNCTUAL, Ledger, Rung, texts
from firmware_sim.fleet.mishap import Mishap
from firmware_sim.fleet.routine import Errand, Line, Speaker, answer_to_ring
from firmware_sim.gadget import Gadget
from firmware_sim.home.world import World
from firmware_sim.results.timeline import plain
from firmware_sim.scenario.expect import Miss, Moment, looked_at, misses
from firmware_sim.scenario.model import Expect

REACTION: Final = 12.0
"""Seconds after which somebody says something to what rings."""

_BREATH: Final = 4.0
"""Seconds between two lines."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A turn after which not all was as it must be: what was said in which kind of talk, and what happened."""

    kind: str
    text: str
    happened: str


@dataclass(frozen=True, slots=True)
class Life:
    """What came of some days of a household.

    Attributes:
        number: Which household.
        board: Profile of its gadget.
        days: How many days.
        turns: Kind of talk to how many turns.
        excused: Turns that failed honestly while something was broken: said, and nothing half done.
        wrong: Turns that failed.
        rung: Everything that rang, by kind.
        told_late: Of these, how many were told of after a power cut.
        lost: What never rang.
        unexpected: What rang and should not have.
        latest: Seconds by which the latest ring was late.
        latest_excused: The same, where the clock had been set forward or nothing could be written.
        latencies_ms: Of each turn, from the line to its reply, in virtual time.
        wear: Bytes that the flash took on each day of the device's own calendar.
        mishaps: Kind to how often it happened.
        survived: Kind to how often nothing that was confirmed was lost.
        losses: What was lost.
        boots: How often the device started.
        problems: Errors that it told of itself, by class.
        drift: Seconds by which its clock was wrong at the end, besides by how much it was set.
    """

    number: int
    board: str
    days: int
    turns: Counter[str]
    excused: int
    wrong: tuple[Wrong, ...]
    rung: Counter[str]
    told_late: int
    lost: tuple[str, ...]
    unexpected: tuple[str, ...]
    latest: float
    latest_excused: float
    latencies_ms: tuple[float, ...]
    wear: tuple[int, ...]
    mishaps: Counter[str]
    survived: Counter[str]
    losses: tuple[str, ...]
    boots: int
    problems: Counter[str]
    drift: float


@dataclass(slots=True)
class _Notes:
    """What is noted down while they live."""

    turns: Counter[str] = field(default_factory=Counter)
    excused: int = 0
    wrong: list[Wrong] = field(default_factory=list)
    rung: list[Rung] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    mishaps: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)
    losses: list[str] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    boots: int = 0


class Living:
    """One household, from its gadget's first start on.

    Args:
        clock: Time.
        home: Who they are.
        folder: Of the gadget's state, empty.
        mishaps: What will go wrong, in order.
        speaker: Who talks.
        seed: Of the board and the network.
    """

    def __init__(
        self, clock: VirtualClock, home: Household, folder: Path, mishaps: Sequence[Mishap], speaker: Speaker, seed: int
    ) -> None:
        zone = clock.now().tzinfo
        assert zone is not None
        self._clock = clock
        self._home = home
        self._speaker = speaker
        self._chance = Random(f"living {seed}/{home.number}")
        self._ledger = Ledger(zone)
        self._notes = _Notes()
        self._mishaps = list(mishaps)
        self._seen: list[Observation] = []
        self._began = clock.now()
        self._booted = 0.0
        self._set_by = 0.0
        self._broken: dict[str, float] = {}
        self._cut_in_a_write: Mishap | None = None
        config = Config(home=HomeConfig(room=home.room, timezone=home.zone))
        board = Board(clock, load_profile(home.board), folder, seed + home.number)
        world = World.furnished(clock, seed + home.number)
        self._gadget = Gadget(clock, config, board, world, observe=self._seen.append)

    # Days ------------------------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Switch the gadget on.

        Raises:
            DeviceError: It does not start.
        """
        await self._boot()

    async def live(self, errands: Sequence[Errand]) -> None:
        """Go through a day's errands, in order; what rings is answered, what goes wrong goes wrong."""
        for errand in errands:
            at = errand.at.replace(tzinfo=self._ledger.zone).timestamp() + self._set_by
            await self._until(self._clock.monotonic() + at - self._clock.now().timestamp())
            local = self._clock.now().replace(tzinfo=None)
            for line in errand.talk(self._speaker, self._ledger.copy(), local):
                if not await self._say(line):
                    break
                await self._until(self._clock.monotonic() + _BREATH)

    async def restart(self) -> None:
        """Cut the power for a moment, as if the gadget were plugged in elsewhere."""
        await self._happen(Mishap(self._clock.monotonic(), "power cut", 5.0))

    async def end(self, seconds: float) -> Life:
        """Let time pass up to so many seconds after the beginning, and switch the gadget off."""
        await self._until(seconds)
        drift = self._clock.now().timestamp() - self._began.timestamp() - self._clock.monotonic() - self._set_by
        notes, board = self._notes, self._gadget.board
        await self._gadget.shut_down()
        punctual = [r for r in notes.rung if not r.missed]
        return Life(
            self._home.number,
            self._home.board,
            round(seconds / 86400),
            notes.turns,
            notes.excused,
            tuple(notes.wrong),
            Counter(r.due.kind for r in notes.rung),
            sum(r.missed for r in notes.rung),
            tuple(notes.lost),
            tuple(notes.unexpected),
            round(max((r.late for r in punctual if not r.due.late), default=0.0), 3),
            round(max((r.late for r in punctual if r.due.late), default=0.0), 3),
            tuple(notes.latencies),
            tuple(board.flash.wear().by_day.values()),
            notes.mishaps,
            notes.survived,
            tuple(notes.losses),
            notes.boots,
            notes.problems,
            round(drift, 3),
        )

    # Time ------------------------------------------------------------------------------------------------------

    async def _until(self, end: float) -> None:
        """Let time pass up to `end`, in seconds since the beginning."""
        while True:
            now = self._clock.monotonic()
            if self._ledger.ringing:
                await self._pass(min(REACTION, self._next_mishap() - now))
                if not self._reached(self._next_mishap()):
                    await self._answer_ring()
            else:
                due = self._ledger.next_due()
                ring = now + due.at - self._clock.now().timestamp() + PUNCTUAL / 2 if due else end
                await self._pass(min(max(ring, now + PUNCTUAL / 2), end, self._next_mishap()) - now)
            if self._reached(self._next_mishap()):
                await self._happen(self._mishaps.pop(0))
            elif self._reached(end) and not self._ledger.ringing:
                return

    async def _pass(self, seconds: float) -> None:
        if seconds > 0:
            await self._gadget.advance(seconds)
        await self._take_notes()

    def _reached(self, at: float) -> bool:
        """Whether it is so late; what is nearer than a microsecond can't be waited for."""
        return self._clock.monotonic() >= at - 1e-6

    def _next_mishap(self) -> float:
        return self._mishaps[0].at if self._mishaps else float("inf")

    async def _take_notes(self) -> None:
        """What the device has told since; what should have rung; whether it died in a write."""
        for seen in self._fresh():
            if isinstance(seen, Trouble):
                self._notes.problems[type(seen.error).__name__] += 1
        for due in self._ledger.overdue(self._clock.now()):
            self._notes.lost.append(f"{texts([due])}, due {datetime.fromtimestamp(due.at, self._ledger.zone):%a %H:%M}")
        if self._gadget.died.is_set():
            await self._rise()

    def _fresh(self) -> list[Observation]:
        """What was told since this was last asked; rings are matched with what is due."""
        fresh = list(self._seen)
        self._seen.clear()
        for seen in fresh:
            if isinstance(seen, Rang):
                now = self._clock.now() - timedelta(seconds=self._clock.monotonic() - seen.at)
                if rung := self._ledger.rang(seen, now):
                    slept = rung.missed or rung.due.at < self._booted
                    self._notes.rung.append(dataclasses.replace(rung, missed=slept))
                else:
                    self._notes.unexpected.append(f"{seen.ring.kind} {seen.words}")
        return fresh

    # Talk ------------------------------------------------------------------------------------------------------

    async def _say(self, line: Line) -> bool:
        """Say a line and judge it; False if what would follow makes no sense any more."""
        await self._take_notes()
        began = self._clock.monotonic()
        await self._gadget.type(line.text)
        self._notes.turns[line.kind] += 1
        self._notes.latencies.append(round(1000 * (self._clock.monotonic() - began), 3))
        fresh = self._fresh()
        if self._gadget.died.is_set():
            return await self._unclear(line)
        after = self._ledger.copy()
        for effect in line.effects:
            after.apply(effect, self._clock.now(), self._notes.boots)
        moment = Moment(self._gadget, fresh)
        turn = next((seen.turn for seen in fresh if isinstance(seen, TurnDone)), None)
        found = self._kept(after, moment) or looked_at(lambda: misses(_asked(line), moment))
        if not found:
            self._ledger = after
            return True
        honest = turn is None or turn.failed
        if honest and self._broken and not self._kept(self._ledger, moment):
            self._notes.excused += 1
            return False
        self._notes.wrong.append(Wrong(line.kind, line.text, _happened(found, turn.reply if turn else "nothing")))
        if turn and turn.expects_answer:
            await self._gadget.type("never mind")
        self._fresh()
        self._ledger.adopt(self._gadget, self._notes.boots)
        return False

    async def _unclear(self, line: Line) -> bool:
        """The power went while the line was carried out: nobody was told, so it may be done or not."""
        done = self._ledger.copy()
        for effect in line.effects:
            done.apply(effect, self._clock.now(), self._notes.boots)
        await self._rise(done)
        return False

    async def _answer_ring(self) -> None:
        """Somebody tells it to stop; where it does not, its button is pressed."""
        if not await self._say(answer_to_ring(self._speaker, self._ledger)) and self._ledger.ringing:
            self._gadget.brain.scheduler.stop_ringing()
            self._ledger.ringing = ()

    def _kept(self, ledger: Ledger, moment: Moment) -> list[Miss]:
        return looked_at(lambda: misses(ledger.expected(self._clock.now()), moment))

    # Mishaps ---------------------------------------------------------------------------------------------------

    async def _happen(self, mishap: Mishap) -> None:
        """Let it go wrong; what lasts is mended by a mishap of its own."""
        gadget, network = self._gadget, self._gadget.world.network
        ends = mishap.at + mishap.lasts
        match mishap.kind:
            case _ if mishap.amount == 0 and mishap.lasts == 0:
                await self._mend(mishap)
                return
            case "cut in a write":
                self._cut_in_a_write = mishap
                gadget.board.flash.cut(mishap.amount)
            case "power cut" | "process killed":
                await gadget.cut(power=mishap.kind == "power cut")
                await self._off(mishap)
            case "disk full":
                gadget.board.flash.full = True
                self._ledger.excuse(self._clock.now().timestamp() + mishap.lasts + REACTION)
            case "network away":
                network.offline()
            case "network flapping":
                network.flap()
            case "clock set":
                self._clock.step(mishap.amount)
                self._set_by += mishap.amount
                self._ledger.stepped(mishap.amount, self._notes.boots)
                self._notes.mishaps[mishap.kind] += 1
                self._survived(mishap.kind)
        if mishap.kind in ("disk full", "network away", "network flapping"):
            self._notes.mishaps[mishap.kind] += 1
            self._broken[mishap.kind] = ends
            self._mishaps.append(Mishap(ends, mishap.kind))
            self._mishaps.sort(key=lambda m: m.at)

    async def _mend(self, mishap: Mishap) -> None:
        self._broken.pop(mishap.kind, None)
        self._gadget.board.flash.full = "disk full" in self._broken
        if not self._broken.keys() & {"network away", "network flapping"}:
            self._gadget.world.network.online()
        self._survived(mishap.kind)

    async def _rise(self, perhaps: Ledger | None = None) -> None:
        """It died in the middle of a write: bury it, and start it again when the power is back."""
        mishap = self._cut_in_a_write
        assert mishap is not None
        self._cut_in_a_write = None
        await self._gadget.bury()
        await self._off(mishap, perhaps)

    async def _off(self, mishap: Mishap, perhaps: Ledger | None = None) -> None:
        """The power is away, then back; whether all that was confirmed is there."""
        self._notes.mishaps[mishap.kind] += 1
        await self._clock.sleep(mishap.lasts)
        await self._boot()
        await self._gadget.advance(PUNCTUAL / 2)
        self._survived(mishap.kind, perhaps)

    async def _boot(self) -> None:
        self._notes.boots += 1
        self._booted = self._clock.now().timestamp()
        await self._gadget.boot()
        for problem in self._gadget.brain.problems:
            self._notes.problems[type(problem).__name__] += 1

    def _survived(self, kind: str, perhaps: Ledger | None = None) -> None:
        """Whether nothing that was confirmed was lost; `perhaps` it is as nobody was told."""
        self._fresh()
        moment = Moment(self._gadget, ())
        found = self._kept(self._ledger, moment)
        if found and perhaps is not None and not self._kept(perhaps, moment):
            self._ledger, found = perhaps, []
        if not found:
            self._notes.survived[kind] += 1
            return
        self._notes.losses.append(f"{kind}: {_happened(found, '')}")
        try:
            self._ledger.adopt(self._gadget, self._notes.boots)
        except DeviceError as error:
            self._notes.losses.append(f"{kind}: {error}")


def _asked(line: Line) -> Expect:
    """What the turn itself must be like."""
    return replace(line.expect, asks=True) if line.asks else line.expect


def _happened(found: Sequence[Miss], reply: str) -> str:
    """In one line: the first differences, and the reply."""
    differences = "; ".join(f"{m.key} {plain(m.found)} not {plain(m.wanted)}" for m in itertools.islice(found, 2))
    return f"{differences} (“{reply}”)" if reply else differences
