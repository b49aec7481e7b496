"""The script by which RAUC and systemd-boot agree on which of two systems starts, run as RAUC runs it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantize.image.board import board
from quantize.image.root import OVERLAY, entry_template

SCRIPT = OVERLAY / "efi/usr/lib/homebody/slots"


class Esp:
    """A boot partition in a folder, and systemd-boot's way to choose (systemd 252, boot.c: config_entry_compare)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries = folder / "loader/entries"
        self.entries.mkdir(parents=True)

    def add(self, name: str, version: int, tries: str = "") -> None:
        text = entry_template(board("generic-x86_64")).replace("@NAME@", name)
        text = re.sub(r"^version .*", f"version {version}", text, flags=re.MULTILINE)
        (self.entries / f"homebody-{name}{tries}.conf").write_text(text)

    def call(self, *words: str) -> str:
        done = subprocess.run([SCRIPT, *words], env={"ESP": str(self.folder)}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def starts(self) -> str:
        """The system that the boot loader would start."""

        def rank(file: Path) -> tuple[bool, int]:
            version = re.search(r"^version (\d+)", file.read_text(), re.MULTILINE)
            assert version
            return "+0" not in file.name, int(version[1])

        return max(self.entries.iterdir(), key=rank).name.removeprefix("homebody-")[0]

    def boot(self) -> str:
        """Start: a try of the one that starts is counted down."""
        name = self.starts()
        (file,) = self.entries.glob(f"homebody-{name}*.conf")
        if counted := re.search(r"\+(\d+)(?:-(\d+))?\.conf$", file.name):
            left, done = int(counted[1]), int(counted[2] or 0)
            if left:
                file.rename(self.entries / f"homebody-{name}+{left - 1}-{done + 1}.conf")
        return name

    def on_trial(self, name: str) -> bool:
        """Whether the system that runs finds itself on trial."""
        (self.folder / "cmdline").write_text(f"root=PARTLABEL=root-{name} ro rauc.slot={name} panic=10\n")
        environment = {"ESP": str(self.folder), "CMDLINE": str(self.folder / "cmdline")}
        return subprocess.run([SCRIPT, "on-trial"], env=environment, check=False).returncode == 0


@pytest.fixture
def esp(tmp_path: Path) -> Esp:
    found = Esp(tmp_path)
    found.add("a", 1)
    return found


def install(esp: Esp, name: str) -> None:
    """What RAUC and the hook of an update do, in their order."""
    esp.call("set-state", name, "bad")
    for old in esp.entries.glob(f"homebody-{name}*.conf"):
        old.unlink()
    esp.add(name, 0, "+0")
    esp.call("set-primary", name)


def test_a_new_device_starts_its_only_system_which_is_not_on_trial(esp: Esp) -> None:
    assert esp.call("get-primary") == "a"
    assert esp.call("get-state", "a") == "good"
    assert esp.call("get-state", "b") == "bad"
    assert esp.boot() == "a"
    assert not esp.on_trial("a")


def test_an_update_is_started_next_and_stays_once_it_is_good(esp: Esp) -> None:
    install(esp, "b")
    assert esp.call("get-primary") == "b"
    assert esp.boot() == "b"
    assert esp.on_trial("b")
    esp.call("set-state", "b", "good")
    assert not esp.on_trial("b")
    assert [esp.boot() for _ in range(9)] == ["b"] * 9


def test_an_update_that_never_says_it_is_well_is_left_after_three_tries(esp: Esp) -> None:
    install(esp, "b")
    assert [esp.boot() for _ in range(5)] == ["b", "b", "b", "a", "a"]
    assert esp.call("get-state", "b") == "bad"
    assert esp.call("get-primary") == "a"


def test_an_update_that_says_it_is_ill_is_left_at_once(esp: Esp) -> None:
    install(esp, "b")
    assert esp.boot() == "b"
    esp.call("set-state", "b", "bad")
    assert esp.boot() == "a"


def test_updates_go_back_and_forth_between_the_two(esp: Esp) -> None:
    for name in ("b", "a", "b", "a"):
        install(esp, name)
        assert esp.boot() == name
        esp.call("set-state", name, "good")
    assert esp.starts() == "a"


def test_where_both_are_bad_one_can_still_be_installed(esp: Esp) -> None:
    install(esp, "b")
    for name in ("a", "b"):
        esp.call("set-state", name, "bad")
    install(esp, "a")
    assert esp.call("get-primary") == "a"
    assert esp.boot() == "a"


def test_what_can_not_be_is_told(esp: Esp) -> None:
    for words in (["set-primary", "c"], ["set-primary", "b"], ["set-state", "a", "fine"], ["dance"]):
        done = subprocess.run([SCRIPT, *words], env={"ESP": str(esp.folder)}, capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.startswith("slots: ")


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(["install", "boot", "good", "bad"]), max_size=8))
def test_something_always_starts_and_rauc_knows_what(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    """Whatever happens to the other one, the system that was good last can be started."""
    esp = Esp(tmp_path_factory.mktemp("esp"))
    esp.add("a", 1)
    running = good = "a"
    for step in steps:
        if step == "install":
            install(esp, "b" if running == "a" else "a")
        elif step == "boot":
            running = esp.boot()
        elif step == "good":
            esp.call("set-state", running, "good")
            good = running
        elif running != good:  # a device marks only what is on trial as bad
            esp.call("set-state", running, "bad")
        assert esp.call("get-primary") == esp.starts()
    assert running in {"a", "b"}
