"""What a device keeps of a turn, how "that was wrong" finds it, and the command line without the factory."""

import importlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest
import typer

from device.app import build_brain
from device.cli import main
from device.config import Config, PrivacyConfig
from device.nlu.report import UsedModel
from device.nlu.types import Act
from device.store.database import Database
from device.store.schema import MIGRATIONS
from device.store.turns import History, Reading, Turns
from firmware_sim.board.workers import InlineWorkers
from firmware_sim.manual_clock import ManualClock

READING = Reading("timer.start", Act.COMMAND, "model", 0.9, "pasta nine", {"duration": "nine", "name": "pasta"})
USED = UsedModel("homebody-en", "1", "0" * 64)


def test_how_a_turn_was_understood_is_kept_with_it(database: Database, clock: ManualClock) -> None:
    Turns(database, 7).add(clock.now(), "pasta nine", "timer.start", "Okay.", [READING], True, USED)
    last = History(database).last()
    assert last is not None
    assert (last.readings, last.failed, last.model) == ((READING,), True, USED)


def test_turns_of_an_older_version_are_kept_without_readings(tmp_path: Path) -> None:
    path = tmp_path / "homebody.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(MIGRATIONS[0])
        old.execute("INSERT INTO turns (at_utc, heard, intent, reply) VALUES (1, 'hello', 'smalltalk.greet', 'Hi.')")
        old.execute("PRAGMA user_version=1")
        old.commit()
    last = History(Database(path)).last()
    assert last is not None
    assert (last.heard, last.readings, last.failed, last.model) == ("hello", (), False, None)


async def test_wrong_means_the_last_turn_that_did_something(
    ask: Callable[..., Any], database: Database, clock: ManualClock
) -> None:
    turns, history = Turns(database, 7), History(database)
    turns.add(clock.now(), "make it snug", "oos", "Sorry.")
    for _ in range(2):  # said twice, it still means the same
        await ask("feedback.wrong")
        turns.add(clock.now(), "that was wrong", "feedback.wrong", "Sorry.")
    assert [turn.heard for turn, _ in history.marked()] == ["make it snug"]


async def test_a_device_records_what_it_understood_and_with_which_model(tmp_path: Path, clock: ManualClock) -> None:
    config = Config(privacy=PrivacyConfig(keep_turns_days=7))
    with closing(build_brain(config, tmp_path, clock, InlineWorkers(clock))) as brain:
        await brain.conversation.turn("turn on the kitchen light")
        last = History(brain.database).last()
        assert last is not None
        (reading,) = last.readings
        assert (reading.intent, reading.route, reading.slots) == ("light.on", "grammar", {"device": "kitchen light"})
        assert brain.model is not None
        assert last.model is not None
        assert last.model.sha256 == brain.model.manifest.files["model.onnx"]
        start = datetime(1970, 1, 2, tzinfo=UTC)
        assert History(brain.database).forget(start, clock.now() + timedelta(days=1)) == 1


def test_a_device_without_the_factory_still_exports(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = importlib.import_module("device.cli.commands")
    points = EntryPoints([EntryPoint("feedback.review", "not_installed_here:review", program.COMMANDS_GROUP)])
    monkeypatch.setattr(program, "entry_points", lambda **wanted: points.select(**wanted))
    monkeypatch.setattr(program, "_import", lambda target: whole)
    whole = typer.Typer()
    whole.command("export")(lambda: typer.echo("exported"))
    ends = []
    for arguments in (["feedback", "export"], ["feedback", "review", "some.jsonl", "--out", "x"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        ends.append(ended.value.code)
    said = capsys.readouterr()
    assert ends == [0, 3]
    assert "exported" in said.out
    assert 'pip install "homebody[train]"' in said.err
