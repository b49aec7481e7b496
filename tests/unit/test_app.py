"""The composition root: drivers by name, packs of one's own, and problems that are told instead of stopping all."""

import json
import shutil
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import msgspec
import pytest

from device.app import Brain, build_brain, driver, load_all_packs, load_language_model, make_home, make_player, parts
from device.clock import Clock
from device.config import Config, HomeConfig, NluConfig, PrivacyConfig
from device.errors import (
    BundleError,
    ConfigError,
    DatabaseDamaged,
    DeviceError,
    Missing,
    OutOfMemory,
    PackError,
    StorageError,
    Unexpected,
    reportable,
)
from device.skills.player import LocalPlayer
from device.store.turns import History
from firmware_sim.board.flash import Flash
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.home.house import SimulatedHouse
from models.labels import LabelSchema
from models.manifest import Manifest, file_sha256

COFFEE = """
skill: coffee
intents:
  order:
    phrases: ["(order|make) me a coffee"]
    replies: {done: Here it comes.}
    examples: [make me a coffee]
"""


def own_pack(home: Path, text: str = COFFEE) -> None:
    (home / "packs").mkdir()
    (home / "packs" / "coffee.yaml").write_text(text)


@pytest.fixture
def brain(tmp_path: Path, clock: Clock) -> Brain:
    return build_brain(Config(), tmp_path, clock, InlineWorkers(clock))


# Drivers -------------------------------------------------------------------------------------------------------


def test_a_driver_is_found_by_its_name(tmp_path: Path) -> None:
    assert isinstance(driver("house", "simulated", tmp_path), SimulatedHouse)


def test_a_driver_of_a_third_party_needs_only_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("house.cardboard", "firmware_sim.home.house:build", parts.DRIVERS_GROUP)
    monkeypatch.setattr(parts, "entry_points", lambda **wanted: EntryPoints([point]).select(**wanted))
    assert isinstance(driver("house", "cardboard", tmp_path), SimulatedHouse)
    with pytest.raises(Missing, match="Installed: cardboard"):
        driver("house", "simulated", tmp_path)


def test_an_unknown_driver_names_those_of_that_port(tmp_path: Path) -> None:
    with pytest.raises(Missing) as caught:
        driver("television", "projector", tmp_path)
    assert "no television driver `projector`" in str(caught.value)
    assert caught.value.remedy == "Installed: simulated."


def test_local_music_is_played_by_the_device_itself(tmp_path: Path, clock: Clock) -> None:
    config = Config(home=HomeConfig(player="local", music=str(tmp_path)))
    assert isinstance(make_player(config, tmp_path, InlineWorkers(clock)), LocalPlayer)


def test_local_music_without_a_folder_is_a_mistake_in_the_configuration(tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(ConfigError, match=r"home\.music"):
        make_player(Config(home=HomeConfig(player="local")), tmp_path, InlineWorkers(clock))


# Packs ---------------------------------------------------------------------------------------------------------


async def test_a_pack_of_ones_own_is_understood_and_answered(tmp_path: Path, clock: Clock) -> None:
    own_pack(tmp_path)
    brain = build_brain(Config(), tmp_path, clock, InlineWorkers(clock))
    turn = await brain.conversation.turn("make me a coffee")
    assert [reading.intent for reading in turn.interpretations] == ["coffee.order"]
    assert turn.reply == "Here it comes."


def test_packs_may_lie_in_another_folder(tmp_path: Path) -> None:
    own_pack(tmp_path)
    config = Config(nlu=NluConfig(packs=str(tmp_path / "packs")))
    assert load_all_packs(config, tmp_path / "home")[-1].skill == "coffee"


def test_a_pack_can_not_take_the_place_of_a_built_in_skill(tmp_path: Path) -> None:
    own_pack(tmp_path, "skill: lock\nintents: {}\n")
    with pytest.raises(PackError, match="`lock`, which is built in") as caught:
        load_all_packs(Config(), tmp_path)
    assert caught.value.remedy


# The language model --------------------------------------------------------------------------------------------


def model_of(folder: Path, home: Path) -> tuple[str, list[DeviceError]]:
    """Name and version of the model that is used where `folder` is configured, and the problems."""
    problems: list[DeviceError] = []
    config = Config(nlu=NluConfig(model=str(folder)))
    model = load_language_model(config, home, load_all_packs(config, home), problems)
    return model.manifest.name if model else "", problems


def copy_of_bundle(folder: Path, name: str, intents: dict[str, str] | None = None) -> Path:
    """A valid bundle with another name, in which some intents may be called otherwise."""
    shutil.copytree(parts.BUNDLE, folder)
    labels = folder / "labels.json"
    for old, new in (intents or {}).items():
        labels.write_text(labels.read_text().replace(json.dumps(old), json.dumps(new)))
    manifest = msgspec.structs.replace(
        Manifest.read(folder),
        name=name,
        ontology=LabelSchema.read(labels).ontology,
        files={file.name: file_sha256(file) for file in folder.iterdir() if file.name != "manifest.json"},
    )
    manifest.write(folder)
    return folder


def test_a_bundle_of_ones_own_is_used(tmp_path: Path) -> None:
    assert model_of(copy_of_bundle(tmp_path / "bundle", "mine"), tmp_path) == ("mine", [])


def test_a_damaged_bundle_is_told_and_the_shipped_one_used(tmp_path: Path) -> None:
    bundle = copy_of_bundle(tmp_path / "bundle", "mine")
    (bundle / "tokenizer.json").write_bytes(b"{}")
    name, [problem] = model_of(bundle, tmp_path)
    assert name == Manifest.read(parts.BUNDLE).name
    assert isinstance(problem, BundleError)
    assert "tokenizer.json" in str(problem)


def test_a_bundle_whose_intents_no_pack_defines_is_foreign(tmp_path: Path) -> None:
    bundle = copy_of_bundle(tmp_path / "bundle", "mine", {"lock.unlock": "spaceship.launch"})
    name, [problem] = model_of(bundle, tmp_path)
    assert name == Manifest.read(parts.BUNDLE).name
    assert "spaceship.launch" in str(problem)


async def test_without_any_model_fixed_phrases_are_understood_and_the_problem_is_told(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "BUNDLE", tmp_path / "nothing")
    brain = build_brain(Config(), tmp_path, clock, InlineWorkers(clock))
    assert brain.model is None
    assert [type(problem) for problem in brain.problems] == [BundleError]
    assert str(tmp_path / "nothing") in str(brain.problems[0])
    turn = await brain.conversation.turn("turn on the kitchen light")
    assert turn.changes[0].target == "light.kitchen"
    odd = await brain.conversation.turn("please do my taxes quickly")
    assert odd.failed
    assert odd.reply


async def test_a_device_starts_on_a_read_only_storage(tmp_path: Path, clock: Clock) -> None:
    home = tmp_path / "home"
    build_brain(Config(), home, clock, InlineWorkers(clock)).close()
    with Flash(home, clock) as flash:
        flash.read_only = True
        brain = build_brain(Config(), home, clock, InlineWorkers(clock))
        assert (await brain.conversation.turn("turn on the kitchen light")).changes
        brain.close()


# Errors --------------------------------------------------------------------------------------------------------


def test_a_want_of_memory_is_no_bug() -> None:
    assert type(reportable(MemoryError("no memory"))) is OutOfMemory
    assert type(reportable(ValueError("a bug"))) is Unexpected
    assert type(reportable(BundleError("damaged"))) is BundleError


def test_a_damaged_database_is_a_problem_with_words_of_its_own(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "homebody.db").write_bytes(b"no database at all" * 500)
    brain = build_brain(Config(), tmp_path, clock, InlineWorkers(clock), find_model=lambda *_: None)
    [problem] = brain.problems
    assert isinstance(problem, DatabaseDamaged)
    assert problem.spoken != StorageError.spoken


# State ---------------------------------------------------------------------------------------------------------


def test_a_home_that_is_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(StorageError, match="not a folder"):
        make_home(tmp_path / "home")


async def test_volume_is_remembered(brain: Brain, tmp_path: Path, clock: Clock) -> None:
    await brain.conversation.turn("set the volume to seventeen percent")
    brain.database.close()
    assert build_brain(Config(), tmp_path, clock, InlineWorkers(clock)).volume.level() == 17


@pytest.mark.parametrize(("days", "kept"), [(0, None), (7, "what time is it")])
async def test_turns_are_kept_only_where_their_owner_wants(
    tmp_path: Path, clock: Clock, days: int, kept: str | None
) -> None:
    config = Config(privacy=PrivacyConfig(keep_turns_days=days))
    brain = build_brain(config, tmp_path, clock, InlineWorkers(clock))
    await brain.conversation.turn("what time is it")
    last = History(brain.database).last()
    assert (last and last.heard) == kept


async def test_a_turn_that_can_not_be_recorded_is_answered_all_the_same(tmp_path: Path, clock: Clock) -> None:
    brain = build_brain(Config(privacy=PrivacyConfig(keep_turns_days=7)), tmp_path, clock, InlineWorkers(clock))
    brain.database.query("PRAGMA query_only=ON")
    turn = await brain.conversation.turn("turn on the kitchen light")
    assert turn.changes
    assert not turn.failed
