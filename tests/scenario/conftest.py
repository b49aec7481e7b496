"""The program as a person or a script calls it: arguments in, exit code and two streams out."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from device.audio.ports import Pcm
from device.cli.main import main
from device.speech.ports import render
from device.speech.tts_piper import PiperTts


@dataclass(frozen=True)
class Done:
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        return json.loads(self.out)


class Homebody:
    """Runs the program on a home folder of its own; calling it stays in this process, which is quicker."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Done:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        streams = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, streams.out, streams.err)

    def process(self, *arguments: object, said: str = "", before: Callable[[], None] | None = None) -> Done:
        """Run it as a real process, with lines to read and something to do in it before it begins."""
        return _run([Path(sys.executable).with_name("homebody"), *map(str, arguments)], said, before)

    def python(self, code: str) -> Done:
        """Run code in a fresh interpreter."""
        return _run([sys.executable, "-c", code])


def _run(command: Sequence[str | Path], said: str = "", before: Callable[[], None] | None = None) -> Done:
    # What libraries do in a test they must be seen to do anywhere: these would silence onnxruntime's reporting.
    outside = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    done = subprocess.run(
        command, input=said, capture_output=True, text=True, env=outside, preexec_fn=before, timeout=60
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def warm_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first start compiles, so that each test need not."""
    home = tmp_path_factory.mktemp("warm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOMEBODY_HOME", str(home))
        with pytest.raises(SystemExit):
            main(["ask", "hello"])
    return home / "cache"


@pytest.fixture
def homebody(
    tmp_path: Path, warm_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Homebody:
    """On an empty home; the user's own home and the working folder are empty folders too."""
    home = tmp_path / "home"
    shutil.copytree(warm_cache, home / "cache")
    for name in [name for name in os.environ if name.startswith("HOMEBODY_")]:
        monkeypatch.delenv(name)
    for variable, folder in (("HOME", "user"), ("PWD", "work")):
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / folder))
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOMEBODY_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "400")
    return Homebody(home, capsys)


@pytest.fixture(scope="session")
def spoken_command() -> Pcm:
    """“Turn on the kitchen light”, 16 kHz mono."""
    return render(PiperTts(variation=0), "turn on the kitchen light")
