"""Speech that is not for the device, cut into utterances as the device would cut it: nothing of it is to be obeyed.

Recordings first, then synthetic voices: what other gadgets are told, somebody who reads aloud, a television with
changing speakers over music in a living room. The same for the same seed, voices and texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np

from device.audio.files import read_audio, write_wav
from device.audio.ports import FRAME, SAMPLE_RATE, Pcm
from device.errors import AudioFormatError, BadInput
from device.speech.listen import Listener, Utterance
from device.speech.ports import VadEngine, render
from device.speech.recording import TAIL
from firmware_sim.sound.acoustics import reverberate, space
from firmware_sim.sound.levels import Samples, amplitude, db, scaled
from firmware_sim.sound.scenery import pink
from firmware_sim.sound.voices import Voices
from firmware_sim.trials.foreign_texts import Texts

Kind: TypeAlias = Literal["recorded", "command", "prose", "television"]

Kinds: TypeAlias = Sequence[tuple[Kind, Sequence[str]]]
"""What is said of each kind."""

CAST: Final = (
    "heart", "george", "emma", "michael", "joe", "slt", "rms", "awb", "kal", "en-gb+m3@170", "en-us+f2@180",
    "en-scotland@165", "en-rp+f4",
)  # fmt: skip
"""Who speaks unless others are named."""

ASSETS: Final = ("beckett.wav", "two_cities.wav", "endgame_nagg_nell.wav")
"""Recordings of prose and theatre that come with the `moonshine-voice` package."""

INDEX: Final = "index.json"
"""In a folder of kept utterances: what each of them is."""

_LINES: Final = 8
"""Sentences of a take."""

_LEVEL_DBFS: Final = (-34.0, -20.0)
"""How loud somebody speaks, between these by chance."""

_ROOM_DB: Final = 28.0
_MUSIC_DB: Final = (6.0, 18.0)
"""How far the noise of a quiet room, and what a television plays under its speech, lie below the speech."""

_CHORDS: Final = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14))
"""Semitones above the key of four chords that follow each other everywhere: I, vi, IV, V."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """An utterance that is not for the device.

    Attributes:
        name: Of its own.
        pcm: 16 kHz mono, shape [n].
        text: What is said in it; empty where nobody wrote that down.
        kind: Where it comes from.
    """

    name: str
    pcm: Pcm
    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Take:
    """A stretch of sound with what is said in it, before it is cut.

    Attributes:
        name: Of its own.
        kind: Where it comes from.
        pcm: 16 kHz mono, shape [n].
        lines: Begin and end in samples, and the words.
    """

    name: str
    kind: Kind
    pcm: Pcm
    lines: tuple[tuple[int, int, str], ...] = ()


def foreign(
    texts: Texts,
    recordings: Sequence[Path],
    voices: Voices,
    vad: VadEngine,
    *,
    seconds: float = 3600.0,
    seed: int = 0,
    cast: Sequence[str] = CAST,
    known: Callable[[str], bool] = lambda text: False,
) -> Iterator[Foreign]:
    """Utterances until they last so many seconds together, the recorded ones first.

    Args:
        texts: What is said.
        recordings: Folders of recordings that none of the packs in use is for.
        voices: Who can speak.
        vad: Finds the utterances.
        seconds: Length of all utterances together.
        seed: Of who says what, when and how loud.
        cast: Who does speak.
        known: Whether a sentence is for the device after all; such are not said.

    Raises:
        BadInput: A folder is not there, or there is no such voice.
    """
    kinds: Kinds = (("command", texts.commands), ("prose", texts.prose), ("television", texts.talk))
    if not all(lines for _, lines in kinds) or not cast:
        raise BadInput("There is nothing foreign to say.", remedy="Give sentences of every kind, and voices.")
    left = seconds * SAMPLE_RATE
    for take in _takes(kinds, recordings, voices, seed, cast, known):
        for utterance in cut(take, vad):
            yield utterance
            left -= len(utterance.pcm)
            if left <= 0:
                return


def cut(take: Take, vad: VadEngine) -> Iterator[Foreign]:
    """The utterances of a take, as a device that listens all the time would hear them."""
    padded = np.concatenate([take.pcm, np.zeros(-len(take.pcm) % FRAME + round(TAIL * SAMPLE_RATE), np.int16)])
    listener = Listener(None, vad)
    count = 0
    for begin in range(0, len(padded) // FRAME * FRAME, FRAME):
        if listener.mode == "idle":
            listener.listen("command")
        for event in listener.feed(padded[begin : begin + FRAME]):
            if isinstance(event, Utterance):
                said = [words for start, end, words in take.lines if start < event.ended and event.started < end]
                yield Foreign(f"{take.name}-{count:02}", event.pcm, " ".join(said), take.kind)
                count += 1


def keep(folder: Path, utterances: Iterable[Foreign]) -> list[Foreign]:
    """Utterances into a new folder: a WAV for each, and an index of what is said once all are there.

    Raises:
        BadInput: The folder has something in it, or can't be written.
    """
    kept = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise BadInput(f"{folder} is not empty.", remedy="Name a new folder.")
        for utterance in utterances:
            write_wav(folder / f"{utterance.name}.wav", utterance.pcm)
            kept.append(utterance)
        rows = [{"name": each.name, "text": each.text, "kind": each.kind} for each in kept]
        (folder / INDEX).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{folder} can't keep speech: {error}.", remedy="Choose another one.") from error
    return kept


def music(seconds: float, seed: int = 0) -> Pcm:
    """Plucked chords over a bass, four to the bar, in a key and a tempo by chance; shape [seconds * SAMPLE_RATE]."""
    rng = np.random.default_rng(seed)
    beat = round(SAMPLE_RATE * 60 / rng.uniform(80, 130))
    key = 110 * 2 ** (int(rng.integers(12)) / 12)
    time = np.arange(4 * beat) / SAMPLE_RATE
    tune = np.zeros(round(seconds * SAMPLE_RATE) + len(time))
    for number, start in enumerate(range(0, round(seconds * SAMPLE_RATE), beat)):
        chord = _CHORDS[number // 4 % len(_CHORDS)]
        for semitones, decay in [(chord[0] - 12, 1.5), *((semitones, 3.0) for semitones in chord)]:
            hertz = key * 2 ** (semitones / 12)
            tone = sum(np.sin(2 * np.pi * hertz * n * time) / n for n in range(1, 7))
            tune[start : start + len(time)] += rng.uniform(0.4, 1) * np.exp(-decay * time) * tone
    tune = tune[: round(seconds * SAMPLE_RATE)]
    pcm: Pcm = np.rint(tune * (16384 / max(float(np.abs(tune).max()), 1e-9))).astype(np.int16)
    return pcm


def _takes(
    kinds: Kinds,
    recordings: Sequence[Path],
    voices: Voices,
    seed: int,
    cast: Sequence[str],
    known: Callable[[str], bool],
) -> Iterator[Take]:
    yield from _recorded(recordings)
    rng = np.random.default_rng(seed)
    orders = {kind: iter(rng.permutation(len(lines))) for kind, lines in kinds}
    count = 0
    while True:
        for kind, lines in kinds:
            said = [lines[index] for index, _ in zip(orders[kind], range(_LINES), strict=False)]
            if not said:
                return
            take = _spoken(kind, [line for line in said if not known(line)], voices, cast, rng)
            yield replace(take, name=f"{kind}-{count:04}")
        count += 1


def _recorded(folders: Sequence[Path]) -> Iterator[Take]:
    assets = files("moonshine_voice") / "assets"
    paths = [(path, f"moonshine-{Path(path.name).stem}") for path in (Path(str(assets / name)) for name in ASSETS)]
    for folder in folders:
        if not folder.is_dir():
            raise BadInput(f"There is no folder {folder}.", remedy="Give folders of recordings.")
        paths += [(path, f"{folder.name}-{path.stem}") for path in sorted(folder.glob("*.*"))]
    for path, name in paths:
        with suppress(AudioFormatError):  # what can't be read, some old FLACs among it, is not heard
            yield Take(name, "recorded", read_audio(path, max_seconds=3600.0))


def _spoken(kind: Kind, lines: Sequence[str], voices: Voices, cast: Sequence[str], rng: np.random.Generator) -> Take:
    """Prose by one voice, commands each by another, a television by three in turn over music or noise."""
    who = rng.choice(list(cast), size={"prose": 1, "television": 3}.get(kind, _LINES))
    pauses = (0.0, 0.5) if kind == "television" else (0.9, 1.8)
    level = amplitude(float(rng.uniform(*_LEVEL_DBFS)))
    parts: list[Samples] = [np.zeros(SAMPLE_RATE // 2)]
    spans: list[tuple[int, int, str]] = []
    for number, line in enumerate(lines):
        begin = sum(map(len, parts))
        parts.append(scaled(render(voices.person(str(who[number % len(who)])), line), level))
        spans.append((begin, begin + len(parts[-1]), line))
        parts.append(np.zeros(round(float(rng.uniform(*pauses)) * SAMPLE_RATE)))
    sound = np.concatenate(parts)
    if kind == "television":
        under = music if rng.random() < 0.5 else pink
        bed = under(len(sound) / SAMPLE_RATE, int(rng.integers(1 << 30)))
        sound = sound + scaled(bed, level * db(-float(rng.uniform(*_MUSIC_DB))))
        sound = scaled(reverberate(sound, space("across").broadcast()), level)[: len(sound)]
    else:
        bed = pink(len(sound) / SAMPLE_RATE, int(rng.integers(1 << 30)))
        sound = sound + scaled(bed, level * db(-_ROOM_DB))
    return Take("", kind, np.clip(np.rint(sound), -32768, 32767).astype(np.int16), tuple(spans))
