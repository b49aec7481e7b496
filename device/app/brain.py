"""What understands and acts, built: enough for typed use."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from device.app.parts import (
    Drivers,
    ModelFinder,
    compiled_grammar,
    driver,
    load_all_packs,
    load_language_model,
    make_home,
    make_player,
    sound_rescue,
)
from device.audio.volume import DeviceVolume
from device.clock import Clock
from device.config import Config
from device.dialogue.conversation import Conversation, Memory, Turn
from device.errors import DatabaseDamaged, DeviceError, StorageError
from device.household import household_names
from device.nlu.answer import Interpreter
from device.nlu.onnx_model import JointModel
from device.nlu.pack import Pack
from device.nlu.report import UsedModel
from device.nlu.understand import Understander
from device.skills.api import Services
from device.skills.registry import build_skills
from device.skills.schedule import Ring as Due
from device.skills.schedule import Scheduler, announcement
from device.store.database import Database
from device.store.items import Items
from device.store.phrases import TaughtPhrases
from device.store.settings import Settings
from device.store.turns import Reading, Turns
from device.workers import Workers

_log = logging.getLogger(__name__)


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
        key, values = announcement(due)
        return self.conversation.words(f"{due.kind}.set", key, values)

    def close(self) -> None:
        """Fold the database's log into its file and let the workers go."""
        self.workers.close()
        self.database.close()


def build_brain(
    config: Config,
    home: Path,
    clock: Clock,
    workers: Workers,
    random: Random | None = None,
    drivers: Drivers = driver,
    find_model: ModelFinder = load_language_model,
) -> Brain:
    """Build what understands and acts.

    Args:
        config: Settings.
        home: Folder of all state.
        clock: Time.
        workers: Where understanding runs.
        random: Of coins, dice, jokes and examples; by default one that nobody can foresee.
        drivers: Gives the driver of a port; by default those that are installed.
        find_model: Gives the language model; by default the best bundle that is fit for use.

    Raises:
        DeviceError: Something without which nothing works: storage, packs, a driver.
    """
    make_home(home)
    problems: list[DeviceError] = []
    database = Database(home / "homebody.db")
    if database.recovered_from:
        problems.append(
            DatabaseDamaged(
                f"The database was damaged and starts anew; the old file is kept as {database.recovered_from}.",
                remedy="Set timers, alarms, reminders and lists again.",
            )
        )
    if database.lost_commits:
        problems.append(
            DatabaseDamaged(
                f"The log of the database was damaged; at least {database.lost_commits} of the last changes are lost.",
                remedy="Check timers, alarms, reminders and lists.",
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
        drivers("house", config.home.house, home),
        drivers("television", config.home.television, home),
        make_player(config, home, workers, drivers),
        volume,
        config.home.room,
        packs,
        random or Random(),
    )
    names = household_names(services.house, services.television, config.home.people, Items(database).lists())
    model = find_model(config, home, packs, problems)
    specs = {f"{pack.skill}.{name}": spec for pack in packs for name, spec in pack.intents.items()}
    grammar = compiled_grammar(packs, names, home / "cache")
    understander = Understander(grammar, specs, model, sound_rescue(grammar, packs, model, home, problems))
    skills = build_skills(services, packs)
    memory = Memory(TaughtPhrases(database).command, _recorder(database, config, clock, model))
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


def _recorder(database: Database, config: Config, clock: Clock, model: JointModel | None) -> Callable[[Turn], None]:
    """Keeps the text of turns, if their owner wants that."""
    turns = Turns(database, config.privacy.keep_turns_days)
    try:
        turns.prune(clock.now())
    except StorageError as error:  # on a read-only storage the device starts all the same, and alarms ring
        _log.warning("old turns were not forgotten: %s", error)
    if not config.privacy.keep_turns_days:
        return lambda turn: None
    manifest = model.manifest if model else None
    used = UsedModel(manifest.name, manifest.version, manifest.files["model.onnx"]) if manifest else None

    def record(turn: Turn) -> None:
        intents = " ".join(i.intent for i in turn.interpretations)
        readings = [
            Reading(i.intent, i.act, i.source, i.confidence, i.text, {n: s.text for n, s in i.slots.items()})
            for i in turn.interpretations
        ]
        try:
            turns.add(clock.now(), turn.transcript, intents, turn.reply, readings, turn.failed, used)
        except StorageError as error:  # what the turn did is done, and its reply must be heard
            _log.warning("a turn was not recorded: %s", error)

    return record


def _save_volume(settings: Settings, level: int, muted: bool) -> None:
    settings.set("volume", level)
    settings.set("muted", muted)
