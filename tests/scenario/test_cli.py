"""The command line as programs rely on it: keys of the JSON, exit codes, files, and nothing written elsewhere."""

import importlib
import json
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from device.audio.files import read_audio, write_wav
from device.audio.ports import SAMPLE_RATE, Pcm
from device.cli.render import describe, show_timeline, show_turn
from device.dialogue.conversation import Turn
from device.errors import EngineFailed
from device.skills.api import Change
from device.speech import fetch
from device.speech.engines import make_vad
from device.speech.listen import ListenConfig, Listener
from device.speech.recording import speech_in

PROGRAM = importlib.import_module("device.cli.commands")
COMMANDS = {"talk", "ask", "say", "serve", "health", "update", "doctor", "bench", "models", "demo", "train", "evaluate"}
TURN = {"transcript", "interpretations", "reply", "changes", "expects_answer", "failed", "timeline_ms"}
READING = {"intent", "act", "slots", "confidence", "source", "reasons"}


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


# ask -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "intents", "slots", "changes"),
    [
        (
            "turn on the kitchen light",
            ["light.on"],
            [{"device": {"text": "kitchen light", "value": "kitchen light"}}],
            [{"skill": "light", "action": "on", "target": "light.kitchen", "set": {"on": True}}],
        ),
        (
            "set a pasta timer for ten minutes",
            ["timer.start"],
            [{"name": {"text": "pasta", "value": "pasta"}, "duration": {"text": "ten minutes", "value": 600}}],
            [{"skill": "timer", "action": "start", "target": "timer pasta", "set": {"remaining_s": 600}}],
        ),
        (
            "turn on the kitchen light and set the volume to thirty percent",
            ["light.on", "volume.set"],
            [
                {"device": {"text": "kitchen light", "value": "kitchen light"}},
                {"percent": {"text": "thirty percent", "value": 30}},
            ],
            [
                {"skill": "light", "action": "on", "target": "light.kitchen", "set": {"on": True}},
                {"skill": "volume", "action": "set", "target": "volume", "set": {"level": 30}},
            ],
        ),
        ("what time is it", ["time.query"], [{}], []),
    ],
)
def test_a_command_gives_one_object_with_the_documented_keys(
    homebody: Any, said: str, intents: list[str], slots: list[object], changes: list[object]
) -> None:
    done = homebody("ask", "--json", said)
    assert done.code == 0
    assert not done.err
    turn = done.json
    assert set(turn) == TURN
    assert turn["transcript"] == said
    assert all(set(reading) == READING for reading in turn["interpretations"])
    assert [reading["intent"] for reading in turn["interpretations"]] == intents
    assert [reading["slots"] for reading in turn["interpretations"]] == slots
    assert all(0 < reading["confidence"] <= 1 for reading in turn["interpretations"])
    assert all(reading["source"] == "grammar" for reading in turn["interpretations"])
    assert turn["changes"] == changes
    assert turn["reply"]
    assert turn["failed"] is False
    assert set(turn["timeline_ms"]) == {"nlu", "policy", "skill"}
    assert all(ms >= 0 for ms in turn["timeline_ms"].values())


def test_what_nobody_taught_it_fails_honestly(homebody: Any) -> None:
    done = homebody("ask", "--json", "please file my tax return with the authorities")
    assert done.code == 1
    assert done.json["failed"] is True
    assert [reading["intent"] for reading in done.json["interpretations"]] == ["oos"]
    assert done.json["reply"]
    assert done.json["changes"] == []


def test_a_question_back_is_marked_and_nothing_is_done(homebody: Any) -> None:
    turn = homebody("ask", "--json", "unlock the front door").json
    assert turn["expects_answer"] is True
    assert turn["changes"] == []


def test_a_person_sees_what_was_heard_done_and_answered(homebody: Any) -> None:
    done = homebody("ask", "-e", "turn on the kitchen light")
    assert done.code == 0
    you, why, because, change, home, *timeline = (line.rstrip() for line in done.out.splitlines())
    assert you == "  you  turn on the kitchen light"
    assert "light.on" in why
    assert "“kitchen light”" in why
    assert "every word is in the grammar" in because
    assert change == "   ↳   light on: kitchen"
    assert home.startswith("  home ")
    assert {"nlu", "skill"} <= {line.split()[0] for line in timeline}


def test_what_one_command_sets_the_next_one_finds(homebody: Any) -> None:
    homebody("ask", "add oat milk to the shopping list")
    assert "oat milk" in homebody("ask", "--json", "what's on my shopping list").json["reply"]


@pytest.mark.engines
def test_a_recorded_command_is_done_and_answered_aloud(homebody: Any, tmp_path: Path, spoken_command: Pcm) -> None:
    write_wav(tmp_path / "command.wav", spoken_command)
    done = homebody("ask", "--json", "--wav", tmp_path / "command.wav", "--out", tmp_path / "reply.wav")
    assert done.code == 0
    assert [change["target"] for change in done.json["changes"]] == ["light.kitchen"]
    assert set(done.json["timeline_ms"]) == {"speech", "vad", "load", "stt", "nlu", "policy", "skill"}
    reply = read_audio(tmp_path / "reply.wav")
    speech = speech_in(reply, Listener(None, make_vad(), ListenConfig()))
    assert speech is not None
    assert len(speech) > 0.5 * SAMPLE_RATE


# talk ----------------------------------------------------------------------------------------------------------


def test_a_typed_conversation_is_one_object_a_line(homebody: Any) -> None:
    done = homebody.process("talk", "--text", "--json", said="set a timer\n\nten minutes\nno, fifteen minutes\n")
    assert done.code == 0
    asked, started, corrected = map(json.loads, done.out.splitlines())
    assert asked["expects_answer"]
    assert started["changes"][0]["set"] == {"remaining_s": 600}
    assert corrected["changes"][-1]["set"] == {"remaining_s": 900}


# models, say, doctor -------------------------------------------------------------------------------------------


def test_models_are_listed_with_what_brings_them(homebody: Any) -> None:
    done = homebody("models", "list", "--json")
    assert done.code == 0
    rows = {(row["use"], row["name"]): row for row in done.json}
    assert set(rows) >= {("language", "homebody-en"), ("stt", "moonshine"), ("stt", "vosk"), ("tts", "espeak")}
    assert all(set(row) == {"use", "name", "version", "here", "active", "note"} for row in done.json)
    assert rows["language", "homebody-en"]["here"] is True
    assert rows["stt", "vosk"]["here"] is False
    assert rows["stt", "vosk"]["note"] == "Run: homebody models fetch vosk-small-en-us"


def test_the_shipped_model_is_whole(homebody: Any) -> None:
    done = homebody("models", "verify", "--json")
    assert done.code == 0
    assert done.json["ok"] is True
    assert done.json["name"] == "homebody-en"


def test_fetching_without_a_network_says_so_plainly(homebody: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def no_network(url: str, offset: int) -> Any:
        asked.append(url)
        raise OSError("Name or service not known")

    monkeypatch.setattr(fetch, "open_https", no_network)
    done = homebody("models", "fetch", "vosk-small-en-us")
    assert done.code == 3
    assert asked == [fetch.CATALOGUE["vosk-small-en-us"].url]
    assert "can't be reached" in done.err
    assert "--archive FILE" in done.err
    assert "Traceback" not in done.err


def test_a_wrong_archive_is_refused(homebody: Any, tmp_path: Path) -> None:
    (tmp_path / "model.zip").write_bytes(b"not it")
    done = homebody("models", "fetch", "vosk-small-en-us", "--archive", tmp_path / "model.zip")
    assert done.code == 2
    assert "wrong SHA-256" in done.err
    assert not (homebody.home / "models" / "vosk-small-en-us").exists()


def test_a_model_that_does_not_exist_is_refused(homebody: Any) -> None:
    done = homebody("models", "fetch", "vosk-huge-elvish")
    assert done.code == 2
    assert "Choose from: vosk-small-en-us." in done.err


@pytest.mark.engines
def test_a_text_is_spoken_into_a_file(homebody: Any, tmp_path: Path) -> None:
    done = homebody("say", "dinner is ready", "--out", tmp_path / "dinner.wav")
    assert done.code == 0
    pcm = read_audio(tmp_path / "dinner.wav")
    assert done.out == f"{tmp_path / 'dinner.wav'}: {len(pcm) / SAMPLE_RATE:.1f} s\n"
    assert speech_in(pcm, Listener(None, make_vad(), ListenConfig())) is not None


def test_nothing_to_say_is_refused(homebody: Any, tmp_path: Path) -> None:
    assert homebody("say", "...", "--out", tmp_path / "dots.wav").code == 2
    assert not (tmp_path / "dots.wav").exists()


@pytest.mark.engines
def test_the_doctor_reports_each_part(homebody: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    done = homebody("doctor", "--json")
    assert done.code == 0
    assert done.json["ok"] is True
    findings = {finding["what"]: finding for finding in done.json["findings"]}
    assert all(set(finding) == {"what", "state", "detail", "remedy"} for finding in findings.values())
    assert {"configuration", "storage", "language model", "wake word", "voice", "ears", "understanding"} <= set(
        findings
    )
    assert "kitchen light" in findings["ears"]["detail"].lower()
    monkeypatch.setenv("HOMEBODY_SPEECH__STT", "vosk")
    ill = homebody("doctor")
    assert ill.code == 3
    assert "homebody models fetch vosk-small-en-us" in ill.out
    assert "1 problem" in ill.out


# The program ---------------------------------------------------------------------------------------------------


def test_help_lists_all_commands(homebody: Any) -> None:
    done = homebody("--help")
    assert done.code == 0
    listed = {line.strip("│ ").split(" ")[0] for line in done.out.splitlines() if line.startswith("│")}
    assert listed >= COMMANDS


def test_help_imports_no_engine(homebody: Any) -> None:
    """What makes it quick; a figure in seconds would depend on the machine."""
    code = "import sys; from device.cli.commands import build; build(''); print(*sys.modules)"
    loaded = set(homebody.python(code).out.split())
    assert "device.cli.commands" in loaded
    assert not loaded & {"numpy", "onnxruntime", "torch", "soundfile", "device.app"}


def test_a_service_imports_no_parser_of_commands(homebody: Any) -> None:
    loaded = set(homebody.python("import sys; import device.cli, device.serving; print(*sys.modules)").out.split())
    assert "device.app" in loaded
    assert not loaded & {"typer", "rich", "hassil", "soundfile", "torch"}


@pytest.mark.parametrize("arguments", [("frobnicate",), ("ask", "--frobnicate"), ("models", "frobnicate"), ()])
def test_a_wrong_call_ends_with_two(homebody: Any, arguments: tuple[str, ...]) -> None:
    done = homebody(*arguments)
    assert done.code == 2
    assert "Usage: homebody" in done.out + done.err


def test_a_command_of_a_missing_extra_names_it(homebody: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints([EntryPoint("train", "not_installed_here.cli:train", PROGRAM.COMMANDS_GROUP)])
    monkeypatch.setattr(PROGRAM, "entry_points", lambda **wanted: points.select(**wanted))
    done = homebody("train")
    assert done.code == 3
    assert "`homebody train` needs not_installed_here" in done.err
    assert 'pip install "homebody[train]"' in done.err
    assert "train" in homebody("--help").out, "it is listed all the same"


def test_the_first_error_of_tasks_that_failed_together_is_reported(
    homebody: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def command() -> None:
        raise ExceptionGroup("tasks", [ExceptionGroup("inner", [EngineFailed("The voice broke.", remedy="Restart.")])])

    monkeypatch.setattr(PROGRAM, "_import", lambda target: command)
    done = homebody("say")
    assert done.code == 1
    assert done.err == "homebody: The voice broke.\n  Restart.\n"


def test_nothing_is_written_outside_of_the_home(homebody: Any, tmp_path: Path) -> None:
    done = homebody.process("ask", "--json", "set a timer for ten minutes and turn on the kitchen light")
    assert done.code == 0
    assert len(json.loads(done.out)["changes"]) == 2
    assert homebody.process("models", "list").code == 0
    assert files_below(homebody.home)
    assert not files_below(tmp_path / "user")
    assert not files_below(tmp_path / "work")


# What people see -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change("light", "on", "light.reading_lamp", {"on": True}), "light on: reading lamp"),
        (
            Change("light", "dim", "light.kitchen", {"on": True, "brightness": 40}),
            "light dim: kitchen, on, brightness 40",
        ),
        (Change("lock", "unlock", "lock.front_door", {"locked": False}), "lock unlock: front door, not locked"),
        (Change("timer", "start", "timer 1", {"remaining_s": 300}), "timer start: timer 1, remaining five minutes"),
        (Change("timer", "cancel", "timer 1"), "timer cancel: timer 1"),
        (
            Change("alarm", "set", "alarm 1", {"at": "2026-05-05T06:30:00", "rrule": ""}),
            "alarm set: alarm 1, at Tue 05 May 06:30",
        ),
        (Change("list", "add", "shopping list", {"items": ["milk", "eggs"]}), "list add: shopping list, milk, eggs"),
        (Change("volume", "set", "volume", {"level": 30}), "volume set: level 30"),
        (Change("alarm", "stop"), "alarm stop"),
    ],
)
def test_a_change_reads_naturally(change: Change, words: str) -> None:
    assert describe(change) == words


def shown(show: Callable[[Console], None], width: int = 60) -> list[str]:
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        show(console)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_long_replies_go_on_under_themselves() -> None:
    lines = shown(lambda console: show_turn(console, Turn("hello", reply="word " * 30)))
    assert len(lines) > 3
    assert all(len(line) <= 60 for line in lines)
    assert all(line.startswith(" " * 7 + "word") for line in lines[2:])


def test_stages_that_took_no_time_are_not_shown() -> None:
    lines = shown(lambda console: show_timeline(console, {"speech": 900.0, "load": 0.0, "stt": 80.0, "nlu": 2.0}))
    assert [line.split()[0] for line in lines] == ["speech", "stt", "nlu"]
    assert "━" not in lines[0]
    assert lines[1].count("━") > lines[2].count("━") > 0
