"""What stands between a trained model and the place of the one before it."""

import json
import shutil

import pytest
from msgspec.structs import replace

torch = pytest.importorskip("torch")

from device.errors import BadInput  # noqa: E402
from models.manifest import Manifest  # noqa: E402
from models.signature import check, generate  # noqa: E402
from quantize.cli.options import BUNDLE  # noqa: E402
from quantize.data.example import Span  # noqa: E402
from quantize.feedback.regression import Golden, RegressionError, lesson  # noqa: E402
from quantize.release import release  # noqa: E402


class Finished:
    """A run whose bundle is the one that ships."""

    def __init__(self, folder, *bad):
        self.folder, self.bad, self.lessons = folder, list(bad), []
        folder.mkdir()

    def bundle(self, target):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(BUNDLE, target)
        if self.bad and self.bad.pop(0):  # rejects everything
            manifest = Manifest.read(target)
            calibration = replace(manifest.calibration, scope_weights=(0.0,) * 5, scope_bias=-9.0)
            replace(manifest, calibration=calibration, signature=None).write(target)
        return {"combined": {}}

    def repair(self, lessons):
        self.lessons += lessons


def golden(folder, *commands):
    path = folder / "golden.jsonl"
    path.write_text("".join(json.dumps({"text": text, "intent": intent}) + "\n" for text, intent in commands))
    return path


def test_a_new_bundle_is_signed_and_takes_the_place_of_the_old(tmp_path):
    pem, public = generate("test")
    (tmp_path / "key.pem").write_bytes(pem)
    shutil.copytree(BUNDLE, tmp_path / "out")
    (tmp_path / "out/README.md").write_text("old\n")
    figures = release(Finished(tmp_path / "run"), tmp_path / "out", key=tmp_path / "key.pem")
    assert figures == {"combined": {}}
    manifest = Manifest.read(tmp_path / "out")
    manifest.verify(tmp_path / "out")
    assert check(manifest, [public]) == public
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key.pem", "out", "run"]


def test_what_breaks_a_golden_command_is_rehearsed_and_if_still_broken_not_released(tmp_path):
    shutil.copytree(BUNDLE, tmp_path / "out")
    before = (tmp_path / "out/manifest.json").read_bytes()
    path = golden(tmp_path, ("turn on the light", "light.on"), ("what time is it", "time.query"))
    same = Finished(tmp_path / "same")
    release(same, tmp_path / "out", path)
    assert not same.lessons

    worse = Finished(tmp_path / "worse", True, True)
    with pytest.raises(RegressionError, match=r"(?s)breaks 2 of 2 golden commands.*turn on the light.*oos"):
        release(worse, tmp_path / "out", path)
    assert (tmp_path / "out/manifest.json").read_bytes() == before

    repaired = Finished(tmp_path / "repaired", True, False)
    release(repaired, tmp_path / "out", path)
    assert [lesson.intent for lesson in repaired.lessons] == ["light.on", "time.query"]


def test_a_golden_command_as_a_lesson():
    command = Golden(
        "move the lamp from the hall to the hall", "light.on", {"room": ["hall", "hall"], "device": "lamp"}
    )
    spans = [Span("device", 2, 3), Span("room", 5, 6), Span("room", 8, 9)]
    assert list(lesson(command).spans) == spans
    with pytest.raises(BadInput, match="does not stand in"):
        lesson(Golden("turn it on", "light.on", {"room": "hall"}))


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/precious.txt").write_text("x")
    with pytest.raises(BadInput, match="not a bundle"):
        release(Finished(tmp_path / "run"), tmp_path / "out")
