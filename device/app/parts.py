"""What the composition root loads: drivers, packs, the language model, the compiled grammar."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from device.config import Config
from device.errors import (
    BundleError,
    BundleReplaced,
    ConfigError,
    DeviceError,
    EngineMissing,
    Missing,
    PackError,
    StorageError,
)
from device.nlu.bundles import Bundles
from device.nlu.grammar import Grammar, compile_grammar, grammar_key
from device.nlu.onnx_model import JointModel, load_model
from device.nlu.pack import PACKS_DIR, Pack, load_packs
from device.nlu.phonemes import Phonemizer
from device.nlu.rescue import SoundRescue
from device.nlu.types import OOS
from device.plugged import entry_points
from device.skills.library import Library
from device.skills.player import LocalPlayer
from device.skills.ports import Player
from device.workers import Workers
from models.signature import PublicKey, shipped_keys

DRIVERS_GROUP = "homebody.drivers"
"""Entry points `house.NAME`, `television.NAME`, `player.NAME`: callables that take the home folder."""


ModelFinder: TypeAlias = Callable[[Config, Path, Sequence[Pack], list[DeviceError]], JointModel | None]
"""Gives the language model for settings, home folder and packs; what it refuses on the way it adds to the list."""

Drivers: TypeAlias = Callable[[str, str, Path], Any]
"""Builds the driver of a port ("house", "television", "player") by its name, given the home folder."""

BUNDLE = Path(__file__).parents[2] / "models" / "artefacts" / "homebody-en"
"""The model that ships."""


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


def make_player(config: Config, home: Path, workers: Workers, drivers: Drivers = driver) -> Player:
    """The configured media player; "local" plays the folder `home.music` through the device's own mixer.

    Raises:
        ConfigError: "local" without a folder.
        Missing: No such driver.
    """
    if config.home.player != "local":
        player: Player = drivers("player", config.home.player, home)
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


def bundle_folders(config: Config, home: Path, refused: list[BundleError]) -> list[Path]:
    """Where to look for the language model, best first.

    That is the configured one, the installed one, those that were in use before it, the one that ships. If it can't be
    read what is installed, that goes to `refused`.
    """
    folders = [Path(config.nlu.model).expanduser()] if config.nlu.model else []
    bundles = Bundles(home)
    try:
        folders += map(bundles.folder, reversed(bundles.line()))
    except BundleError as error:
        refused.append(error)
    return list(dict.fromkeys((*folders, BUNDLE)))


def fit_model(folder: Path, config: Config, packs: Sequence[Pack]) -> JointModel:
    """Load a bundle if it is fit for use on this device.

    Where signatures are required, the bundle that ships needs none: whoever could change it could change the program.

    Raises:
        BundleError: It is damaged, not signed as required, or foreign: it knows intents that no pack defines, and
            nobody could do what it understands.
    """
    keys = trusted_keys(config) if config.nlu.require_signature and folder != BUNDLE else None
    model = load_model(folder, config.nlu.threads, keys)
    if unknown := foreign_intents(model, packs):
        raise BundleError(
            f"The model bundle {folder} is foreign: no pack defines {', '.join(unknown[:3])}.",
            remedy="Add the pack that it was trained for, or use another bundle.",
        )
    return model


def foreign_intents(model: JointModel, packs: Sequence[Pack]) -> list[str]:
    """Intents of a model that no pack defines."""
    return sorted(set(model.labels.intents) - {OOS, *(name for pack in packs for name in pack.intent_names())})


def trusted_keys(config: Config) -> tuple[PublicKey, ...]:
    """The public keys that ship and those of the configuration."""
    return (*shipped_keys(), *(PublicKey.parse(key) for key in config.nlu.trusted_keys))


def load_language_model(
    config: Config, home: Path, packs: Sequence[Pack], problems: list[DeviceError]
) -> JointModel | None:
    """The first of `bundle_folders` that is fit for use, or None: then only fixed phrases are understood.

    Each bundle that is refused becomes a problem, which says what is in use instead.
    """
    refused: list[BundleError] = []
    for folder in bundle_folders(config, home, refused):
        try:
            model = fit_model(folder, config, packs)
        except BundleError as error:
            refused.append(error)
        else:
            used = f"{model.manifest.name} {model.manifest.version} is in use instead."
            problems += (BundleReplaced(f"{Exception.__str__(error)} {used}", remedy=error.remedy) for error in refused)
            return model
    problems += refused
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


def sound_rescue(
    grammar: Grammar, packs: Sequence[Pack], model: JointModel | None, home: Path, problems: list[DeviceError]
) -> SoundRescue | None:
    """Recognition by sound, or None where words can't be pronounced on this machine.

    Packs that the model was not trained on are always searched; without a model only the owner's, since nothing
    would say that a sentence was none of the many others.
    """
    if shutil.which("espeak-ng") is None:
        problems.append(
            EngineMissing(
                "espeak-ng is not installed: misheard words are not recognized.",
                remedy="Run: sudo apt install espeak-ng",
            )
        )
        return None
    known = (
        set(model.labels.intents) if model else {name for pack in load_packs(PACKS_DIR) for name in pack.intent_names()}
    )
    untrained = [name for pack in packs for name in pack.intent_names() if name not in known]
    return SoundRescue(grammar, Phonemizer(home / "cache"), untrained)
