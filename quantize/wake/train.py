"""From a typed phrase to a model: voices say it, the network learns it, new voices and real ones judge it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from device.errors import BadInput
from quantize.wake.card import Figures, card
from quantize.wake.examples import Material, make
from quantize.wake.learn import learn
from quantize.wake.measure import WINDOW, Curve, Ear, Pcm, Rate, events, talk, threshold
from quantize.wake.net import STRIDE, export
from quantize.wake.synthesizers import Audio
from quantize.wake.texts import checked, near_misses, sentences, without
from quantize.wake.voices import SAMPLE_RATE, Engine, Studio, cast, resampled

PHRASE_SHARES: Final[dict[Engine, float]] = {"kokoro": 0.65, "piper": 0.12, "flite": 0.08, "espeak": 0.15}
MISS_SHARES: Final[dict[Engine, float]] = {"kokoro": 0.35, "piper": 0.25, "flite": 0.15, "espeak": 0.25}
TALK_SHARES: Final[dict[Engine, float]] = {"kokoro": 0.2, "piper": 0.3, "flite": 0.2, "espeak": 0.3}
JUDGES_SHARES: Final[dict[Engine, float]] = {"kokoro": 0.08, "flite": 0.42, "espeak": 0.5}
"""Who speaks: the most natural the phrase, the cheapest what there has to be hours of."""

MODEL: Final = "wake.onnx"
MANIFEST: Final = "manifest.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recipe:
    """The numbers of a training.

    Attributes:
        phrases: Renderings of each phrase.
        misses: Of what nearly sounds like one.
        sentences: Of other speech.
        judges: Of each phrase by voices that don't train.
        positives: Examples of each phrase.
        negatives: Examples without.
        steps: Batches that are learned from.
        hours: Of other talk by voices that don't train, on which the threshold is set.
        rate: False accepts an hour that are allowed there.
    """

    phrases: int = 700
    misses: int = 1200
    sentences: int = 1500
    judges: int = 200
    positives: int = 8000
    negatives: int = 16000
    steps: int = 2500
    hours: float = 6.0
    rate: float = 0.5


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
    recipe: Recipe = Recipe(),
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

    torch.set_num_threads(jobs)
    rng = np.random.default_rng(seed)
    wanted = [checked(phrase) for phrase in phrases]
    real = [audio for folder in clips for audio in recordings(folder)]
    texts = without(wanted, sentences(data_dir, rng))
    studio = Studio(cache, jobs)
    misses = without(wanted, [miss for phrase in wanted for miss in near_misses(phrase, texts, recipe.misses, rng)])

    def say(lines: Sequence[str], shares: Mapping[Engine, float], what: str, held_out: bool = False) -> list[Audio]:
        people = cast(studio.voices(held_out), shares, len(lines), rng)
        return studio.say(list(zip(lines, people, strict=True)), what)

    half = len(texts) // 2
    material = Material(
        [say(said(phrase, recipe.phrases, alone, rng), PHRASE_SHARES, phrase) for phrase in wanted],
        say(misses[: recipe.misses], MISS_SHARES, "near misses"),
        say(texts[:half][: recipe.sentences], TALK_SHARES, "other speech"),
        alone,
    )
    judges = Material(
        [
            say(said(phrase, recipe.judges, alone, rng), PHRASE_SHARES, f"{phrase}, new voices", True)
            for phrase in wanted
        ],
        say(misses[-recipe.judges :], MISS_SHARES, "near misses, new voices", True),
        say(texts[half:][: recipe.sentences], JUDGES_SHARES, "other speech, new voices", True),
        alone,
    )
    features, labels = make(material, recipe.positives, recipe.negatives, seed, jobs)
    net = learn(features, labels, recipe.steps, seed)
    out.mkdir(parents=True, exist_ok=True)
    export(net, out / MODEL)
    figures = judged(Ear(out / MODEL), wanted, judges, real, recipe, seed + 1, jobs)
    manifest = {
        "phrases": {figure.phrase: figure.threshold for figure in figures},
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
        limit = threshold([curve[:, word] for curve in talks], recipe.hours, recipe.rate)
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
                round(100 * float(np.mean(own)), 1),
                round(100 * float(np.mean(others)), 1),
                _rate(talks, word, limit),
                _rate(recordings, word, limit),
            )
        )
    return figures


def said(phrase: str, count: int, alone: bool, rng: np.random.Generator) -> list[str]:
    """A phrase as it is called, asked, and begun a sentence with; where it stands alone, politely as well."""
    tunes = (f"{phrase}.", f"{phrase}!", f"{phrase}?", f"{phrase},")
    polite = (f"please {phrase}.", f"okay {phrase}.", f"oh {phrase}!") if alone else ()
    return [str(line) for line in rng.choice([*tunes, *tunes, *polite], size=count)]


def recordings(folder: Path) -> list[Pcm]:
    """All recordings of a folder, at 16 kHz, with half a second of silence around.

    Raises:
        BadInput: There is none, or one can't be read.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".wav", ".flac", ".ogg", ".mp3"))
    if not paths:
        raise BadInput(f"{folder} holds no recording.", remedy="Name a folder with WAV or FLAC files.")
    return [np.pad(_recording(path), SAMPLE_RATE // 2) for path in paths]


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
