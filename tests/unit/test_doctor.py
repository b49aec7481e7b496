"""The doctor's ear on the microphone."""

import pytest

from device.cli.doctor import hears
from firmware_sim.clock import VirtualClock, run
from firmware_sim.sound.microphone import SimulatedMicrophone


@pytest.mark.parametrize(
    ("noise_dbfs", "silent", "state", "said"),
    [
        (-50.0, False, "ok", "-50 dB"),
        (-80.0, False, "warning", "very quiet"),
        (-50.0, True, "warning", "no signal at all"),
        (-1.0, False, "warning", "clips"),
    ],
)
def test_what_the_microphone_delivers_is_judged(noise_dbfs: float, silent: bool, state: str, said: str) -> None:
    async def main(clock: VirtualClock) -> None:
        microphone = SimulatedMicrophone(clock, noise_dbfs=noise_dbfs)
        if silent:
            microphone.silence()
        finding = await hears(microphone, clock)
        assert finding.state == state
        assert said in finding.detail
        assert bool(finding.remedy) is (state == "warning")

    run(main, limit=10)
