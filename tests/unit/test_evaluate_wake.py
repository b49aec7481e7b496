"""How a wake word is tried on recordings."""

import json
import logging
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from device.audio.files import write_wav
from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import BadInput, EngineMissing
from device.speech.tts_piper import PiperTts
from firmware_sim.sound.scenery import pink
from firmware_sim.sound.voices import Voices
from firmware_sim.trials.evaluate_wake import wake
from firmware_sim.trials.wake_picture import draw, write
from firmware_sim.trials.wake_recordings import read_clip, read_clips, read_speech
from firmware_sim.trials.wake_scores import detection, false_accepts, garwood
from firmware_sim.trials.wake_trial import FalseAccept, Talk, crossings


@given(st.lists(st.floats(0, 1), max_size=200), st.floats(0, 0.99), st.integers(1, 40))
def test_detections_stand_apart_and_a_higher_threshold_has_no_earlier_one(
    means: list[float], threshold: float, apart: int
) -> None:
    values = np.array(means)
    found = crossings(values, threshold, apart)
    assert all(values[index] > threshold for index in found)
    assert all(later - sooner >= apart for sooner, later in pairwise(found))
    assert bool(found) == bool((values > threshold).any())
    higher = crossings(values, min(1.0, threshold + 0.1), apart)
    assert not higher or higher[0] >= found[0]


def test_intervals_of_counts_are_the_published_ones() -> None:
    """Garwood 1936, as tabulated in Sahai and Khurshid 1993."""
    assert garwood(0) == pytest.approx((0, 3.689), abs=1e-3)
    assert garwood(3) == pytest.approx((0.619, 8.767), abs=1e-3)
    assert garwood(10) == pytest.approx((4.795, 18.390), abs=1e-3)


def test_figures() -> None:
    assert detection([{0.5: [True, True, False, True]}, {0.5: [True, False, False, True]}]) == [
        {"threshold": 0.5, "n": 8, "detected": 5, "rate": 0.625, "interval": (0.2194, 0.9081)}
    ]
    talk = Talk(7200.0, {0.5: 9}, {0.5: [FalseAccept("news.wav", 12.345, None)]})
    (row,) = false_accepts(talk)
    assert row["per_hour"] == 0.5
    assert row["interval"] == (0.013, 2.786)
    assert row["first_stage"] == 9
    assert row["woke"] == [{"file": "news.wav", "at_s": 12.3, "heard": None}]


def test_flac_is_read_to_the_last_sample(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).normal(0, 2000, SAMPLE_RATE).astype(np.int16)
    soundfile.write(tmp_path / "a.flac", sound, SAMPLE_RATE)
    np.testing.assert_array_equal(read_clip(tmp_path / "a.flac"), sound)
    (tmp_path / "b.flac").write_bytes(b"fLaC and nothing else")
    with pytest.raises(BadInput, match=r"b\.flac can't be read"):
        read_clip(tmp_path / "b.flac")


def test_what_there_is_to_hear(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no folder"):
        read_clips(tmp_path / "nothing")
    with pytest.raises(BadInput, match="no recordings"):
        read_clips(tmp_path)
    (tmp_path / "a.txt").write_text("Alexa, stop!\n\n")
    with pytest.raises(BadInput, match="no lines"):
        list(read_speech(tmp_path / "a.txt", "alexa", Voices()))
    with pytest.raises(BadInput, match="can't be read"):
        list(read_speech(tmp_path / "b.txt", "alexa", Voices()))


def result(levels: list[float | None]) -> dict[str, object]:
    thresholds = [0.3, 0.9]
    rows = detection([{each: [True, False] for each in thresholds}])
    talk = Talk(3600.0, dict.fromkeys(thresholds, 2), {each: [] for each in thresholds})
    return {
        "word": "alexa",
        "check": True,
        "detection": [{"noise": "kitchen", "snr": level, "rows": rows} for level in levels],
        "false_accepts": false_accepts(talk),
    }


def test_the_picture_has_a_line_for_each_noise(tmp_path: Path) -> None:
    figure = draw(result([None, 10.0]))
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["clean", "kitchen, 10 dB"]
    write(result([None]), tmp_path / "det.svg")
    assert (tmp_path / "det.svg").read_text().startswith("<?xml")
    with pytest.raises(BadInput, match=r"\.svg or \.png"):
        write(result([None]), tmp_path / "det.jpg")


def test_wrong_use_is_said() -> None:
    import typer

    app = typer.Typer()
    app.command()(wake)
    for options, message in (
        (["--threshold", "half"], "no thresholds"),
        (["--threshold", "1.5"], "no thresholds"),
        (["--seed", "x"], "no seeds"),
        (["--picture", "a.svg"], "needs false accepts"),
        (["--word", "hey_mycroft"], "no wake word hey_mycroft"),
    ):
        failed = CliRunner().invoke(app, ["--clips", ".", *options]).exception
        assert isinstance(failed, BadInput)
        assert message in str(failed)


@pytest.mark.engines
def test_the_command_hears_who_says_it_and_not_who_does_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    import typer

    try:
        voice = PiperTts(threads=1, variation=0)
    except EngineMissing as missing:
        pytest.skip(str(missing))
    said: Pcm = np.concatenate(list(voice.synthesize("Alexa.")))
    (tmp_path / "clips").mkdir()
    write_wav(tmp_path / "clips" / "joe.wav", said)
    silent = pink(2.0)
    write_wav(tmp_path / "clips" / "nobody.wav", silent)
    write_wav(tmp_path / "talk.wav", np.concatenate([silent, *voice.synthesize("Turn on the kitchen light, please.")]))
    write_wav(tmp_path / "noise.wav", pink(10.0, seed=1))
    app = typer.Typer()
    app.command()(wake)
    options = ["--clips", str(tmp_path / "clips"), "--noise", str(tmp_path / "noise.wav"), "--snr", "30"]
    done = CliRunner().invoke(
        app, [*options, "--speech", str(tmp_path / "talk.wav"), "--threshold", "0.5,0.9", "--json"]
    )
    assert done.exception is None
    told = json.loads(done.stdout)
    assert [(level["noise"], level["snr"]) for level in told["detection"]] == [(None, None), ("noise", 30.0)]
    assert {row["detected"] for level in told["detection"] for row in level["rows"]} == {1}
    assert [row["accepts"] for row in told["false_accepts"]] == [0, 0]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
