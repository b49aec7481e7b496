"""Device images: boards, libraries, inventory, keys, what a build leaves behind; `make image-test` starts one."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from device.cli.commands import build as program
from device.config import CaseConfig, Config, load_config
from device.errors import BadInput, Missing
from quantize.image import build as building
from quantize.image import inventory, lock, tools
from quantize.image.board import BOARDS, Board, board
from quantize.image.build import Order, build
from quantize.image.root import OVERLAY, Root, entry_template
from quantize.image.update import Format, Signer, keygen, make_bundle, system_conf

NAMES = sorted(file.stem for file in BOARDS.glob("*.toml"))


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    files = Signer(tmp_path / "key.pem", tmp_path / "cert.pem")
    files.key.write_text("-----BEGIN PRIVATE KEY-----\n")
    files.certificate.write_text("-----BEGIN CERTIFICATE-----\n")
    return files


@pytest.mark.parametrize("name", NAMES)
def test_each_board_is_whole_and_fits_its_partitions(name: str) -> None:
    found = board(name)
    assert found.name == name
    assert found.compatible == f"homebody-{name}"
    assert (found.debian, found.machine) in {("amd64", "x86_64"), ("arm64", "aarch64")}
    assert found.boot_mb + 2 * found.root_mb + found.data_mb <= 900
    assert any(package.startswith("linux-image-") for package in found.packages)
    assert (lock.LOCKS / f"{found.machine}.txt").exists()


def test_a_board_that_is_none_is_told_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="Did you mean generic-arm64"):
        board("generic-arm")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_lock_pins_each_library_by_version_and_hash(machine: str) -> None:
    lines = (lock.LOCKS / f"{machine}.txt").read_text().splitlines()[1:]
    assert all(re.fullmatch(r"[a-z0-9-]+==\S+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)
    pinned = dict(line.split()[0].split("==") for line in lines)
    assert pinned == lock.closure(machine), "run: python -m quantize.image.lock"
    assert not {"torch", "transformers", *lock.EXCLUDED} & set(pinned)


def test_both_machines_get_the_same_versions() -> None:
    one, other = ([line.split()[0] for line in (lock.LOCKS / f"{m}.txt").open()] for m in ("x86_64", "aarch64"))
    assert one == other


def test_what_dpkg_leaves_out_is_written_as_dpkg_reads_it() -> None:
    lines = (Path(building.__file__).parent / "dpkg.cfg").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"path-(ex|in)clude=/[a-z]\S+", rule) for rule in rules)
    assert len(rules) == len(set(rules))
    kept = "/usr/share/doc/espeak-ng/copyright"
    assert f"path-include={kept.replace('espeak-ng', '*')}" in rules


def test_what_is_missing_is_told_with_the_packages_that_bring_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.shutil, "which", lambda name, path=None: None)
    with pytest.raises(Missing, match="genimage, mcopy: not installed") as caught:
        tools.require("genimage", "mcopy")
    assert caught.value.remedy == "Run: sudo apt-get install genimage mtools"


@pytest.mark.parametrize("file", ["build", "machine", "trials", "inference", "foreign"])
def test_each_program_that_is_required_has_a_package(file: str) -> None:
    text = (Path(building.__file__).parent / f"{file}.py").read_text()
    calls = re.findall(r"require\(([^)]*)\)", text)
    named = {name for call in calls for name in re.findall(r'(?:^|, )"([\w.-]+)"', call)}
    assert named <= set(tools.PACKAGES)


def test_a_tool_that_fails_is_told_with_the_end_of_what_it_said(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tools.run(["sh", "-c", "echo fine"], log)
    with pytest.raises(tools.ToolFailed, match=r"sh ended with error 3:\n  no room") as caught:
        tools.run(["sh", "-c", "echo no room; exit 3"], log)
    assert "fine" not in str(caught.value)
    assert str(log) in caught.value.remedy
    assert "fine" in log.read_text()


def test_the_bill_of_materials_names_every_package_and_is_the_same_each_time(tmp_path: Path) -> None:
    packages = tmp_path / "packages.txt"
    packages.write_text("espeak-ng\t1.51+dfsg-10\tamd64\tespeak-ng\nlibgomp1\t12.2.0-14\tamd64\tgcc-12\n")
    site = Path(msgspec_folder())
    components = [*inventory.debian_components(packages), *inventory.python_components(site)]
    found = board("generic-x86_64")
    text = inventory.bill_of_materials(found, "1.2", components, 1_700_000_000)
    assert text == inventory.bill_of_materials(found, "1.2", components, 1_700_000_000)
    document = json.loads(text)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    urls = {each["purl"] for each in document["components"]}
    assert "pkg:deb/debian/libgomp1@12.2.0-14?arch=amd64&distro=bookworm&upstream=gcc-12" in urls
    assert any(url.startswith("pkg:pypi/msgspec@") for url in urls)
    table = inventory.licences(components)
    assert "deb\tespeak-ng\t1.51+dfsg-10\t/usr/share/doc/espeak-ng/copyright" in table
    assert re.search(r"^pypi\tmsgspec\t\S+\tBSD", table, re.MULTILINE)


def msgspec_folder() -> str:
    import msgspec

    return str(Path(msgspec.__file__).parents[1])


def test_checksums_are_what_sha256sum_checks(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"1" * 3_000_000)
    (tmp_path / "two").write_bytes(b"")
    (tmp_path / "SHA256SUMS").write_text(inventory.checksums([tmp_path / "two", tmp_path / "one"]))
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path, check=True)


def test_a_key_is_made_once(tmp_path: Path) -> None:
    made = keygen(tmp_path, "Maker", tmp_path / "log")
    made.check()
    assert made.key.stat().st_mode & 0o077 == 0
    with pytest.raises(BadInput, match="is there already"):
        keygen(tmp_path, "Maker", tmp_path / "log")


@pytest.mark.parametrize("lacking", ["key", "certificate"])
def test_without_a_key_or_with_something_else_nothing_is_built(signer: Signer, lacking: str) -> None:
    file = getattr(signer, lacking)
    file.write_text("hello")
    with pytest.raises(BadInput, match="in PEM"):
        signer.check()
    file.unlink()
    with pytest.raises(BadInput, match="There is no ") as caught:
        signer.check()
    assert "homebody image keygen" in caught.value.remedy


def order(signer: Signer, found: Board | None = None) -> Order:
    return Order(found or board("generic-x86_64"), signer, epoch=1_700_000_000)


def test_a_build_that_is_interrupted_leaves_the_last_results(
    tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "dist"
    out.mkdir()
    (out / "homebody-generic-x86_64-1.img.zst").write_text("the last one")
    killed = out / ".homebody-generic-x86_64"
    killed.mkdir()
    (killed / "root.tar").write_text("half of it")
    monkeypatch.setattr(building, "require", lambda *programs: None)
    monkeypatch.setattr(building, "enable", lambda found: None)

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "make_payload", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build(order(signer), out, tmp_path, lambda what: None)
    assert [file.name for file in out.iterdir()] == ["homebody-generic-x86_64-1.img.zst"]


def test_a_full_disk_is_told_before_anything_is_made(
    tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "require", lambda *programs: None)
    monkeypatch.setattr(building, "enable", lambda found: None)
    usage = shutil.disk_usage(tmp_path)._replace(free=2**30)
    monkeypatch.setattr(building.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(BadInput, match=r"1\.0 GB free .* needs 5"):
        build(order(signer), tmp_path / "dist", tmp_path, lambda what: None)


def test_a_model_that_is_not_whole_is_not_built_in(tmp_path: Path, signer: Signer) -> None:
    with pytest.raises(BadInput, match="no whole model bundle"):
        building._check_model(tmp_path)


def test_an_image_brings_what_a_device_would_find_out_at_its_first_start(tmp_path: Path) -> None:
    config, home = tmp_path / "config", tmp_path / "home"
    (config / "usr/lib").mkdir(parents=True)
    building._find_out(home, config, tmp_path / "log")
    lines = (config / "usr/lib/tmpfiles.d/homebody-cache.conf").read_text().splitlines()
    assert any("grammar-" in line for line in lines)
    for line in lines:
        kind, target, *_, source = line.split()
        assert kind == "C"
        assert target == f"/data/homebody/cache/{Path(source).name}"
        assert (config / source[1:]).is_file()


def test_commands_tell_what_is_wrong(tmp_path: Path) -> None:
    app = program("image")
    done = CliRunner().invoke(app, ["image", "build", "--board", "toaster"])
    assert isinstance(done.exception, BadInput)
    key = str(tmp_path / "none.pem")
    done = CliRunner().invoke(app, ["image", "build", "--board", "generic-x86_64", "--key", key])
    assert isinstance(done.exception, BadInput | Missing)


@pytest.mark.skipif(not shutil.which("rauc"), reason="rauc is not installed")
@pytest.mark.parametrize("form", ["verity", "plain"])
def test_an_update_is_signed_in_either_format_and_refused_by_strangers(tmp_path: Path, form: Format) -> None:
    maker, stranger = (keygen(tmp_path / name, name, tmp_path / "log") for name in ("maker", "stranger"))
    image = tmp_path / "root.img"
    image.write_bytes(random.Random(0).randbytes(2**20))
    bundle = tmp_path / "update.raucb"
    make_bundle(board("rpi4"), Root(image, *(image for _ in range(4))), maker, bundle, "7", tmp_path / "log", form)
    told = {
        signer: subprocess.run(
            ["rauc", "info", f"--keyring={signer.certificate}", bundle], capture_output=True, text=True, check=False
        )
        for signer in (maker, stranger)
    }
    assert "Compatible: \t'homebody-rpi4'" in told[maker].stdout
    assert "Version:    \t'7'" in told[maker].stdout
    assert f"Bundle Format: \t{form}" in told[maker].stdout
    assert told[stranger].returncode != 0


@pytest.mark.parametrize("name", NAMES)
def test_an_update_of_another_board_is_not_for_this_one(name: str) -> None:
    conf = system_conf(board(name))
    assert f"compatible=homebody-{name}\n" in conf
    assert "statusfile=/data/" in conf


def test_the_entry_starts_the_root_that_rauc_believes_it_does() -> None:
    text = entry_template(board("generic-x86_64"))
    assert "root=PARTLABEL=root-@NAME@" in text
    assert "rauc.slot=@NAME@" in text


# What the owner writes on the boot partition.
SETUP = """\
hostname = "küche"

[wifi]
name = "Our Home"
password = "correct horse"

[ssh]
keys = ["ssh-ed25519 AAAA one", "ssh-ed25519 BBBB two"]

[household]
name = "the Millers"
room = "kitchen"
timezone = "Europe/Berlin"

[case]
led = [17, 27, 22]
buttons = { talk = 23, play = 5 }

[speech]
wake_words = ["alexa"]
follow_up = 0
"""


def set_up(tmp_path: Path, text: str | None) -> subprocess.CompletedProcess[str]:
    """Run the first-boot script with folders in place of partitions, and programs that only note their arguments."""
    for name in ("boot", "data", "run", "bin"):
        (tmp_path / name).mkdir(exist_ok=True)
    for name in ("hostname", "mount"):
        file = tmp_path / "bin" / name
        file.write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/called\n')
        file.chmod(0o755)
    if text is not None:
        (tmp_path / "boot/homebody.toml").write_text(text, encoding="utf-8")
    environment = {
        "BOOT": str(tmp_path / "boot"),
        "DATA": str(tmp_path / "data"),
        "RUN": str(tmp_path / "run"),
        "PROGRAM": str(OVERLAY.parents[2]),
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
    }
    script = OVERLAY / "common/usr/lib/homebody/setup"
    return subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)


def test_what_the_owner_wrote_is_taken_over_and_the_password_is_hidden(tmp_path: Path) -> None:
    assert set_up(tmp_path, SETUP).returncode == 0
    assert "hostname küche" in (tmp_path / "called").read_text()
    network = tmp_path / "data/iwd/Our Home.psk"
    assert network.read_text() == "[Security]\nPassphrase=correct horse\n"
    assert network.stat().st_mode & 0o077 == 0
    assert "correct horse" not in (tmp_path / "boot/homebody.toml").read_text()
    keys = tmp_path / "data/ssh/authorized_keys"
    assert keys.read_text() == "ssh-ed25519 AAAA one\nssh-ed25519 BBBB two\n"
    assert (keys.stat().st_mode | keys.parent.stat().st_mode) & 0o077 == 0
    lines = (tmp_path / "run/environment").read_text().splitlines()
    config = load_config(tmp_path, dict(line.split("=", 1) for line in lines))
    assert (config.home.name, config.home.room, config.home.timezone) == ("the Millers", "kitchen", "Europe/Berlin")
    assert config.case == CaseConfig(led=(17, 27, 22), buttons={"talk": 23, "play": 5})
    assert (config.speech.wake_words, config.speech.follow_up) == (("alexa",), 0)


def test_a_start_later_everything_is_as_it_was(tmp_path: Path) -> None:
    set_up(tmp_path, SETUP)
    before = (tmp_path / "data/iwd/Our Home.psk").read_text()
    (tmp_path / "called").unlink()
    assert set_up(tmp_path, None).returncode == 0
    assert (tmp_path / "data/iwd/Our Home.psk").read_text() == before
    assert "mount" not in (tmp_path / "called").read_text(), "nothing is written at each start"
    (tmp_path / "boot/homebody.toml").unlink()
    assert set_up(tmp_path, None).returncode == 0
    assert "room=kitchen" in (tmp_path / "run/environment").read_text().lower()


def test_a_file_that_changes_later_makes_no_open_network_of_one_with_a_password(tmp_path: Path) -> None:
    set_up(tmp_path, SETUP)
    kept = (tmp_path / "boot/homebody.toml").read_text()
    set_up(tmp_path, kept.replace("küche", "kitchen"))
    assert "hostname kitchen" in (tmp_path / "called").read_text()
    assert [file.name for file in (tmp_path / "data/iwd").iterdir()] == ["Our Home.psk"]
    assert "correct horse" in (tmp_path / "data/iwd/Our Home.psk").read_text()


def test_without_keys_nobody_may_log_in_any_more(tmp_path: Path) -> None:
    set_up(tmp_path, SETUP)
    set_up(tmp_path, 'hostname = "kitchen"\n')
    assert not (tmp_path / "data/ssh/authorized_keys").exists()
    unit = (OVERLAY / "common/etc/systemd/system/homebody-ssh.service").read_text()
    assert "ConditionPathExists=/data/ssh/authorized_keys\n" in unit
    assert " -s " in unit, "and never by a password"


def test_a_section_that_can_not_be_used_is_told_and_left_out(tmp_path: Path) -> None:
    done = set_up(tmp_path, SETUP.replace("led = [17, 27, 22]", "led = [17, 17, 22]"))
    assert done.returncode == 0
    assert "pin 17 is named twice" in done.stderr
    lines = (tmp_path / "run/environment").read_text().splitlines()
    config = load_config(tmp_path, dict(line.split("=", 1) for line in lines))
    assert (config.home.room, config.case, config.speech.follow_up) == ("kitchen", CaseConfig(), 0)


def test_what_can_not_be_read_keeps_no_device_from_starting(tmp_path: Path) -> None:
    done = set_up(tmp_path, 'hostname = "unfinished')
    assert done.returncode == 0
    assert "was not taken over" in done.stderr
    assert (tmp_path / "run/environment").exists()
    assert load_config(tmp_path, {}) == Config()


def test_the_service_is_confined_and_watched() -> None:
    unit = (OVERLAY / "common/etc/systemd/system/homebody.service").read_text()
    for line in ("Type=notify", "WatchdogSec=30s", "NoNewPrivileges=yes", "ProtectSystem=strict", "IPAddressDeny=any"):
        assert f"\n{line}\n" in unit
