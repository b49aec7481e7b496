"""Updates: what RAUC says becomes errors with remedies, what is ill goes back, and no bad model comes into use.

The program `rauc` is a script here; what it prints is what RAUC 1.8 and its service printed for real bundles.
"""

import importlib
import json
import os
import shutil
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device.app import BUNDLE, load_all_packs, load_language_model
from device.app.checks import knows
from device.cli import health
from device.config import Config, load_config
from device.errors import (
    BadInput,
    DeviceError,
    EngineFailed,
    Missing,
    StorageError,
    UpdateError,
    UpdateForeign,
    UpdateUntrusted,
)
from device.nlu.bundles import SHIPPED, Bundles
from device.update.confirm import Confirmed
from device.update.rauc import RaucProgram, Slot, System, read_status
from models import signature
from models.manifest import Manifest

main = importlib.import_module("device.cli.main").main
PEM, KEY = signature.generate("a maker")

NEVER_UPDATED = (
    '{"compatible":"homebody-x86","variant":"","booted":"A","boot_primary":"rootfs.0","slots":[{"rootfs.1":{"class":'
    '"rootfs","device":"/dev/sda3","type":"raw","bootname":"B","state":"inactive","parent":null,"mountpoint":null,'
    '"boot_status":"good","slot_status":{"bundle":{"compatible":null}}}},{"rootfs.0":{"class":"rootfs","device":'
    '"/dev/sda2","type":"raw","bootname":"A","state":"booted","parent":null,"mountpoint":null,"boot_status":"good",'
    '"slot_status":{"bundle":{"compatible":null}}}}]}'
)
INSTALLED = (
    '{"compatible":"homebody-x86","variant":"","booted":"A","boot_primary":"rootfs.1","slots":[{"rootfs.1":{"class":'
    '"rootfs","device":"/dev/sda3","type":"raw","bootname":"B","state":"inactive","parent":null,"mountpoint":null,'
    '"boot_status":"bad","slot_status":{"bundle":{"compatible":"homebody-x86","version":"2026.05"},"checksum":{"sha256":'
    '"45bfd9fc0b87eeb5d97d13862a2709b737ec26f206303abc11e134bf6679b62a","size":2097152},"installed":{"timestamp":'
    '"2026-11-29T10:20:38Z","count":3},"activated":{"timestamp":"2026-11-29T10:20:38Z","count":3},"status":"ok"}}},'
    '{"rootfs.0":{"class":"rootfs","device":"/dev/sda2","type":"raw","bootname":"A","state":"booted","parent":null,'
    '"mountpoint":null,"boot_status":"good","slot_status":{"bundle":{"compatible":null}}}}]}'
)
NOTE = "rauc-Message: 10:20:37.543: Using central status file /data/rauc/status\n"
CHECKED = """\
installing
  0% Installing
  0% Determining slot states
 20% Determining slot states done.
 20% Checking bundle
"""
VERIFIED = f"""\
{CHECKED} 20% Verifying signature
 40% Verifying signature done.
 40% Checking bundle done.
 40% Checking manifest contents
 60% Checking manifest contents done.
 60% Determining target install group
 80% Determining target install group done.
"""
SUCCEEDED = f"""\
{VERIFIED} 80% Updating slots
 80% Checking slot rootfs.1
 90% Checking slot rootfs.1 done.
 90% Copying image to rootfs.1
 99% Copying image to rootfs.1 done.
 99% Updating slots done.
100% Installing done.
Installing `/data/system.raucb` succeeded
"""
FAILED = f"{NOTE}Installing `/data/system.raucb` failed\n"
NO_SERVICE = "Could not connect: No such file or directory"
REFUSALS: dict[str, tuple[type[DeviceError], str, str, str, int]] = {
    "signed by others": (
        UpdateUntrusted,
        "signature is refused",
        f"{CHECKED} 20% Verifying signature\n 40% Verifying signature failed.\n 40% Checking bundle failed.\n"
        "100% Installing failed.\nLastError: signature verification failed: Verify error: self-signed certificate\n",
        FAILED,
        1,
    ),
    "changed since": (
        UpdateUntrusted,
        "signature is refused",
        f"{CHECKED} 20% Verifying signature\n 40% Verifying signature failed.\n 40% Checking bundle failed.\n"
        "100% Installing failed.\n"
        "LastError: signature verification failed: error:1700009E:CMS routines::verification failure\n",
        FAILED,
        1,
    ),
    "changed within": (
        UpdateUntrusted,
        "not what was signed",
        f"{VERIFIED} 80% Updating slots\n 95% Copying image to rootfs.1 failed.\n100% Installing failed.\n"
        "LastError: Installation error: Failed updating slot rootfs.1: Failed splicing data: "
        "Error reading from file: Input/output error\n",
        FAILED,
        1,
    ),
    "for another board": (
        UpdateForeign,
        r"for other-board; this device is homebody-x86\.",
        f"{VERIFIED}100% Installing failed.\nLastError: Installation error: Compatible mismatch: Expected "
        "'homebody-x86' but bundle manifest has 'other-board'\n",
        FAILED,
        1,
    ),
    "too large": (
        StorageError,
        "does not fit into its slot",
        f"{VERIFIED} 80% Updating slots\n 90% Copying image to rootfs.1\n 99% Copying image to rootfs.1 failed.\n"
        "100% Installing failed.\nLastError: Installation error: Failed updating slot rootfs.1: Failed splicing data: "
        "Error writing to file descriptor: No space left on device\n",
        FAILED,
        1,
    ),
    "no bundle": (
        BadInput,
        "no update, or it is damaged",
        f"{CHECKED} 40% Checking bundle failed.\n100% Installing failed.\nLastError: Invalid bundle format: Signature "
        "size (15260786456685581429) exceeds bundle size\nidle\n",
        FAILED,
        1,
    ),
    "gone": (BadInput, "no such update", "", f"{NOTE}No such file: /data/system.raucb\n", 1),
    "no network": (
        UpdateError,
        r"can't be downloaded: Transfer failed: Failed to connect to 127\.0\.0\.1 port 9 after 0 ms: Couldn't connect",
        f"{CHECKED} 40% Checking bundle failed.\n100% Installing failed.\nLastError: Failed to download bundle "
        "http://127.0.0.1:9/x.raucb: Transfer failed: Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't "
        "connect to server\n\n",
        FAILED,
        1,
    ),
    "two at once": (
        UpdateError,
        "Another update is being installed",
        "",
        f"{NOTE}Failed GDBus.Error:org.gtk.GDBus.UnmappedGError.Quark._g_2dio_2derror_2dquark.Code30: Already "
        "processing a different method\nD-Bus error while installing `/data/system.raucb`\n",
        2,
    ),
    "no service": (
        Missing,
        "service does not run.*systemctl start rauc",
        "",
        f"Error creating proxy: {NO_SERVICE}\nD-Bus error while installing `/data/system.raucb`\n",
        2,
    ),
    "anything else": (
        UpdateError,
        "RAUC failed: Installation error: the moon is full",
        f"{VERIFIED}100% Installing failed.\nLastError: Installation error: the moon is full.\n",
        FAILED,
        1,
    ),
}


class FakeRauc:
    """A program `rauc` that prints what it was told to, and notes how it was called."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self._folder = folder
        script = self.bin / "rauc"
        script.write_text(
            f'#!/bin/sh\necho "$LC_ALL $*" >> {folder}/calls\ncase "$*" in *mark-*) what=mark ;; *) what=$1 ;; esac\n'
            f"/bin/cat {folder}/$what.out\n/bin/cat {folder}/$what.err >&2\nexit $(/bin/cat {folder}/$what.rc)\n"
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        self.answer("status", NEVER_UPDATED, NOTE)
        self.answer("install", SUCCEEDED, NOTE)
        self.answer("mark", "rauc status: marked slot rootfs.0 as good\n")

    def answer(self, what: str, out: str = "", err: str = "", code: int = 0) -> None:
        for ending, text in (("out", out), ("err", err), ("rc", str(code))):
            (self._folder / f"{what}.{ending}").write_text(text)

    @property
    def calls(self) -> list[str]:
        calls = self._folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    @property
    def marks(self) -> list[str]:
        return [call.split(" ", 2)[2] for call in self.calls if "mark-" in call]


@pytest.fixture
def rauc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeRauc:
    fake = FakeRauc(tmp_path)
    monkeypatch.setenv("PATH", str(fake.bin), prepend=os.pathsep)
    return fake


@pytest.fixture
def no_rauc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOMEBODY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


# What RAUC says ------------------------------------------------------------------------------------------------


def test_slots_are_read(rauc: FakeRauc) -> None:
    rauc.answer("status", INSTALLED, NOTE)
    old = Slot("rootfs.0", "A", True, True)
    new = Slot("rootfs.1", "B", False, False, "2026.05", "2026-11-29T10:20:38Z 45bfd9fc0b87")
    assert RaucProgram().status() == System("homebody-x86", old, "rootfs.1", (new, old))
    assert rauc.calls == ["C status --detailed --output-format=json"]


def test_a_system_that_was_never_updated_has_no_versions(rauc: FakeRauc) -> None:
    system = RaucProgram().status()
    assert [(slot.version, slot.installed) for slot in system.slots] == [("", ""), ("", "")]
    assert system.following == "rootfs.0"


def test_a_boot_loader_that_can_not_be_asked_leaves_the_next_one_unknown(rauc: FakeRauc) -> None:
    rauc.answer("status", NEVER_UPDATED.replace('"boot_primary":"rootfs.0"', '"boot_primary":null'))
    assert RaucProgram().status().following == ""


@pytest.mark.parametrize("text", ["", "No service", "[]", '{"compatible": 1}', NEVER_UPDATED.replace("booted", "idle")])
def test_what_is_no_status_is_an_error(text: str) -> None:
    with pytest.raises(UpdateError):
        read_status(text)


def test_an_installation_tells_how_far_it_is(rauc: FakeRauc) -> None:
    steps: list[tuple[int, str]] = []
    RaucProgram().install("/data/system.raucb", lambda percent, what: steps.append((percent, what)))
    assert rauc.calls == ["C install --progress /data/system.raucb"]
    assert steps[0] == (0, "Installing")
    assert (90, "Copying image to rootfs.1") in steps
    assert steps[-1] == (100, "Installing done.")
    assert [percent for percent, _ in steps] == sorted(percent for percent, _ in steps)


@pytest.mark.parametrize("why", REFUSALS)
def test_what_is_refused_is_told_with_a_remedy(rauc: FakeRauc, why: str) -> None:
    kind, message, out, err, code = REFUSALS[why]
    rauc.answer("install", out, err, code)
    with pytest.raises(kind, match=message) as caught:
        RaucProgram().install("/data/system.raucb", lambda percent, what: None)
    assert type(caught.value) is kind
    assert caught.value.remedy


def test_a_device_without_rauc_says_so(no_rauc: None) -> None:
    program = RaucProgram()
    for call in (
        program.status,
        lambda: program.mark(good=True),
        lambda: program.install("x", lambda percent, what: None),
    ):
        with pytest.raises(Missing, match="RAUC is not installed"):
            call()


def test_a_service_that_does_not_run_is_told(rauc: FakeRauc) -> None:
    rauc.answer("status", "", f"Error retrieving slot status via D-Bus: error creating proxy: {NO_SERVICE}\n", 1)
    with pytest.raises(Missing, match="service does not run"):
        RaucProgram().status()


def test_a_boot_loader_that_can_not_be_told_is_an_error(rauc: FakeRauc) -> None:
    failure = "custom backend: Failed to run /usr/lib/slots: Child process exited with code 1"
    rauc.answer("mark", f"rauc mark: Failed marking slot rootfs.0 as good: {failure}\n", "", 1)
    with pytest.raises(UpdateError, match=r"Failed marking slot rootfs\.0 as good: custom backend"):
        RaucProgram().mark(good=True)


# The commands --------------------------------------------------------------------------------------------------


Update = Callable[..., tuple[int, str, str]]


@pytest.fixture
def update(home: Path, capsys: pytest.CaptureFixture[str]) -> Update:
    """`homebody update`: exit code, standard output and standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["update", *map(str, arguments)])
        streams = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, streams.out, streams.err

    return call


def ill() -> str:
    raise EngineFailed("The voice is hoarse.", remedy="Give it tea.")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch, home: Path) -> dict[str, Callable[[], str]]:
    """What is looked at: the language model as it is, the rest as a test wants it."""
    looks: dict[str, Callable[[], str]] = {"microphone": lambda: "fine", "voice": lambda: "fine"}

    def checks(home: Path, model: Path | None = None) -> dict[str, Callable[[], str]]:
        config = load_config(home)
        if model:
            config = msgspec.structs.replace(config, nlu=msgspec.structs.replace(config.nlu, model=str(model)))
        return {**looks, "language model": lambda: knows(config, home, load_all_packs(config, home))}

    monkeypatch.setattr(health, "health_checks", checks)
    return looks


@pytest.fixture
def system(tmp_path: Path) -> Path:
    path = tmp_path / "system.raucb"
    path.write_bytes(b"a system")
    return path


def test_a_system_is_installed(update: Update, rauc: FakeRauc, system: Path) -> None:
    code, out, _ = update("install", system)
    assert code == 0
    assert out == "The system is installed. Reboot to start it; if it isn't healthy then, this one comes back.\n"
    assert rauc.calls == [f"C install --progress {system}"]
    assert json.loads(update("install", system, "--json")[1]) == {"installed": "system", "reboot": True}


def test_a_system_on_a_server_is_left_to_rauc(update: Update, rauc: FakeRauc) -> None:
    assert update("install", "https://example.org/homebody.raucb")[0] == 0
    assert rauc.calls == ["C install --progress https://example.org/homebody.raucb"]


def test_a_refused_system_ends_with_its_reason(update: Update, rauc: FakeRauc, system: Path) -> None:
    _, _, out, err, code = REFUSALS["signed by others"]
    rauc.answer("install", out, err, code)
    code, out, err = update("install", system)
    assert (code, out) == (1, "")
    assert "nobody whom this device trusts signed it" in err


def test_what_is_not_there_is_not_given_to_rauc(update: Update, rauc: FakeRauc) -> None:
    code, _, err = update("install", "nowhere.raucb")
    assert code == 2
    assert "There is no file or folder nowhere.raucb." in err
    assert rauc.calls == []


def test_the_state_is_told(update: Update, rauc: FakeRauc) -> None:
    rauc.answer("status", INSTALLED, NOTE)
    code, out, _ = update("status")
    assert code == 0
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        "! rootfs.1 (B) starts next, bad, version 2026.05",
        "✓ rootfs.0 (A) running, good",
        "✓ language model homebody-en 2",
    ]


def test_the_state_is_one_object_for_programs(update: Update, rauc: FakeRauc, home: Path) -> None:
    Confirmed(home / "update").add(RaucProgram().status().booted)
    found = json.loads(update("status", "--json")[1])
    assert found["system"]["booted"] == found["system"]["next"] == "rootfs.0"
    assert found["system"]["slots"][1] == {
        "name": "rootfs.0",
        "bootname": "A",
        "booted": True,
        "good": True,
        "version": "",
        "installed": "",
        "confirmed": True,
    }
    assert found["model"] == {"name": "homebody-en", "version": "2", "folder": str(BUNDLE)}


def test_a_machine_without_slots_still_has_a_model(update: Update, no_rauc: None) -> None:
    code, out, err = update("status", "--json")
    assert code == 0
    assert json.loads(out)["system"] is None
    assert json.loads(out)["model"]["name"] == "homebody-en"
    assert "RAUC is not installed" in err


Looks = dict[str, Callable[[], str]]


def test_a_healthy_system_is_confirmed(update: Update, rauc: FakeRauc, looks: Looks) -> None:
    code, out, _ = update("confirm")
    assert code == 0
    assert out.endswith("rootfs.0 (A) is healthy, and stays.\n")
    assert rauc.marks == ["mark-good booted"]
    assert json.loads(update("status", "--json")[1])["system"]["slots"][1]["confirmed"]


def test_a_new_and_ill_system_asks_for_a_reboot(update: Update, rauc: FakeRauc, looks: Looks) -> None:
    looks["voice"] = ill
    code, out, _ = update("confirm")
    assert code == 4
    assert "The voice is hoarse." in out
    assert out.endswith("rootfs.0 (A) is not healthy and was marked bad: reboot, and the system before comes back.\n")
    assert rauc.marks == ["mark-bad booted"]


def test_a_confirmed_system_that_becomes_ill_only_reports_it(update: Update, rauc: FakeRauc, looks: Looks) -> None:
    update("confirm")
    looks["voice"] = ill
    code, out, _ = update("confirm", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["verdict"], found["reboot"], found["ok"]) == ("kept", False, False)
    assert [check["name"] for check in found["checks"] if not check["ok"]] == ["voice"]
    assert rauc.marks == ["mark-good booted"] * 2


def test_a_board_without_a_microphone_is_confirmed_without(update: Update, rauc: FakeRauc, looks: Looks) -> None:
    looks["microphone"] = ill
    assert update("confirm", "--without", "microphone")[0] == 0
    assert rauc.marks == ["mark-good booted"]


def test_a_system_whose_slots_are_unknown_is_not_confirmed(update: Update, no_rauc: None, looks: Looks) -> None:
    code, _, err = update("confirm")
    assert code == 3
    assert "RAUC is not installed" in err


# The language model --------------------------------------------------------------------------------------------


def bundle_of(folder: Path, **fields: Any) -> Path:
    """The shipped model with other fields of the manifest, signed by `KEY`."""
    shutil.copytree(BUNDLE, folder)
    manifest = msgspec.structs.replace(Manifest.read(BUNDLE), version=folder.name, signature=None, **fields)
    signature.sign(manifest, PEM)[0].write(folder)
    return folder


def deaf_bundle(folder: Path) -> Path:
    """A bundle that is whole, signed, and understands nothing."""
    calibration = msgspec.structs.replace(Manifest.read(BUNDLE).calibration, threshold=1.0)
    return bundle_of(folder, calibration=calibration)


@pytest.fixture
def trusting(home: Path) -> None:
    """The device uses only bundles that `KEY` signed."""
    home.mkdir()
    (home / "config.toml").write_text(f'[nlu]\nrequire_signature = true\ntrusted_keys = ["{KEY.text}"]\n')


def in_use(home: Path) -> str:
    """Version of the model that a start would use."""
    problems: list[DeviceError] = []
    config = load_config(home)
    model = load_language_model(config, home, load_all_packs(config, home), problems)
    assert model is not None
    assert not problems
    return model.manifest.version


def test_a_signed_model_is_installed(
    update: Update, home: Path, tmp_path: Path, trusting: None, looks: Looks, no_rauc: None
) -> None:
    code, out, _ = update("install", bundle_of(tmp_path / "3"))
    assert code == 0
    assert "homebody-en 3 (" in out
    assert out.endswith("is installed. A running service takes it up once nobody talks to it.\n")
    assert in_use(home) == "3"


def test_a_model_in_an_archive_is_installed(
    update: Update, home: Path, tmp_path: Path, trusting: None, looks: Looks
) -> None:
    bundle = bundle_of(tmp_path / "3")
    path = tmp_path / "3.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(bundle, "3")
    code, out, _ = update("install", path, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["before"] == "shipped"
    assert found["after"] == Bundles(home).active
    assert in_use(home) == "3"


def test_a_model_that_nobody_trusted_signed_is_refused(
    update: Update, home: Path, tmp_path: Path, trusting: None, looks: Looks
) -> None:
    bundle = bundle_of(tmp_path / "3")
    signature.sign(Manifest.read(bundle), signature.generate("a stranger")[0])[0].write(bundle)
    code, _, err = update("install", bundle)
    assert code == 1
    assert "trusted_keys" in err
    assert Bundles(home).installed() == []


def test_a_model_that_is_bad_never_comes_into_use(
    update: Update, home: Path, tmp_path: Path, trusting: None, looks: Looks
) -> None:
    update("install", bundle_of(tmp_path / "3"))
    before = Bundles(home).active
    code, _, err = update("install", deaf_bundle(tmp_path / "4"))
    assert code == 1
    assert "homebody-en 4 is not installed, and homebody-en 3 stays in use." in err
    assert "takes “turn on the kitchen light” for nothing that it knows" in err
    assert Bundles(home).active == before
    assert Bundles(home).installed() == [before]
    assert in_use(home) == "3"


def test_a_microphone_that_is_switched_off_is_no_fault_of_a_model(
    update: Update, home: Path, tmp_path: Path, trusting: None, looks: Looks
) -> None:
    looks["microphone"] = ill
    assert update("install", bundle_of(tmp_path / "3"))[0] == 0
    assert in_use(home) == "3"


def test_what_holds_no_model_is_refused(update: Update, home: Path, tmp_path: Path, looks: Looks) -> None:
    (tmp_path / "empty").mkdir()
    assert update("install", tmp_path / "empty")[0] == 2
    (tmp_path / "letter.txt").write_text("Dear device,")
    code, _, err = update("install", tmp_path / "letter.txt")
    assert code == 2
    assert "letter.txt can't be unpacked" in err
    assert Bundles(home).active == SHIPPED
    assert Config() == load_config(home)
