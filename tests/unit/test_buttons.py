"""The buttons on the case."""

import pytest

from device.audio.volume import DeviceVolume
from device.buttons import Buttons
from device.errors import BadInput
from firmware_sim.home.player import SimulatedPlayer


@pytest.mark.parametrize(
    ("level", "button", "after"),
    [(50, "volume_up", 60), (95, "volume_up", 100), (5, "volume_down", 0), (0, "volume_up", 10)],
)
async def test_louder_and_quieter(level: int, button: str, after: int) -> None:
    volume = DeviceVolume(level)
    await Buttons(None, volume, SimulatedPlayer()).press(button)
    assert volume.level() == after


async def test_louder_unmutes() -> None:
    volume = DeviceVolume(50, muted=True)
    await Buttons(None, volume, SimulatedPlayer()).press("volume_up")
    assert not volume.muted()


async def test_play_pauses_and_goes_on() -> None:
    player = SimulatedPlayer()
    await player.play(player.library())
    buttons = Buttons(None, DeviceVolume(), player)
    await buttons.press("play")
    assert player.state()["paused"]
    await buttons.press("play")
    assert player.state()["playing"]


async def test_the_talk_button_of_a_device_without_ears_does_nothing() -> None:
    await Buttons(None, DeviceVolume(), SimulatedPlayer()).press("talk")


async def test_an_unknown_button_is_said() -> None:
    with pytest.raises(BadInput, match="no button self_destruct") as raised:
        await Buttons(None, DeviceVolume(), SimulatedPlayer()).press("self_destruct")
    assert "talk" in raised.value.remedy
