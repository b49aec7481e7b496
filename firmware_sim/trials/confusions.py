"""`homebody data confusions`: what our recogniser hears in place of what is said, as a table for training.

Sentences are spoken by the text-to-speech voices, mixed with the babble of other voices, and transcribed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
import numpy as np
import typer

from device.audio.ports import SAMPLE_RATE, Pcm
from device.errors import BadInput, EngineFailed, EngineMissing
from device.nlu.phonemes import Phonemizer
from device.nlu.text import words
from device.speech.engines import EngineOptions, make_stt
from device.speech.ports import SttEngine, TtsEngine, render
from firmware_sim.sound.noise import mix
from firmware_sim.trials.confusion_table import Hearing, Take, Words, summary, tabulate

VOICES: Final[Mapping[str, tuple[str, ...]]] = {"piper": ("joe",), "espeak": ("gmw/en-us", "gmw/en", "gmw/en-us+f3")}
"""Voices of each engine; each engine speaks its share of the sentences."""

SPEEDS: Final = (0.9, 1.0, 1.1)
"""Speed perturbation, which moves the pitch as well (Ko et al. 2015, "Audio augmentation for speech recognition")."""

SPEAKERS: Final = 6
CROWD: Final = 60
"""Voices that talk at once in the babble, and sentences that they say in all."""

_EDGE: Final = np.zeros(round(0.3 * SAMPLE_RATE), np.int16)
"""Silence around a command, as the endpoint leaves it."""


def confusions(
    sentences: Annotated[Path, typer.Argument(help="Sentences: text, or JSON with `text` or `words`; one a line.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The table, JSON.")] = Path("confusions.json"),
    recogniser: Annotated[str, typer.Option(help="Speech-to-text engine: moonshine, whisper, vosk.")] = "moonshine",
    snr: Annotated[str, typer.Option(help="Noise levels in dB, with commas; `clean` for none.")] = "clean,20,15",
    seed: Annotated[int, typer.Option(help="Of voices, speeds and noise.")] = 0,
) -> None:
    """Speak sentences, transcribe them, and write what is heard in place of what was said.

    What was heard is kept beside the table (`.heard.jsonl`), so that an interrupted run goes on where it stopped.
    """
    from rich.console import Console
    from rich.progress import track

    from device.config import home_folder

    levels = read_levels(snr)
    said = read_sentences(sentences)
    takes = plan(said, available_voices(), levels, seed)
    log = output.with_suffix(".heard.jsonl")
    known = read_log(log, recogniser)
    missing = [take for take in takes if take not in known]
    console = Console(stderr=True)
    if missing:
        stt = make_stt(recogniser, EngineOptions(home_folder() / "models", threads=1))
        hearings = hear(missing, stt, Speakers(), plan(said[:CROWD], available_voices(), [None], seed), seed)
        with log.open("ab") as file:
            for hearing in track(hearings, total=len(missing), description="Listening", console=console):
                file.write(msgspec.json.encode(hearing) + b"\n")
                file.flush()
                known[hearing.take] = hearing
    table = tabulate([known[take] for take in takes if take in known], Phonemizer())
    output.write_bytes(msgspec.json.format(msgspec.json.encode(table, order="deterministic"), indent=1) + b"\n")
    console.print(summary(table), highlight=False)
    console.print(f"Wrote {output}")


def plan(
    sentences: Sequence[Words], voices: Mapping[str, Sequence[str]], levels: Sequence[float | None], seed: int
) -> list[Take]:
    """Who says each sentence, how fast, in which noise; drawn evenly."""
    chance = random.Random(seed)
    takes = []
    for said in sentences:
        engine = chance.choice(sorted(voices))
        takes.append(
            Take(said, engine, chance.choice(voices[engine]), chance.choice(SPEEDS), chance.choice(list(levels)))
        )
    return takes


def available_voices() -> Mapping[str, tuple[str, ...]]:
    """`VOICES` without Piper where it is not installed."""
    from device.speech.tts_piper import PiperTts

    try:
        PiperTts(threads=1)
    except EngineMissing:
        return {"espeak": VOICES["espeak"]}
    return VOICES


class Speakers:
    """The voices, each started when it is first needed; the same text is always rendered to the same samples."""

    def __init__(self, make: Callable[[str, str], TtsEngine] | None = None) -> None:
        self._make = make or _make_voice
        self._engines: dict[tuple[str, str], TtsEngine] = {}

    def say(self, take: Take) -> Pcm:
        """The take without its noise: 16 kHz mono, silence before and after.

        Raises:
            EngineMissing: The engine is not installed.
            EngineFailed: It broke.
        """
        import soxr

        key = take.engine, take.voice
        if key not in self._engines:
            self._engines[key] = self._make(*key)
        pcm = render(self._engines[key], " ".join(take.said))
        return np.concatenate([_EDGE, np.asarray(soxr.resample(pcm, SAMPLE_RATE * take.speed, SAMPLE_RATE)), _EDGE])


def hear(
    takes: Iterable[Take], stt: SttEngine, speakers: Speakers, crowd: Sequence[Take], seed: int
) -> Iterator[Hearing]:
    """Speak and transcribe. What an engine breaks on counts as not heard.

    Args:
        takes: What is said.
        stt: The recogniser.
        speakers: The voices.
        crowd: What the babble is made of.
        seed: Of the excerpts of babble; which one a take gets depends on the take and on this only.

    Raises:
        EngineMissing: An engine is not installed.
    """
    noise: Pcm | None = None
    for take in takes:
        heard = ""
        try:
            pcm = speakers.say(take)
            if take.snr_db is not None and pcm.any():
                if noise is None:
                    noise = babble(speakers, crowd)
                pcm = mix(pcm, _at_least(noise, len(pcm)), take.snr_db, _rng(take, seed))
            stt.start()
            stt.feed(pcm)
            heard = stt.finish().text
        except EngineFailed:
            heard = ""
        yield Hearing(stt.name, take, words(heard))


def babble(speakers: Speakers, takes: Sequence[Take]) -> Pcm:
    """Several sentences at once, on and on: the noise of other people, which hides speech best."""
    tracks: list[list[Pcm]] = [[] for _ in range(SPEAKERS)]
    for number, take in enumerate(takes):
        tracks[number % SPEAKERS].append(speakers.say(take))
    joined = [np.concatenate(track).astype(np.float64) for track in tracks if track]
    length = min(map(len, joined))
    total = np.sum([track[:length] for track in joined], axis=0)
    return np.asarray(total * (16384 / max(1.0, float(np.abs(total).max()))), np.int16)


def read_levels(text: str) -> list[float | None]:
    """Noise levels of "clean,20,15".

    Raises:
        BadInput: Not numbers.
    """
    try:
        return [None if level.strip() == "clean" else float(level) for level in text.split(",")]
    except ValueError as error:
        raise BadInput(f"{text!r} are no noise levels.", remedy="Give decibels, such as clean,20,15.") from error


def read_sentences(path: Path) -> list[Words]:
    """Different sentences of a file, in spoken form and in its order.

    Raises:
        BadInput: Not readable, a line is no such JSON, or there is no sentence.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} can't be read ({error}).", remedy="Give a UTF-8 text or JSONL file.") from error
    found: dict[Words, None] = {}
    for number, line in enumerate(lines, 1):
        text = line
        if line.lstrip().startswith("{"):
            try:
                row = msgspec.json.decode(line, type=_Row)
            except msgspec.DecodeError as error:
                raise BadInput(
                    f"{path}, line {number}: {error}.", remedy='Give objects such as {"text": "stop the timer"}.'
                ) from error
            text = row.text or " ".join(row.words)
        if spoken := words(text):
            found[spoken] = None
    if not found:
        raise BadInput(f"{path} holds no sentence.", remedy="Give one sentence a line.")
    return list(found)


def read_log(path: Path, recogniser: str) -> dict[Take, Hearing]:
    """What a recogniser has heard already; a last line that was cut off is dropped from the file.

    Raises:
        BadInput: Something else is in the file.
    """
    if not path.exists():
        return {}
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        path.write_bytes(whole)
    try:
        hearings = [msgspec.json.decode(line, type=Hearing) for line in whole.splitlines()]
    except msgspec.DecodeError as error:
        raise BadInput(f"{path} holds no hearings ({error}).", remedy="Move it away, or give another -o.") from error
    return {hearing.take: hearing for hearing in hearings if hearing.recogniser == recogniser}


class _Row(msgspec.Struct):
    text: str = ""
    words: list[str] = []


def _at_least(noise: Pcm, length: int) -> Pcm:
    return np.tile(noise, -(-length // max(1, len(noise))))


def _rng(take: Take, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, *msgspec.json.encode(take)])


def _make_voice(engine: str, voice: str) -> TtsEngine:
    if engine == "piper":
        from device.speech.tts_piper import PiperTts

        return PiperTts(threads=1, variation=0.0)
    from device.speech.tts_espeak import EspeakTts

    return EspeakTts(voice)
