"""Bad input and a bad machine: the right exit code, plain words with a remedy, no traceback, nothing lost."""

import ctypes
import json
import os
import resource
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile

from device.app import parts
from device.audio import card
from device.audio.files import write_wav
from device.audio.ports import SAMPLE_RATE, Pcm
from device.store.database import Database
from device.store.items import Items
from models.labels import LabelSchema
from models.manifest import Manifest, file_sha256

KITCHEN = {"skill": "light", "action": "on", "target": "light.kitchen", "set": {"on": True}}


def refused(done: Any, code: int, *said: str) -> None:
    """It ended with this code, says what is wrong in so many words, and what can be done in a line of its own."""
    assert done.code == code, done
    message, remedy, *more = done.err.splitlines()
    assert not more, "two lines are enough"
    assert message.startswith("homebody: ")
    assert remedy.strip()
    for words in said:
        assert words in done.err
    assert not done.out


# Recordings ----------------------------------------------------------------------------------------------------


def header(seconds: float, rate: int = SAMPLE_RATE) -> bytes:
    """Of a 16-bit mono WAV that claims to be so long."""
    size = round(seconds * rate) * 2
    riff = b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    form = b"".join(n.to_bytes(w, "little") for n, w in ((1, 2), (1, 2), (rate, 4), (2 * rate, 4), (2, 2), (16, 2)))
    return riff + form + b"data" + size.to_bytes(4, "little")


def two_hours(path: Path) -> None:
    """A whole file of two hours, which takes no room on the disk: its samples are a hole."""
    path.write_bytes(header(7200))
    os.truncate(path, 44 + 7200 * SAMPLE_RATE * 2)


UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "no samples": (lambda path: path.write_bytes(header(0)), "holds no samples"),
    "cut in its header": (lambda path: path.write_bytes(header(3)[:30]), "cut off"),
    "cut after its header": (lambda path: path.write_bytes(header(3) + bytes(200)), "truncated"),
    "two hours": (two_hours, "lasts 7200 s"),
    "two hours promised": (lambda path: path.write_bytes(header(7200)), "holds no samples"),
    "words": (lambda path: path.write_text("turn on the kitchen light " * 99), "can't be read as audio"),
    "noise": (lambda path: path.write_bytes(np.random.default_rng(1).bytes(9999)), "can't be read as audio"),
    "a folder": (lambda path: path.mkdir(), "is not a file"),
    "missing": (lambda path: None, "There is no file"),
    "silence": (lambda path: write_wav(path, np.zeros(2 * SAMPLE_RATE, np.int16)), "Nobody speaks"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_an_unusable_recording_is_refused(homebody: Any, tmp_path: Path, kind: str) -> None:
    make, said = UNUSABLE[kind]
    path = tmp_path / "command.wav"
    make(path)
    refused(homebody("ask", "--wav", path), 2, said)


def test_a_program_gets_the_error_as_one_object(homebody: Any, tmp_path: Path) -> None:
    done = homebody("ask", "--json", "--wav", tmp_path / "missing.wav")
    assert done.code == 2
    assert done.json == {
        "error": f"There is no file {tmp_path / 'missing.wav'}.",
        "remedy": "Check the path.",
        "kind": "BadInput",
    }


def eight_bit(path: Path, pcm: Pcm) -> None:
    soundfile.write(path, pcm, SAMPLE_RATE, subtype="PCM_U8", format="WAV")


def stereo(path: Path, pcm: Pcm) -> None:
    soundfile.write(path, np.stack((pcm, pcm), axis=1), SAMPLE_RATE)


def at_96_khz(path: Path, pcm: Pcm) -> None:
    soundfile.write(path, np.repeat(pcm, 6), 96_000)


def cut_in_its_silence(path: Path, pcm: Pcm) -> None:
    write_wav(path, np.concatenate((pcm, np.zeros(3 * SAMPLE_RATE, np.int16))))
    os.truncate(path, 44 + 2 * (len(pcm) + SAMPLE_RATE))


@pytest.mark.engines
@pytest.mark.parametrize("write", [eight_bit, stereo, at_96_khz, cut_in_its_silence])
def test_an_unusual_recording_is_understood(
    homebody: Any, tmp_path: Path, spoken_command: Pcm, write: Callable[[Path, Pcm], None]
) -> None:
    write(tmp_path / "command.wav", spoken_command)
    done = homebody("ask", "--json", "--wav", tmp_path / "command.wav")
    assert done.code == 0
    assert done.json["changes"] == [KITCHEN]


# Microphone and arguments --------------------------------------------------------------------------------------


def test_talking_without_a_microphone_says_what_to_do_instead(homebody: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "list_devices", list)
    refused(homebody("talk"), 3, "no microphone", "homebody doctor", "talk --text")


def test_saying_without_a_speaker_says_what_to_do_instead(homebody: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "list_devices", list)
    refused(homebody("say", "dinner is ready"), 3, "no speaker", "say --out FILE")


def test_a_reply_that_could_not_be_written_is_refused_before_anything_is_done(homebody: Any, tmp_path: Path) -> None:
    refused(homebody("ask", "turn on the kitchen light", "--out", tmp_path / "no" / "reply.wav"), 2, "no folder")
    assert homebody("ask", "--json", "turn on the kitchen light").json["changes"] == [KITCHEN], "it was still off"


@pytest.mark.parametrize("arguments", [("ask",), ("ask", "  "), ("ask", "hello", "--wav", "x.wav")])
def test_words_or_a_recording_not_both_and_not_none(homebody: Any, arguments: tuple[str, ...]) -> None:
    refused(homebody(*arguments), 2, "either words or --wav FILE")


# Storage -------------------------------------------------------------------------------------------------------

ITEMS = [f"{colour} {thing}" for colour in ("red", "green", "blue") for thing in ("apples", "cups", "pens", "candles")]


def disk_of(size: int) -> Callable[[], None]:
    """Files of the process can't grow beyond so many bytes, as if the disk were full."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return limit


def shopping(home: Path) -> list[str]:
    database = Database(home / "homebody.db")
    try:
        return Items(database).items("shopping")
    finally:
        database.close()


def test_a_full_disk_is_said_and_what_was_confirmed_stays(homebody: Any) -> None:
    assert homebody.process("ask", "add eggs to the shopping list").code == 0
    database = homebody.home / "homebody.db"
    # Room for SQLite's shared index (32 kB) and for some pages of the log, not for all of them.
    lines = [f"add {item} to the shopping list" for item in ITEMS]
    full = homebody.process(
        "talk", "--text", "--json", said="\n".join([*lines, "what time is it"]), before=disk_of(60_000)
    )
    assert full.code == 0, "the conversation goes on"
    assert "Traceback" not in full.err
    *adding, asking = map(json.loads, full.out.splitlines())
    assert len(adding) == len(ITEMS)
    confirmed = [item for item, turn in zip(ITEMS, adding, strict=True) if turn["changes"]]
    lost = [turn for turn in adding if not turn["changes"]]
    assert confirmed
    assert lost
    assert {turn["reply"] for turn in lost} == {"I couldn't save that: my storage is full or read-only."}
    assert all(turn["failed"] for turn in lost)
    assert not asking["failed"]
    assert shopping(database.parent) == ["eggs", *confirmed]


def test_a_disk_that_is_full_from_the_start_is_refused(homebody: Any) -> None:
    done = homebody.process("ask", "set a timer for ten minutes", before=disk_of(0))
    refused(done, 1, str(homebody.home), "Free some space")


def without_privilege() -> None:
    """Root writes wherever it likes; without CAP_DAC_OVERRIDE it has to keep to permissions as everyone does."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (1, 2):
            if libc.prctl(24, capability, 0, 0, 0):  # PR_CAPBSET_DROP
                os._exit(77)


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
@pytest.mark.parametrize("begun", [False, True])
def test_a_read_only_home_keeps_what_is_there_and_takes_no_more(homebody: Any, begun: bool) -> None:
    if begun:
        homebody.process("ask", "add eggs to the shopping list")
    files = [homebody.home, *homebody.home.iterdir()]
    modes = [file.stat().st_mode for file in files]
    for file in files:
        file.chmod(0o555 if file.is_dir() else 0o444)
    done = homebody.process("ask", "add milk to the shopping list", before=without_privilege)
    for file, mode in zip(files, modes, strict=True):
        file.chmod(mode)
    if done.code == 77:
        pytest.skip("this machine does not let root give up its privilege")
    if begun:  # it starts on what it has, and says that it can't add to it
        assert done.code == 1, done
        assert "I couldn't save that" in done.out
        assert str(homebody.home) in done.err
        assert shopping(homebody.home) == ["eggs"]
    else:
        refused(done, 1, str(homebody.home), "writable")


@pytest.mark.parametrize("place", ["a file", "below a file"])
def test_a_home_that_can_not_be_is_refused(
    homebody: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("HOMEBODY_HOME", str(tmp_path / ("file" if place == "a file" else "file/home")))
    refused(homebody("ask", "hello"), 1, str(tmp_path / "file"), "HOMEBODY_HOME")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_damaged_database_is_kept_aside_and_told(homebody: Any) -> None:
    damage = np.random.default_rng(2).bytes(20_000)
    (homebody.home / "homebody.db").write_bytes(damage)
    done = homebody("ask", "add milk to the shopping list")
    assert done.code == 0
    assert "damaged" in done.err
    assert "homebody.db.damaged-1" in done.err
    assert (homebody.home / "homebody.db.damaged-1").read_bytes() == damage
    assert shopping(homebody.home) == ["milk"]
    assert not homebody("ask", "what's on my shopping list").err, "told once"


def test_a_damaged_state_of_the_house_is_refused(homebody: Any) -> None:
    homebody("ask", "turn on the kitchen light")
    [state] = (homebody.home / "simulated").glob("house*")
    state.write_text("{")
    refused(homebody("ask", "hello"), 1, str(state), "Delete it")


# Model bundles -------------------------------------------------------------------------------------------------


def flip_a_byte(bundle: Path) -> None:
    model = bytearray((bundle / "model.onnx").read_bytes())
    model[len(model) // 2] ^= 1
    (bundle / "model.onnx").write_bytes(model)


def of_another_ontology(bundle: Path) -> None:
    """Whole by its own manifest, but with intents that nothing here can do."""
    labels = bundle / "labels.json"
    labels.write_text(labels.read_text().replace('"light.', '"spaceship.'))
    manifest = Manifest.read(bundle)
    files = {**manifest.files, "labels.json": file_sha256(labels)}
    msgspec.structs.replace(manifest, ontology=LabelSchema.read(labels).ontology, files=files).write(bundle)


def with_labels_of_another_model(bundle: Path) -> None:
    """Labels that are whole but not those that the manifest names."""
    labels = bundle / "labels.json"
    labels.write_text(labels.read_text().replace('"light.', '"spaceship.'))
    manifest = Manifest.read(bundle)
    msgspec.structs.replace(manifest, files={**manifest.files, "labels.json": file_sha256(labels)}).write(bundle)


BUNDLES: dict[str, tuple[Callable[[Path], object], str]] = {
    "damaged": (flip_a_byte, "model.onnx is damaged"),
    "foreign": (of_another_ontology, "no pack defines spaceship."),
    "mixed up": (with_labels_of_another_model, "another ontology"),
    "without its manifest": (lambda bundle: (bundle / "manifest.json").unlink(), "manifest.json can't be read"),
    "missing": (shutil.rmtree, "manifest.json can't be read"),
}


@pytest.mark.parametrize("kind", BUNDLES)
@pytest.mark.parametrize("shipped_too", [False, True])
def test_a_bundle_that_can_not_be_used_is_told_and_fixed_phrases_go_on(
    homebody: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, shipped_too: bool
) -> None:
    spoil, said = BUNDLES[kind]
    bundle = tmp_path / "bundle"
    shutil.copytree(parts.BUNDLE, bundle)
    spoil(bundle)
    monkeypatch.setenv("HOMEBODY_NLU__MODEL", str(bundle))
    if shipped_too:
        monkeypatch.setattr(parts, "BUNDLE", bundle)
    done = homebody("ask", "--json", "turn on the kitchen light")
    assert done.code == 0
    assert done.json["changes"] == [KITCHEN]
    assert str(bundle) in done.err
    assert said in done.err
    assert "Traceback" not in done.err


def test_verifying_a_damaged_bundle_fails(homebody: Any, tmp_path: Path) -> None:
    shutil.copytree(parts.BUNDLE, tmp_path / "bundle")
    flip_a_byte(tmp_path / "bundle")
    refused(homebody("models", "verify", tmp_path / "bundle"), 2, "model.onnx is damaged", "Install the bundle again")


# Configuration and packs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('[speech]\nsst = "vosk"', "Did you mean `stt`?"),
        ('[speech]\nstt = "siri"', "Choose from: moonshine, whisper, vosk."),
        ('[speech]\nwake_words = ["hal"]', "Choose from: hey_jarvis, okay_nabu, alexa."),
        ('[home]\ntimezone = "Mars/Olympus"', "Mars/Olympus"),
        ("[home]\nname = \nroom = 3", "line 2"),
        ("[[home]]", "home"),
    ],
)
def test_a_wrong_configuration_is_refused_by_name(homebody: Any, toml: str, said: str) -> None:
    (homebody.home / "config.toml").write_text(toml)
    done = homebody("ask", "hello")
    assert done.code == 2
    assert str(homebody.home / "config.toml") in done.err
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_wrong_variable_is_refused_by_name(homebody: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEBODY_SPEECH__STT", "siri")
    refused(homebody("ask", "hello"), 2, "HOMEBODY_SPEECH__STT", "Choose from: moonshine, whisper, vosk.")


def test_a_driver_that_is_not_installed_is_missing(homebody: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEBODY_HOME__HOUSE", "cardboard")
    refused(homebody("ask", "hello"), 3, "cardboard", "Installed: simulated")


PACKS = {
    "not YAML": ("skill: coffee\nintents: [\n", "coffee.yaml, line 3", "not valid YAML"),
    "a wrong key": ("skill: coffee\nintnts: {}\n", "coffee.yaml", "Did you mean `intents`?"),
    "a wrong value": ("skill: coffee\nintents: [order]\n", "coffee.yaml", "$.intents"),
    "nothing": ("", "coffee.yaml", "show how it is written"),
    "no text": ("skill: coffee\nintents: {\udcff}\n", "coffee.yaml", "not valid YAML"),
    "an open bracket": ('skill: coffee\nintents: {order: {phrases: ["a (small|big"]}}\n', "a (small|big", "bracket"),
    "an unknown slot": ('skill: coffee\nintents: {order: {phrases: ["a {size} one"]}}\n', "{size}", "no slot"),
    "a built-in skill": ("skill: light\nintents: {}\n", "`light`", "built in"),
}


@pytest.mark.parametrize("kind", PACKS)
def test_a_bad_pack_is_refused_and_what_is_wrong_with_it_named(homebody: Any, kind: str) -> None:
    text, *said = PACKS[kind]
    (homebody.home / "packs").mkdir()
    (homebody.home / "packs" / "coffee.yaml").write_bytes(text.encode(errors="surrogateescape"))
    refused(homebody("ask", "hello"), 2, *said)
