"""Which of two systems starts with U-Boot, by what RAUC's backend writes there; a Raspberry Pi's device trees."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from quantize.image.board import board
from quantize.image.root import OVERLAY, entry_template
from quantize.image.uboot import SCRIPT, add_microphone, make_script
from quantize.image.update import system_conf

SLOTS = OVERLAY / "uboot/usr/lib/homebody/slots"


class Environment:
    """U-Boot's environment behind `fw_printenv -n NAME`, which fails for what is not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "fw_printenv"
        program.write_text(f'#!/bin/sh\ncat "{folder}/$2"\n')
        program.chmod(0o755)

    def set(self, order: str, a: int, b: int) -> None:
        for name, value in (("BOOT_ORDER", order), ("BOOT_a_LEFT", f"{a:x}"), ("BOOT_b_LEFT", f"{b:x}")):
            (self.folder / name).write_text(value)

    def call(self, *words: str, booted: str = "a") -> tuple[int, str]:
        line = self.folder / "cmdline"
        line.write_text(f"root=PARTLABEL=root-{booted} ro rauc.slot={booted} panic=10\n")
        environment = {"PATH": f"{self.folder}:{os.environ['PATH']}", "CMDLINE": str(line)}
        done = subprocess.run([SLOTS, *words], env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout.strip()


@pytest.fixture
def uboot(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


@pytest.mark.parametrize(
    ("order", "a", "b", "primary"),
    [("a b", 9, 0, "a"), ("b a", 9, 3, "b"), ("b a", 9, 0, "a"), ("a b", 0, 9, "b"), ("b", 9, 2, "b")],
)
def test_the_first_with_tries_left_starts(uboot: Environment, order: str, a: int, b: int, primary: str) -> None:
    uboot.set(order, a, b)
    assert uboot.call("get-primary") == (0, primary)
    assert uboot.call("get-state", "a") == (0, "good" if a else "bad")
    assert uboot.call("get-state", "b") == (0, "good" if b else "bad")


@pytest.mark.parametrize(("left", "trial"), [(0, True), (2, True), (3, True), (9, False), (15, False)])
def test_it_is_on_trial_until_it_has_been_found_good(uboot: Environment, left: int, trial: bool) -> None:
    uboot.set("b a", 9, left)
    assert (uboot.call("on-trial", booted="b")[0] == 0) is trial
    assert uboot.call("on-trial", booted="a")[0] != 0


def test_where_nothing_can_start_or_was_ever_asked_it_says_so(uboot: Environment) -> None:
    assert uboot.call("get-primary")[0] == 1
    uboot.set("a b", 0, 0)
    assert uboot.call("get-primary")[0] == 1
    assert uboot.call("dance")[0] == 1


def test_script_and_settings_agree_on_the_tries(tmp_path: Path) -> None:
    conf, script, slots = system_conf(board("rpi4")), SCRIPT.read_text(), SLOTS.read_text()
    assert "bootloader=uboot\nboot-attempts=9\nboot-attempts-primary=3\n" in conf
    assert script.count("-le 3;") == 2
    assert "-le 3 ]" in slots
    assert "setenv BOOT_a_LEFT 9" in script
    assert "handlers" not in conf
    entry = entry_template(board("rpi4"))
    assert entry.startswith("options=root=PARTLABEL=root-@NAME@ ")
    assert entry.count("\n") == 1, "U-Boot takes it in as one variable"


needs_tools = pytest.mark.skipif(
    not (shutil.which("dtc") and shutil.which("mkimage")),
    reason="device-tree-compiler or u-boot-tools is not installed",
)


@needs_tools
def test_the_script_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        make_script(tmp_path / name, 1_700_000_000, tmp_path / "log")
    one, other = ((tmp_path / name / "boot.scr").read_bytes() for name in ("one", "other"))
    assert one == other
    assert SCRIPT.read_bytes() in one


TREE = """\
/dts-v1/;
/ {
	compatible = "raspberrypi,4-model-b";
	#address-cells = <1>;
	#size-cells = <1>;
	soc {
		#address-cells = <1>;
		#size-cells = <1>;
		dma@7e007000 { reg = <0x7e007000 0xb00>; #dma-cells = <1>; };
		gpio@7e200000 { reg = <0x7e200000 0xb4>; pcm_gpio18 { brcm,pins = <18 19 20 21>; }; };
		i2s@7e203000 { reg = <0x7e203000 0x24>; status = "disabled"; };
	};
};
"""


@needs_tools
def test_a_microphone_is_added_to_a_device_tree(tmp_path: Path) -> None:
    source, tree, target = (tmp_path / name for name in ("tree.dts", "tree.dtb", "tree-i2s.dtb"))
    source.write_text(TREE)
    subprocess.run(["dtc", "-q", "-O", "dtb", "-o", tree, source], check=True)
    add_microphone(tree, target, tmp_path / "log")
    command = ["dtc", "-q", "-I", "dtb", "-O", "dts", target]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert 'status = "okay"' in text
    assert 'dma-names = "tx' in text
    assert 'compatible = "simple-audio-card"' in text
    assert not target.with_suffix(".dts").exists()
