"""What stands between a trained model and the place of the one before it."""

import json
import shutil

import pytest

torch = pytest.importorskip("torch")

from device.errors import BadInput  # noqa: E402
from models.manifest import Manifest  # noqa: E402
from models.signature import check, generate  # noqa: E402
from quantize.cli.options import BUNDLE  # noqa: E402
from quantize.feedback.regression import RegressionError  # noqa: E402
from quantize.release import release  # noqa: E402


class Finished:
    """A run whose bundle is the one that ships."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()

    def bundle(self, target):
        shutil.copytree(BUNDLE, target)
        return {"combined": {}}


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


def test_what_breaks_a_golden_command_is_not_released(tmp_path, monkeypatch):
    shutil.copytree(BUNDLE, tmp_path / "out")
    before = (tmp_path / "out/manifest.json").read_bytes()
    path = golden(tmp_path, ("turn on the light", "light.on"), ("what time is it", "time.query"))
    release(Finished(tmp_path / "same"), tmp_path / "out", path)

    def worse(self, target):
        shutil.copytree(BUNDLE, target)
        manifest = Manifest.read(target)
        calibration = manifest.calibration.__class__(1.0, 1.0, (0.0,) * 5, -9.0, 0.5)  # rejects everything
        manifest.__class__(**{**{f: getattr(manifest, f) for f in manifest.__struct_fields__},
                              "calibration": calibration, "signature": None}).write(target)  # fmt: skip

    monkeypatch.setattr(Finished, "bundle", worse)
    with pytest.raises(RegressionError, match=r"(?s)breaks 2 of 2 golden commands.*turn on the light.*oos"):
        release(Finished(tmp_path / "worse"), tmp_path / "out", path)
    assert (tmp_path / "out/manifest.json").read_bytes() == before


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/precious.txt").write_text("x")
    with pytest.raises(BadInput, match="not a bundle"):
        release(Finished(tmp_path / "run"), tmp_path / "out")
