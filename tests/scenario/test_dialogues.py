"""Golden dialogues (`dialogues.yaml`): what is typed, and what is understood, said and done, turn by turn.

They run with the model that ships. Turns that the grammar or the dialogue's own state must understand also run
without it (`model: true` marks the others).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
import yaml

from device.app import BUNDLE
from device.app.parts import sound_rescue
from device.dialogue.conversation import Conversation, Memory, Turn
from device.household import household_names
from device.nlu.answer import Interpreter
from device.nlu.grammar import compile_grammar
from device.nlu.onnx_model import JointModel, load_model
from device.nlu.pack import Pack
from device.nlu.types import Slot
from device.nlu.understand import Understander
from device.skills.api import Services
from device.skills.registry import build_skills
from device.store.phrases import TaughtPhrases
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.home.house import SimulatedHouse
from firmware_sim.home.television import SimulatedTelevision
from firmware_sim.manual_clock import ManualClock


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn. What is not given is not checked.

    Attributes:
        say: Typed words.
        intent: The intents of all commands, in order; "" for an answer that is no command.
        slots: Slot name to its words, in the first command.
        reply: Regular expression that the whole reply matches.
        changes: `skill.action target` of everything that was done, in order.
        asks: Whether a question is open afterwards.
        wait: Seconds that pass before it is said.
        model: It can't be understood without the model.
    """

    say: str
    intent: str | tuple[str, ...] | None = None
    slots: dict[str, str] | None = None
    reply: str | None = None
    changes: tuple[str, ...] | None = None
    asks: bool | None = None
    wait: float = 0.0
    model: bool = False


class Dialogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One conversation, from a home in its first state."""

    name: str
    turns: tuple[Step, ...]


def load() -> Sequence[Dialogue]:
    data = yaml.safe_load(Path(__file__).with_name("dialogues.yaml").read_text(encoding="utf-8"))
    return msgspec.convert(data, list[Dialogue])


DIALOGUES = load()


def interpreter(packs: Sequence[Pack], home: Path, model: JointModel | None) -> Interpreter:
    names = household_names(SimulatedHouse(), SimulatedTelevision(), (), ())
    grammar = compile_grammar(packs, names)
    specs = {f"{pack.skill}.{name}": spec for pack in packs for name, spec in pack.intents.items()}
    return Interpreter(Understander(grammar, specs, model, sound_rescue(grammar, tuple(packs), model, home, [])), packs)


@pytest.fixture(scope="module")
def with_model(packs: Sequence[Pack], tmp_path_factory: pytest.TempPathFactory) -> Interpreter:
    return interpreter(packs, tmp_path_factory.mktemp("home"), load_model(BUNDLE, threads=1))


@pytest.fixture(scope="module")
def without_model(packs: Sequence[Pack]) -> Interpreter:
    names = household_names(SimulatedHouse(), SimulatedTelevision(), (), ())
    specs = {f"{pack.skill}.{name}": spec for pack in packs for name, spec in pack.intents.items()}
    return Interpreter(Understander(compile_grammar(packs, names), specs), packs)


@pytest.fixture
def converse(services: Services, packs: Sequence[Pack], clock: ManualClock) -> Callable[[Interpreter], Conversation]:
    """A conversation in a home without a past."""

    def make(interpreter: Interpreter) -> Conversation:
        memory = Memory(TaughtPhrases(services.database).command, lambda turn: None)
        names = household_names(services.house, services.television, (), ())
        skills = build_skills(services, packs)
        workers = InlineWorkers(clock)
        return Conversation(interpreter, packs, skills, clock, workers, memory, services.room, names)

    return make


def check(step: Step, turn: Turn) -> None:
    heard = f"{step.say!r} gave {turn.interpretations} and {turn.reply!r}"
    if step.intent is not None:
        wanted = (step.intent,) if isinstance(step.intent, str) else step.intent
        assert tuple(i.intent for i in turn.interpretations) == wanted, heard
    if step.slots is not None:
        assert words(turn.interpretations[0].slots) == step.slots, heard
    if step.reply is not None:
        assert re.fullmatch(step.reply, turn.reply), heard
    if step.changes is not None:
        assert tuple(f"{c.skill}.{c.action} {c.target}".strip() for c in turn.changes) == step.changes, heard
    if step.asks is not None:
        assert turn.expects_answer == step.asks, heard


def words(slots: Mapping[str, Slot]) -> dict[str, str]:
    return {name: slot.text for name, slot in slots.items()}


async def play(dialogue: Dialogue, conversation: Conversation, clock: ManualClock) -> None:
    for step in dialogue.turns:
        clock.advance(step.wait)
        turn = await conversation.turn(step.say)
        check(step, turn)
        assert turn.reply == "" or re.match(r"[A-Z0-9“]", turn.reply), turn.reply


@pytest.mark.skipif(not (BUNDLE / "model.onnx").is_file(), reason="the model is not built here")
@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda d: d.name)
async def test_a_dialogue_goes_as_written(
    dialogue: Dialogue, with_model: Interpreter, converse: Callable[[Interpreter], Conversation], clock: ManualClock
) -> None:
    await play(dialogue, converse(with_model), clock)


@pytest.mark.parametrize(
    "dialogue", [d for d in DIALOGUES if not any(step.model for step in d.turns)], ids=lambda d: d.name
)
async def test_a_dialogue_needs_no_model(
    dialogue: Dialogue, without_model: Interpreter, converse: Callable[[Interpreter], Conversation], clock: ManualClock
) -> None:
    await play(dialogue, converse(without_model), clock)


def test_there_are_dialogues_enough() -> None:
    assert len(DIALOGUES) >= 60
    assert len({d.name for d in DIALOGUES}) == len(DIALOGUES)
