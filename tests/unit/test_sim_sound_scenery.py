"""Noises, babble, a talker, a television: spectra, levels, determinism."""

from collections.abc import Callable

import numpy as np
import pytest

from device.audio.level import dbfs
from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import BadInput
from device.speech.ports import render
from firmware_sim.clock import VirtualClock, run
from firmware_sim.sound.air import Bed
from firmware_sim.sound.levels import active_rms
from firmware_sim.sound.microphone import SimulatedMicrophone
from firmware_sim.sound.scenery import babble, pink, talker, television, under, white
from firmware_sim.sound.voices import Voices

VOICES = Voices()
LINES = ("One short line.", "And another one.")


@pytest.mark.parametrize(("noise", "per_octave"), [(white, 3.0), (pink, 0.0)])
def test_noises_have_their_colours(noise: Callable[..., Pcm], per_octave: float) -> None:
    power = np.square(np.abs(np.fft.rfft(noise(20, 1).astype(float))))
    octaves = [power[20 * low : 40 * low].sum() for low in (125, 250, 500, 1000, 2000)]
    slope = np.polyfit(range(5), 10 * np.log10(octaves), 1)[0]
    assert slope == pytest.approx(per_octave, abs=0.25)


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: white(1.0, seed),
        lambda seed: pink(1.0, seed),
        lambda seed: talker(VOICES, "en-us", seed),
        lambda seed: babble(VOICES, ("en-us", "en-gb", "en-rp"), seed),
        lambda seed: television(VOICES, seed=seed),
    ],
)
def test_the_same_seed_is_the_same_sound(make: Callable[[int], Pcm]) -> None:
    one, again, other = make(1), make(1), make(2)
    np.testing.assert_array_equal(one, again)
    assert one.shape != other.shape or np.any(one != other)
    assert np.abs(one.astype(int)).max() < 32767


def test_a_noise_of_the_microphones_own_seed_is_another_noise() -> None:
    ours = np.random.default_rng(0).standard_normal(SAMPLE_RATE)
    assert abs(np.corrcoef(white(1.0, 0), ours)[0, 1]) < 0.05


def test_a_talker_says_every_line_once_with_pauses() -> None:
    pcm = talker(VOICES, "en-us", 3, LINES, pause=0.5)
    speech = [render(VOICES.person("en-us"), line) for line in LINES]
    assert sum(map(len, speech)) <= len(pcm) <= sum(map(len, speech)) + SAMPLE_RATE
    assert all(part.tobytes() in pcm.tobytes() for part in speech)


def test_many_voices_leave_no_pauses() -> None:
    def quiet(pcm: Pcm) -> float:
        frames = pcm[: len(pcm) // 512 * 512].reshape(-1, 512).astype(float)
        return float(np.mean(frames.std(axis=1) < 0.1 * active_rms(pcm)))

    assert quiet(babble(VOICES)) < 0.1 < quiet(talker(VOICES, "en-us"))


def test_a_television_may_say_the_wake_word() -> None:
    plain, calling = (television(VOICES, ("en-us",), 0, lines) for lines in (LINES, ("Hey Jarvis, stop.", *LINES)))
    word = len(render(VOICES.person("en-us"), "Hey Jarvis, stop."))
    assert len(calling) == len(plain) + word


def test_a_bed_lies_under_speech_by_what_was_asked() -> None:
    speech = render(VOICES.person("en-gb"), "Turn on the light in the kitchen.")
    pcm = babble(VOICES)

    async def main(clock: VirtualClock) -> Pcm:
        microphone = SimulatedMicrophone(clock, noise_dbfs=-110)
        microphone.lay(Bed(pcm, under(speech, 12.0)))
        frames: list[Pcm] = []
        microphone.start(lambda frame: frames.append(np.array(frame)))
        await clock.sleep(len(pcm) / SAMPLE_RATE)
        return np.concatenate(frames)

    level = dbfs(active_rms(run(main)))
    assert dbfs(active_rms(speech)) - level == pytest.approx(12, abs=0.5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: white(0),
        lambda: pink(-1),
        lambda: talker(VOICES, "en-us", lines=()),
        lambda: talker(VOICES, "nobody"),
        lambda: babble(VOICES, ()),
        lambda: television(VOICES, ()),
        lambda: television(VOICES, lines=()),
    ],
)
def test_nothing_to_make_a_sound_of_is_bad_input(make: Callable[[], Pcm]) -> None:
    with pytest.raises(BadInput):
        make()
