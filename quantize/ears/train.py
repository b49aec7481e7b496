"""From recordings of speech to an encoder that hears it in noise."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from device.errors import BadInput
from device.speech.bias.beam import search
from device.speech.moonshine_model import BOS, ENCODER, EOS, PACKAGED, MoonshineModel, packaged_folder
from quantize.ears.learn import BATCH, Agreement, Moonshine, agreement, learn, moonshine
from quantize.ears.packaged import with_encoder_weights
from quantize.ears.scenes import PAUSE, Recording, stage
from quantize.wake.rooms import NOISE_SECONDS, noise
from quantize.wake.synthesizers import Audio
from quantize.wake.texts import sentences
from quantize.wake.voices import SAMPLE_RATE, Engine, Studio, cast

SECONDS: Final = (1.1, 5.0)
"""Of a recording that is learned from; others are left out."""

CLEAR: Final = -0.35
"""Mean log-probability of its tokens from which on the teacher has understood a recording."""

NOISES: Final = 150
"""Noises of 20 s that are made, beside those that are given."""

JUDGES: Final = 160
"""Recordings that are not learned from."""

JUDGED_DB: Final = (6.0, 60.0)

SHARES: Final[Mapping[Engine, float]] = {"kokoro": 0.7, "piper": 0.15, "flite": 0.05, "espeak": 0.1}
"""Who speaks where there are no recordings: the most natural voices before all."""

_AROUND: Final = SAMPLE_RATE // 4
_LONGEST: Final = 48

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured on recordings that were not learned from.

    Attributes:
        recordings: How many were learned from.
        hours: How long these are.
        before: The recognizer as it came, by signal-to-noise ratio in dB.
        after: What was trained.
    """

    recordings: int
    hours: float
    before: dict[float, Agreement]
    after: dict[float, Agreement]


def train(
    speech: Sequence[npt.NDArray[np.int16]],
    out: Path,
    *,
    noises: Sequence[npt.NDArray[np.int16]] = (),
    steps: int = 2400,
    seed: int = 0,
) -> Figures:
    """Train an encoder and write it with its manifest.

    Args:
        speech: 16 kHz recordings, one utterance each; transcripts are not needed.
        out: Folder of the result, `encoder.ort` and `manifest.json`.
        noises: 16 kHz recordings of what sounds where it will be used; half of what is heard is then taken from them.
        steps: Batches of `BATCH` scenes.
        seed: Of all chance.

    Raises:
        BadInput: The teacher understands too few of the recordings.
        EngineMissing: Moonshine is not installed.
    """
    recordings = understood(speech)
    rng = np.random.default_rng(seed)
    rng.shuffle(recordings)
    judges, learned = recordings[:JUDGES], recordings[JUDGES:]
    if len(learned) < BATCH:
        raise BadInput(
            f"Of {len(speech)} recordings {len(recordings)} are clear and of {SECONDS[0]} to {SECONDS[1]:g} s; "
            f"at least {JUDGES + BATCH} are needed.",
            remedy="Name folders with more recordings of speech, one sentence each, without noise.",
        )
    said = [recording.pcm.astype(np.float32) / np.float32(32768) for recording in learned]
    made = [noise(rng, said) for _ in range(NOISES)]
    given = [_levelled(sound) for sound in noises if len(sound)]
    heard = made + given * max(1, NOISES // len(given)) if given else made
    log.info("%d recordings are learned from, in %d noises", len(learned), len(made) + len(given))
    folder = packaged_folder()
    teacher = moonshine(folder)
    pupil = learn(teacher, learned, heard, steps, seed)
    figures = Figures(
        len(learned),
        sum(map(len, said)) / SAMPLE_RATE / 3600,
        judged(teacher, teacher, judges, heard, seed),
        judged(teacher, pupil, judges, heard, seed),
    )
    weights = {name: value.numpy() for name, value in pupil.model.encoder.state_dict().items()}
    content = with_encoder_weights(folder, weights)
    out.mkdir(parents=True, exist_ok=True)
    (out / ENCODER).write_bytes(content)
    manifest = {"sha256": hashlib.sha256(content).hexdigest(), "steps": steps, "seed": seed, "figures": figures}
    (out / "manifest.json").write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    return figures


def understood(speech: Sequence[npt.NDArray[np.int16]]) -> list[Recording]:
    """Recordings that the teacher understands, with what it writes.

    Raises:
        EngineMissing: Moonshine is not installed.
    """
    model = MoonshineModel(threads=1, encoder=packaged_folder() / PACKAGED)
    found = []
    for count, pcm in enumerate(speech, 1):
        if SECONDS[0] <= len(pcm) / SAMPLE_RATE <= SECONDS[1] and (tokens := _written(model, pcm)):
            found.append(Recording(pcm, tokens))
        if count % 500 == 0:
            log.info("%d of %d recordings listened to, %d understood", count, len(speech), len(found))
    return found


def rendered(cache: Path, data_dir: Path | None, count: int, seed: int, jobs: int) -> list[npt.NDArray[np.int16]]:
    """Sentences by synthetic voices, for want of recordings.

    Args:
        cache: Folder of renderings.
        data_dir: See `quantize.wake.texts.sentences`.
        count: How many.
        seed: Of all chance.
        jobs: Threads.

    Raises:
        BadInput: A corpus is not as it was published.
        EngineMissing: A program or voice is not installed.
        EngineFailed: A program broke or hung.
    """
    rng = np.random.default_rng(seed)
    texts = sentences(data_dir, rng)[:count]
    studio = Studio(cache, jobs)
    lines = list(zip(texts, cast(studio.voices(held_out=False), SHARES, len(texts), rng), strict=True))
    return [np.asarray(sound * 32767, np.int16) for sound in studio.say(lines, "speech")]


def judged(
    teacher: Moonshine, pupil: Moonshine, judges: Sequence[Recording], noises: Sequence[Audio], seed: int
) -> dict[float, Agreement]:
    """Agreement of a pupil with its teacher, by signal-to-noise ratio."""
    ordered = sorted(judges, key=lambda recording: len(recording.pcm))
    groups = [ordered[at : at + BATCH] for at in range(0, len(ordered), BATCH)]
    rng = np.random.default_rng(seed + 1)
    scenes = {snr_db: [stage(group, noises, rng, snr_db) for group in groups] for snr_db in JUDGED_DB}
    return {snr_db: agreement(teacher, pupil, batches) for snr_db, batches in scenes.items()}


def _written(model: MoonshineModel, pcm: npt.NDArray[np.int16]) -> tuple[int, ...]:
    """Tokens of the likeliest words, both ends included; none where they are unlikely or don't end."""
    scorer = model.listen(np.pad(pcm, _AROUND).astype(np.float32) / np.float32(32768), 1)
    decoded = search(scorer, None, bos=BOS, eos=EOS, width=1, longest=_LONGEST, letters=0)
    ended = len(decoded.free) < _LONGEST
    return (BOS, *decoded.free, EOS) if ended and decoded.free_score > CLEAR else ()


def _levelled(pcm: npt.NDArray[np.int16]) -> Audio:
    """A noise at RMS 1, repeated until it is long enough."""
    long_enough = NOISE_SECONDS * SAMPLE_RATE
    assert long_enough > (SECONDS[1] + PAUSE[1]) * SAMPLE_RATE
    sound = np.tile(pcm, -(-long_enough // len(pcm))) if len(pcm) < long_enough else pcm
    samples = sound.astype(np.float32)
    return np.asarray(samples / (np.sqrt(np.mean(samples**2)) + 1e-9), np.float32)
