"""The composition root: the only place that builds everything.

`build_brain` makes what understands and acts (typed use needs no more); `build_voice` puts ears and a mouth around
it. Nothing here decides anything.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from device.assistant import Assistant, Parts
from device.audio.mixer import Mixer
from device.audio.ring import Ring
from device.audio.volume import DeviceVolume
from device.bell import Bell
from device.clock import Clock
from device.config import Config
from device.dialogue.conversation import Conversation, Memory, Turn
from device.errors import BundleError, ConfigError, DeviceError, EngineMissing, Missing, PackError, StorageError
from device.events import Observation
from device.household import household_names
from device.nlu.answer import Interpreter
from device.nlu.grammar import Grammar, compile_grammar, grammar_key
from device.nlu.onnx_model import JointModel, load_model
from device.nlu.pack import PACKS_DIR, Pack, load_packs
from device.nlu.phonemes import Phonemizer
from device.nlu.rescue import SoundRescue
from device.nlu.types import OOS, TimeOfDay
from device.nlu.understand import Understander
from device.skills.api import Services
from device.skills.library import Library
from device.skills.player import LocalPlayer
from device.skills.ports import Player
from device.skills.registry import build_skills
from device.skills.schedule import Ring as Due
from device.skills.schedule import Scheduler
from device.speech.endpoint import EndpointConfig
from device.speech.engines import EngineOptions, make_stt, make_tts, make_vad, make_wake
from device.speech.listen import ListenConfig, Listener
from device.speech.ports import SttEngine, TtsEngine
from device.speech.renewable import Renewable
from device.store.database import Database
from device.store.items import Items
from device.store.phrases import TaughtPhrases
from device.store.settings import Settings
from device.store.turns import Turns
from device.voice import Voice
from device.workers import Workers

_log = logging.getLogger(__name__)

DRIVERS_GROUP = "homebody.drivers"
"""Entry points `house.NAME`, `television.NAME`, `player.NAME`: callables that take the home folder."""

BUNDLE = Path(__file__).parent.parent / "models" / "artefacts" / "homebody-en"
"""The model that ships."""


@dataclass(frozen=True, slots=True)
class Brain:
    """What understands and acts.

    Attributes:
        problems: What is not as it should be but does not stop the device; to be told to the user.
    """

    config: Config
    home: Path
    clock: Clock
    workers: Workers
    database: Database
    services: Services
    scheduler: Scheduler
    volume: DeviceVolume
    packs: tuple[Pack, ...]
    model: JointModel | None
    conversation: Conversation
    problems: tuple[DeviceError, ...]

    def words(self, due: Due) -> str:
        """What is said when something rings."""
        key = ("missed" if due.missed else "ringing") + ("_named" if due.label else "")
        values = {"name": due.label, "message": due.message, "time": TimeOfDay(due.due.time())}
        return self.conversation.words(f"{due.kind}.set", key, values)


def make_home(home: Path) -> Path:
    """Create the folder that holds all state.

    Raises:
        StorageError: It can't be created.
    """
    remedy = "Set HOMEBODY_HOME to a folder you may write to."
    try:
        home.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise StorageError(f"{home} is not a folder.", remedy=remedy) from error
    except OSError as error:
        raise StorageError(f"{home} can't be created: {error.strerror}.", remedy=remedy) from error
    return home


def driver(port: str, name: str, home: Path) -> Any:
    """Build the driver of a port by name.

    Raises:
        Missing: No such driver is installed; names those that are.
    """
    for entry in entry_points(group=DRIVERS_GROUP, name=f"{port}.{name}"):
        return entry.load()(home)
    known = sorted(e.name.partition(".")[2] for e in entry_points(group=DRIVERS_GROUP) if e.name.startswith(f"{port}."))
    raise Missing(f"There is no {port} driver `{name}`.", remedy=f"Installed: {', '.join(known) or 'none'}.")


def make_player(config: Config, home: Path, workers: Workers) -> Player:
    """The configured media player; "local" plays the folder `home.music` through the device's own mixer.

    Raises:
        ConfigError: "local" without a folder.
        Missing: No such driver.
    """
    if config.home.player != "local":
        player: Player = driver("player", config.home.player, home)
        return player
    if not config.home.music:
        raise ConfigError("home.player is local, but home.music is empty.", remedy="Name the folder with your music.")
    return LocalPlayer(Library(Path(config.home.music).expanduser()), workers)


def load_all_packs(config: Config, home: Path) -> tuple[Pack, ...]:
    """The packs that ship, then those of the owner's folder.

    Raises:
        PackError: One of them can't be used, or takes the name of a skill that ships.
    """
    shipped = load_packs(PACKS_DIR)
    folder = Path(config.nlu.packs).expanduser() if config.nlu.packs else home / "packs"
    own = load_packs(folder) if folder.is_dir() else []
    for pack in own:
        if pack.skill in {other.skill for other in shipped}:
            raise PackError(
                f"{folder}: a pack defines the skill `{pack.skill}`, which is built in.",
                remedy="Give the skill of your pack another name.",
            )
    return (*shipped, *own)


def load_language_model(config: Config, packs: tuple[Pack, ...], problems: list[DeviceError]) -> JointModel | None:
    """The configured model, else the one that ships, else None: then only fixed phrases are understood.

    A bundle that is refused becomes a problem. One that knows intents which no pack defines is foreign: nobody could
    do what it understands.
    """
    intents = {OOS, *(name for pack in packs for name in pack.intent_names())}
    configured = [Path(config.nlu.model).expanduser()] if config.nlu.model else []
    for folder in (*configured, BUNDLE):
        try:
            model = load_model(folder, threads=config.nlu.threads)
            if unknown := sorted(set(model.labels.intents) - intents):
                raise BundleError(
                    f"The model bundle {folder} is foreign: no pack defines {', '.join(unknown[:3])}.",
                    remedy="Add the pack that it was trained for, or point nlu.model to another bundle.",
                )
        except BundleError as error:
            problems.append(error)
        else:
            return model
    return None


def compiled_grammar(packs: tuple[Pack, ...], names: Mapping[str, tuple[str, ...]], cache: Path) -> Grammar:
    """The grammar, from the cache if it is there; a cache that can't be written costs time and nothing else."""
    file = cache / f"grammar-{grammar_key(packs, names)[:16]}.bin"
    with contextlib.suppress(OSError, ValueError):
        return Grammar.from_bytes(file.read_bytes())
    grammar = compile_grammar(packs, names)
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob("grammar-*.bin"):
            old.unlink()
        file.write_bytes(grammar.to_bytes())
    return grammar


def build_brain(config: Config, home: Path, clock: Clock, workers: Workers) -> Brain:
    """Build what understands and acts.

    Args:
        config: Settings.
        home: Folder of all state.
        clock: Time.
        workers: Where understanding runs.

    Raises:
        DeviceError: Something without which nothing works: storage, packs, a driver.
    """
    make_home(home)
    problems: list[DeviceError] = []
    database = Database(home / "homebody.db")
    if database.recovered_from:
        problems.append(
            StorageError(
                f"The database was damaged and starts anew; the old file is kept as {database.recovered_from}.",
                remedy="Set timers, alarms, reminders and lists again.",
            )
        )
    settings = Settings(database)
    volume = DeviceVolume(
        int(settings.get("volume", 60)),
        bool(settings.get("muted", False)),
        save=partial(_save_volume, settings),
    )
    scheduler = Scheduler(database, clock)
    packs = load_all_packs(config, home)
    services = Services(
        clock,
        database,
        scheduler,
        driver("house", config.home.house, home),
        driver("television", config.home.television, home),
        make_player(config, home, workers),
        volume,
        config.home.room,
        packs,
    )
    names = household_names(services.house, services.television, config.home.people, Items(database).lists())
    model = load_language_model(config, packs, problems)
    specs = {f"{pack.skill}.{name}": spec for pack in packs for name, spec in pack.intents.items()}
    grammar = compiled_grammar(packs, names, home / "cache")
    understander = Understander(grammar, specs, model, sound_rescue(grammar, model, home, problems))
    skills = build_skills(services, packs)
    memory = Memory(TaughtPhrases(database).command, _recorder(database, config, clock))
    interpreter = Interpreter(understander, packs)
    conversation = Conversation(interpreter, packs, skills, clock, workers, memory, config.home.room, names)
    return Brain(
        config,
        home,
        clock,
        workers,
        database,
        services,
        scheduler,
        volume,
        packs,
        model,
        conversation,
        tuple(problems),
    )


def _recorder(database: Database, config: Config, clock: Clock) -> Callable[[Turn], None]:
    """Keeps the text of turns, if their owner wants that."""
    turns = Turns(database, config.privacy.keep_turns_days)
    turns.prune(clock.now())
    if not config.privacy.keep_turns_days:
        return lambda turn: None

    def record(turn: Turn) -> None:
        try:
            turns.add(clock.now(), turn.transcript, " ".join(i.intent for i in turn.interpretations), turn.reply)
        except StorageError as error:  # what the turn did is done, and its reply must be heard
            _log.warning("a turn was not recorded: %s", error)

    return record


def _save_volume(settings: Settings, level: int, muted: bool) -> None:
    settings.set("volume", level)
    settings.set("muted", muted)


def sound_rescue(
    grammar: Grammar, model: JointModel | None, home: Path, problems: list[DeviceError]
) -> SoundRescue | None:
    """Recognition by sound, or None where words can't be pronounced on this machine."""
    if shutil.which("espeak-ng") is None:
        problems.append(
            EngineMissing(
                "espeak-ng is not installed: misheard words are not recognized.",
                remedy="Run: sudo apt install espeak-ng",
            )
        )
        return None
    known = model.labels.intents if model else ()
    return SoundRescue(grammar, Phonemizer(home / "cache"), [name for name in grammar.intents if name not in known])


def make_listener(config: Config, *, wake: bool = True) -> Listener:
    """The ears: wake words (unless not wanted), voice activity and endpoint.

    Raises:
        EngineMissing: A package is not installed.
    """
    speech = config.speech
    endpoint = EndpointConfig(
        trailing_silence_s=speech.trailing_silence, max_s=speech.max_command, no_speech_timeout_s=speech.patience
    )
    listening = ListenConfig(endpoint, follow_up_s=speech.follow_up or ListenConfig().follow_up_s)
    words = speech.wake_words if wake else ()
    return Listener(make_wake(words, speech.wake_threshold), make_vad(), listening)


def make_stt_engine(config: Config, home: Path) -> SttEngine:
    """The configured speech-to-text engine.

    Raises:
        EngineMissing: Its package or model is not there.
    """
    return make_stt(config.speech.stt, EngineOptions(home / "models", config.speech.stt_threads))


def make_tts_engine(config: Config, home: Path) -> TtsEngine:
    """The configured text-to-speech engine.

    Raises:
        EngineMissing: Its package, program or voice is not there.
    """
    return make_tts(config.speech.tts, EngineOptions(home / "models", config.speech.stt_threads))


def build_assistant(
    brain: Brain,
    ring: Ring,
    mixer: Mixer,
    stt: Renewable[SttEngine],
    tts: Renewable[TtsEngine],
    observe: Callable[[Observation], None],
    listener: Listener | None = None,
) -> Assistant:
    """Put ears and a mouth around a brain, by default the configured ears. Must be called on the running loop."""
    voice = Voice(tts, mixer, brain.workers)
    if isinstance(brain.services.player, LocalPlayer):
        brain.services.player.mixer = mixer

    bell = Bell(brain.scheduler, mixer, voice, brain.clock, brain.words, observe)
    speech = brain.config.speech
    parts = Parts(
        brain.clock,
        brain.workers,
        ring,
        listener or make_listener(brain.config),
        stt,
        voice,
        mixer,
        brain.conversation,
        bell,
        chimes=brain.config.audio.chimes,
        follow_up=speech.follow_up > 0,
    )
    return Assistant(parts, observe)
