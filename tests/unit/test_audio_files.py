import logging
import resource
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from device.audio.files import read_audio, write_wav
from device.audio.ports import SAMPLE_RATE
from device.errors import AudioFormatError, BadInput, StorageError


def tone(rate: int, seconds: float = 1.0, hertz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def strongest_hertz(pcm: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(pcm))) * SAMPLE_RATE / len(pcm))


def rms(pcm: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(pcm.astype(float)))))


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("eight_bit.wav", 16_000, 1, "PCM_U8"),
        ("stereo.wav", 44_100, 2, "PCM_16"),
        ("studio.wav", 96_000, 2, "PCM_24"),
        ("float.wav", 48_000, 1, "FLOAT"),
        ("double.wav", 22_050, 1, "DOUBLE"),
        ("telephone.wav", 8_000, 1, "ULAW"),
        ("many.wav", 48_000, 8, "PCM_16"),
        ("lossless.flac", 48_000, 1, "PCM_16"),
        ("free.ogg", 44_100, 1, "VORBIS"),
        ("popular.mp3", 44_100, 1, "MPEG_LAYER_III"),
    ],
)
def test_reads_any_format_as_16k_mono(tmp_path: Path, name: str, rate: int, channels: int, subtype: str) -> None:
    path = tmp_path / name
    soundfile.write(path, np.column_stack([tone(rate)] * channels), rate, subtype=subtype)
    pcm = read_audio(path)
    assert pcm.dtype == np.int16
    assert pcm.ndim == 1
    assert len(pcm) == pytest.approx(SAMPLE_RATE, abs=1600 if name.endswith(("ogg", "mp3")) else 2)
    assert strongest_hertz(pcm) == pytest.approx(440, abs=2)
    assert rms(pcm) == pytest.approx(0.5 / np.sqrt(2) * 32768, rel=0.04)


def test_channels_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, np.array([[8000, 2000]] * 3200, np.int16), SAMPLE_RATE)
    assert set(read_audio(path)) == {5000}


@given(pcm=arrays(np.int16, st.integers(1, 3000)))
@settings(max_examples=25, deadline=None)
def test_own_wav_comes_back_bit_exact(tmp_path_factory: pytest.TempPathFactory, pcm: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("wav") / "x.wav"
    write_wav(path, pcm)
    np.testing.assert_array_equal(read_audio(path), pcm)


def test_missing_file_and_folder_are_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no file"):
        read_audio(tmp_path / "nothing.wav")
    with pytest.raises(BadInput, match="not a file"):
        read_audio(tmp_path)


def wav_bytes(tmp_path: Path, seconds: float) -> bytes:
    path = tmp_path / "whole.wav"
    soundfile.write(path, np.full(round(seconds * SAMPLE_RATE), 99, np.int16), SAMPLE_RATE)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "0 bytes"),
        (b"RIFF", "cut off in its header"),
        (b"RIFF\xff\x00\x00\x00WAVEfmt ", "cut off in its header"),
        (b"this is not sound at all" * 99, "ffmpeg"),
        (b"fLaC" + bytes(50), "ffmpeg"),
    ],
)
def test_what_is_not_audio_is_refused_with_a_remedy(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    with pytest.raises(AudioFormatError, match=message) as caught:
        read_audio(path)
    assert caught.value.remedy
    assert caught.value.exit_code == 2


def test_headerless_raw_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.raw"
    path.write_bytes(bytes(64_000))
    with pytest.raises(AudioFormatError, match="ffmpeg"):
        read_audio(path)


def test_zero_length_wav_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(wav_bytes(tmp_path, 0))
    with pytest.raises(AudioFormatError, match="no samples"):
        read_audio(path)


def test_truncated_wav_gives_what_is_there_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(wav_bytes(tmp_path, 2.0)[: 44 + 2 * 8000])
    with caplog.at_level(logging.WARNING):
        assert len(read_audio(path)) == 8000
    assert "truncated; using the 0.50 s" in caplog.text


def test_truncated_wav_with_next_to_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(wav_bytes(tmp_path, 2.0)[: 44 + 2 * 1599])
    with pytest.raises(AudioFormatError, match=r"truncated: only 0\.100 s"):
        read_audio(path)


def test_flac_cut_in_the_middle_gives_its_beginning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "x.flac"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 5 * SAMPLE_RATE), SAMPLE_RATE)
    path.write_bytes(path.read_bytes()[:80_000])
    with caplog.at_level(logging.WARNING):
        pcm = read_audio(path)
    assert SAMPLE_RATE < len(pcm) < 4 * SAMPLE_RATE
    assert np.min(np.std(pcm[: len(pcm) // 1000 * 1000].reshape(-1, 1000), axis=1)) > 3000  # all of it is sound
    assert "is damaged" in caplog.text


def test_long_sound_of_many_blocks_is_seamless(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    rate = 96_000
    soundfile.write(path, np.column_stack([tone(rate, 20.0)] * 4), rate, subtype="PCM_16")
    expected = np.rint(tone(SAMPLE_RATE, 20.0) * 32768)
    pcm = read_audio(path)
    middle = slice(SAMPLE_RATE, 19 * SAMPLE_RATE)
    assert len(pcm) == len(expected)
    assert np.max(np.abs(pcm[middle] - expected[middle])) <= 8


def test_flac_that_can_not_be_decoded_at_all_says_to_convert_it(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE), SAMPLE_RATE)
    content = bytearray(path.read_bytes())
    content[8192:] = bytes(len(content) - 8192)
    content[100:8192] = bytes(8092)
    path.write_bytes(content)
    with pytest.raises(AudioFormatError, match="ffmpeg"):
        read_audio(path)


def test_two_hours_are_refused_by_the_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(wav_bytes(tmp_path, 0.1))
    seconds = 7200
    with path.open("r+b") as stream:  # a sparse file: real in its length, but nothing in it was written
        stream.seek(4)
        stream.write((36 + seconds * 32_000).to_bytes(4, "little"))
        stream.seek(40)
        stream.write((seconds * 32_000).to_bytes(4, "little"))
        stream.truncate(44 + seconds * 32_000)
    with pytest.raises(AudioFormatError, match="7200 s; at most 300 s") as caught:
        read_audio(path)
    assert "ffmpeg" in caught.value.remedy


def test_the_limit_is_the_callers(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(wav_bytes(tmp_path, 2.0))
    assert len(read_audio(path, max_seconds=2.0)) == 2 * SAMPLE_RATE
    with pytest.raises(AudioFormatError):
        read_audio(path, max_seconds=1.99)


def test_impossible_rate_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros(100), 11)
    with pytest.raises(AudioFormatError, match="11 Hz"):
        read_audio(path)


def test_values_that_are_not_numbers_become_silence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "x.wav"
    samples = np.full(3200, 0.25, np.float32)
    samples[:4] = [np.nan, np.inf, -np.inf, 7.0]
    soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")
    with caplog.at_level(logging.WARNING):
        pcm = read_audio(path)
    np.testing.assert_array_equal(pcm[:5], [0, 32767, -32768, 32767, 8192])
    assert "3 values were not finite" in caplog.text


def test_writing_replaces_the_whole_file_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    write_wav(path, np.ones(50, np.int16))
    write_wav(path, np.ones(10, np.int16))
    assert len(read_audio(path)) == 10
    assert [p.name for p in tmp_path.iterdir()] == ["x.wav"]


def test_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    write_wav(path, np.ones(10, np.int16))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))  # the system refuses writes beyond, as a full disk
    try:
        with pytest.raises(StorageError, match="Free some space"):
            write_wav(path, np.ones(SAMPLE_RATE, np.int16))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(read_audio(path)) == 10
    assert [p.name for p in tmp_path.iterdir()] == ["x.wav"]


def test_writing_to_nowhere_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no folder"):
        write_wav(tmp_path / "no" / "x.wav", np.ones(10, np.int16))
    with pytest.raises(BadInput, match="not a file"):
        write_wav(Path("/dev/null"), np.ones(10, np.int16))
