import numpy as np
import pytest

from device.audio.volume import ALARM_FLOOR, DeviceVolume, perceptual_gain
from device.errors import StorageError
from device.skills.ports import Volume


def test_curve_is_silent_at_zero_full_at_hundred_and_about_18_db_down_at_half() -> None:
    gains = [perceptual_gain(level) for level in range(101)]
    assert gains[0] == 0.0
    assert gains[100] == 1.0
    assert gains == sorted(set(gains))
    assert 20 * np.log10(gains[50]) == pytest.approx(-18.06, abs=0.01)


def test_every_change_is_saved_once() -> None:
    saved: list[tuple[int, bool]] = []
    volume: Volume = DeviceVolume(40, save=lambda level, muted: saved.append((level, muted)))
    volume.set_level(40)
    volume.set_level(70)
    volume.set_muted(True)
    volume.set_muted(True)
    assert volume.level() == 70  # muting keeps the level
    volume.set_level(70)  # and setting it unmutes
    assert not volume.muted()
    assert saved == [(70, False), (70, True), (70, False)]


def test_levels_beyond_the_ends_are_held_there() -> None:
    volume = DeviceVolume(400)
    assert volume.level() == 100
    volume.set_level(-5)
    assert volume.level() == 0


def test_a_full_disk_is_reported_although_the_change_is_audible() -> None:
    def save(level: int, muted: bool) -> None:
        raise StorageError("full")

    volume = DeviceVolume(40, save=save)
    with pytest.raises(StorageError):
        volume.set_level(90)
    assert volume.level() == 90


def test_alarm_floor() -> None:
    volume = DeviceVolume(10)
    assert volume.gain("speech") == perceptual_gain(10)
    assert volume.gain("alarm") == perceptual_gain(ALARM_FLOOR)
    volume.set_level(90)
    assert volume.gain("alarm") == perceptual_gain(90)
    volume.set_muted(True)
    assert volume.gain("media") == 0.0
    assert volume.gain("alarm") > 0.0
