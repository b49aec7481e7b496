"""Audio files: read anything that libsndfile can into the house's format, write WAV atomically.

A file is untrusted: its header is checked before anything is read, and it is read block by block, so that a
long, many-channelled or lying file can't fill the memory.
"""

from __future__ import annotations

import io
import logging
import os
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import AudioFormatError, BadInput, StorageError

if TYPE_CHECKING:
    import soundfile

_log = logging.getLogger(__name__)

MAX_SECONDS: Final = 300.0
"""Longest file that is read unless the caller says otherwise."""

MIN_SECONDS: Final = 0.1
"""Shortest remainder of a truncated file that is worth reading: less holds no word."""

_RATES: Final = (4_000, 768_000)
_BLOCK_SAMPLES: Final = 1 << 21
"""Samples (all channels together) read at once: 8 MiB of float32, 47 s of a mono MP3 at 44.1 kHz.

Not less: soundfile seeks after each block, and an MP3 decoder loses some milliseconds at each seek.
"""

_STREAMED: Final = (0, 0xFFFFFFFF)
"""RIFF sizes that a program writes when it can't know the length in advance."""

_CONVERT: Final = "Convert it, for example: ffmpeg -i INPUT -ar 16000 -ac 1 -sample_fmt s16 OUTPUT.wav"


def read_audio(path: Path, max_seconds: float = MAX_SECONDS) -> Pcm:
    """Read a WAV, FLAC, Ogg, MP3, AIFF... file of any rate, width and number of channels.

    Channels are averaged, the rate is converted by soxr (quality HQ), values beyond full scale are clipped, and
    values that are not numbers become silence. A truncated file gives what is there, with a warning in the log.

    Returns:
        Mono 16 kHz PCM, shape [n_samples], int16; never empty.

    Raises:
        BadInput: There is no such file, or it can't be opened.
        AudioFormatError: It is empty, is not audio, has no samples, is truncated to less than `MIN_SECONDS`, or
            lasts longer than `max_seconds` (seen in the header, before reading).
    """
    import soundfile

    if not path.exists():
        raise BadInput(f"There is no file {path}.", remedy="Check the path.")
    if not path.is_file():
        raise BadInput(f"{path} is not a file.", remedy="Give the path of an audio file.")
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size == 0:
                raise AudioFormatError(f"{path} is empty (0 bytes).", remedy="Record it again.")
            cut = _riff_is_cut(stream)
            try:
                with soundfile.SoundFile(stream) as sound:
                    return _read(path, sound, max_seconds, cut)
            # soundfile raises TypeError for names such as x.raw, which it takes for headerless.
            except (soundfile.LibsndfileError, TypeError) as error:
                reason = getattr(error, "error_string", str(error)).removeprefix("Error : ").rstrip(".")
                raise AudioFormatError(
                    f"{path} can't be read as audio: {reason}.",
                    remedy="The file is cut off in its header; record or copy it again." if cut else _CONVERT,
                ) from error
    except OSError as error:
        raise BadInput(f"{path} can't be opened: {error.strerror}.", remedy="Check its permissions.") from error


def _riff_is_cut(stream: io.BufferedReader) -> bool:
    """True if a WAV file is shorter than its header promises."""
    head = stream.read(12)
    stream.seek(0)
    if not head.startswith(b"RIFF"):
        return False
    promised = int.from_bytes(head[4:8], "little")
    return len(head) < 12 or (promised not in _STREAMED and promised + 8 > os.fstat(stream.fileno()).st_size)


def _read(path: Path, sound: soundfile.SoundFile, max_seconds: float, cut: bool) -> Pcm:
    import soundfile
    import soxr

    rate, channels, promised = int(sound.samplerate), int(sound.channels), int(sound.frames)
    if not _RATES[0] <= rate <= _RATES[1]:
        raise AudioFormatError(f"{path} has a sample rate of {rate} Hz.", remedy=_CONVERT)
    limit = int(max_seconds * rate)
    # A stream of unknown length promises the largest number there is; the loop below holds it to the limit.
    if limit < promised < np.iinfo(np.int64).max:
        raise _too_long(path, promised / rate, max_seconds)
    resampler = None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
    parts: list[Pcm] = []
    frames = bad = 0
    buffer = np.zeros((max(_BLOCK_SAMPLES // channels, 1), channels), np.float32)
    damage: soundfile.LibsndfileError | None = None
    while damage is None:
        try:
            block = sound.read(out=buffer)
        except soundfile.LibsndfileError as error:
            damage = error
            # What was decoded up to the damage is in the buffer.
            block = buffer[: sound.tell() - frames]
        if len(block) == 0:
            break
        frames += len(block)
        if frames > limit:
            raise _too_long(path, frames / rate, max_seconds)
        bad += int(np.count_nonzero(~np.isfinite(block)))
        mono = np.nan_to_num(block, nan=0.0, posinf=1.0, neginf=-1.0).clip(-1.0, 1.0).mean(axis=1)
        parts.append(_to_int16(mono if resampler is None else resampler.resample_chunk(mono)))
    if resampler is not None:
        parts.append(_to_int16(resampler.resample_chunk(np.zeros(0, np.float32), last=True)))
    if frames == 0 and damage is not None:
        raise damage  # nothing could be decoded: the caller suggests to convert it
    cut = cut or damage is not None or frames < promised < np.iinfo(np.int64).max
    if frames == 0:
        raise AudioFormatError(f"{path} holds no samples.", remedy="Record it again.")
    if cut and frames < MIN_SECONDS * rate:
        raise AudioFormatError(
            f"{path} is truncated: only {frames / rate:.3f} s of sound are left.", remedy="Record or copy it again."
        )
    if cut:
        state = "truncated" if damage is None else f"damaged ({damage})"
        _log.warning("%s is %s; using the %.2f s that are there", path, state, frames / rate)
    if bad:
        _log.warning("%s: %d values were not finite numbers; silence was put in their place", path, bad)
    pcm = np.concatenate(parts)
    if pcm.size == 0:
        raise AudioFormatError(f"{path} holds less than one sample at 16 kHz.", remedy="Record it again.")
    return pcm


def _too_long(path: Path, seconds: float, limit: float) -> AudioFormatError:
    return AudioFormatError(
        f"{path} lasts {seconds:.0f} s; at most {limit:.0f} s are read.",
        remedy="Cut the part that matters, for example: ffmpeg -ss START -t SECONDS -i INPUT OUTPUT.wav",
    )


def _to_int16(samples: NDArray[np.float32]) -> Pcm:
    # 32768 on the way in and out keeps 16-bit files bit-exact; +1.0 alone doesn't fit.
    pcm: Pcm = np.rint(samples * 32768.0).clip(-32768, 32767).astype(np.int16)
    return pcm


def check_target(path: Path) -> None:
    """See that a file may be written there, before anything is done whose result it is to hold.

    Raises:
        BadInput: The folder does not exist, or `path` is something else than a file.
    """
    if path.exists() and not path.is_file():
        raise BadInput(f"{path} is not a file.", remedy="Give the path of a WAV file to write.")
    if not path.parent.is_dir():
        raise BadInput(f"There is no folder {path.parent}.", remedy="Create it or give another path.")


def write_wav(path: Path, pcm: Pcm) -> None:
    """Write 16 kHz mono 16-bit WAV; the file appears whole or not at all.

    Raises:
        BadInput: The folder does not exist, or `path` is something else than a file.
        StorageError: The disk is full or read-only; a file that was there before is untouched.
    """
    check_target(path)
    content = io.BytesIO()
    with wave.open(content, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE)
        wav.writeframes(pcm.astype("<i2").tobytes())
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            with part.open("wb") as stream:
                stream.write(content.getbuffer())
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"{path} can't be written: {error.strerror}.", remedy="Free some space or choose another folder."
        ) from error
