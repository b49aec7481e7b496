"""Installed bundles: what is in use, what is gone back to, and the plug pulled at any line."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.errors import BadInput, BundleError, StorageError
from device.nlu import bundles as module
from device.nlu.bundles import SHIPPED, Bundles, Event, line_of
from models.manifest import FORMAT, MANIFEST, REQUIRED_FILES, Calibration, Manifest, file_sha256


def make(folder, version, name="tiny", weights=""):
    """A bundle that is whole, though nothing could run it."""
    folder.mkdir(parents=True)
    for file in REQUIRED_FILES:
        (folder / file).write_text(f"{file} of {version} {weights}")
    files = {file: file_sha256(folder / file) for file in REQUIRED_FILES}
    Manifest(FORMAT, name, version, "en", "0" * 64, files, 32, Calibration(1, 1, (), 0, 0.5)).write(folder)
    return folder


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def bundles(home):
    return Bundles(home)


@pytest.fixture
def versions(tmp_path):
    return {version: make(tmp_path / version, version) for version in "123"}


def fit(key):
    """Everything is fit for use."""


def version_of(bundles):
    """Version in use, as its own manifest says; the bundle must be whole."""
    folder = bundles.folder(bundles.active)
    manifest = Manifest.read(folder)
    manifest.verify(folder)
    return manifest.version


def test_nothing_installed_is_the_shipped_one(bundles, home):
    assert bundles.active == SHIPPED
    assert bundles.installed() == []
    assert not home.exists(), "looking writes nothing"


def test_an_installed_bundle_is_in_use_and_a_copy(bundles, versions):
    change = bundles.install(versions["1"])
    assert change == (SHIPPED, bundles.active)
    assert bundles.active.startswith("tiny/1-")
    shutil.rmtree(versions["1"])
    assert version_of(bundles) == "1"


def test_installing_what_is_in_use_changes_nothing(bundles, versions):
    bundles.install(versions["1"])
    before = (bundles.root / "history.json").read_bytes()
    change = bundles.install(versions["1"])
    assert change.before == change.after
    assert (bundles.root / "history.json").read_bytes() == before


def test_a_damaged_copy_is_replaced_by_installing_again(bundles, versions):
    bundles.install(versions["1"])
    (bundles.folder(bundles.active) / "model.onnx").write_text("damaged")
    bundles.install(versions["1"])
    assert version_of(bundles) == "1"


def test_two_bundles_of_one_version_are_two(bundles, versions, tmp_path):
    bundles.install(versions["1"])
    bundles.install(make(tmp_path / "other", "1", weights="better"))
    assert len(bundles.installed()) == 2
    with pytest.raises(BadInput, match=r"1 may be tiny/1-\w+ or tiny/1-"):
        bundles.find("1")
    assert [bundles.find(key.partition("/")[2]) for key in bundles.installed()] == bundles.installed()


def test_rolling_back_goes_through_what_was_in_use_to_the_shipped_one(bundles, versions):
    keys = [bundles.install(versions[version]).after for version in "123"]
    assert bundles.rollback(fit) == (keys[2], keys[1])
    assert bundles.rollback(fit) == (keys[1], keys[0])
    assert bundles.rollback(fit) == (keys[0], SHIPPED)
    with pytest.raises(BadInput, match="none before"):
        bundles.rollback(fit)
    assert bundles.installed() == keys, "what was left is still there"


def test_what_was_rolled_back_is_not_gone_back_to(bundles, versions):
    first, bad = (bundles.install(versions[version]).after for version in "12")
    bundles.rollback(fit)
    third = bundles.install(versions["3"]).after
    assert bundles.rollback(fit) == (third, first)
    assert bundles.rollback(fit, bundles.find("2")) == (first, bad), "but it can be asked for"
    assert bundles.rollback(fit) == (bad, first)


def test_rolling_back_to_what_is_not_fit_or_in_use_changes_nothing(bundles, versions):
    first, second = (bundles.install(versions[version]).after for version in "12")

    def unfit(key):
        assert key == first
        raise BundleError("damaged")

    with pytest.raises(BundleError):
        bundles.rollback(unfit)
    with pytest.raises(BadInput, match="in use already"):
        bundles.rollback(fit, second)
    with pytest.raises(BadInput, match=r"Choose from: tiny/1-\w+, tiny/2-\w+, shipped"):
        bundles.find("9")
    assert bundles.active == second


def test_only_what_the_manifest_lists_is_copied(bundles, versions):
    with (versions["1"] / "labels.json").open("a") as file:
        file.write("changed")
    with pytest.raises(BundleError, match=r"labels\.json is damaged"):
        bundles.install(versions["1"])
    assert bundles.active == SHIPPED
    assert {path.name for path in bundles.root.iterdir()} <= {".lock", "tiny"}
    assert bundles.installed() == []


@pytest.mark.parametrize("content", ["", "{}", '[{"what": "install", "bundle": "../../etc"}]', "[" * 9])
def test_a_damaged_history_is_told_and_begins_anew(bundles, versions, content):
    first = bundles.install(versions["1"]).after
    (bundles.root / "history.json").write_text(content)
    with pytest.raises(BundleError, match=r"history\.json"):
        bundles.line()
    assert bundles.installed() == [first]
    assert bundles.rollback(fit, first).after == first
    assert version_of(bundles) == "1"
    assert (bundles.root / "history.json.damaged").read_text() == content


def test_only_one_program_installs_at_a_time(bundles, versions, monkeypatch):
    def meanwhile(source, key):
        with pytest.raises(StorageError, match="Another program"):
            Bundles(bundles.root.parents[1]).install(versions["2"])

    monkeypatch.setattr(bundles, "_copy", meanwhile)
    bundles.install(versions["1"])


def test_a_full_disk_is_told_and_leaves_the_old_one_in_use(bundles, versions, monkeypatch):
    bundles.install(versions["1"])

    def full(read, written):
        written.write(b"some")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.shutil, "copyfileobj", full)
    with pytest.raises(StorageError, match=r"No space left.*Free some space"):
        bundles.install(versions["2"])
    assert version_of(bundles) == "1"
    assert not (bundles.root / ".incoming").exists()


def test_what_is_named_was_synced_before(bundles, versions, monkeypatch):
    """The order that a pulled plug needs: file contents, their folder, the rename, then the history and its rename."""
    done = []
    fsync = os.fsync

    def noted(descriptor):
        path = os.path.relpath(Path(f"/proc/self/fd/{descriptor}").readlink(), bundles.root)
        done.append(path)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    bundles.install(versions["1"])
    copied = [*(f".incoming/{file}" for file in (*REQUIRED_FILES, MANIFEST)), ".incoming"]
    assert done == ["..", "../..", *copied, "tiny", ".", ".incoming.json", "."]


# The plug pulled at any line -----------------------------------------------------------------------------------


def disk_at_each_line(home, work):
    """All states of the disk that a kill could leave: how it is whenever a line of the module is about to run."""
    states = []

    def trace(frame, event, argument):
        if frame.f_code.co_filename != module.__file__:
            return None
        files = {path: path.read_bytes() if path.is_file() else None for path in home.rglob("*")}
        if not states or files != states[-1]:
            states.append(files)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return states


def restore(home, files):
    shutil.rmtree(home)
    home.mkdir()
    for path, content in files.items():
        if content is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


@pytest.mark.parametrize("action", ["install", "rollback"])
def test_the_plug_pulled_at_any_line_leaves_one_whole_version_in_use(home, bundles, versions, action):
    bundles.install(versions["1"])
    if action == "install":
        old, new = "1", "2"
        states = disk_at_each_line(home, lambda: bundles.install(versions["2"]))
    else:
        bundles.install(versions["2"])
        old, new = "2", "1"
        states = disk_at_each_line(home, lambda: bundles.rollback(fit))
    assert len(states) >= (12 if action == "install" else 3)
    outcomes = []
    for state in states:
        restore(home, state)
        outcomes.append(version_of(bundles))
        bundles.install(versions["3"])
        assert version_of(bundles) == "3", "what was cut off stands in nobody's way"
        assert not [*bundles.root.glob(".incoming")]
    assert {old, new} == set(outcomes)
    assert outcomes == sorted(outcomes, key=[old, new].index), "once the new one is in use it stays so"


KEYS = st.sampled_from(["a/1-0", "a/2-0", "b/1-0"])
EVENTS = st.lists(
    st.builds(Event, st.just("install"), KEYS) | st.builds(Event, st.just("rollback"), KEYS | st.just(""))
)


@given(EVENTS)
def test_the_last_event_is_what_is_in_use(events):
    line = line_of(tuple(events))
    assert (line or ("",))[-1] == (events[-1].bundle if events else "")


@given(EVENTS, KEYS)
def test_a_rollback_undoes_an_installation(events, key):
    before = line_of(tuple(events))
    back = (before or ("",))[-1]
    after = line_of((*events, Event("install", key), Event("rollback", back)))
    assert (after or ("",))[-1] == back
    if key not in before:
        assert after == before


def test_the_history_is_read_by_people_too(bundles, versions):
    first = bundles.install(versions["1"]).after
    bundles.rollback(fit)
    assert json.loads((bundles.root / "history.json").read_text()) == [
        {"what": "install", "bundle": first},
        {"what": "rollback", "bundle": ""},
    ]
