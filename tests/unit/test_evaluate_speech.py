"""Noise mixing and the measurement of speech engines, with fakes that know what was said."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from device.audio.ports import SAMPLE_RATE, Pcm
from device.speech.ports import SttCapabilities, Transcript
from firmware_sim.sound.noise import mix
from firmware_sim.trials.evaluate_speech import evaluate, slot_recall


class LevelVad:
    """Whatever is loud is speech."""

    def process(self, frame: Pcm) -> float:
        return float(np.abs(frame.astype(int)).max() > 500)

    def reset(self) -> None:
        pass


class LevelStt:
    """Hears a word by the loudness of the utterance."""

    name = "level"
    capabilities = SttCapabilities(streaming=False, partials=False, bias=False, language="en")

    def start(self, phrases: Sequence[str] = ()) -> None:
        self.heard = 0

    def feed(self, pcm: Pcm) -> None:
        self.heard = max(self.heard, int(pcm.max()))

    def partial(self) -> str:
        return ""

    def finish(self) -> Transcript:
        return Transcript({1000: "A large mocha", 2000: "a 12-ounce latte"}.get(self.heard, ""))


def said(level: int) -> Pcm:
    quiet = np.zeros(SAMPLE_RATE, np.int16)
    return np.concatenate([quiet, np.full(SAMPLE_RATE, level, np.int16), quiet])


def test_slots_are_looked_for_in_spoken_form(tmp_path: Path) -> None:
    for name, level in (("a.wav", 1000), ("b.wav", 2000), ("c.wav", 3000)):
        soundfile.write(tmp_path / name, said(level), SAMPLE_RATE)
    labels = {
        "a.wav": {"size": "large", "drink": "mocha"},
        "b.wav": {"size": "twelve ounce", "drink": "mocha"},
        "c.wav": {"drink": "tea"},
    }
    scores = evaluate(tmp_path, labels, LevelStt(), LevelVad())
    assert scores.transcripts == {"a.wav": "A large mocha", "b.wav": "a 12-ounce latte", "c.wav": ""}
    assert scores.slot_recall == pytest.approx(3 / 5)
    assert 0 < scores.rtf < 1


def test_parts_of_words_do_not_count() -> None:
    assert slot_recall({"a": {"drink": "tea"}}, {"a": "steam"}) == 0
    assert slot_recall({}, {}) == 0


@pytest.mark.parametrize("snr_db", [20.0, 6.0, -6.0])
def test_noise_stands_at_the_ratio(snr_db: float) -> None:
    rng = np.random.default_rng(1)
    speech = np.zeros(40_960, np.int16)
    speech[8192:16_384] = 8000
    noise = rng.choice(np.array([-500, 500], np.int16), 100_000)
    mixed = mix(speech, noise, snr_db, rng).astype(float)
    assert np.abs(mixed).max() == pytest.approx(16_384, abs=1)
    floor = np.sqrt(np.mean(mixed[20_000:] ** 2))
    voice = mixed[8192:16_384].mean()
    assert 20 * np.log10(voice / floor) == pytest.approx(snr_db, abs=0.2)


def test_the_same_seed_gives_the_same_noise() -> None:
    speech = said(1000)
    noise = np.random.default_rng(2).normal(0, 300, 200_000).astype(np.int16)
    one, two, other = (mix(speech, noise, 12, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_noise_that_can_not_be_mixed_is_refused() -> None:
    rng = np.random.default_rng(0)
    for speech, noise in ((said(1), said(1)[:-1]), (said(1)[:100], said(1)), (said(0), said(1)), (said(1), said(0))):
        with pytest.raises(ValueError, match=r"must be as long|no level"):
            mix(speech, noise, 12, rng)
