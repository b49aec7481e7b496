"""From a typed phrase to a model: voices say it, the network learns it, new voices and real ones judge it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from device.errors import BadInput
from quantize.wake.card import Figures, card
from quantize.wake.examples import Material, make
from quantize.wake.gather import Recipe, gather
from quantize.wake.learn import learn
from quantize.wake.measure import WINDOW, Curve, Ear, Pcm, Rate, events, talk, threshold
from quantize.wake.mining import mistakes
from quantize.wake.net import STRIDE, export
from quantize.wake.texts import checked
from quantize.wake.voices import SAMPLE_RATE, Studio, resampled

MODEL: Final = "wake.onnx"
MANIFEST: Final = "manifest.json"
"""Files of a model's folder, as the device reads them."""

MINED_SHARE: Final = 3
"""The network's own mistakes are shown as often as one in so many of the other examples without a phrase."""

log = logging.getLogger(__name__)


def train(
    phrases: Sequence[str],
    out: Path,
    cache: Path,
    *,
    data_dir: Path | None = None,
    clips: Sequence[Path] = (),
    alone: bool = False,
    seed: int = 0,
    jobs: int = 2,
    recipe: Recipe | None = None,
) -> list[Figures]:
    """Train one network for some phrases and write `wake.onnx`, `manifest.json` and the card.

    Args:
        phrases: As they are typed.
        out: Folder of the model; one that is there is replaced.
        cache: Folder of renderings.
        data_dir: Folder of the corpora, see `texts.sentences`.
        clips: Folders of recordings in which nobody says a phrase.
        alone: See `Material.alone`.
        seed: Of all chance.
        jobs: Processes and threads.
        recipe: The numbers.

    Raises:
        BadInput: A phrase can't be a wake word, or a folder holds no recording.
        EngineMissing: A program or voice is not installed.
    """
    import torch

    recipe = recipe or Recipe()
    torch.set_num_threads(1)  # the network is so small that two threads mostly wait for each other
    wanted = [checked(phrase) for phrase in phrases]
    real = [np.pad(audio, SAMPLE_RATE // 2) for folder in clips for audio in recordings(folder)]
    material, judges = gather(Studio(cache, jobs), wanted, data_dir, recipe, alone, seed)
    features, labels = make(material, recipe.positives, recipe.negatives, seed, jobs)
    log.info("%d examples are learned from, in %d steps", len(features), recipe.steps)
    net = learn(features, labels, recipe.steps, seed)
    out.mkdir(parents=True, exist_ok=True)
    export(net, out / MODEL)
    wrong = mistakes(Ear(out / MODEL), material, recipe.mined_hours, seed)
    log.info("%d mistakes in %.1f hours of talk are learned from", len(wrong), recipe.mined_hours)
    again = recipe.negatives // (MINED_SHARE * max(1, len(wrong)))
    features = np.concatenate([features, np.tile(wrong, (again, 1, 1))])
    labels = np.concatenate([labels, np.zeros((again * len(wrong), *labels.shape[1:]), np.int8)])
    net = learn(features, labels, recipe.more_steps, seed + 1, net)
    export(net, out / MODEL)
    figures = judged(Ear(out / MODEL), wanted, judges, real, recipe, seed + 1, jobs)
    manifest = {
        "phrases": {figure.phrase: figure.threshold for figure in figures},
        "checked": {figure.phrase: figure.checked for figure in figures},
        "window": WINDOW,
        "sha256": hashlib.sha256((out / MODEL).read_bytes()).hexdigest(),
        "figures": {figure.phrase: figure.summary() for figure in figures},
    }
    (out / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    (out / "README.md").write_text(card(figures, {**asdict(recipe), "alone": alone, "seed": seed}), encoding="utf-8")
    return figures


def judged(
    ear: Ear, phrases: Sequence[str], judges: Material, real: Sequence[Pcm], recipe: Recipe, seed: int, jobs: int
) -> list[Figures]:
    """Set the threshold of each phrase on hours of talk, and measure what it hears there.

    Args:
        ear: The model.
        phrases: Its wake words.
        judges: Voices that did not train.
        real: Recordings in which nobody says a phrase.
        recipe: The numbers.
        seed: Of all chance.
        jobs: Processes.
    """
    log.info("%.1f hours of other talk are heard", recipe.hours)
    talks = [ear(pcm) for pcm in talk(judges.speech, recipe.hours, seed)]
    recordings = [ear(pcm) for pcm in real]
    rows, labels = make(judges, recipe.judges, recipe.judges, seed, jobs)
    curves = [ear.means(row.astype(np.float32)) for row in rows]
    figures = []
    for word, phrase in enumerate(phrases):
        ours = [curve[:, word] for curve in talks]
        limit = threshold(ours, recipe.hours, recipe.rate)
        own = [
            curve[:, word].max() > limit
            for curve, label in zip(curves, labels, strict=True)
            if (label[:, word] == 1).any()
        ]
        others = [curve[:, word].max() > limit for curve, label in zip(curves, labels, strict=True) if not label.any()]
        figures.append(
            Figures(
                phrase,
                limit,
                threshold(ours, recipe.hours, recipe.checked_rate),
                round(100 * float(np.mean(own)), 1),
                round(100 * float(np.mean(others)), 1),
                _rate(talks, word, limit),
                _rate(recordings, word, limit),
            )
        )
    return figures


def recordings(folder: Path) -> list[Pcm]:
    """All recordings of a folder, at 16 kHz.

    Raises:
        BadInput: There is none, or one can't be read.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".wav", ".flac", ".ogg", ".mp3"))
    if not paths:
        raise BadInput(f"{folder} holds no recording.", remedy="Name a folder with WAV or FLAC files.")
    return [_recording(path) for path in paths]


def _recording(path: Path) -> Pcm:
    import soundfile

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise BadInput(f"{path} can't be read: {error}.", remedy="Convert it to WAV, or take it out.") from error
    return np.asarray(resampled(samples.mean(axis=1), rate) * 32767, np.int16)


def _rate(curves: Sequence[Curve], word: int, limit: float) -> Rate:
    steps = sum(len(curve) for curve in curves)
    return Rate(sum(events(curve[:, word], limit) for curve in curves), steps * STRIDE / 100 / 3600)
