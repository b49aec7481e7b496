"""The configuration tree: defaults, file, environment, and errors that help."""

from pathlib import Path

import pytest

from device.config import Config, home_folder, load_config
from device.errors import ConfigError


def test_defaults_need_no_file(tmp_path: Path) -> None:
    assert load_config(tmp_path, {}) == Config()


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[speech]\nstt = "vosk"\nfollow_up = 3.0\n[home]\npeople = ["Ada"]\n')
    config = load_config(tmp_path, {"HOMEBODY_SPEECH__STT": "whisper", "HOMEBODY_AUDIO__CHIMES": "false", "PATH": "x"})
    assert config.speech.stt == "whisper"
    assert config.speech.follow_up == 3.0
    assert config.home.people == ("Ada",)
    assert config.audio.chimes is False


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[speech]\nsst = 1", "Did you mean `stt`"),
        ("[speach]\nstt = 1", "Did you mean `speech`"),
        ('[speech]\nstt = "siri"', "siri"),
        ("[speech]\nfollow_up = -1", "follow_up"),
        ("[speech", "not valid TOML"),
        ("home = 3", "home"),
    ],
)
def test_a_mistake_in_the_file_names_the_file_and_the_key(tmp_path: Path, toml: str, said: str) -> None:
    (tmp_path / "config.toml").write_text(toml)
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, {})
    assert said in str(caught.value)
    assert "config.toml" in str(caught.value)


@pytest.mark.parametrize("variable", ["HOMEBODY_SPEECH__SST", "HOMEBODY_SPEACH__STT", "HOMEBODY_STT"])
def test_a_mistake_in_a_variable_names_the_variable(tmp_path: Path, variable: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, {variable: "vosk"})
    assert variable in str(caught.value)


def test_the_home_folder_can_be_moved(tmp_path: Path) -> None:
    assert home_folder({"HOMEBODY_HOME": str(tmp_path)}) == tmp_path
    assert home_folder({}).name == ".homebody"
