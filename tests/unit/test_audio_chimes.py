import numpy as np
import pytest

from device.audio.chimes import CHIMES, chime
from device.audio.ports import SAMPLE_RATE


@pytest.mark.parametrize("name", list(CHIMES))
def test_chimes_are_soft_edged_and_within_range(name: str) -> None:
    pcm = chime(name).astype(int)
    assert chime(name).dtype == np.int16
    assert 2000 < np.max(np.abs(pcm)) < 29_000
    assert pcm[0] == 0
    assert abs(pcm[-1]) < 20  # ends without a click
    # No jump between samples larger than what its highest harmonic at full level can make.
    assert np.max(np.abs(np.diff(pcm))) < 0.9 * np.max(np.abs(pcm))


@pytest.mark.parametrize("name", list(CHIMES))
def test_the_documented_notes_are_what_sounds(name: str) -> None:
    pcm = chime(name).astype(float)
    for note in CHIMES[name]:
        part = pcm[round(note.at * SAMPLE_RATE) :][: round(note.seconds * SAMPLE_RATE)]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), SAMPLE_RATE))  # 1 Hz a bin
        near = spectrum[round(note.hertz) - 12 : round(note.hertz) + 13]
        assert np.max(near) > 0.2 * np.max(spectrum)


def test_start_is_over_before_the_first_word_and_rises() -> None:
    assert len(chime("start")) <= 0.18 * SAMPLE_RATE
    assert CHIMES["start"][0].hertz < CHIMES["start"][1].hertz
    assert CHIMES["stop"][0].hertz > CHIMES["stop"][1].hertz


def test_shared_and_read_only() -> None:
    assert chime("start") is chime("start")
    with pytest.raises(ValueError, match="read-only"):
        chime("start")[0] = 1


def test_the_alarm_leaves_room_to_be_told_to_stop() -> None:
    rest = chime("alarm")[-round(0.5 * SAMPLE_RATE) :]
    assert not np.any(rest)
