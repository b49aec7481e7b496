"""One turn after another: hear, decide, act, answer. No audio here; `assistant` puts ears and a mouth around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from device.clock import Clock
from device.dialogue import policy
from device.dialogue.completeness import Completeness, SoFar, completeness
from device.dialogue.responses import Responses, fill
from device.dialogue.state import MEMORY, DialogueState
from device.errors import DeviceError
from device.nlu.answer import Interpreter, Situation
from device.nlu.pack import Pack
from device.nlu.resolve import ResolveContext
from device.nlu.text import words as spoken_words
from device.nlu.types import OOS, Act, Interpretation
from device.skills.api import Change, Outcome, Request, Skill, Undo
from device.speech.bias.choice import Known, choose
from device.speech.bias.sentences import Sentences
from device.speech.ports import Transcript
from device.workers import Workers

SYSTEM = "system"
"""The skill whose pack holds the dialogue's own replies."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one utterance led to.

    Attributes:
        transcript: Words as heard.
        interpretations: One for each command, in order.
        reply: What is to be spoken; empty for none.
        changes: What was done.
        expects_answer: A question is open.
        failed: Nothing was understood, or it could not be done.
        timeline_ms: Stage to milliseconds that it took ("nlu", "policy", "skill").
    """

    transcript: str
    interpretations: tuple[Interpretation, ...] = ()
    reply: str = ""
    changes: tuple[Change, ...] = ()
    expects_answer: bool = False
    failed: bool = False
    timeline_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Memory:
    """What lasts longer than the dialogue.

    Attributes:
        taught: The command that a phrase of the user's own stands for, or None.
        record: Keeps a turn, where its owner wants turns to be kept.
    """

    taught: Callable[[str], str | None]
    record: Callable[[Turn], None]


class Conversation:
    """Holds the dialogue's state and carries out what the policy decides."""

    def __init__(
        self,
        interpreter: Interpreter,
        packs: Sequence[Pack],
        skills: Mapping[str, Skill],
        clock: Clock,
        workers: Workers,
        memory: Memory,
        room: str = "",
        names: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.state = DialogueState()
        self._interpreter = interpreter
        self._names = names or {}
        self._specs = {f"{pack.skill}.{name}": spec for pack in packs for name, spec in pack.intents.items()}
        self._responses = Responses(packs)
        self._skills = skills
        self._clock = clock
        self._workers = workers
        self._memory = memory
        self._room = room
        self._undo: Undo | None = None
        self._skill_time = 0.0
        self._read_ahead: tuple[str | Transcript, Situation, tuple[str, tuple[Interpretation, ...]]] | None = None

    async def turn(self, said: str | Transcript) -> Turn:
        """Take one utterance.

        Args:
            said: As typed, or as it was heard.

        Returns:
            The reply and everything behind it. Errors of skills become replies; nothing is raised for what a
            person may say.
        """
        started = self._clock.monotonic()
        now = self._clock.now()
        text, heard = await self._read(said)
        self._read_ahead, self._skill_time = None, 0.0
        understood = self._clock.monotonic()
        self.state = replace(self.state, turns=self.state.turns + 1)
        if not heard:
            reply = self._responses.render("system.help", "nothing_heard", {}, self.state.turns, now)
            return Turn(text, (), reply, expects_answer=self.state.pending is not None, failed=True)
        replies: list[str] = []
        changes: list[Change] = []
        failed = False
        self.state, action = policy.decide(self.state, heard, self._specs, now)
        while True:
            outcome = await self._carry_out(action, now)
            replies.append(outcome.spoken)
            changes += outcome.changes
            failed |= outcome.failed
            if self.state.pending or not self.state.queue:
                break
            following, *rest = self.state.queue
            self.state, action = policy.start(replace(self.state, queue=tuple(rest)), following, self._specs, now)
        reply = " ".join(part for part in replies if part)
        # What is repeated on request is the reply, not the repetition's own apology.
        if heard[0].act is not Act.REPEAT and heard[0].intent != "system.repeat" and reply:
            self.state = replace(self.state, last_reply=reply)
        timeline = {
            "nlu": 1000 * (understood - started),
            "policy": 1000 * (self._clock.monotonic() - understood - self._skill_time),
            "skill": 1000 * self._skill_time,
        }
        turn = Turn(text, heard, reply, tuple(changes), self.state.pending is not None, failed, timeline)
        self._memory.record(turn)
        return turn

    async def interruption(self, text: str) -> Literal["stop", "snooze"] | None:
        """What a short utterance over the device's own sound asks for; None for anything else."""
        return await self._workers.run("nlu", self._interpreter.interruption, text)

    def sentences(self) -> Sentences:
        """What can be said now, for ears that can be told."""
        return self._interpreter.sentences(self._situation())

    def known(self) -> Known:
        """What can be said now, for the choice between that and free words."""
        return self._interpreter.known(self._situation())

    def interpret(self, said: str | Transcript) -> tuple[Interpretation, ...]:
        """What an utterance would mean now; nothing is done and nothing is remembered."""
        return self._interpret(said, self._situation(), self._memory.taught(_written(said)))[1]

    def _interpret(
        self, said: str | Transcript, situation: Situation, taught: str | None
    ) -> tuple[str, tuple[Interpretation, ...]]:
        """The words that are believed to have been said, and their meaning. The memory belongs to the loop."""
        context = ResolveContext(self._clock.now(), self._names)
        if taught or isinstance(said, str):
            return _written(said), self._interpreter.understand(taught or _written(said), situation, context)
        choice = choose(said, self._interpreter.known(situation))
        by_sound = not said.hypotheses
        readings = self._interpreter.understand(choice.text, situation, context, by_sound=by_sound)
        if said.hypotheses and not choice.sentence and all(reading.intent == OOS for reading in readings):
            readings = self._interpreter.near_miss(choice.text, said.hypotheses[0].text) or readings
        return choice.text, readings

    async def completeness(self, said: str | Transcript) -> Completeness:
        """Whether that is all, so that the person need not be waited for. The reading is kept for `turn`."""
        text, readings = await self._read(said)
        asked = self.state.pending is not None
        so_far = SoFar(spoken_words(_written(said)), spoken_words(text), readings, asked)
        return await self._workers.run("nlu", completeness, so_far, self.sentences(), self._specs)

    async def _read(self, said: str | Transcript) -> tuple[str, tuple[Interpretation, ...]]:
        """Interpret in the worker, or take what `complete` has read already."""
        situation = self._situation()
        if self._read_ahead is None or self._read_ahead[:2] != (said, situation):
            taught = self._memory.taught(_written(said))
            read = await self._workers.run("nlu", self._interpret, said, situation, taught)
            self._read_ahead = said, situation, read
        return self._read_ahead[2]

    def drop(self) -> None:
        """Forget an open question: nobody answered."""
        self.state = replace(self.state, pending=None, queue=())

    def words(self, intent: str, key: str, values: Mapping[str, object]) -> str:
        """A reply outside of a turn, such as what an alarm says when it rings."""
        return self._responses.render(intent, key, values, self.state.turns, self._clock.now())

    def _situation(self) -> Situation:
        pending, done, now = self.state.pending, self.state.done, self._clock.now()
        referents, together = self.state.referents(now), self.state.group(now)
        if pending:
            command, question = pending.command, pending.question
            return Situation(
                command.intent, question, pending.slot, pending.options, command.slots, referents, together
            )
        if done is None or now - done.at > MEMORY:
            return Situation(referents=referents, together=together)
        return Situation(done.command.intent, slots=done.command.slots, referents=referents, together=together)

    async def _carry_out(self, action: policy.Action, now: datetime) -> _Said:
        match action:
            case policy.Run(command, corrects, confirmed):
                if corrects:
                    await self._take_back(now)
                return await self._run(command, now, confirmed)
            case policy.TakeBack():
                return await self._take_back(now)
            case policy.Ask(command, slot, again):
                question = self._question(command, slot)
                self.state = policy.asked(self.state, command, question, slot)
                return _Said(f"{self._own('again', now)} {question}" if again else question)
            case policy.Say(key, values, text, failed):
                return _Said(text or self._own(key, now, values), failed=failed)

    async def _take_back(self, now: datetime) -> _Said:
        if self._undo is None:
            return _Said(self._own("nothing_to_undo", now), failed=True)
        undo, self._undo = self._undo, None
        try:
            await undo()
        except DeviceError as error:
            return _Said(error.spoken, failed=True)
        return _Said(self._own("undone", now))

    async def _run(self, command: Interpretation, now: datetime, confirmed: bool) -> _Said:
        skill_name, _, intent = command.intent.partition(".")
        request = Request(intent, command.slots, now, self._room, command.text, confirmed)
        began = self._clock.monotonic()
        try:
            try:
                outcome = await self._skills[skill_name].handle(request)
            finally:
                self._skill_time += self._clock.monotonic() - began
            if outcome.question:
                return self._ask_for_skill(command, outcome, now)
            spoken = ""
            if outcome.reply:
                spoken = self._responses.render(command.intent, outcome.reply, outcome.values, self.state.turns, now)
        except DeviceError as error:
            self.state = replace(self.state, pending=None, queue=())
            return _Said(error.spoken, failed=True)
        self._undo = outcome.undo
        self.state = policy.after(self.state, command, outcome, now)
        return _Said(spoken, outcome.changes, outcome.failed)

    def _ask_for_skill(self, command: Interpretation, outcome: Outcome, now: datetime) -> _Said:
        asked = outcome.question
        assert asked is not None
        question = self._responses.render(command.intent, asked.reply, asked.values, self.state.turns, now)
        self.state = policy.asked(self.state, command, question, asked.slot, asked.options)
        return _Said(question, outcome.changes)

    def _question(self, command: Interpretation, slot: str) -> str:
        spec = self._specs[command.intent]
        template = spec.slots[slot].ask if slot else spec.confirm
        return fill(template, {name: filled.text for name, filled in command.slots.items()})

    def _own(self, key: str, now: datetime, values: Mapping[str, object] | None = None) -> str:
        return self._responses.render(f"{SYSTEM}.help", key, values or {}, self.state.turns, now)


def _written(said: str | Transcript) -> str:
    """As it was typed or freely decoded."""
    return said if isinstance(said, str) else said.text


@dataclass(frozen=True, slots=True)
class _Said:
    """What one action brought."""

    spoken: str
    changes: tuple[Change, ...] = ()
    failed: bool = False
