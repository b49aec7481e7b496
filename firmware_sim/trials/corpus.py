"""Commands of the built-in packs as people of the simulated flat say them, in rooms and noise; the same for a seed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import yaml

from device.app import Brain, build_brain
from device.audio.ports import SAMPLE_RATE, Pcm
from device.clock import Clock
from device.config import Config, HomeConfig
from device.errors import BadInput
from device.nlu.text import spoken
from device.nlu.types import Interpretation, Slot
from device.nlu.understand import is_command
from device.speech.ports import render
from device.store.database import Database
from device.store.items import Items
from device.workers import Workers
from firmware_sim.sound.acoustics import reverberate, space
from firmware_sim.sound.levels import Samples, amplitude, scaled
from firmware_sim.sound.noise import mix
from firmware_sim.sound.scenery import babble, pink, television
from firmware_sim.sound.voices import Voices

Scene: TypeAlias = Literal["quiet", "noise", "babble", "tv", "room"]
"""Where something is said: nothing else sounds; steady noise as of a kitchen's fan; many voices; a television across
the room; 3 m from the device in a living room."""

SCENES: Final[tuple[Scene, ...]] = get_args(Scene)

VOICES: Final = ("heart", "george", "emma", "michael", "bella", "daniel", "adam", "joe")
"""Who speaks unless others are named: men and women, American and British.

Of those that can be had they alone are as well understood as people are, with 1 to 5 words of a hundred misheard in
quiet; Flite's take 13 to 24, eSpeak NG's 25 to 48.
"""

PEOPLE: Final = ("Anna", "Ben", "Maria", "Tom")
LISTS: Final = ("shopping", "to do", "packing")
"""The household of the simulated flat and its lists, as `commands.yaml` names them."""

_MARKED: Final = re.compile(r"\[([^\]]+)\]\((\w+)\)")
_COMMANDS: Final = Path(__file__).with_name("commands.yaml")

_AROUND: Final = SAMPLE_RATE // 2
"""Samples of the room's own sound before and after what is said."""

_LEVEL_DBFS: Final = -26.0
_ROOM_DB: Final = 25.0
"""How loud a command arrives, and how far the noise of a room lies under it."""

_BED_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody says, and what it means.

    Attributes:
        text: Words, without marks.
        intent: `skill.intent`.
        slots: Slot name to the words that fill it, in spoken form.
    """

    text: str
    intent: str
    slots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A command as somebody says it. `number` is its place in the trial, which picks the noise."""

    number: int
    command: Command
    voice: str


def read_commands(path: Path = _COMMANDS) -> tuple[Command, ...]:
    """Commands from a YAML file: intent to lines in which `[words](slot)` marks what fills a slot.

    Raises:
        BadInput: Not readable, not YAML, or not of that form.
    """
    try:
        return tuple(
            Command(_MARKED.sub(r"\1", line), intent, {slot: spoken(words) for words, slot in _MARKED.findall(line)})
            for intent, lines in yaml.safe_load(path.read_text(encoding="utf-8")).items()
            for line in lines
        )
    except (OSError, UnicodeError, yaml.YAMLError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} holds no commands: {error}.", remedy="Give lines by intent, in YAML.") from error


def casting(commands: Sequence[Command], voices: Sequence[str], count: int, seed: int) -> list[Spoken]:
    """Who says what: each intent once before any twice, each command once before any twice, the voices in turn.

    Args:
        commands: All that can be said.
        voices: Names.
        count: How many are wanted; every voice says every command at most.
        seed: Of the order.

    Raises:
        BadInput: Nobody speaks.
    """
    if not voices or count < 1:
        raise BadInput("Nobody says a command.", remedy="Name voices, and a sample of one at least.")
    rng = np.random.default_rng(seed)
    seen: dict[str, int] = {}
    rank: list[tuple[int, int]] = []
    for place in rng.permutation(len(commands)):
        intent = commands[place].intent
        rank.append((seen.get(intent, 0), int(place)))
        seen[intent] = seen.get(intent, 0) + 1
    order = [commands[place] for _, place in sorted(rank, key=lambda pair: pair[0])]
    turns = (divmod(number, len(order)) for number in range(min(count, len(order) * len(voices))))
    return [
        Spoken(number, order[place], voices[(place + turn) % len(voices)]) for number, (turn, place) in enumerate(turns)
    ]


class Stage:
    """Renders commands as they arrive at the microphone.

    Args:
        voices: Who can speak.
        snr_db: Level of the speech above what else sounds, loudest frame against loudest frame.
        noise: Steady noise of `noise`, 16 kHz mono; by default pink noise, as of a fan.
        seed: Picks the excerpts of what else sounds.
    """

    def __init__(self, voices: Voices, snr_db: float, noise: Pcm | None = None, seed: int = 0) -> None:
        self._voices = voices
        self._snr_db = snr_db
        self._noise = noise
        self._seed = seed
        self._beds: dict[Scene, Pcm] = {}

    def __call__(self, said: Spoken, scene: Scene) -> Pcm:
        """What the microphone hears, 16 kHz mono, with half a second of the scene before and after.

        Raises:
            BadInput: There is no such voice.
            EngineMissing: It is not installed.
        """
        speech: Samples = np.pad(render(self._voices.person(said.voice), said.command.text), _AROUND)
        rng = np.random.default_rng([self._seed, said.number])
        if scene == "room":
            speech = reverberate(speech, space("across").speech())
        level = amplitude(_LEVEL_DBFS)
        speech = scaled(speech, level)
        pcm = np.clip(np.rint(speech), -32768, 32767).astype(np.int16)
        if scene == "quiet":
            return pcm
        bed, snr_db = self._bed(scene), _ROOM_DB if scene == "room" else self._snr_db
        return mix(pcm, np.resize(bed, max(len(bed), len(pcm))), snr_db, rng)

    def _bed(self, scene: Scene) -> Pcm:
        """What sounds all the time; made when it is first heard."""
        if scene not in self._beds:
            self._beds[scene] = self._made(scene)
        return self._beds[scene]

    def _made(self, scene: Scene) -> Pcm:
        if scene == "babble":
            return babble(self._voices, seed=self._seed)
        if scene == "tv":
            set_ = reverberate(television(self._voices, seed=self._seed), space("across").broadcast())
            return np.asarray(scaled(set_, amplitude(_LEVEL_DBFS)), np.int16)
        return self._noise if scene == "noise" and self._noise is not None else pink(_BED_SECONDS, self._seed)


def household(home: Path, clock: Clock, workers: Workers) -> Brain:
    """The whole assistant in the simulated flat, with the people and lists that the commands name.

    Args:
        home: Folder of its state, empty.
        clock: Time.
        workers: Where understanding runs.

    Raises:
        DeviceError: It can't be built.
    """
    home.mkdir(parents=True, exist_ok=True)
    database = Database(home / "homebody.db")
    for name in LISTS:
        Items(database).add(name, "something")
    database.close()
    return build_brain(Config(home=HomeConfig(people=PEOPLE)), home, clock, workers)


def understood(readings: Sequence[Interpretation], expected: Interpretation) -> bool:
    """Whether a command was understood wholly: one reading, the intent, and every slot by its value, and no other.

    Values count, "ten percent" and "10%" are the same; names and free text do in spoken form, too.
    """
    if len(readings) != 1 or readings[0].intent != expected.intent:
        return False
    slots = readings[0].slots
    return slots.keys() == expected.slots.keys() and all(_same(slots[name], expected.slots[name]) for name in slots)


def is_known(readings: Iterable[Interpretation]) -> bool:
    """Whether a sentence is for the device, word for word: its grammar has it."""
    return any(is_command(reading) and reading.source == "grammar" for reading in readings)


def _same(one: Slot, other: Slot) -> bool:
    if one.value is not None and one.value == other.value:
        return True
    named = one.value is None or isinstance(one.value, str) or isinstance(other.value, str)
    return named and _words(one) == _words(other)


def _words(slot: Slot) -> str:
    """Spoken form; nobody hears from 250 whether an "and" was said."""
    return spoken(slot.text).replace("hundred and ", "hundred ")
