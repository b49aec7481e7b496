"""The check of a device's health: each thing that can fail does, and none of it raises or hangs."""

import asyncio
import importlib
import json
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from device.app import BUNDLE, load_all_packs, make_listener, make_tts_engine
from device.app.checks import COMMAND, RECORDING, health_checks, hears, knows, remembers, speaks, understands, wakes
from device.audio.files import read_audio
from device.audio.ports import FRAME, Pcm
from device.cli import health
from device.clock import Clock, SystemClock
from device.config import Config, NluConfig
from device.errors import (
    AudioDeviceMissing,
    BundleError,
    DatabaseDamaged,
    EngineFailed,
    MicrophoneSilent,
    StorageError,
)
from device.health import Check, Look, examine
from device.speech.endpoint import EndpointConfig
from device.speech.listen import ListenConfig, Listener
from device.speech.ports import SttCapabilities, Transcript
from device.speech.wake import MicroWakeWord
from device.store.database import Database
from device.store.schema import MIGRATIONS
from device.store.settings import Settings
from device.workers import ThreadWorkers
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.clock import VirtualClock, run
from firmware_sim.manual_clock import ManualClock
from firmware_sim.sound.engines import ToneLanguage, ToneTts, ToneVad
from firmware_sim.sound.microphone import SimulatedMicrophone
from models.manifest import Manifest

main = importlib.import_module("device.cli.main").main
NAMES = ["configuration", "database", "microphone", "wake word", "language model", "command", "voice"]


def all_of(looks: Mapping[str, Look], clock: Clock | None = None, deadline: float = 60.0) -> list[Check]:
    """Examine on threads in real time, or inline on a virtual clock."""

    async def examined() -> list[Check]:
        return [check async for check in examine(looks, clock or SystemClock(), ThreadWorkers(), deadline)]

    return asyncio.run(examined())


def broken() -> str:
    raise ZeroDivisionError("a bug")


def refused() -> str:
    raise StorageError("The disk is full.", remedy="Free some space.")


# The examination -----------------------------------------------------------------------------------------------


def test_each_check_says_how_it_is_and_what_can_be_done() -> None:
    fine, full, bug = all_of({"one": lambda: "all is well", "two": refused, "three": broken})
    assert (fine.name, fine.ok, fine.detail, fine.remedy) == ("one", True, "all is well", "")
    assert (full.name, full.ok, full.detail, full.remedy) == ("two", False, "The disk is full.", "Free some space.")
    assert (bug.name, bug.ok, bug.detail) == ("three", False, "ZeroDivisionError: a bug.")
    assert bug.remedy


def test_what_hangs_fails_and_the_rest_is_looked_at_all_the_same() -> None:
    gate = threading.Event()

    def hang() -> str:
        gate.wait(30)
        return "late"

    try:
        hung, fine = all_of({"voice": hang, "database": lambda: "well"}, deadline=0.05)
    finally:
        gate.set()
    assert (hung.ok, hung.detail, hung.remedy) == (False, "It did not answer within 0.05 s.", "Start the device again.")
    assert fine.ok


def test_the_time_of_each_is_told() -> None:
    costs = {"slow": 2.0}

    async def examined(clock: VirtualClock) -> list[Check]:
        workers = InlineWorkers(clock, lambda worker: costs.get(worker, 0.0))
        looks: dict[str, Look] = {"quick": lambda: "", "slow": lambda: "", "slower": lambda: ""}
        costs["slower"] = 61.0
        return [check async for check in examine(looks, clock, workers)]

    quick, slow, slower = run(examined)
    assert [quick.milliseconds, slow.milliseconds, slower.milliseconds] == pytest.approx([0, 2000, 60_000])
    assert [quick.ok, slow.ok, slower.ok] == [True, True, False]


# The microphone ------------------------------------------------------------------------------------------------


def heard(change: Callable[[SimulatedMicrophone], None]) -> str:
    async def listened(clock: VirtualClock) -> str:
        microphone = SimulatedMicrophone(clock, noise_dbfs=-60.0)
        change(microphone)
        try:
            return await hears(microphone, clock)
        finally:
            delivered = clock.monotonic()
            microphone.stop()
            assert delivered <= 1.1

    return run(listened, limit=10)


def test_a_microphone_that_hears_the_room_is_well() -> None:
    assert heard(lambda microphone: None) == "simulated microphone, room at -60 dB"


def test_a_quiet_microphone_is_no_reason_to_go_back() -> None:
    assert "-80 dB" in heard(lambda microphone: microphone.amplify(-20.0))


def test_a_microphone_that_is_switched_off_fails() -> None:
    with pytest.raises(MicrophoneSilent, match=r"no signal at all\. Check its switch"):
        heard(lambda microphone: microphone.switch(True))


def test_a_microphone_that_is_not_there_fails() -> None:
    with pytest.raises(AudioDeviceMissing):
        heard(lambda microphone: microphone.unplug())


# The database --------------------------------------------------------------------------------------------------


def test_a_copy_of_the_database_is_opened_and_written_to(tmp_path: Path, clock: ManualClock) -> None:
    database = Database(tmp_path / "homebody.db")
    Settings(database).set("volume", 40)  # still in the log: the device runs
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if not file.name.endswith("-shm")}
    assert remembers(tmp_path, clock) == str(tmp_path / "homebody.db")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if not file.name.endswith("-shm")} == before
    database.close()


def test_a_system_on_trial_leaves_the_database_to_the_old_one(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    Database(tmp_path / "homebody.db").close()
    before = (tmp_path / "homebody.db").read_bytes()
    monkeypatch.setattr("device.store.database.MIGRATIONS", (*MIGRATIONS, "CREATE TABLE later (id INTEGER)"))
    remembers(tmp_path, clock)
    assert (tmp_path / "homebody.db").read_bytes() == before
    monkeypatch.setattr("device.store.database.MIGRATIONS", MIGRATIONS)
    Database(tmp_path / "homebody.db").close()


def test_a_new_device_has_no_database_yet(tmp_path: Path, clock: ManualClock) -> None:
    remembers(tmp_path / "home", clock)
    assert list((tmp_path / "home").iterdir()) == []


def test_a_damaged_database_fails(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "homebody.db").write_bytes(b"this is no database" * 300)
    with pytest.raises(DatabaseDamaged, match="what could not be read is lost"):
        remembers(tmp_path, clock)
    assert (tmp_path / "homebody.db").read_bytes() == b"this is no database" * 300, (
        "it is the device that moves it aside"
    )


def test_a_folder_that_is_none_fails(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(StorageError):
        remembers(tmp_path / "home", clock)


def test_a_database_that_can_only_be_read_fails(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    Database(tmp_path / "homebody.db").close()
    connect = Database._connect
    monkeypatch.setattr(Database, "_connect", lambda self, path: connect(self, f"{Path(path).as_uri()}?immutable=1"))
    with pytest.raises(StorageError, match="readonly"):
        remembers(tmp_path, clock)


# Wake words, ears and understanding ----------------------------------------------------------------------------


def test_wake_words_are_named(tmp_path: Path) -> None:
    assert wakes(MicroWakeWord(["hey_jarvis", "alexa"])) == "hey jarvis, alexa"
    assert wakes(None) == "push to talk"


class Hears:
    """Ears that hear one thing, whatever is said."""

    name = "ears"
    capabilities = SttCapabilities(streaming=False, partials=False, bias=False, language="en")

    def __init__(self, text: str) -> None:
        self._text = text
        self.fed = 0

    def start(self, bias: object = None) -> None:
        self.fed = 0

    def feed(self, pcm: Pcm) -> None:
        self.fed += len(pcm)

    def partial(self) -> str:
        return ""

    def finish(self) -> Transcript:
        return Transcript(self._text)


def test_the_recording_is_small_and_one_short_command() -> None:
    assert RECORDING.stat().st_size <= 40_000
    assert 16_000 < len(read_audio(RECORDING)) < 2 * 16_000


def test_a_command_is_understood_by_its_intent_and_slots(clock: ManualClock) -> None:
    ears = Hears("Turn on the kitchen light.")
    said = understands(make_listener(Config(), wake=False), ears, load_all_packs(Config(), Path()), clock)
    assert said == "ears heard “turn on the kitchen light”"
    assert 16_000 < ears.fed <= 2 * 16_000


@pytest.mark.parametrize(
    "text", ["turn on the kitten light", "turn off the kitchen light", "turn on the bedroom light", ""]
)
def test_ears_that_hear_something_else_fail(text: str, clock: ManualClock) -> None:
    with pytest.raises(EngineFailed, match=f"heard “{text}” in place of “{COMMAND}”"):
        understands(make_listener(Config(), wake=False), Hears(text), load_all_packs(Config(), Path()), clock)


def test_a_detector_that_hears_nobody_fails(clock: ManualClock) -> None:
    class Never(ToneVad):
        def process(self, frame: Pcm) -> float:
            return 0.0

    listener = Listener(None, Never(), ListenConfig(EndpointConfig()))
    with pytest.raises(EngineFailed, match="Nobody is heard"):
        understands(listener, Hears(COMMAND), load_all_packs(Config(), Path()), clock)


# The language model --------------------------------------------------------------------------------------------


def bundle_of(folder: Path, **fields: Any) -> Path:
    """The shipped model with other fields of the manifest, and thus unsigned."""
    shutil.copytree(BUNDLE, folder)
    msgspec.structs.replace(Manifest.read(BUNDLE), version=folder.name, signature=None, **fields).write(folder)
    return folder


def known(config: Config, home: Path) -> str:
    return knows(config, home, load_all_packs(config, home))


def test_the_model_that_ships_is_known_by_name_and_version(tmp_path: Path) -> None:
    manifest = Manifest.read(BUNDLE)
    assert known(Config(), tmp_path) == f"{manifest.name} {manifest.version}"


def test_a_model_that_is_damaged_fails_though_another_takes_its_place(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path / "3")
    (bundle / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(BundleError, match=r"model\.onnx is damaged"):
        known(Config(nlu=NluConfig(model=str(bundle))), tmp_path)


def test_a_model_that_understands_nothing_fails(tmp_path: Path) -> None:
    calibration = msgspec.structs.replace(Manifest.read(BUNDLE).calibration, threshold=1.0)
    bundle = bundle_of(tmp_path / "3", calibration=calibration)
    with pytest.raises(BundleError, match=f"homebody-en 3 takes “{COMMAND}” for nothing that it knows"):
        known(Config(nlu=NluConfig(model=str(bundle))), tmp_path)


# The voice -----------------------------------------------------------------------------------------------------


def test_a_voice_that_is_heard_is_well() -> None:
    assert " s at -" in speaks(ToneTts(ToneLanguage()))


class Whisper(ToneTts):
    """A voice that renders all too faint sound."""

    def render(self, sentence: str) -> tuple[Pcm, int]:
        pcm, rate = super().render(sentence)
        return (pcm // 1000).astype(np.int16), rate


class Silence(ToneTts):
    """A voice that renders zeros."""

    def render(self, sentence: str) -> tuple[Pcm, int]:
        return np.zeros(40 * FRAME, np.int16), 16_000


@pytest.mark.parametrize("voice", [Whisper, Silence])
def test_a_voice_that_nobody_hears_fails(voice: type[ToneTts]) -> None:
    with pytest.raises(EngineFailed, match="nobody hears that"):
        speaks(voice(ToneLanguage()))


# The command ---------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOMEBODY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch, home: Path) -> dict[str, Look]:
    """What the command looks at; all is well unless a test changes that."""
    looks: dict[str, Look] = dict.fromkeys(NAMES, lambda: "fine")
    monkeypatch.setattr(health, "health_checks", lambda home, model=None: looks)
    return looks


def ended(*arguments: str) -> object:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code


def test_all_checks_pass(looks: dict[str, Look], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("health") == 0
    assert [line.split("  ")[0].strip(" ✓") for line in capsys.readouterr().out.splitlines()] == NAMES


def test_one_that_fails_is_told_with_its_remedy(looks: dict[str, Look], capsys: pytest.CaptureFixture[str]) -> None:
    looks["database"] = refused
    assert ended("health") == 1
    out = capsys.readouterr().out
    assert " ✗ database        The disk is full." in out
    assert "→ Free some space." in out


def test_a_program_gets_one_object(looks: dict[str, Look], capsys: pytest.CaptureFixture[str]) -> None:
    looks["voice"] = broken
    assert ended("health", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert [check["name"] for check in found["checks"]] == NAMES
    assert {*found["checks"][0]} == {"name", "ok", "detail", "remedy", "milliseconds"}
    assert [check["name"] for check in found["checks"] if not check["ok"]] == ["voice"]


def test_a_board_without_a_microphone_leaves_it_out(looks: dict[str, Look], capsys: pytest.CaptureFixture[str]) -> None:
    looks["microphone"] = looks["voice"] = refused
    assert ended("health", "--json", "--without", "microphone", "--without", "voice") == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert [check["name"] for check in checks] == [name for name in NAMES if name not in ("microphone", "voice")]


def test_what_is_left_out_must_exist(looks: dict[str, Look], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("health", "--without", "ears") == 2
    assert "There is no check ears" in capsys.readouterr().err


def test_a_configuration_that_can_not_be_read_fails_by_itself(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("[speech]\nstt = 'whispr'\n")
    (check,) = all_of({"configuration": health_checks(home)["configuration"]})
    assert not check.ok
    assert "whispr" in check.detail


@pytest.mark.engines
def test_the_engines_that_ship_are_healthy(home: Path) -> None:
    looks = health_checks(home)
    assert list(looks) == NAMES
    del looks["microphone"]
    checks = all_of(looks)
    assert [check.detail for check in checks if not check.ok] == []
    assert any("heard “turn on the kitchen light”" in check.detail for check in checks)
    assert make_tts_engine(Config(), home).name in checks[-1].detail
